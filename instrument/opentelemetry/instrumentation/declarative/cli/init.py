"""``instrument init``: writes a first spec for the user's own code."""

from __future__ import annotations

import argparse
import os
import sys

from opentelemetry.instrumentation.declarative.cli.importing import add_import_argument, importing

HELP = "write a first spec for your own code"
DESCRIPTION = (
    "Write a spec with a span for each relevant callable of classes or modules, with attributes from its parameters. "
    "The modules are imported."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("targets", metavar="TARGET", nargs="+", help="module:Class, module:function or module")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; without it, the spec is printed")
    add_import_argument(parser)
    parser.add_argument("--force", action="store_true", help="overwrite the file if it exists")


def run(options: argparse.Namespace) -> int:
    from opentelemetry.instrumentation.declarative.inspection.scaffold import ScaffoldError, scaffold_spec

    file = options.output
    if file is not None and os.path.lexists(file) and not options.force:
        print(f"{file} already exists: it is not overwritten. Name another file, or add --force.", file=sys.stderr)
        return 2
    try:
        with importing(options.imports):
            text = scaffold_spec(*options.targets, file=file, imports=options.imports)
    except ScaffoldError as error:
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
        print(f"{file} cannot be written: {reason}. Name a file in an existing folder.", file=sys.stderr)
        return 2
    print(f"{file} was written. Its first lines say how to run it.", file=sys.stderr)
    return 0
