from enum import Enum
from typing import Annotated

import typer

from shoptool.stock import find

app = typer.Typer(add_completion=False)
users = typer.Typer()
app.add_typer(users, name="users")


class Role(str, Enum):
    admin = "admin"
    guest = "guest"


def complete_name(incomplete: str):
    return ["ann"]


def check_name(value: str):
    if value == "root":
        raise typer.BadParameter("not allowed")
    return value.title()


@app.callback()
def common(ctx: typer.Context, verbose: bool = False):
    """Manages a shop."""
    ctx.obj = {"verbose": verbose}


@app.command()
def order(ctx: typer.Context, article: str, amount: Annotated[int, typer.Option(min=1)] = 1):
    typer.echo(f"ordered {amount} {find(article)} {ctx.obj}")


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(callback=check_name, autocompletion=complete_name)],
    role: Role = Role.guest,
    mail: str | None = None,
):
    if name == "Eve":
        raise typer.Exit(3)
    typer.echo(f"added {name} as {role.value}")


@users.callback(invoke_without_command=True)
def all_users(ctx: typer.Context):
    if ctx.invoked_subcommand is None:
        typer.echo("no users")


if __name__ == "__main__":
    app()
