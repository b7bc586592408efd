"""Validates documents against the JSON Schema of the language."""

import json
from functools import cache
from pathlib import Path

from opentelemetry.instrumentation.declarative.diagnostics.problems import MAX_PROBLEMS, Mark, Problem
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath
from opentelemetry.instrumentation.declarative.language.json_schema import SchemaValidator
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.language.schema_errors import SchemaErrorReader


def schema_path() -> Path:
    """The file with the JSON Schema, in a wheel or in a checkout."""
    return directory("schemas") / "spec-1.schema.json"


def check(document: Document) -> list[Problem]:
    """Return the problems of a document's structure, in the order of the file, up to a few more than MAX_PROBLEMS.

    Expressions, and whether the names in a document exist, are not checked here.
    """
    found: dict[tuple[Mark, str, str], Problem] = {}
    reported: set[KeyPath] = set()
    errors = _validator().errors(document.data)
    for problem in (problem for error in errors for problem in SchemaErrorReader(document, error, reported).problems()):
        found.setdefault((problem.mark, problem.code, problem.message), problem)
        if len(found) > MAX_PROBLEMS:
            break
    return sorted(found.values(), key=lambda problem: (problem.mark.line, problem.mark.column))


@cache
def _validator() -> SchemaValidator:
    return SchemaValidator(json.loads(schema_path().read_text(encoding="utf-8")))
