"""``instrument run``: a program under OpenTelemetry's auto-instrumentation, with the settings given as flags."""

from __future__ import annotations

import argparse
import functools
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

HELP = "run a program with the specs at work"
DESCRIPTION = (
    "Run a program as opentelemetry-instrument does, with the specs at work. Its exit code, its output and its signals "
    "are its own. A Python file is run by this Python; anything else is a command, as gunicorn."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--report",
        nargs="?",
        metavar="PATH",
        help="say at the end what each rule did: on standard error, or in a file (as --report=PATH; .json gives JSON)",
    )
    parser.add_argument(
        "--specs",
        action="append",
        default=[],
        metavar="FILE",
        help="a spec file to add, as OTEL_PYTHON_DECLARATIVE_SPECS does",
    )
    parser.add_argument(
        "--tree", action="store_true", help="show the traces as trees in the terminal, in place of exporting them"
    )
    parser.add_argument("program", nargs="*", metavar="PROGRAM", help="the program, and its arguments")
    parser.usage = "instrument run [--report[=PATH]] [--specs FILE] [--tree] [--] PROGRAM [ARGUMENT ...]"
    # argparse would take the program for the path of `--report program`, and its flags for ours.
    parser.parse_known_args = functools.partial(_parsed, parser.parse_known_args)  # type: ignore[method-assign]


def _parsed(parse: Callable[..., Any], given: Sequence[str] | None = None, namespace: Any = None) -> Any:
    """What argparse makes of the flags; from the first word that is none on, everything is the program's."""
    words = list(sys.argv[1:] if given is None else given)
    end = 0
    while end < len(words) and words[end].startswith("-") and words[end] not in ("--", "-m"):
        end += 2 if words[end] == "--specs" else 1
    flags = ["--report=-" if word == "--report" else word for word in words[:end]]
    options, unknown = parse(flags, namespace)
    options.program = words[end + (words[end : end + 1] == ["--"]) :]
    return options, unknown


def run(options: argparse.Namespace) -> int:
    command = _command(options.program)
    wrong = _wrong(command, options.specs, options.tree)
    if wrong:
        print(f"instrument run: {wrong}", file=sys.stderr)
        return 2
    from opentelemetry.instrumentation.declarative.config import environment
    from opentelemetry.instrumentation.declarative.config.settings import settings

    if options.specs:
        listed = [*options.specs, *map(str, settings().specs)]
        os.environ[environment.OTEL_PYTHON_DECLARATIVE_SPECS] = ",".join(listed)
    if options.report is not None:
        os.environ[environment.OTEL_PYTHON_DECLARATIVE_REPORT] = options.report or "-"
    if options.tree:
        os.environ["OTEL_TRACES_EXPORTER"] = "tree"
        os.environ.setdefault("OTEL_METRICS_EXPORTER", "none")
        os.environ.setdefault("OTEL_LOGS_EXPORTER", "none")
    from opentelemetry.instrumentation.auto_instrumentation import run as run_instrumented

    sys.argv = ["opentelemetry-instrument", *command]
    sys.stdout.flush()
    run_instrumented()  # this process becomes the program
    raise AssertionError("the program has not been started")


def _command(words: list[str]) -> list[str]:
    """The command for a program: a Python file, and what follows `-m`, are run by this Python."""
    if words and (words[0] == "-m" or words[0].endswith((".py", ".pyz")) or os.path.isdir(words[0])):
        return [sys.executable, *words]
    return words


def _wrong(command: list[str], specs: Sequence[str], tree: bool) -> str | None:
    """What keeps the program from being run."""
    if not command:
        return "there is no program to run. Name it: instrument run app.py"
    if command[0] == sys.executable and command[1:2] != ["-m"] and not os.path.exists(command[1]):
        return f"there is no file {command[1]}. Look for its name."
    if shutil.which(command[0]) is None:
        return f"there is no program {command[0]}. Name a Python file, or a command that is on PATH."
    if command[1:2] == ["-m"] and len(command) == 2:
        return "there is no module after -m. Name it: instrument run -m app"
    for file in specs:
        if "," in file:
            return f'the spec "{file}" has a comma in its name: it separates specs. Rename the file.'
    if tree and importlib.util.find_spec("opentelemetry.sdk") is None:
        return (
            "--tree needs OpenTelemetry's SDK, which is not installed. "
            "pip install 'opentelemetry-instrumentation-declarative[sdk]'"
        )
    return None
