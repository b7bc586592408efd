"""The command ``instrument``. Exit codes: 0 success, 1 problems found, 2 wrong usage."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from opentelemetry.instrumentation.declarative.cli import check, explain, init, reference, run, status, view
from opentelemetry.instrumentation.declarative.cli.importing import FirstImportError
from opentelemetry.instrumentation.declarative.version import __version__

COMMANDS = {
    "check": check,
    "explain": explain,
    "init": init,
    "reference": reference,
    "run": run,
    "status": status,
    "view": view,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code. ``arguments`` default to those of the process."""
    parser = argparse.ArgumentParser(
        prog="instrument", description="OpenTelemetry tracing for any Python library, written as YAML."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.add_arguments(commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION))
    # Not with argparse: it would take the arguments of the program for its own.
    words, program = run.split_program(sys.argv[1:] if arguments is None else arguments)
    try:
        options = parser.parse_args(words, argparse.Namespace(program=program))
        code: int = COMMANDS[options.command].run(options)
        print(end="", flush=True)
    except FirstImportError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # as in `instrument explain | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more at exit
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
