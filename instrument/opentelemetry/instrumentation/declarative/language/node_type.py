"""Nodes: the mappings of the language that have keys of their own. A dataclass describes each."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeVar

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, quoted
from opentelemetry.instrumentation.declarative.language.decoder import Decoder
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.structure_problems import (
    alternatives,
    as_help,
    example_help,
    with_article,
)
from opentelemetry.instrumentation.declarative.language.unknown_keys import KeyHelp, NodeKeys, unknown_key_help
from opentelemetry.instrumentation.declarative.language.value_types import (
    About,
    JsonSchema,
    OneOf,
    ValueType,
    documentation_of,
    entry_schema,
    reference,
)
from opentelemetry.instrumentation.declarative.language.values import Entries

N = TypeVar("N", bound="Node")
_NO_DEFAULT: Any = object()
#: The mark of a node that stands for an absent one.
NO_MARK = Mark("", 0, 0)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a node: its name in YAML, the field that it is decoded to, its type and its documentation.

    ``default`` is documented: it is the value that stands for an absent one in YAML.
    """

    name: str
    field: str
    type: ValueType
    about: About
    default: Any
    when_absent: Any

    @property
    def has_default(self) -> bool:
        return self.default is not _NO_DEFAULT

    def schema(self) -> JsonSchema:
        schema = entry_schema(self.type, self.about)
        return {**schema, "default": self.default} if self.has_default else schema


class Form(NamedTuple):
    """A form of a node that excludes some of its keys, and the help for who uses one of them."""

    title: str
    help: str
    without: tuple[str, ...]

    def schema(self) -> JsonSchema:
        message = "This key is not allowed together with the other keys here."
        excluded = {"type": "null", "doNotSuggest": True, "errorMessage": message}
        return {
            "title": self.title,
            "description": self.help,
            "properties": {name: {"title": name, "description": self.help, **excluded} for name in self.without},
        }


@dataclass(frozen=True, slots=True)
class NodeType:
    """The description of a node: its keys, and which of them need or exclude each other."""

    about: About
    keys: Mapping[str, Key]
    definition: str
    forms: tuple[Form, ...] = ()
    #: The keys that are required, of which at least one is required, and those that a key requires.
    required: tuple[str, ...] = ()
    #: Those that are required even in a document that is merged onto another.
    always_required: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: The help for a missing key.
    help: str = ""
    #: Whether it is merged onto the rest of the file, so that null removes a value in it.
    is_layer: bool = False
    editor: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return with_article(self.about.title)

    def schema(self) -> JsonSchema:
        forms = {"anyOf": [form.schema() for form in self.forms]} if self.forms else {}
        return {
            **self.editor,
            "type": "object",
            "additionalProperties": False,
            "properties": {name: key.schema() for name, key in self.keys.items()},
            **forms,
        }


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node of a spec. ``name`` is that of the entry that it is, ``mark`` that of its key, or else of its value."""

    node_type: ClassVar[NodeType]

    name: str = ""
    mark: Mark


def yaml_key(
    type: ValueType,
    title: str | None = None,
    doc: str = "",
    *examples: Any,
    default: Any = _NO_DEFAULT,
    absent: Any = _NO_DEFAULT,
    yaml: str | None = None,
) -> Any:
    """A field of a node that is read from a key. Without a title, the documentation is that of its type.

    ``default``: the value in YAML that an absent one stands for; if there is none, ``doc`` says what applies by
    default. ``absent``: what the field is if the key is absent, by default the default or what its type says.
    ``yaml``: the name of the key, if it is not that of the field.
    """
    if absent is _NO_DEFAULT:
        absent = default if isinstance(default, bool | int | float) else type.when_absent
    about = About(title, doc, examples) if title else documentation_of(type)
    metadata = {"key": Key(yaml or "", "", type, about, default, absent)}
    if isinstance(absent, Entries):
        return field(default_factory=Entries, metadata=metadata)
    return field(default=absent, metadata=metadata)


def node(
    title: str,
    doc: str,
    *examples: Any,
    definition: str | None = None,
    forms: Sequence[Form] = (),
    required: Iterable[str] = (),
    always_required: Iterable[str] = (),
    one_of: Iterable[str] = (),
    requires: Mapping[str, tuple[str, ...]] | None = None,
    help: str = "",
    is_layer: bool = False,
    editor: Mapping[str, Any] | None = None,
) -> Callable[[type[N]], type[N]]:
    """Describe a dataclass as a node. See ``NodeType`` for the arguments."""

    def described(cls: type[N]) -> type[N]:
        keys: dict[str, Key] = {}
        own = inspect.get_annotations(cls)
        for each in sorted(dataclasses.fields(cls), key=lambda field: field.name not in own):
            found: Key | None = each.metadata.get("key")
            if found is not None:
                name = found.name or each.name
                keys[name] = dataclasses.replace(found, name=name, field=each.name)
        cls.node_type = NodeType(
            about=About(title, doc, examples),
            keys=keys,
            definition=definition or title.replace(" ", "_"),
            forms=tuple(forms),
            required=tuple(required),
            always_required=tuple(always_required),
            one_of=tuple(one_of),
            requires=requires or {},
            help=help,
            is_layer=is_layer,
            editor=editor or {},
        )
        return cls

    return described


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

    def __init__(self, cls: type[Node], short_for: str, about: About | None = None) -> None:
        self._cls, self._key = cls, cls.node_type.keys[short_for]
        super().__init__((self._key.type, NodeValue(cls)), about or cls.node_type.about)

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
        found = unknown_key_help(name, node_type.definition, node_type.keys, _inner_nodes(node_type), decoder.outer)
        missing = [key for key in (*node_type.required, *node_type.always_required) if key not in node.value]
        if found.intended is None and len(unknown) == len(missing) == 1 and decoder.complete:
            found = KeyHelp(f'did you mean "{missing[0]}"?', missing[0], missing[0])
        if found.intended is not None:
            assumed.add(found.intended)
        message = f"{quoted(name)} is not a key of {node_type.title}"
        suggestion = found.suggestion
        decoder.report(
            node.at(name), "unknown-key", message, found.help, at_key=True, subject=name, suggestion=suggestion
        )
    return assumed


def _inner_nodes(node_type: NodeType) -> Iterator[NodeKeys]:
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
    return bool(value) and not node_type.keys.keys() & value and not any(value.values())
