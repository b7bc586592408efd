"""Nodes: the mappings of the language that have keys of their own. A dataclass describes each."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.structure_problems import with_article
from opentelemetry.instrumentation.declarative.language.value_types import (
    About,
    JsonSchema,
    ValueType,
    documentation_of,
    entry_schema,
)
from opentelemetry.instrumentation.declarative.language.values import Entries
from opentelemetry.instrumentation.declarative.records import record

N = TypeVar("N", bound="Node")
#: The moments at which the expressions in a spec are read. The phases of a call follow from them.
ReadAt = Literal["once", "call", "start", "end", "start or end", "moment", "item", "rule"]


_NO_DEFAULT: Any = object()

#: When the expression under a key is read, in words, by the moment that its field declares.
READ: Mapping[ReadAt, str] = {
    "once": "once, before any call",
    "call": "before the call",
    "start": "when the span starts",
    "end": "when the span ends",
    "start or end": "when the span starts or, if its names only exist then, when it ends",
    "moment": "at the moment of the rule",
    "item": "for each item of the result",
    "rule": "together with the rule that it is part of",
}


#: The mark of a node that stands for an absent one.
NO_MARK = Mark("", 0, 0)


@record(frozen=True)
class Key:
    """A key of a node: its name in YAML, the field that it is decoded to, its type and its documentation.

    ``default`` is documented: it is the value that stands for an absent one in YAML. ``read`` is when its expression is
    read; None if it has none.
    """

    name: str
    field: str
    type: ValueType
    about: About
    default: Any
    when_absent: Any
    read: ReadAt | None = None
    #: What it is in a sentence about its rule, and what follows if it never has a value.
    phrase: str = ""
    missing: str = ""

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


@record(frozen=True)
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


@record(frozen=True, kw_only=True)
class Node:
    """A node of a spec. ``name`` is that of the entry that it is, ``mark`` that of its key, or else of its value."""

    node_type: ClassVar[NodeType]

    name: str = ""
    mark: Mark

    @classmethod
    def key_of(cls, field: str) -> Key:
        """The key that a field is read from."""
        return next(key for key in cls.node_type.keys.values() if key.field == field)


def yaml_key(
    type: ValueType,
    title: str | None = None,
    doc: str = "",
    *examples: Any,
    default: Any = _NO_DEFAULT,
    absent: Any = _NO_DEFAULT,
    yaml: str | None = None,
    read: ReadAt | None = None,
    phrase: str | None = None,
    missing: str | None = None,
) -> Any:
    """A field of a node that is read from a key. Without a title, the documentation is that of its type.

    ``default``: the value in YAML that an absent one stands for; if there is none, ``doc`` says what applies by
    default. ``absent``: what the field is if the key is absent, by default the default or what its type says.
    ``yaml``: the name of the key, if it is not that of the field. ``read``: when its expression is read. ``phrase``:
    what it is in a sentence, by default "the" and the title. ``missing``: what follows if it never has a value.
    """
    if absent is _NO_DEFAULT:
        absent = default if isinstance(default, bool | int | float) else type.when_absent
    about = About(title, doc, examples) if title else documentation_of(type)
    phrase = phrase or f"the {about.title}"
    missing = missing or ("is never true" if about.title == "condition" else "is always None")
    metadata = {"key": Key(yaml or "", "", type, about, default, absent, read, phrase, missing)}
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
