"""The types of values in the language: how each is decoded, what is a problem in it, and its JSON Schema."""

from __future__ import annotations

import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import closest, quoted
from opentelemetry.instrumentation.declarative.language.decoder import Decoder
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.spellings import snake_case
from opentelemetry.instrumentation.declarative.language.structure_problems import (
    alternatives,
    as_help,
    example_help,
    flow_style,
    quoting_help,
    subject_of,
    value_phrase,
    with_article,
)
from opentelemetry.instrumentation.declarative.language.values import Constant, Entries, MarkedFlag

JsonSchema = dict[str, Any]


class About(NamedTuple):
    """The documentation of a value: a noun phrase, sentences, and examples as they are read from YAML."""

    title: str
    doc: str
    examples: Sequence[Any] = ()

    def schema(self) -> JsonSchema:
        return {"title": self.title, "description": self.doc, "examples": list(self.examples)}


class ValueType(ABC):
    """A type of value. ``about`` documents it, unless it is documented where it is used."""

    about: About | None
    #: The name of its definition in the JSON Schema, if it has one.
    definition: str | None = None

    @abstractmethod
    def accepts(self, value: object) -> bool:
        """Whether a value is of the right type: text, a number, a mapping and so on."""

    @abstractmethod
    def type_names(self, about: About) -> list[str]:
        """The types of value that it accepts, in words: ``an expression``, ``a list``."""

    @abstractmethod
    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> Any:
        """Decode a value that it accepts. What is wrong with it is reported; the value returned is then not used."""

    @abstractmethod
    def schema(self) -> JsonSchema:
        """The JSON Schema, without the documentation."""

    @property
    @abstractmethod
    def json_types(self) -> tuple[str, ...]:
        """The types of value that it accepts, as in JSON Schema."""

    @property
    def when_absent(self) -> Any:
        """What it is decoded to if there is no value."""
        return None

    @property
    def is_removable(self) -> bool:
        """Whether an overlay can remove the value with null."""
        return True

    def inner_types(self) -> Iterable[ValueType]:
        """The types of the values in a value of this type."""
        return ()

    @property
    def entry_keys(self) -> Collection[str]:
        """The keys that a value of this type has if it must be a mapping."""
        return ()

    def read(self, node: DocumentNode, decoder: Decoder, about: About | None = None) -> Any:
        """Decode a value of any type. ``about`` documents it where it is used."""
        about = about or documentation_of(self)
        if self.accepts(node.value):
            return self.decode(node, decoder, about)
        report_wrong_type(self, node, decoder, about)
        return self.when_absent


def documentation_of(value_type: ValueType) -> About:
    """The documentation that a type has itself."""
    assert value_type.about is not None, value_type
    return value_type.about


def report_wrong_type(value_type: ValueType, node: DocumentNode, decoder: Decoder, about: About) -> None:
    """Report a value that is not of a type."""
    if node.value is None:
        decoder.report_null(node, removable=False)
        return
    wanted = value_type.type_names(about)
    help = None
    if value_type.accepts(""):
        key = node.document.keys.get(node.path)
        on_line_of_key = key is not None and key.line == node.mark.line
        help = quoting_help(node.value, on_line_of_key=on_line_of_key)
    elif isinstance(node.value, str) and re.fullmatch(r"-?[0-9]+", node.value) and value_type.accepts(0):
        help = f"write {node.value} without quotes"
    message = f"{subject_of(node.path)} must be {alternatives(wanted, '')}, not {value_phrase(node.value)}"
    decoder.report(node, "wrong-type", message, help or example_help(None, about.examples))


