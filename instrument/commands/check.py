"""``instrument check``: what is wrong with spec files."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from instrument.problems import Problem

HELP = "say what is wrong with spec files"
DESCRIPTION = "Check spec files; every mistake is told at its line."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a spec file")
    parser.add_argument(
        "--format",
        choices=["text", "json", "github"],
        default="text",
        help="how to show them: text (default), json, or annotations for github",
    )


def run(options: argparse.Namespace) -> int:
    from instrument.formats import FORMATS
    from instrument.prepare import read_spec
    from instrument.problems import SpecError

    found: dict[str, tuple[Problem, ...]] = {}
    for file in options.files:
        try:
            read_spec(file)
            found[file] = ()
        except SpecError as error:
            found[file] = error.problems
    text = FORMATS[options.format](found)
    if text:
        print(text)
    return 1 if any(found.values()) else 0
