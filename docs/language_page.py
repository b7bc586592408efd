"""Generates the reference of the language from its JSON Schema: a section for each mapping, an entry for each key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]

INTRODUCTION = """\
# Language reference

This page lists every key of a spec. It is generated from the JSON Schema
[`spec-1.schema.json`](../../schemas/spec-1.schema.json). [The language guide](../language.md) explains the concepts.

In a spec that extends another one, only `instrument` is required, and every key can be null, which removes the value of
the extended spec.
"""

#: The first keys of the top-level section, in the order in which an author needs them. All others follow.
FIRST_KEYS = ("instrument", "name", "extends", "target", "hooks", "spans", "events", "metrics", "updates", "carried")
_TYPE_NAMES = {
    "boolean": "boolean",
    "integer": "integer",
    "number": "number",
    "string": "text",
    "object": "mapping",
    "array": "list",
}
#: Longer examples are printed as blocks.
_MAX_INLINE_EXAMPLE = 100
#: Definitions whose required keys are in a definition that is not called `complete_` and their name.
COMPLETE_DEFINITIONS = {"one_start": "complete_moment", "end": "complete_moment"}


def page(schema: Node) -> str:
    """Return the page in Markdown."""
    return "\n\n".join([INTRODUCTION.strip(), *_Page(schema).parts()]) + "\n"


class _Page:
    def __init__(self, schema: Node) -> None:
        self.schema = schema
        self.definitions: dict[str, Node] = schema["$defs"]
        #: The sections by anchor, in the order in which they are first referred to: the heading and the mapping.
        self.sections: dict[str, tuple[str, Node]] = {}
        #: Definitions of texts, such as expressions and moments.
        self.terms: dict[str, Node] = {}

    def parts(self) -> Iterator[str]:
        keys = self.schema["properties"]
        order = [*(key for key in FIRST_KEYS if key in keys), *(key for key in keys if key not in FIRST_KEYS)]
        self.sections["spec"] = ("Spec", {**self.schema, "properties": {key: keys[key] for key in order}})
        rendered: dict[str, list[str]] = {}
        waiting = ["spec"]
        while waiting:
            anchor, known = waiting.pop(0), {*self.sections}
            rendered[anchor] = [*self._section(anchor, *self.sections[anchor])]
            # Sections that this one refers to first follow it directly.
            waiting = [*(new for new in self.sections if new not in known), *waiting]
        links = [f"[{_lower_first(self.sections[anchor][0])}](#{anchor})" for anchor in rendered]
        yield " · ".join([*links, "[terms](#terms)"])
        for parts in rendered.values():
            yield from parts
        yield from self._terms()

    def _section(self, anchor: str, heading: str, node: Node) -> Iterator[str]:
        yield f'<a id="{anchor}"></a>\n\n## {heading}'
        yield node.get("description", "")
        complete = self._complete(anchor)
        required = {*node.get("required", []), *complete.get("required", [])}
        if complete.get("anyOf"):
            yield complete["description"]
        yield from self._examples(node.get("examples", []))
        shared: list[str] = []
        for key, entry in node["properties"].items():
            if entry == {"$ref": f"#/properties/{key}"}:
                shared.append(key)
            else:
                yield from self._entry(anchor, key, entry, key in required)
        if shared:
            links = ", ".join(f"[`{key}`](#spec-{key})" for key in shared)
            yield f"These keys are the same as at the top level of a [spec](#spec): {links}."

    def _complete(self, anchor: str) -> Node:
        """The definition of the keys that a mapping requires in a spec that does not extend another one."""
        key = anchor.removeprefix("spec-").removesuffix("-keys")
        if anchor == f"spec-{key}-keys":
            return self._resolved(self.definitions["complete_spec"]["properties"].get(key, {}))
        return self.definitions.get(COMPLETE_DEFINITIONS.get(anchor, f"complete_{anchor}"), {})

    def _entry(self, section: str, key: str, entry: Node, required: bool) -> Iterator[str]:
        node = self._resolved(entry)
        yield f'<a id="{section}-{key}"></a>\n\n### `{key}`'
        yield node.get("description", "")
        facts = f"Type: {self._type(entry, section, key)}."
        default = node.get("default")
        if required:
            facts += " Required."
        elif default is not None:
            facts += " Default: none." if default in ({}, []) else f" Default: `{_flow(default)}`."
        yield facts
        yield from self._examples(node.get("examples", []))

    def _examples(self, examples: list[Any]) -> Iterator[str]:
        if not examples:
            return
        lead = "Example:" if len(examples) == 1 else "Examples:"
        inline = [_flow(example) for example in examples]
        if all(len(text) <= _MAX_INLINE_EXAMPLE for text in inline):
            yield f"{lead} " + ", ".join(f"`{text}`" for text in inline)
            return
        # Not marked as `yaml`: the tests of the documentation validate such blocks as complete specs.
        blocks = ["\n".join(_block(example)) for example in examples]
        yield f"{lead}\n\n```yml\n" + "\n---\n".join(blocks) + "\n```"

    def _resolved(self, node: Node) -> Node:
        """The node with its reference resolved. Its own keywords override those of the definition."""
        if "$ref" not in node:
            return node
        found: Node = self.schema
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return {**self._resolved(found), **{word: value for word, value in node.items() if word != "$ref"}}

    def _type(self, node: Node, section: str, key: str) -> str:
        """The type of a value in words, with links to sections and terms."""
        *others, last = self._alternatives(node, section, key)
        return f"{', '.join(others)} or {last}" if others else last

    def _alternatives(self, node: Node, section: str, key: str) -> list[str]:
        reference = str(node.get("$ref", ""))
        name = reference.removeprefix("#/$defs/") if reference.startswith("#/$defs/") else None
        resolved = self._resolved(node)
        if "properties" in resolved:
            return [self._section_link(name or f"{section}-{key}-keys", resolved, name is None)]
        if resolved.get("anyOf") and "type" not in resolved:
            return self._branches(resolved["anyOf"], section, key)
        types = [kind for kind in _as_list(resolved.get("type")) if kind != "null"]
        if name and types == ["string"]:
            return [self._term_link(name)]
        if "enum" in resolved:
            return [f"`{value}`" for value in resolved["enum"] if value is not None]
        if "const" in resolved:
            return [f"`{_flow(resolved['const'])}`"]
        if types == ["object"] and isinstance(resolved.get("additionalProperties"), dict):
            names = resolved.get("propertyNames", {})
            keys = self._resolved(names).get("title", "text")
            return [f"mapping from {keys} to {self._type(resolved['additionalProperties'], section, key)}"]
        bounds = "".join(f", {word} {resolved[bound]}" for bound, word in _BOUNDS.items() if bound in resolved)
        items = f" of {self._type(resolved['items'], section, key)}" if "items" in resolved else ""
        return [_TYPE_NAMES[kind] + (items if kind == "array" else bounds) for kind in types]

    def _branches(self, branches: list[Node], section: str, key: str) -> list[str]:
        """The alternatives of several schemas. A list of the same alternatives does not repeat them."""
        found: dict[str, None] = {}
        for branch in branches:
            items = branch.get("items") if branch.get("type") == "array" else None
            if items and {*self._alternatives(items, section, key)} == {*found}:
                found["a list of these"] = None
            else:
                found.update(dict.fromkeys(self._alternatives(branch, section, key)))
        return [*found]

    def _section_link(self, anchor: str, node: Node, unnamed: bool) -> str:
        title = _title(node, anchor)
        known = next(
            (at for at, (_, other) in self.sections.items() if other["properties"] == node["properties"]), None
        )
        if known is None:
            section = node if unnamed else self.definitions.get(anchor, node)
            self.sections[anchor] = (title[:1].upper() + title[1:], section)
        return f"[{title}](#{known or anchor})"

    def _term_link(self, name: str) -> str:
        self.terms.setdefault(name, self.definitions[name])
        return f"[{_title(self.definitions[name], name)}](#term-{name})"

    def _terms(self) -> Iterator[str]:
        yield '<a id="terms"></a>\n\n## Terms'
        for name, node in self.terms.items():
            yield f'<a id="term-{name}"></a>\n\n### {_title(node, name)}'
            yield node.get("description", "")
            yield from self._examples(node.get("examples", []))


_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most"}


def _title(node: Node, name: str) -> str:
    return str(node.get("title") or name.replace("_", " "))


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


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
