import click

from shoptool.stock import find


@click.command()
@click.argument("article", required=False, default="all")
@click.pass_obj
def report(obj, article):
    click.echo(f"report of {find(article)} {obj}")
