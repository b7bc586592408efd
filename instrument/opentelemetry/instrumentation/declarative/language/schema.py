"""Validates documents against the JSON Schema of the language. The only module that uses jsonschema."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import MAX_PROBLEMS, Mark, Problem
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.language.schema_errors import SchemaErrorReader

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator


def schema_path() -> Path:
    """The file with the JSON Schema, in a wheel or in a checkout."""
    return directory("schemas") / "spec-1.schema.json"


def check(document: Document) -> list[Problem]:
    """Return the problems of a document's structure, in the order of the file, up to a few more than MAX_PROBLEMS.

    Expressions, and whether the names in a document exist, are not checked here.
    """
    found: dict[tuple[Mark, str, str], Problem] = {}
    reported: set[KeyPath] = set()
    errors = _validator().iter_errors(document.data)
    for problem in (problem for error in errors for problem in SchemaErrorReader(document, error, reported).problems()):
        found.setdefault((problem.mark, problem.code, problem.message), problem)
        if len(found) > MAX_PROBLEMS:
            break
    return sorted(found.values(), key=lambda problem: (problem.mark.line, problem.mark.column))


@cache
def _validator() -> "Validator":
    from jsonschema import Draft202012Validator, exceptions, validators

    extend: Any = validators.extend

    def pattern(validator: Any, text: str, instance: Any, schema: Any) -> Iterator["ValidationError"]:
        # In Python, unlike in JSON Schema, $ also matches before a line break at the end.
        if isinstance(instance, str) and (instance.endswith("\n") or not re.search(text, instance)):
            yield exceptions.ValidationError(f"{instance!r} does not match {text!r}")

    def unique(validator: Any, wanted: bool, instance: Any, schema: Any) -> Iterator["ValidationError"]:
        # The keyword of the library compares each item with every other if they cannot be sorted.
        items = instance if wanted and isinstance(instance, list) else []
        if len({json.dumps(item, sort_keys=True) for item in items}) < len(items):
            yield exceptions.ValidationError("an item occurs twice")

    def integer(checker: Any, instance: Any) -> bool:
        return isinstance(instance, int) and not isinstance(instance, bool)  # not 1.0

    schema = json.loads(schema_path().read_text(encoding="utf-8"))
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", integer)
    made: Validator = extend(Draft202012Validator, {"pattern": pattern, "uniqueItems": unique}, type_checker=types)(
        schema
    )
    return made
