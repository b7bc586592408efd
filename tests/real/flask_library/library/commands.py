import click
from flask.cli import with_appcontext

from library.books import TITLES


@click.command()
@click.argument("prefix")
@with_appcontext
def reindex(prefix):
    for title in TITLES.values():
        if title.startswith(prefix):
            index_title(title)


def index_title(title):
    click.echo(f"indexed {title}")
