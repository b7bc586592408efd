"""``instrument explain``: what the specs that are active here do, and what can be read at a callable."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

HELP = "say what the active specs do, and what can be read where they do it"
DESCRIPTION = (
    "Without TARGET: the specs that are active here, layer by layer. With a type of span (envelope, ag2:envelope) or a "
    "callable (ag2.network.hub.core:Hub._dispatch): what happens at each moment, in words, and what can be read there."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--specs",
        action="append",
        default=[],
        metavar="FILE",
        help="a spec file to add, as OTEL_PYTHON_DECLARATIVE_SPECS does",
    )
    parser.add_argument("--source", action="store_true", help="show the generated wrappers instead")
    parser.add_argument("--depth", type=_depth, default=2, metavar="N", help="how many names below a parameter (2)")
    parser.add_argument("--private", action="store_true", help="list names that begin with an underscore as well")
    parser.add_argument(
        "--format", choices=["text", "json"], default="text", help="how to show it: text (default), json"
    )
    parser.add_argument(
        "target", nargs="?", metavar="TARGET", help="a type of span, or a callable: module:Class.method"
    )


def _depth(text: str) -> int:
    depth = int(text)
    if not 0 <= depth <= 6:
        raise argparse.ArgumentTypeError("a depth is 0 to 6")
    return depth


def run(options: argparse.Namespace) -> int:
    from opentelemetry.instrumentation.declarative.cli.importing import importing
    from opentelemetry.instrumentation.declarative.inspection.explain.query import QueryError

    try:
        with importing():
            text, clean = _told(options)
    except QueryError as error:
        print(error, file=sys.stderr)
        return 1
    print(text)
    return 0 if clean else 1


def _told(options: argparse.Namespace) -> tuple[str, bool]:
    """What is asked for, and whether nothing is wrong with it. Imports what the specs name."""
    from opentelemetry.instrumentation.declarative.config.settings import settings
    from opentelemetry.instrumentation.declarative.inspection.explain.query import Environment

    environment = Environment(settings([*options.specs, *settings().specs]))
    if options.target is not None and environment.errors:
        print(environment.errors, file=sys.stderr)  # the specs that are right are told all the same
    as_json = options.format == "json"
    if options.source:
        sources = environment.sources(options.target)
        text = "\n".join(f"# {name}\n{source}" for name, source in sources.items())
        return _json(dict(sources)) if as_json else text, not environment.errors
    answer = environment.answer(options.target, options.depth, private=options.private)
    return _json(answer.data()) if as_json else answer.text(), not answer.has_problems and not environment.errors


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)
