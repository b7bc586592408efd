"""The command ``instrument``: arguments and exit codes. 0: clean, 1: problems, 2: wrong usage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from instrument.problems import Problem, SpecError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="instrument", description="OpenTelemetry tracing for any Python library, written as YAML."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="say what is wrong with spec files",
        description="Check spec files; every mistake is told at its line.",
    )
    check.add_argument("files", nargs="+", metavar="FILE", help="a spec file")
    check.add_argument(
        "--format",
        choices=["text", "json", "github"],
        default="text",
        help="how to show them: text (default), json, or annotations for github",
    )
    explain = commands.add_parser(
        "explain",
        help="show the generated wrappers",
        description="Show, for the specs that are active here, the code that runs around each callable.",
    )
    explain.add_argument(
        "--specs",
        action="append",
        default=[],
        metavar="FILE",
        help="a spec file to add, as OTEL_PYTHON_DECLARATIVE_SPECS does",
    )
    explain.add_argument("target", nargs="?", help="only this callable, as module:Class.method")
    options = parser.parse_args(arguments)
    return (
        _check(options.files, options.format) if options.command == "check" else _explain(options.specs, options.target)
    )


def _check(files: Sequence[str], shown_as: str) -> int:
    from instrument.formats import FORMATS
    from instrument.prepare import read_spec

    found: dict[str, tuple[Problem, ...]] = {}
    for file in files:
        try:
            read_spec(file)
            found[file] = ()
        except SpecError as error:
            found[file] = error.problems
    text = FORMATS[shown_as](found)
    if text:
        print(text)
    return 1 if any(found.values()) else 0


def _explain(specs: Sequence[str], target: str | None) -> int:
    from instrument.instrumentor import generated_sources

    sources = generated_sources(specs, target)
    for name, source in sources.items():
        print(f"# {name}\n{source}")
    if not sources:
        print("no active spec hooks " + (target or "anything that is installed here"), file=sys.stderr)
    return 0 if sources else 1


if __name__ == "__main__":
    sys.exit(main())
