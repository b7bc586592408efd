"""Our validator finds the same errors as jsonschema."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, validators
from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
from opentelemetry.instrumentation.declarative.language.document import read_document
from opentelemetry.instrumentation.declarative.language.json_schema import KEYWORDS, SchemaValidator
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.language.schema import schema_path

SCHEMA: dict[str, Any] = json.loads(schema_path().read_text(encoding="utf-8"))
SPECS = [
    *sorted(Path(str(directory("configs"))).glob("*.yaml")),
    *sorted(Path(__file__).parents[1].glob("specs/**/*.yaml")),
]
ANNOTATIONS = {
    "$schema", "$id", "$defs", "title", "description", "default", "examples", "doNotSuggest", "errorMessage",
    "patternErrorMessage", "defaultSnippets", "markdownDescription",
}  # fmt: skip


def is_integer(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def expected_validator() -> Any:
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer)
    extend: Any = validators.extend
    return extend(Draft202012Validator, type_checker=types)(SCHEMA)


def facts(errors: Iterable[Any]) -> list[Any]:
    """What our messages are made of, once for errors that jsonschema repeats for each missing key."""
    found: list[Any] = []
    for error in errors:
        fact = [
            error.validator,
            error.validator_value,
            error.instance,
            list(error.absolute_path),
            list(error.relative_path),
            list(error.absolute_schema_path),
            list(error.relative_schema_path),
            facts(error.context or ()),
        ]
        if fact not in found:
            found.append(fact)
    return sorted(found, key=repr)


@cache
def documents() -> list[Any]:
    found = []
    for spec in SPECS:
        try:
            found.append(read_document(spec).data)
        except (SpecError, OSError, UnicodeError):
            continue
    return found


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document: a mapping or list, and a key or index of it."""
    for key, value in list(
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    ):
        yield data, key
        yield from places(value)


def test_every_spec_has_the_same_errors() -> None:
    expected, ours = expected_validator(), SchemaValidator(SCHEMA)
    assert len(documents()) > 100
    for data in documents():
        assert facts(ours.errors(data)) == facts(expected.iter_errors(data))


@pytest.mark.parametrize("seed", range(4))
def test_specs_with_mistakes_have_the_same_errors(seed: int) -> None:
    expected, ours, choices = expected_validator(), SchemaValidator(SCHEMA), random.Random(seed)
    values = [None, True, 0, -1, 1.0, "", "a b", "x:y", [], ["a", "a"], {}, {"a": 1}, {"value": "x"}]
    for _ in range(100):
        data = copy.deepcopy(choices.choice(documents()))
        holder, key = choices.choice([*places(data)] or [({}, "a")])
        match choices.randrange(4):
            case 0:
                holder[key] = choices.choice(values)
            case 1 if isinstance(holder, dict):
                del holder[key]
            case 2 if isinstance(holder, dict):
                holder[choices.choice(["speling", "at", "around", "value", "when"])] = choices.choice(values)
            case _:
                other, name = choices.choice([*places(data)] or [({"a": 1}, "a")])
                holder[key] = copy.deepcopy(other[name])
        assert facts(ours.errors(data)) == facts(expected.iter_errors(data))


def test_the_schema_uses_no_other_keywords() -> None:
    used: set[str] = set()

    def collect(schema: Any, *, is_schema: bool = True) -> None:
        if isinstance(schema, list):
            for each in schema:
                collect(each, is_schema=is_schema)
        if not isinstance(schema, dict):
            return
        if is_schema:
            used.update(schema)
        for key, value in schema.items():
            if not is_schema or key not in ANNOTATIONS - {"$defs"} | {"enum", "const", "required", "dependentRequired"}:
                collect(value, is_schema=not (is_schema and key in ("properties", "$defs")))

    collect(SCHEMA)
    assert used - ANNOTATIONS <= KEYWORDS


@pytest.mark.parametrize(
    ("schema", "value", "is_valid"),
    [
        ({"const": 1}, True, False),
        ({"enum": [0, "a"]}, False, False),
        ({"type": "integer"}, 1.0, False),
        ({"type": ["number", "null"]}, True, False),
        ({"pattern": "^a$"}, "a\n", False),
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1}], False),
        ({"uniqueItems": True}, [1, True], True),
        ({"exclusiveMinimum": 0}, 0, False),
        ({"minimum": 0}, "a", True),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}, {"a": 1}, False),
    ],
)
def test_values_are_compared_as_in_json(schema: dict[str, Any], value: Any, is_valid: bool) -> None:
    assert (not list(SchemaValidator(schema).errors(value))) is is_valid