@dataclass(frozen=True)
class TextType(ValueType):
    """Text, which has to match ``pattern`` if there is one.

    ``decoded``: what it is decoded to. ``suggest`` returns the text that was probably intended, which is only suggested
    if it matches the pattern; without one, ``otherwise`` returns help for a text that does not match. ``is_named``:
    whether messages use the title rather than "text". ``editor``: additional keywords for editors.
    """

    about: About | None = None
    definition: str | None = None
    pattern: str | None = None
    min_length: int = 0
    max_length: int | None = None
    decoded: Callable[[DocumentNode], Any] = DocumentNode.text
    suggest: Callable[[str], str | None] | None = None
    otherwise: Callable[[str], str | None] | None = None
    is_named: bool = True
    removable: bool = True
    editor: tuple[tuple[str, Any], ...] = ()

    @cached_property
    def _expression(self) -> re.Pattern[str] | None:
        # A dollar sign would also match before a line break at the end.
        return None if self.pattern is None else re.compile(self.pattern.removesuffix("$") + r"\Z")

    @property
    def is_removable(self) -> bool:
        return self.removable

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("string",)

    def accepts(self, value: object) -> bool:
        return isinstance(value, str)

    def matches(self, text: str) -> bool:
        return self._expression is None or bool(self._expression.search(text))

    def type_names(self, about: About) -> list[str]:
        return [with_article((self.about or about).title) if self.is_named else "text"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> Any:
        text = node.value
        if not self.matches(text):
            self.report_mismatch(text, node, decoder, about)
        elif len(text) < self.min_length:
            decoder.report(node, "wrong-value", f"{subject_of(node.path)} is empty", _help(about))
        elif self.max_length is not None and len(text) > self.max_length:
            message = f"{subject_of(node.path)} has more than {self.max_length} characters"
            decoder.report(node, "wrong-value", message, _help(about))
        else:
            return self.decoded(node)
        return None

    def report_mismatch(
        self, text: str, node: DocumentNode, decoder: Decoder, about: About, *, at_key: bool = False
    ) -> None:
        """Report text that does not match the pattern: a value, or with ``at_key`` the key that it is under."""
        suggestion = self.suggest(text) if self.suggest else None
        if suggestion is not None and (suggestion == text or not self.matches(suggestion)):
            suggestion = None
        help = f"did you mean {quoted(suggestion)}?" if suggestion else None
        if help is None and self.otherwise is not None:
            help = self.otherwise(text)
        message = f"{quoted(text)} is not {with_article((self.about or about).title)}"
        decoder.report(node, "wrong-value", message, help or _help(about), at_key=at_key, suggestion=suggestion)

    def schema(self) -> JsonSchema:
        bounds = {
            "pattern": self.pattern,
            "minLength": self.min_length or None,
            "maxLength": self.max_length,
        }
        given = {keyword: value for keyword, value in bounds.items() if value is not None}
        return {**dict(self.editor), "type": "string", **given}


@dataclass(frozen=True)
class Choice(ValueType):
    """One of several words."""

    words: tuple[str, ...]
    about: About | None = None

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("string",)

    def accepts(self, value: object) -> bool:
        return isinstance(value, str)

    def type_names(self, about: About) -> list[str]:
        return ["text"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> str:
        if node.value not in self.words:
            suggestion = closest(node.value, self.words)
            message = f"{subject_of(node.path)} must be {alternatives(self.words)}, not {value_phrase(node.value)}"
            help = f"did you mean {quoted(suggestion)}?" if suggestion else as_help(about.doc)
            decoder.report(node, "wrong-value", message, help, suggestion=suggestion)
        return str(node.value)

    def schema(self) -> JsonSchema:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True)
class Flag(ValueType):
    """True or false. ``marked``: decoded with its mark, to report a problem that it is part of."""

    about: About | None = None
    marked: bool = False

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("boolean",)

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)

    def type_names(self, about: About) -> list[str]:
        return ["true or false"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> bool | MarkedFlag:
        return MarkedFlag(node.value, node.mark) if self.marked else node.value

    def schema(self) -> JsonSchema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Number(ValueType):
    """A number. ``above`` is an exclusive bound."""

    about: About | None = None
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    is_integer: bool = False

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("integer" if self.is_integer else "number",)

    def accepts(self, value: object) -> bool:
        wanted = int if self.is_integer else (int, float)
        return isinstance(value, wanted) and not isinstance(value, bool)

    def type_names(self, about: About) -> list[str]:
        return ["an integer" if self.is_integer else "a number"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> float:
        bounds: list[tuple[float | None, str, Callable[[float, float], bool]]] = [
            (self.minimum, "at least", operator.ge),
            (self.above, "more than", operator.gt),
            (self.maximum, "at most", operator.le),
        ]
        for bound, words, holds in bounds:
            if bound is not None and not holds(node.value, bound):
                message = f"{subject_of(node.path)} must be {words} {bound}, not {node.value}"
                decoder.report(node, "wrong-value", message, _help(about))
                break
        return node.value  # type: ignore[no-any-return]

    def schema(self) -> JsonSchema:
        bounds = {"minimum": self.minimum, "exclusiveMinimum": self.above, "maximum": self.maximum}
        given = {keyword: value for keyword, value in bounds.items() if value is not None}
        return {"type": "integer" if self.is_integer else "number", **given}


@dataclass(frozen=True)
class Version(ValueType):
    """The version of the language."""

    number: int
    about: About | None = None
    is_removable = False

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("integer",)

    def accepts(self, value: object) -> bool:
        return isinstance(value, int | str) and not isinstance(value, bool)

    def type_names(self, about: About) -> list[str]:
        return ["an integer"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> int:
        if node.value != self.number:
            message = f"{subject_of(node.path)} must be {self.number}, not {value_phrase(node.value)}"
            decoder.report(node, "wrong-value", message, self._help(node.value))
        return self.number

    def _help(self, value: object) -> str:
        if value == self.number - 1:
            return (
                f"version {self.number} has other keys: each key that has changed is reported; then write {self.number}"
            )
        return f"write {self.number}"

    def schema(self) -> JsonSchema:
        return {"type": "integer", "const": self.number}


@dataclass(frozen=True)
class ConstantValue(ValueType):
    """A value that is not an expression: text, a number, true or false, or a list of texts."""

    item: TextType
    about: About | None = None

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("string", "number", "boolean", "array")

    def accepts(self, value: object) -> bool:
        return isinstance(value, str | bool | int | float | list)

    def type_names(self, about: About) -> list[str]:
        return ["text", "a number", "true or false", "a list"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> Constant:
        if isinstance(node.value, list):
            for item in node.items():
                self.item.read(item, decoder)
        return node.value  # type: ignore[no-any-return]

    def schema(self) -> JsonSchema:
        return {"type": list(self.json_types), "items": item_schema(self.item)}


@dataclass(frozen=True)
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
            decoder.report(node, "wrong-value", f"{subject_of(node.path)} is empty", _help(about))
        elif self.is_unique and _has_duplicates(node.value):
            decoder.report(node, "wrong-value", f"{subject_of(node.path)} has an item twice", _help(about))
        with decoder.in_list():
            return tuple(self.item.read(item, decoder, self.item_about) for item in node.items())

    def schema(self) -> JsonSchema:
        bounds = {"minItems": self.min_items or None, "uniqueItems": self.is_unique or None}
        given = {keyword: value for keyword, value in bounds.items() if value is not None}
        return {"type": "array", **given, "items": item_schema(self.item, self.item_about)}


@dataclass(frozen=True)
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


@dataclass(frozen=True)
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
        displaced = self._displaced(node, decoder)
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
        found = [key for key, value in node.value.items() if key in known and not self._is_entry(value, known)]
        cut = _cut_at_comma(node)
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
                help = f"write {flow_style({node.path[-1]: {_name_of(node.value[key]): {key: node.value[key]}}})}"
            decoder.report(node.at(key), "unknown-key", message, help, at_key=True, subject=key)
        return {*found, *cut, *(key for key in node.value if node.value[key] is None and cut)}

    def _is_entry(self, value: object, known: Collection[str]) -> bool:
        return isinstance(value, dict) and any(key in known for key in value)

    def schema(self) -> JsonSchema:
        return {
            "type": "object",
            "propertyNames": reference(self.key, self.key_about),
            "additionalProperties": entry_schema(self.value, self.value_about),
        }


def reference(value_type: ValueType, about: About | None = None) -> JsonSchema:
    """The schema of a value: a reference to the definition of its type if there is one, with its documentation."""
    if value_type.definition is None:
        return {**(about or documentation_of(value_type)).schema(), **value_type.schema()}
    return {"$ref": f"#/$defs/{value_type.definition}", **(about.schema() if about else {})}


def entry_schema(value_type: ValueType, about: About | None = None) -> JsonSchema:
    """The schema of a value under a key, which can be null if an overlay can remove it."""
    if not value_type.is_removable:
        return item_schema(value_type, about)
    schema = reference(value_type, about)
    return schema if value_type.definition else with_null(schema)


def item_schema(value_type: ValueType, about: About | None = None) -> JsonSchema:
    """The schema of a value that cannot be null. Definitions can be."""
    schema = reference(value_type, about)
    return {**schema, "type": _one_or_list(value_type.json_types)} if value_type.definition else schema


def definition_schema(value_type: ValueType) -> JsonSchema:
    """The schema of a definition."""
    schema = {**documentation_of(value_type).schema(), **value_type.schema()}
    return with_null(schema) if value_type.is_removable else schema


def with_null(schema: JsonSchema) -> JsonSchema:
    """A schema that accepts null as well."""
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        words = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
        return {**schema, "type": [*types, "null"], **words}
    nothing = {"title": "no value", "description": "Removes the value of an extended spec.", "type": "null"}
    return {**schema, "anyOf": [*schema["anyOf"], nothing]}


def _one_or_list(words: Sequence[str]) -> str | list[str]:
    return words[0] if len(words) == 1 else list(words)


def _name_of(value: object) -> str:
    """A name for an entry, from the callable or hook in it."""
    last = re.split(r"[.:]", value)[-1] if isinstance(value, str) else ""
    return snake_case(last) or "name"


def _cut_at_comma(node: DocumentNode) -> dict[str, str]:
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


def _help(about: About) -> str:
    return example_help(None, about.examples) or as_help(about.doc)
