"""``instrument run``: runs a program under OpenTelemetry's auto-instrumentation, with settings as flags."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence

HELP = "run a program with specs active"
DESCRIPTION = (
    "Run a program as opentelemetry-instrument does, with specs active. Its exit code, output and signals are its own. "
    "A Python file is run by this Python; anything else is a command, for example gunicorn. The flags override "
    "OpenTelemetry's configuration file and the environment."
)
#: OpenTelemetry itself would print several stack traces, and record nothing.
_NOT_EXPORTED = (
    "instrument run: spans are not exported: no exporter for OTLP is installed, which is the default. Show them with "
    "--tree, set OTEL_TRACES_EXPORTER, or install opentelemetry-exporter-otlp."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "instrument run [--report[=PATH]] [--specs FILE] [--tree] [--] PROGRAM [ARGUMENT ...]"
    parser.add_argument(
        "--report",
        nargs="?",
        const="-",
        metavar="PATH",
        help="at the end, report what each rule did: on standard error, or in a file (--report=PATH; .json gives JSON)",
    )
    parser.add_argument(
        "--specs",
        action="append",
        default=[],
        metavar="FILE",
        help="a spec file to add to those of the configuration file or of OTEL_PYTHON_DECLARATIVE_SPECS",
    )
    parser.add_argument(
        "--tree",
        action="store_true",
        help="show the traces as trees in the terminal instead of exporting them (in addition, if a configuration file "
        "configures the exporters)",
    )


def split_program(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the arguments of ``instrument`` into those up to the flags of ``run``, and the program with its arguments.

    The program starts at the first word after ``run`` that is neither a flag nor the value of ``--specs``; after
    ``view``, it starts at ``--``.
    """
    words = [*arguments]
    if words[:1] == ["view"] and "--" in words:
        end = words.index("--")
        return words[:end], words[end + 1 :]
    if words[:1] != ["run"]:
        return words, []
    end = 1
    while end < len(words) and words[end].startswith("-") and words[end] not in ("--", "-m"):
        end += 2 if words[end] == "--specs" else 1
    return words[:end], words[end + (words[end : end + 1] == ["--"]) :]


def run(options: argparse.Namespace) -> int:
    command = _command(options.program)
    error = _usage_error(command, options.tree)
    if error:
        print(f"instrument run: {error}", file=sys.stderr)
        return 2
    from opentelemetry.instrumentation.declarative.cli.default_exporters import disable_missing_exporters
    from opentelemetry.instrumentation.declarative.config import environment
    from opentelemetry.instrumentation.declarative.config.config_file import config_file
    from opentelemetry.instrumentation.declarative.config.run_flags import RunFlags, pass_on

    if options.report is not None:
        os.environ[environment.OTEL_PYTHON_DECLARATIVE_REPORT] = options.report or "-"
    has_config_file = config_file() is not None
    pass_on(RunFlags(tuple(options.specs), options.report is not None, options.tree and has_config_file))
    if options.tree and not has_config_file:
        os.environ["OTEL_TRACES_EXPORTER"] = "tree"
        os.environ.setdefault("OTEL_METRICS_EXPORTER", "none")
        os.environ.setdefault("OTEL_LOGS_EXPORTER", "none")
    if not has_config_file and disable_missing_exporters():
        print(_NOT_EXPORTED, file=sys.stderr)
    from opentelemetry.instrumentation.auto_instrumentation import run as run_instrumented

    sys.argv = ["opentelemetry-instrument", *command]
    sys.stdout.flush()
    run_instrumented()  # replaces this process
    raise AssertionError("the program has not been started")


def _command(words: list[str]) -> list[str]:
    """The command that runs a program: a Python file, and a module after ``-m``, are run by this Python."""
    if words and (words[0] == "-m" or words[0].endswith((".py", ".pyz")) or os.path.isdir(words[0])):
        return [sys.executable, *words]
    return words


def _usage_error(command: list[str], tree: bool) -> str | None:
    """Why the program cannot be run; None if it can."""
    if not command:
        return "no program is given. For example: instrument run app.py"
    if command[0] == sys.executable and command[1:2] != ["-m"] and not os.path.exists(command[1]):
        return f"{command[1]} does not exist. Check the path."
    if shutil.which(command[0]) is None:
        return f"there is no command {command[0]}. Name a Python file, or a command on PATH."
    if command[1:2] == ["-m"] and len(command) == 2:
        return "no module is given after -m. For example: instrument run -m app"
    if tree and importlib.util.find_spec("opentelemetry.sdk") is None:
        return (
            "--tree needs OpenTelemetry's SDK, which is not installed. "
            "pip install 'opentelemetry-instrumentation-declarative[sdk]'"
        )
    return None
