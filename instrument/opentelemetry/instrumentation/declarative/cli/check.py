"""``instrument check``: what is wrong with spec files."""

from __future__ import annotations

import argparse
import itertools
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.cli.explain_code import Explain

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
    from opentelemetry.instrumentation.declarative.language.loading import Layers

HELP = "say what is wrong with spec files"
DESCRIPTION = """Check spec files; every mistake is told at its line. What a spec names is looked for in the libraries
that are installed here, which imports them; --no-import looks at the files alone."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a spec file")
    parser.add_argument("--explain", action=Explain, metavar="CODE", help="say what a code means, and end")
    parser.add_argument(
        "--format",
        choices=["text", "json", "github"],
        default="text",
        help="how to show them: text (default), json, or annotations for github",
    )
    parser.add_argument("--no-import", action="store_true", help="import nothing: for the specs of strangers")
    parser.add_argument("--strict", action="store_true", help="exit 1 for warnings as well")


def run(options: argparse.Namespace) -> int:
    from opentelemetry.instrumentation.declarative.lint.output_formats import FORMATS

    found = _found(list(dict.fromkeys(options.files)), verified=not options.no_import)
    text = FORMATS[options.format](found)
    if text:
        print(text)
    severities = {problem.severity for problems in found.values() for problem in problems}
    return 1 if "error" in severities or (options.strict and "warning" in severities) else 0


def _found(files: list[str], *, verified: bool) -> dict[str, list[Problem]]:
    """What is wrong with each file: errors and, where there are none that others could come from, what is idle."""
    from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError, cut
    from opentelemetry.instrumentation.declarative.lint.static_check import static_warnings
    from opentelemetry.instrumentation.declarative.plan.validation import examine

    read = {file: examine(file) for file in files}
    found = {file: problems for file, (_, problems) in read.items()}
    for file, (layers, problems) in read.items():
        if layers is not None and not problems:
            found[file] = static_warnings(layers)
    if verified:
        _verify({file: layers for file, (layers, _) in read.items() if layers is not None}, found)
    for file, problems in found.items():
        told = (cut(p for p in problems if p.severity == of) for of in ("error", "warning", "note"))
        found[file] = list(SpecError(itertools.chain(*told)).problems)
    return found


def _verify(read: dict[str, Layers], found: dict[str, list[Problem]]) -> None:
    """Add what is wrong with the files in view of what is installed."""
    from opentelemetry.instrumentation.declarative.cli.importing import importing
    from opentelemetry.instrumentation.declarative.lint.installed import Verification

    with importing():
        verifications = {file: Verification(layers) for file, layers in read.items()}
        for file, verification in verifications.items():
            found[file] = [*found[file], *verification.problems()]
