"""Runs commands, one of which fails."""

import contextlib

import click


@click.group()
def shop() -> None:
    pass


@shop.command()
@click.argument("item")
def sell(item: str) -> None:
    if item == "nothing":
        raise click.UsageError("nothing to sell")
    if item == "broken":
        raise ValueError("it is broken")


def hot() -> None:
    shop.main(["sell", "tea"], standalone_mode=False)


def main() -> None:
    shop.main(["sell", "tea"], standalone_mode=False)
    for item in ("nothing", "broken"):
        with contextlib.suppress(click.UsageError, ValueError):
            shop.main(["sell", item], standalone_mode=False)
