"""``instrument explain``: describes the specs that are active here, and the values available at a callable."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from opentelemetry.instrumentation.declarative.cli.importing import add_import_argument, importing

HELP = "describe the active specs, and the values available at their callables"
DESCRIPTION = (
    "Without TARGET: the specs that are active here, layer by layer. With a span type (envelope, ag2:envelope) or a "
    "callable (ag2.network.hub.core:Hub._dispatch): what happens at each moment, and the values available there."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--specs",
        action="append",
        default=[],
        metavar="FILE",
        help="a spec file to add, as with OTEL_PYTHON_DECLARATIVE_SPECS",
    )
    parser.add_argument("--source", action="store_true", help="show the source of the generated wrappers instead")
    parser.add_argument(
        "--depth", type=_depth, default=2, metavar="N", help="how many levels of attributes below a parameter (2)"
    )
    parser.add_argument("--private", action="store_true", help="include names that start with an underscore")
    parser.add_argument(
        "--format", choices=["text", "json"], default="text", help="the output format: text (default) or json"
    )
    add_import_argument(parser)
    parser.add_argument("target", nargs="?", metavar="TARGET", help="a span type, or a callable: module:Class.method")


def _depth(text: str) -> int:
    depth = int(text)
    if not 0 <= depth <= 6:
        raise argparse.ArgumentTypeError("must be 0 to 6")
    return depth


def run(options: argparse.Namespace) -> int:
    from opentelemetry.instrumentation.declarative.inspection.explain.query import QueryError

    try:
        with importing(options.imports):
            text, is_clean = _answer(options)
    except QueryError as error:
        print(error, file=sys.stderr)
        return 1
    print(text)
    return 0 if is_clean else 1


def _answer(options: argparse.Namespace) -> tuple[str, bool]:
    """The output, and whether there are no problems. Imports the modules that the specs name."""
    from opentelemetry.instrumentation.declarative.config.settings import read_settings
    from opentelemetry.instrumentation.declarative.inspection.explain.query import Environment

    environment = Environment(read_settings([*options.specs, *read_settings().specs]))
    if options.target is not None and environment.errors:
        print(environment.errors, file=sys.stderr)  # the valid specs are explained all the same
    as_json = options.format == "json"
    if options.source:
        sources = environment.sources(options.target)
        text = "\n".join(f"# {name}\n{source}" for name, source in sources.items())
        return _json(dict(sources)) if as_json else text, not environment.errors
    answer = environment.answer(options.target, options.depth, private=options.private)
    return _json(answer.data()) if as_json else answer.text(), not answer.has_problems and not environment.errors


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)
