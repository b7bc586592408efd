"""Types of values in the language, their documentation, and their JSON Schema."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.language.decoder import Decoder
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.structure_problems import (
    alternatives,
    as_help,
    example_help,
    flow_style,
    quoting_help,
    subject_of,
    value_phrase,
)

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
    #: Help for a mapping or a list in its place, if quotes are not what is missing.
    structured: str | None = None

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
        """The decoded value if there is none in the spec."""
        return None

    @property
    def is_choice(self) -> bool:
        """Whether only certain words are accepted."""
        return False

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

    @property
    def mapping_keys(self) -> Collection[str]:
        """The keys that a value of this type has if it is a mapping."""
        return self.entry_keys

    def number_help(self, _value: object) -> str | None:
        """The help for a number in its place."""
        return None

    @property
    def flag_help(self) -> str | None:
        """The help for true or false in its place."""
        return None

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
    message = f"{subject_of(node.path)} must be {alternatives(value_type.type_names(about), '')}"
    message += f", not {value_phrase(node.value)}"
    help, intended = _wrong_type_help(value_type, node, decoder, about)
    decoder.report(node, "wrong-type", message, _in_sibling(node, decoder) or help, intended=intended)


def _in_sibling(node: DocumentNode, decoder: Decoder) -> str | None:
    """The help for a list of attributes of a span under ``attributes`` of a metric."""
    siblings = decoder.outer[-1].keys if decoder.outer else ()
    sibling = f"span_{node.path[-1]}"
    return (
        f"write {sibling}: {flow_style(node.value)}" if sibling in siblings and isinstance(node.value, list) else None
    )


def _wrong_type_help(
    value_type: ValueType, node: DocumentNode, decoder: Decoder, about: About
) -> tuple[str | None, Any]:
    """The help for a value of the wrong type, and the value that was probably intended; None if that is not known."""
    if value_type.structured is not None and isinstance(node.value, dict | list):
        return value_type.structured, None
    if value_type.flag_help is not None and isinstance(node.value, bool):
        return value_type.flag_help, None
    if (number := value_type.number_help(node.value)) is not None:
        return number, None
    help, intended = decoder.intended(value_type, node, about) if decoder.intended else (None, None)
    if help is not None:
        return help, intended
    key = node.document.keys.get(node.path)
    on_line_of_key = key is not None and key.line == node.mark.line
    is_text = value_type.accepts("") and not value_type.is_choice
    quoting = quoting_help(node.value, on_line_of_key=on_line_of_key) if is_text else None
    return quoting or example_help(None, about.examples), None


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


def help_for(about: About) -> str:
    return example_help(None, about.examples) or as_help(about.doc)
