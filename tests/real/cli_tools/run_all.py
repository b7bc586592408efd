"""Calls the commands as tests of the command lines do, and the shop's own tool as an entry point."""

import sys

from click.testing import CliRunner
from shoptool import argparse_cli
from shoptool.click_cli import main, plugins, show
from shoptool.typer_cli import app
from typer.testing import CliRunner as TyperRunner


def call(runner, command, *arguments, **options):
    result = runner.invoke(command, arguments, **options)
    error = result.exception if not isinstance(result.exception, SystemExit) else None
    print(arguments, result.exit_code, repr(error), result.output.split("\n"))


click_runner, typer_runner = CliRunner(), TyperRunner()
call(click_runner, main)
call(click_runner, main, "--version")
call(click_runner, main, "buy", "--amount", "2", "Chair", "list")
call(click_runner, main, "buy", "moon")
call(click_runner, main, "buy", "--amount", "0", "chair")
call(click_runner, show, "moon")
call(click_runner, plugins, "report", obj="all")
call(typer_runner, app, "--verbose", "order", "lamp")
call(typer_runner, app, "users", "add", "ann", "--role", "admin")
call(typer_runner, app, "users", "add", "root")
call(typer_runner, app, "users", "add", "eve")
call(typer_runner, app, "users")
argparse_cli.main(["sell", "chair", "--amount", "3"])
argparse_cli.main(["refund", "o-1"])
try:
    argparse_cli.main(["sell", "chair", "--amount", "0"])
except SystemExit as error:
    print("exit", error.code, file=sys.stderr)
