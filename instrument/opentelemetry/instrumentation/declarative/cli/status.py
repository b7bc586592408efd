"""``instrument status``: shows the spans that are open in a running process."""

from __future__ import annotations

import argparse
import json
import shutil
import sys

HELP = "show the spans that are open in a running process"
DESCRIPTION = (
    "Show the spans that are open in a running process, with their ages: what it is waiting for now, and with --stacks "
    "also where in the code. The process must have been started under opentelemetry-instrument with "
    "OTEL_PYTHON_DECLARATIVE_STATUS=1."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pid", metavar="PID", type=int, nargs="?", help="the process; by default, list all processes")
    parser.add_argument(
        "--stacks", action="store_true", help="also show at which lines its threads and waiting asyncio tasks are"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: argparse.Namespace) -> int:
    from opentelemetry.instrumentation.declarative.live.stacks_text import stacks_text
    from opentelemetry.instrumentation.declarative.live.status_client import NoStatus, read_all, read_status
    from opentelemetry.instrumentation.declarative.live.status_text import status_text, summary

    if options.pid is None:
        found = read_all()
        if options.json:
            print(json.dumps(found))
        elif found:
            print("\n".join(map(summary, found)))
        else:
            print("no process of this user answers. Start one with OTEL_PYTHON_DECLARATIVE_STATUS=1.", file=sys.stderr)
        return 0 if found else 1
    try:
        status = read_status(options.pid)
    except NoStatus as error:
        print(f"instrument status: {error}.", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(status))
    else:
        print(status_text(status, shutil.get_terminal_size((110, 24)).columns), end="")
        if options.stacks:
            print("\n" + stacks_text(status["stacks"]), end="")
    return 0
