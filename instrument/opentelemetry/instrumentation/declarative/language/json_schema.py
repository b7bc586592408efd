"""Validates data against a JSON Schema, as far as the schema of the language uses it.

Not with a library: those for Python load an extension module that a process can load into one interpreter only. In the
others, such as those of mod_wsgi, neither this package nor the program could load it. They also take long to import.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]
Path = tuple["str | int", ...]


@dataclass(slots=True)
class SchemaError:
    """A value that a keyword of the schema rejects.

    Relative paths start at the alternative of ``anyOf`` that the error belongs to, absolute ones at the document and at
    the schema. ``context`` holds the errors of the alternatives.
    """

    validator: str
    validator_value: Any
    instance: Any
    schema: Schema
    relative_path: Path = ()
    relative_schema_path: Path = ()
    context: list[SchemaError] = field(default_factory=list)
    parent: SchemaError | None = None

    @property
    def absolute_path(self) -> Path:
        return (*(self.parent.absolute_path if self.parent else ()), *self.relative_path)

    @property
    def absolute_schema_path(self) -> Path:
        return (*(self.parent.absolute_schema_path if self.parent else ()), *self.relative_schema_path)


class SchemaValidator:
    """Validates data against one schema. References are to definitions in the schema itself."""

    def __init__(self, schema: Schema) -> None:
        self._root = schema

    def errors(self, instance: Any) -> Iterator[SchemaError]:
        """All errors, in the order of the keywords in the schema."""
        return self._errors(instance, self._root)

    def _errors(self, instance: Any, schema: Schema) -> Iterator[SchemaError]:
        for keyword, wanted in schema.items():
            if keyword in _TESTS:
                accepts = _TESTS[keyword]
                if not accepts(instance, wanted):
                    yield SchemaError(keyword, wanted, instance, schema, relative_schema_path=(keyword,))
            elif keyword in _STRUCTURES:
                yield from _STRUCTURES[keyword](self, instance, wanted, schema)

    def _below(self, instance: Any, schema: Schema, path: Path = (), schema_path: Path = ()) -> Iterator[SchemaError]:
        for error in self._errors(instance, schema):
            error.relative_path = (*path, *error.relative_path)
            error.relative_schema_path = (*schema_path, *error.relative_schema_path)
            yield error

    # ── Keywords that apply schemas to parts of a value, or several to one value ──

    def _reference(self, instance: Any, reference: str, _schema: Schema) -> Iterator[SchemaError]:
        found: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            found = found[step]
        return self._errors(instance, found)

    def _properties(self, instance: Any, wanted: Schema, _schema: Schema) -> Iterator[SchemaError]:
        if isinstance(instance, dict):
            for name, schema in wanted.items():
                if name in instance:
                    yield from self._below(instance[name], schema, (name,), ("properties", name))

    def _additional_properties(self, instance: Any, wanted: Any, schema: Schema) -> Iterator[SchemaError]:
        known = schema.get("properties", {})
        others = [name for name in instance if name not in known] if isinstance(instance, dict) else []
        if isinstance(wanted, dict):
            for name in others:
                yield from self._below(instance[name], wanted, (name,), ("additionalProperties",))
        elif not wanted and others:
            keyword = "additionalProperties"
            yield SchemaError(keyword, wanted, instance, schema, relative_schema_path=(keyword,))

    def _property_names(self, instance: Any, wanted: Schema, _schema: Schema) -> Iterator[SchemaError]:
        for name in instance if isinstance(instance, dict) else ():
            yield from self._below(name, wanted, (), ("propertyNames",))

    def _items(self, instance: Any, wanted: Schema, _schema: Schema) -> Iterator[SchemaError]:
        for index, item in enumerate(instance if isinstance(instance, list) else ()):
            yield from self._below(item, wanted, (index,), ("items",))

    def _all_of(self, instance: Any, wanted: list[Schema], _schema: Schema) -> Iterator[SchemaError]:
        for index, schema in enumerate(wanted):
            yield from self._below(instance, schema, (), ("allOf", index))

    def _any_of(self, instance: Any, wanted: list[Schema], schema: Schema) -> Iterator[SchemaError]:
        context: list[SchemaError] = []
        for index, alternative in enumerate(wanted):
            errors = [*self._below(instance, alternative, (), (index,))]
            if not errors:
                return
            context += errors
        error = SchemaError("anyOf", wanted, instance, schema, (), ("anyOf",), context)
        for each in context:
            each.parent = error
        yield error

    def _if(self, instance: Any, condition: Schema, schema: Schema) -> Iterator[SchemaError]:
        branch = "else" if any(True for _ in self._errors(instance, condition)) else "then"
        if branch in schema:
            yield from self._below(instance, schema[branch], (), (branch,))


_STRUCTURES: dict[str, Callable[[SchemaValidator, Any, Any, Schema], Iterator[SchemaError]]] = {
    "$ref": SchemaValidator._reference,
    "properties": SchemaValidator._properties,
    "additionalProperties": SchemaValidator._additional_properties,
    "propertyNames": SchemaValidator._property_names,
    "items": SchemaValidator._items,
    "allOf": SchemaValidator._all_of,
    "anyOf": SchemaValidator._any_of,
    "if": SchemaValidator._if,
}


# ── Keywords that accept or reject a value ──


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),  # not 1.0
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def _has_type(value: Any, wanted: str | list[str]) -> bool:
    return any(_TYPES[each](value) for each in ([wanted] if isinstance(wanted, str) else wanted))


def _is_equal(value: Any, wanted: Any) -> bool:
    """Whether two values are equal in JSON, where `true` is not 1."""
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _matches(value: Any, pattern: str) -> bool:
    # In Python, unlike in JSON Schema, $ also matches before a line break at the end.
    return not isinstance(value, str) or (not value.endswith("\n") and re.search(pattern, value) is not None)


def _is_unique(value: Any, wanted: bool) -> bool:
    items = value if wanted and isinstance(value, list) else []
    return len({json.dumps(item, sort_keys=True) for item in items}) == len(items)


def _has_required(value: Any, wanted: list[str]) -> bool:
    return not isinstance(value, dict) or all(name in value for name in wanted)


def _has_dependent(value: Any, wanted: dict[str, list[str]]) -> bool:
    return not isinstance(value, dict) or all(
        name not in value or all(other in value for other in others) for name, others in wanted.items()
    )


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "type": _has_type,
    "const": _is_equal,
    "enum": lambda value, wanted: any(_is_equal(value, each) for each in wanted),
    "pattern": _matches,
    "required": _has_required,
    "dependentRequired": _has_dependent,
    "uniqueItems": _is_unique,
    "minLength": lambda value, least: not isinstance(value, str) or len(value) >= least,
    "maxLength": lambda value, most: not isinstance(value, str) or len(value) <= most,
    "minItems": lambda value, least: not isinstance(value, list) or len(value) >= least,
    "minimum": lambda value, least: not _is_number(value) or value >= least,
    "maximum": lambda value, most: not _is_number(value) or value <= most,
    "exclusiveMinimum": lambda value, least: not _is_number(value) or value > least,
}

#: The keywords that are validated. The schema has no others but annotations.
KEYWORDS = frozenset([*_STRUCTURES, *_TESTS, "then", "else"])
