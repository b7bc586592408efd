"""The types of values that have others in them: lists, mappings and alternatives."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import quoted
from opentelemetry.instrumentation.declarative.language.decoder import Decoder
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.scalar_types import TextType
from opentelemetry.instrumentation.declarative.language.spellings import name_of
from opentelemetry.instrumentation.declarative.language.structure_problems import flow_style, subject_of, with_article
from opentelemetry.instrumentation.declarative.language.value_types import (
    About,
    JsonSchema,
    ValueType,
    documentation_of,
    entry_schema,
    help_for,
    item_schema,
    reference,
)
from opentelemetry.instrumentation.declarative.language.values import Entries
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True)
class ListOf(ValueType):
    """A list of values of one type, which is decoded to a tuple."""

    item: ValueType
    about: About | None = None
    item_about: About | None = None
    is_unique: bool = False
    min_items: int = 0

    @property
    def when_absent(self) -> tuple[()]:
        return ()

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("array",)

    def inner_types(self) -> Iterable[ValueType]:
        return (self.item,)

    def accepts(self, value: object) -> bool:
        return isinstance(value, list)

    def type_names(self, about: About) -> list[str]:
        return ["a list"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> tuple[Any, ...]:
        if len(node.value) < self.min_items:
            decoder.report(node, "wrong-value", f"{subject_of(node.path)} is empty", help_for(about))
        elif self.is_unique and _has_duplicates(node.value):
            decoder.report(node, "wrong-value", f"{subject_of(node.path)} has an item twice", help_for(about))
        with decoder.in_list():
            return tuple(self.item.read(item, decoder, self.item_about) for item in node.items())

    def schema(self) -> JsonSchema:
        bounds = {"minItems": self.min_items or None, "uniqueItems": self.is_unique or None}
        given = {keyword: value for keyword, value in bounds.items() if value is not None}
        return {"type": "array", **given, "items": item_schema(self.item, self.item_about)}


@record(frozen=True)
class OneOf(ValueType):
    """A value of the first of several types that accepts it."""

    types: tuple[ValueType, ...]
    about: About | None = None
    definition: str | None = None

    @property
    def when_absent(self) -> Any:
        return self.types[0].when_absent

    @property
    def is_removable(self) -> bool:
        return all(each.is_removable for each in self.types)

    @property
    def json_types(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for each in self.types for name in each.json_types))

    def inner_types(self) -> Iterable[ValueType]:
        return self.types

    @property
    def mapping_keys(self) -> Collection[str]:
        return [key for each in self.types for key in each.mapping_keys]

    def accepts(self, value: object) -> bool:
        return any(each.accepts(value) for each in self.types)

    def type_names(self, about: About) -> list[str]:
        return list(dict.fromkeys(name for each in self.types for name in each.type_names(each.about or about)))

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> Any:
        chosen = next(each for each in self.types if each.accepts(node.value))
        return chosen.read(node, decoder, chosen.about or about)

    def schema(self) -> JsonSchema:
        schemas = [reference(each) for each in self.types]
        return {"anyOf": [inner for schema in schemas for inner in schema.get("anyOf", [schema])]}


class OneOrMore(OneOf):
    """A single value or a list of them, which is decoded to a tuple."""

    def __init__(
        self, one: ValueType, several: ListOf, about: About | None = None, definition: str | None = None
    ) -> None:
        super().__init__((one, several), about, definition)

    @property
    def when_absent(self) -> tuple[()]:
        return ()

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> tuple[Any, ...]:
        decoded = super().decode(node, decoder, about)
        return decoded if isinstance(node.value, list) else (decoded,)


@record(frozen=True)
class MapOf(ValueType):
    """A mapping with keys of the author's choice.

    It is decoded to ``Entries``; if not ``by_name``, to a tuple of the values, which are nodes with their names.
    """

    key: TextType
    value: ValueType
    about: About | None = None
    key_about: About | None = None
    value_about: About | None = None
    by_name: bool = True
    definition: str | None = None

    @property
    def when_absent(self) -> Entries[Any] | tuple[()]:
        return Entries() if self.by_name else ()

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("object",)

    def inner_types(self) -> Iterable[ValueType]:
        return (self.key, self.value)

    def accepts(self, value: object) -> bool:
        return isinstance(value, dict)

    def type_names(self, about: About) -> list[str]:
        return ["a mapping"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> Entries[Any] | tuple[Any, ...]:
        entries: Entries[Any] = Entries()
        displaced = self._displaced(node, decoder) | self._of_outer_node(node, decoder)
        for key in node.value:
            if key in displaced:
                continue
            entry = node.at(key)
            if not self.key.matches(key):
                self.key.report_mismatch(key, entry, decoder, self.key_about or documentation_of(self.key), at_key=True)
            if entry.value is None:
                decoder.report_null(entry, removable=self.value.is_removable)
            else:
                entries[key] = self.value.read(entry, decoder, self.value_about)
                entries.key_marks[key] = entry.key_mark
        return entries if self.by_name else _flat(entries.values())

    def _displaced(self, node: DocumentNode, decoder: Decoder) -> set[str]:
        """Report keys that belong into the entries and stand beside them. Returns what is not an entry."""
        known = self.value.entry_keys
        if not known and len(node.value) > 1 and node.value.keys() <= {*self.value.mapping_keys}:
            known = self.value.mapping_keys  # a single entry without its name
        found = [key for key, value in node.value.items() if key in known and not self._is_entry(value, known)]
        cut = _expressions_cut_at_comma(node)
        for key, whole in cut.items():
            message = f"{quoted(str(node.value[key]))} ends at a comma, which separates entries in braces"
            decoder.report(node.at(key), "missing-value", message, f"put the expression in quotes: '{whole}'")
        others = [key for key in node.value if key not in found]
        title = with_article((self.value_about or documentation_of(self.value)).title)
        for key in found[: None if others else 1]:
            if others:
                message, help = f'"{key}" is a key of {title}', f'indent it below "{others[-1]}"'
            else:
                message = f"{title} needs a name: {quoted(key)} is one of its keys"
                value = "..." if node.document.references_in((*node.path, key)) else node.value[key]
                help = f"write {flow_style({node.path[-1]: {name_of(value): {key: value}}})}"
            decoder.report(node.at(key), "unknown-key", message, help, at_key=True, subject=key)
        return {*found, *cut, *(key for key in node.value if node.value[key] is None and cut)}

    def _of_outer_node(self, node: DocumentNode, decoder: Decoder) -> set[str]:
        """Report entries that are keys of the node around this mapping, and whose values are no entries."""
        known, outer = self.value.mapping_keys, decoder.outer[-1] if decoder.outer else None
        if outer is None or not known:
            return set()
        found = {
            key
            for key, value in node.value.items()
            if key in outer.keys and isinstance(value, dict) and not self._is_entry(value, known)
        }
        for key in found:
            message = f'"{key}" is a key of {outer.title}, not an entry of "{node.path[-1]}"'
            decoder.report(
                node.at(key), "unknown-key", message, "write it with less indentation", at_key=True, subject=key
            )
        return found

    def _is_entry(self, value: object, known: Collection[str]) -> bool:
        return isinstance(value, dict) and any(key in known for key in value)

    def schema(self) -> JsonSchema:
        return {
            "type": "object",
            "propertyNames": reference(self.key, self.key_about),
            "additionalProperties": entry_schema(self.value, self.value_about),
        }


def _expressions_cut_at_comma(node: DocumentNode) -> dict[str, str]:
    """The keys of expressions that a comma in braces has cut, as in ``{total: round(x, 2)}``, with the whole texts."""
    found: dict[str, str] = {}
    open_key: str | None = None
    for key, value in node.value.items():
        if isinstance(value, str):
            open_key = key if _open_brackets(value) > 0 else None
            whole = value
        elif value is None and open_key is not None:
            whole = f"{whole}, {key}"
            if _open_brackets(whole) <= 0:
                found[open_key], open_key = whole, None
    return found


def _open_brackets(text: str) -> int:
    return sum(text.count(each) for each in "([") - sum(text.count(each) for each in ")]")


def _flat(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(each for value in values for each in (value if isinstance(value, tuple) else (value,)))


def _has_duplicates(values: Iterable[Any]) -> bool:
    seen: list[Any] = []
    for value in values:
        # True is 1 in Python, but not in YAML.
        if any(type(value) is type(other) and value == other for other in seen):
            return True
        seen.append(value)
    return False
