"""``instrument check``: reports the problems of spec files."""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.cli.importing import add_import_argument, importing

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
    from opentelemetry.instrumentation.declarative.language.loading import Layers

HELP = "report the problems of spec files"
DESCRIPTION = (
    "Check spec files and report each problem at its line. The callables that a spec names are looked up in the "
    "installed libraries, which imports them; with --no-import, only the files are checked."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a spec file")
    parser.add_argument("--explain", action=_ExplainCode, metavar="CODE", help="explain a problem code and exit")
    parser.add_argument(
        "--format",
        choices=["text", "json", "github"],
        default="text",
        help="the output format: text (default), json, or annotations for github",
    )
    imports = parser.add_mutually_exclusive_group()
    imports.add_argument("--no-import", action="store_true", help="import nothing; use this for untrusted specs")
    add_import_argument(imports)
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings too")


def run(options: argparse.Namespace) -> int:
    from opentelemetry.instrumentation.declarative.lint.output_formats import FORMATS

    imports = None if options.no_import else options.imports
    files = {os.path.realpath(file): file for file in reversed(options.files)}
    found = _problems_by_file([*reversed(files.values())], imports)
    text = FORMATS[options.format](found)
    if text:
        print(text)
    severities = {problem.severity for problems in found.values() for problem in problems}
    return 1 if "error" in severities or (options.strict and "warning" in severities) else 0


def _problems_by_file(files: list[str], imports: list[str] | None) -> dict[str, list[Problem]]:
    """The problems of each file.

    ``imports``: the modules to import before those of the specs; None if nothing may be imported.
    """
    from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError, limit_problems
    from opentelemetry.instrumentation.declarative.language.registry_file import is_registry, registry_problems
    from opentelemetry.instrumentation.declarative.lint.displaced_keys import with_displaced_keys
    from opentelemetry.instrumentation.declarative.lint.static_check import static_warnings
    from opentelemetry.instrumentation.declarative.plan.validation import examine

    registries = {file: registry_problems(file) for file in files if is_registry(file)}
    examined = {file: examine(file) for file in files if file not in registries}
    found = {file: [*problems, *_of_registry(file, registries)] for file, (_, problems) in examined.items()}
    found.update(registries)
    for file, (layers, problems) in examined.items():
        if layers is not None and layers.complete:
            found[file] += static_warnings(layers, has_errors=any(problem.is_fatal for problem in problems))
    if imports is not None:
        _check_installed({file: layers for file, (layers, _) in examined.items() if layers is not None}, found, imports)
    for file, (layers, _) in examined.items():
        if layers is not None:
            found[file] = with_displaced_keys(found[file], layers.documents)
    for file, problems in found.items():
        by_severity = (limit_problems(p for p in problems if p.severity == of) for of in ("error", "warning", "note"))
        found[file] = list(SpecError(itertools.chain(*by_severity)).problems)
    return found


def _of_registry(file: str, listed: Collection[str]) -> list[Problem]:
    """The problems of the descriptions that belong to a spec, unless they are checked as a file of their own."""
    from opentelemetry.instrumentation.declarative.language.registry_file import registry_path, registry_problems

    path = registry_path(file)
    return registry_problems(str(path)) if path.is_file() and str(path) not in listed else []


def _check_installed(read: dict[str, Layers], found: dict[str, list[Problem]], imports: list[str]) -> None:
    """Add the problems that come from the installed libraries."""
    from opentelemetry.instrumentation.declarative.lint.installed import Verification

    with importing(imports):
        verifications = {file: Verification(layers) for file, layers in read.items()}
        for file, verification in verifications.items():
            installed = verification.problems()
            found[file] = list(dict.fromkeys([*verification.with_parameters(found[file]), *installed]))


class _ExplainCode(argparse.Action):
    """The option ``--explain CODE``: prints the page of a problem code and exits, as ``--help`` does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        from opentelemetry.instrumentation.declarative.lint.problem_codes import explain_code

        try:
            text = explain_code(str(values))
        except LookupError as error:
            parser.error(str(error.args[0]))
        print(text, end="")
        parser.exit()
