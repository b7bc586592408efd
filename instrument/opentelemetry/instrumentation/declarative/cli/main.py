"""The command ``instrument``. Exit codes: 0 clean, 1 problems, 2 wrong usage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from opentelemetry.instrumentation.declarative.cli import check, explain, init, reference, run

COMMANDS = {
    "check": check,
    "explain": explain,
    "init": init,
    "reference": reference,
    "run": run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="instrument", description="OpenTelemetry tracing for any Python library, written as YAML."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.arguments(commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION))
    options = parser.parse_args(arguments)
    code: int = COMMANDS[options.command].run(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
