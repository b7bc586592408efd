"""``instrument init``: a first spec for a user's own code."""

from __future__ import annotations

import argparse
import os
import sys

HELP = "write a first spec for your own code"
DESCRIPTION = (
    "Write a spec with a span for each callable of a class or module that is worth one, with what its parameters show. "
    "The module is imported."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", help="module:Class, module:function or module")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; without it, the spec is printed")
    parser.add_argument("--force", action="store_true", help="write the file even if it is there")


def run(options: argparse.Namespace) -> int:
    from opentelemetry.instrumentation.declarative.cli.importing import importing
    from opentelemetry.instrumentation.declarative.inspection.scaffold import SketchError, sketch

    file = options.output
    if file is not None and os.path.lexists(file) and not options.force:
        print(f"{file} is there already: it is not overwritten. Name another file, or add --force.", file=sys.stderr)
        return 2
    try:
        with importing():
            text = sketch(options.target, file)
    except SketchError as error:
        print(error, file=sys.stderr)
        return 1
    if file is None:
        print(text, end="")
        return 0
    try:
        with open(file, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        print(f"{file} cannot be written: {reason}. Name a file in a folder that is there.", file=sys.stderr)
        return 2
    print(f"{file} is written. Its first lines say how to run it.", file=sys.stderr)
    return 0
