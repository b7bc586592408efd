"""Generates the reference of the language from its nodes: a section for each node, an entry for each key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import singledispatchmethod
from typing import Any

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, MapOf, OneOf
from opentelemetry.instrumentation.declarative.language.node_type import READ, Key, NodeType
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.registry import Registry
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.scalar_types import (
    Choice,
    ConstantValue,
    Flag,
    Number,
    TextType,
    Version,
)
from opentelemetry.instrumentation.declarative.language.value_types import About, ValueType, documentation_of

INTRODUCTION = """\
# Language reference

This page lists every key of a spec. It is generated from the same source as the JSON Schema
[`spec-2.schema.json`](../../schemas/spec-2.schema.json). [The language guide](../language.md) explains the concepts.

In a spec that extends another one, only `instrument` is required, and every key can be null, which removes the value of
the extended spec.
"""

#: The first keys of the top-level section, in the order in which an author needs them. All others follow.
FIRST_KEYS = ("instrument", "name", "extends", "target", "hooks", "spans", "events", "metrics", "attributes", "context")
#: Longer examples are printed as blocks.
_MAX_INLINE_EXAMPLE = 100


def page() -> str:
    """Return the page in Markdown."""
    return "\n\n".join([INTRODUCTION.strip(), *_Page().parts()]) + "\n"


class _Page:
    def __init__(self) -> None:
        #: The nodes by anchor, in the order in which they are first referred to.
        self.sections: dict[str, NodeType] = {}
        #: The forms of text, such as expressions and moments, by anchor.
        self.terms: dict[str, About] = {}

    def parts(self) -> Iterator[str]:
        root = Spec.node_type
        registry = Registry.node_type
        self.sections.update({root.definition: root, registry.definition: registry})
        rendered: dict[str, list[str]] = {}
        waiting = [root.definition, registry.definition]
        while waiting:
            anchor, known = waiting.pop(0), {*self.sections}
            rendered[anchor] = [*self._section(self.sections[anchor])]
            # Sections that this one refers to first follow it directly.
            waiting = [*(new for new in self.sections if new not in known), *waiting]
        links = [f"[{self.sections[anchor].about.title}](#{anchor})" for anchor in rendered]
        yield " · ".join([*links, "[terms](#terms)"])
        for parts in rendered.values():
            yield from parts
        yield from self._terms()

    def _section(self, node: NodeType) -> Iterator[str]:
        title = node.about.title
        yield f'<a id="{node.definition}"></a>\n\n## {title[:1].upper()}{title[1:]}'
        yield node.about.doc
        if node.one_of:
            yield node.help
        yield from _examples(node.about)
        root, shared = Spec.node_type, []
        first = [name for name in FIRST_KEYS if name in node.keys] if node is root else []
        for name in dict.fromkeys((*first, *node.keys)):
            key = node.keys[name]
            if node is not root and name in root.keys and key.type is root.keys[name].type:
                shared.append(name)
            else:
                yield from self._entry(node, key)
        if shared:
            links = ", ".join(f"[`{name}`](#{root.definition}-{name})" for name in shared)
            yield f"These keys are the same as at the top level of a [spec](#{root.definition}): {links}."

    def _entry(self, node: NodeType, key: Key) -> Iterator[str]:
        yield f'<a id="{node.definition}-{key.name}"></a>\n\n### `{key.name}`'
        yield key.about.doc
        facts = f"Type: {_alternatives(self._type(key.type))}."
        if key.name in (*node.required, *node.always_required):
            facts += " Required."
        elif key.has_default:
            facts += " Default: none." if key.default in ({}, []) else f" Default: `{_flow(key.default)}`."
        if key.read is not None:
            facts += f" Read {READ[key.read]}."
        yield facts
        yield from _examples(key.about)

    @singledispatchmethod
    def _type(self, value_type: ValueType) -> list[str]:
        """The alternatives for a value in words, with links to sections and terms."""
        raise NotImplementedError(type(value_type))

    @_type.register
    def _(self, value_type: TextType) -> list[str]:
        if value_type.definition is None:
            return ["text"]
        self.terms.setdefault(value_type.definition, documentation_of(value_type))
        return [f"[{documentation_of(value_type).title}](#term-{value_type.definition})"]

    @_type.register
    def _(self, value_type: Choice) -> list[str]:
        return [f"`{word}`" for word in value_type.words]

    @_type.register
    def _(self, _value_type: Flag) -> list[str]:
        return ["boolean"]

    @_type.register
    def _(self, value_type: Number) -> list[str]:
        bounds = {"at least": value_type.minimum, "more than": value_type.above, "at most": value_type.maximum}
        given = "".join(f", {words} {bound}" for words, bound in bounds.items() if bound is not None)
        return [("integer" if value_type.is_integer else "number") + given]

    @_type.register
    def _(self, value_type: Version) -> list[str]:
        return [f"`{value_type.number}`"]

    @_type.register
    def _(self, _value_type: ConstantValue) -> list[str]:
        return ["text", "number", "boolean", "list of text"]

    @_type.register
    def _(self, value_type: ListOf) -> list[str]:
        return [f"list of {_alternatives(self._type(value_type.item))}"]

    @_type.register
    def _(self, value_type: MapOf) -> list[str]:
        keys = documentation_of(value_type.key).title
        return [f"mapping from {keys} to {_alternatives(self._type(value_type.value))}"]

    @_type.register
    def _(self, value_type: NodeValue) -> list[str]:
        node = value_type.node_type
        self.sections.setdefault(node.definition, node)
        return [f"[{node.about.title}](#{node.definition})"]

    @_type.register
    def _(self, value_type: OneOf) -> list[str]:
        """A list of the same alternatives does not repeat them."""
        found: dict[str, None] = {}
        for each in value_type.types:
            if isinstance(each, ListOf) and {*self._type(each.item)} == {*found}:
                found["a list of these"] = None
            else:
                found.update(dict.fromkeys(self._type(each)))
        return [*found]

    def _terms(self) -> Iterator[str]:
        yield '<a id="terms"></a>\n\n## Terms'
        for name, about in self.terms.items():
            yield f'<a id="term-{name}"></a>\n\n### {about.title}'
            yield about.doc
            yield from _examples(about)


def _alternatives(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _examples(about: About) -> Iterator[str]:
    if not about.examples:
        return
    lead = "Example:" if len(about.examples) == 1 else "Examples:"
    inline = [_flow(example) for example in about.examples]
    if all(len(text) <= _MAX_INLINE_EXAMPLE for text in inline):
        yield f"{lead} " + ", ".join(f"`{text}`" for text in inline)
        return
    # Not marked as `yaml`: the tests of the documentation validate such blocks as complete specs.
    blocks = ["\n".join(_block(example)) for example in about.examples]
    yield f"{lead}\n\n```yml\n" + "\n---\n".join(blocks) + "\n```"


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_plain(key, flow=True)}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _plain(value, flow=True) if isinstance(value, str) else json.dumps(value)


def _block(value: Any) -> Iterator[str]:
    """A value as YAML on several lines; short inner values stay on one line."""
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from _block_entry(f"{_plain(key)}:", entry)
    elif isinstance(value, list) and value:
        for entry in value:
            first, *rest = _block(entry)
            yield from (f"- {first}", *(f"  {line}" for line in rest))
    else:
        yield _plain(value) if isinstance(value, str) else _flow(value)


def _block_entry(key: str, entry: Any) -> Iterator[str]:
    if isinstance(entry, (dict, list)) and len(_flow(entry)) > 40:
        yield key
        yield from (f"  {line}" for line in _block(entry))
    else:
        yield f"{key} {_flow(entry) if isinstance(entry, (dict, list)) else next(_block(entry))}"


def _plain(text: str, *, flow: bool = False) -> str:
    """Text as YAML, without quotes if possible."""
    special = r"[\"'#{}\[\],]|: |:$|^[>|&*!%@`?-]|^\s|\s$|^$" if flow else r"[#]|: |:$|^[>|&*!%@`\"'{\[?-]|^\s|\s$|^$"
    looks_typed = re.fullmatch(r"(?i)null|true|false|yes|no|on|off|~|[-+.0-9][-+.0-9eE_]*", text)
    return "'" + text.replace("'", "''") + "'" if looks_typed or re.search(special, text) else text
