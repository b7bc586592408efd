"""Values that are nodes: how a mapping is decoded to the dataclass of its node, and what is a problem in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import quoted
from opentelemetry.instrumentation.declarative.language.collection_types import OneOf
from opentelemetry.instrumentation.declarative.language.decoder import Decoder
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.node_type import N, Node, NodeType
from opentelemetry.instrumentation.declarative.language.spellings import quoted_value
from opentelemetry.instrumentation.declarative.language.structure_problems import (
    alternatives,
    as_help,
    example_help,
    with_article,
)
from opentelemetry.instrumentation.declarative.language.unknown_keys import KeyHelp, NodeKeys, unknown_key_help
from opentelemetry.instrumentation.declarative.language.value_types import About, JsonSchema, ValueType, reference


class NodeValue(ValueType):
    """A value that is a mapping with the keys of a node."""

    def __init__(self, cls: type[Node]) -> None:
        self.cls = cls
        self.node_type = cls.node_type
        self.definition = self.node_type.definition
        about = self.node_type.about
        self.about = about._replace(examples=[example for example in about.examples if isinstance(example, dict)])

    def accepts(self, value: object) -> bool:
        return isinstance(value, dict)

    def type_names(self, about: About) -> list[str]:
        return ["a mapping"]

    def inner_types(self) -> Iterable[ValueType]:
        return [each.type for each in self.node_type.keys.values()]

    @property
    def entry_keys(self) -> Collection[str]:
        return self.node_type.keys

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("object",)

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> Node:
        return decode_node(self.cls, node, decoder)

    def schema(self) -> JsonSchema:
        return self.node_type.schema()


class ShortNodeValue(OneOf):
    """A node, or a plain value that stands for one of its keys: ``start: pay.enter`` is ``start: {at: pay.enter}``."""

    def __init__(
        self, cls: type[Node], short_for: str, about: About | None = None, *, flag_help: str | None = None
    ) -> None:
        self._cls, self._key, self._flag_help = cls, cls.node_type.keys[short_for], flag_help
        super().__init__((self._key.type, NodeValue(cls)), about or cls.node_type.about)

    @property
    def mapping_keys(self) -> Collection[str]:
        return self._cls.node_type.keys

    @property
    def flag_help(self) -> str | None:
        return self._flag_help

    def type_names(self, about: About) -> list[str]:
        return [*self._key.type.type_names(self._key.about), "a mapping"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> Node:
        # Text in braces without its quotes, such as {kind}, is a mapping in YAML.
        if isinstance(node.value, dict) and not _is_unquoted_template(node.value, self._cls.node_type):
            return decode_node(self._cls, node, decoder)
        value = self._key.type.read(node, decoder, self._key.about)
        return self._cls(name=_name(node), mark=node.key_mark, **{self._key.field: value})

    def schema(self) -> JsonSchema:
        short, mapping = self.types
        return {"anyOf": [reference(short, self._key.about), reference(mapping)]}


def decode_node(cls: type[N], node: DocumentNode, decoder: Decoder) -> N:
    """Decode a mapping to a node."""
    node_type = cls.node_type
    assumed = _report_unknown_keys(node, node_type, decoder)
    excluded = _report_conflicts(node, node_type, decoder)
    values: dict[str, Any] = {}
    with decoder.in_layer() if node_type.is_layer else nullcontext(), decoder.inside(node_type.title, node_type.keys):
        for name in node.value:
            found = node_type.keys.get(name)
            if found is None or name in excluded:
                continue
            child = node.at(name)
            if child.value is None:
                decoder.report_null(child, removable=found.type.is_removable)
            else:
                values[found.field] = found.type.read(child, decoder, found.about)
    _report_missing_keys(node, node_type, decoder, assumed)
    return cls(name=_name(node), mark=node.key_mark, **values)


def _name(node: DocumentNode) -> str:
    """The key that a node is under; for an item of a list, the key of the list."""
    return next((step for step in reversed(node.path) if isinstance(step, str)), "")


def _report_unknown_keys(node: DocumentNode, node_type: NodeType, decoder: Decoder) -> set[str]:
    """Report unknown keys. Returns the keys that were probably intended."""
    assumed: set[str] = set()
    unknown = [name for name in node.value if name not in node_type.keys]
    for name in unknown:
        found = unknown_key_help(
            name, node_type.definition, node_type.keys, inner_nodes(node_type), decoder.outer, decoder.entries
        )
        missing = [key for key in (*node_type.required, *node_type.always_required) if key not in node.value]
        if found.intended is None and len(unknown) == len(missing) == 1 and decoder.complete:
            found = KeyHelp(f'did you mean "{missing[0]}"?', missing[0], missing[0])
        if found.intended is None and (whole := _help_for_cut_value(node.value, name)) is not None:
            found = KeyHelp(whole)
        if found.intended is not None:
            assumed.add(found.intended)
        elif found.is_of_entry:  # it is another kind of entry
            assumed.update((*node_type.required, *node_type.one_of))
        message = f"{quoted(name)} is not a key of {node_type.title}"
        suggestion = found.suggestion
        decoder.report(
            node.at(name), "unknown-key", message, found.help, at_key=True, subject=name, suggestion=suggestion
        )
    return assumed


def _help_for_cut_value(values: dict[str, Any], name: str) -> str | None:
    """The help for a key without a value, if it is the rest of the value before it: ``{only: a, b}``."""
    names = [*values]
    index = names.index(name)
    before = names[index - 1] if index else None
    if before is None or values[name] is not None or not isinstance(values[before], str | int | float):
        return None
    value = values[before]
    if isinstance(value, int) and name.isdecimal():
        return f"write {before}: {value}.{name}"
    if str(value).count("(") > str(value).count(")"):
        return f"a comma ends the value in braces: write {before}: {quoted_value(f'{value}, {name}')}"
    return f"a comma ends the value in braces: write {before}: [{value}, {name}] for a list, and text in quotes"


def inner_nodes(node_type: NodeType) -> Iterator[NodeKeys]:
    """The nodes that the keys of a node contain, directly or in a mapping or list."""
    for name, key in node_type.keys.items():
        types: list[ValueType] = [key.type]
        while types:
            each = types.pop()
            if isinstance(each, NodeValue):
                yield NodeKeys(each.node_type.title, each.node_type.keys, name)
            else:
                types.extend(each.inner_types())


def _report_conflicts(node: DocumentNode, node_type: NodeType, decoder: Decoder) -> set[str]:
    """Report keys that exclude each other. Returns those that do not belong to the form that most keys belong to.

    In a tie the first key decides.
    """
    if not node_type.forms:
        return set()
    present = [name for name, value in node.value.items() if value is not None]
    forms = [([name for name in present if name in form.without], form) for form in node_type.forms]
    excluded, form = min(forms, key=lambda each: (len(each[0]), [-present.index(name) for name in each[0]]))
    for name in excluded:
        message = f"{quoted(name)} is not allowed in {with_article(form.title)}"
        decoder.report(node.at(name), "conflict", message, as_help(form.help), at_key=True, subject=name)
    return {*excluded}


def _report_missing_keys(node: DocumentNode, node_type: NodeType, decoder: Decoder, assumed: Iterable[str]) -> None:
    """Report the keys that a mapping lacks. ``assumed``: keys that are not there because they are misspelt."""
    present = {*node.value, *assumed}
    for name in (*node_type.always_required, *(node_type.required if decoder.complete else ())):
        if name not in present:
            _report_missing(node, node_type, f"{node_type.title} needs {quoted(name)}", name, decoder)
    if not decoder.complete:
        return
    if node_type.one_of and not present.intersection(node_type.one_of):
        message = f"{node_type.title} needs {alternatives(node_type.one_of)}"
        _report_missing(node, node_type, message, node_type.one_of[0], decoder)
        return
    for name, others in node_type.requires.items():
        if name in node.value:
            for other in others:
                if other not in present:
                    message = f"{node_type.title} with {quoted(name)} needs {quoted(other)}"
                    _report_missing(node.at(name), node_type, message, other, decoder)


def _report_missing(node: DocumentNode, node_type: NodeType, message: str, name: str, decoder: Decoder) -> None:
    help = as_help(node_type.help) or example_help(name, node_type.keys[name].about.examples)
    decoder.report(node, "missing-key", message, help, at_key=True, subject=name)


def _is_unquoted_template(value: dict[str, Any], node_type: NodeType) -> bool:
    """Whether a mapping is only text in braces, like {kind}, without its quotes."""
    return bool(value) and not node_type.keys.keys() & value and all(each is None for each in value.values())
