import functools

import click

from shoptool.stock import OutOfStock, connection, find


class Settings:
    def __init__(self, url, verbose):
        self.url = url
        self.verbose = verbose


pass_settings = click.make_pass_decorator(Settings)


def reported(function):
    """Turn errors of the shop into messages."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except OutOfStock as error:
            raise click.ClickException(f"out of stock: {error}") from error

    return wrapper


class Article(click.ParamType):
    name = "article"

    def convert(self, value, param, ctx):
        return value.lower()


def check_amount(ctx, param, value):
    if value < 1:
        raise click.BadParameter("must be positive")
    return value


def print_version(ctx, param, value):
    if value and not ctx.resilient_parsing:
        click.echo("1.0")
        ctx.exit()


@click.group(chain=True, invoke_without_command=True)
@click.option("--url", default="shop:1")
@click.option("-v", "--verbose", count=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=print_version)
@click.pass_context
def main(ctx, url, verbose):
    """Sells articles."""
    ctx.obj = Settings(url, verbose)
    ctx.with_resource(connection(url))
    ctx.call_on_close(goodbye)
    if ctx.invoked_subcommand is None:
        click.echo("nothing to do")


def goodbye():
    click.echo("bye")


@main.result_callback()
def finish(results, url, verbose):
    click.echo(f"{len(results)} done")


@main.command()
@click.argument("article", type=Article())
@click.option("--amount", type=int, default=1, callback=check_amount)
@pass_settings
@reported
def buy(settings, article, amount):
    click.echo(f"bought {amount} {find(article)} from {settings.url}")
    return amount


@main.command("list", deprecated=False)
@click.pass_context
def list_articles(ctx):
    ctx.invoke(show, article="chair")
    ctx.forward(show, article="table")


@click.command()
@click.argument("article")
def show(article):
    click.echo(find(article))


main.add_command(show)


class Plugins(click.Group):
    """Loads its commands when they are called."""

    def list_commands(self, ctx):
        return ["report"]

    def get_command(self, ctx, name):
        from shoptool.plugin import report

        return report if name == "report" else None


plugins = Plugins("plugins")
