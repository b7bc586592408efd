"""The reference of the language, from its JSON Schema: each word, where the author of a spec meets it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]

INTRODUCTION = """\
# The words of the language

Every key that a spec may have, as the JSON Schema [`spec-1.schema.json`](../../schemas/spec-1.schema.json) has it;
[the language](../language.md) says what the words are for. In a file that extends others every key may also be null,
which removes what is there, and nothing is needed: what is missing stands in the other file.
"""

#: Keys of the whole file, in the order in which an author meets them; what is not named here comes after them.
ORDER = ("instrument", "name", "extends", "target", "hooks", "spans", "events", "metrics", "updates", "carried")
_TYPES = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "object": "a mapping",
    "array": "a list",
}
_WIDEST = 100
#: What says of a word what it needs, where that does not have its name.
COMPLETE = {"one_start": "complete_moment", "end": "complete_moment"}


def page(schema: Node) -> str:
    """The whole page."""
    return "\n\n".join([INTRODUCTION.strip(), *_Page(schema).parts()]) + "\n"


class _Page:
    def __init__(self, schema: Node) -> None:
        self.schema = schema
        self.definitions: dict[str, Node] = schema["$defs"]
        #: What has a section of its own: the anchor, the heading and the node, in the order in which it was met.
        self.sections: dict[str, tuple[str, Node]] = {}
        self.terms: dict[str, Node] = {}

    def parts(self) -> Iterator[str]:
        keys = self.schema["properties"]
        order = [*(key for key in ORDER if key in keys), *(key for key in keys if key not in ORDER)]
        whole = {**self.schema, "properties": {key: keys[key] for key in order}}
        self.sections["spec"] = ("A spec", whole)
        rendered: dict[str, list[str]] = {}
        waiting = ["spec"]
        while waiting:
            anchor, known = waiting.pop(0), {*self.sections}
            rendered[anchor] = [*self._section(anchor, *self.sections[anchor])]
            # What is met in a section comes right after it.
            waiting = [*(met for met in self.sections if met not in known), *waiting]
        terms = [*self._terms()]
        names = [(anchor, self.sections[anchor][0]) for anchor in rendered]
        links = [f"[{heading[:1].lower()}{heading[1:]}](#{anchor})" for anchor, heading in names]
        yield " · ".join([*links, "[terms](#terms)"])
        for parts in rendered.values():
            yield from parts
        yield from terms

    def _section(self, anchor: str, heading: str, node: Node) -> Iterator[str]:
        yield f'<a id="{anchor}"></a>\n\n## {heading}'
        yield node.get("description", "")
        complete = self._complete(anchor)
        needed = {*node.get("required", []), *complete.get("required", [])}
        if complete.get("anyOf"):
            yield complete["description"]
        yield from self._examples(node.get("examples", []), "For example:")
        keys: Node = node["properties"]
        for key, entry in keys.items():
            yield from self._entry(anchor, key, entry, key in needed)

    def _complete(self, anchor: str) -> Node:
        """What is needed besides where nothing is extended."""
        name = COMPLETE.get(anchor, f"complete_{anchor}")
        key = anchor.removeprefix("spec-").removesuffix("-keys")
        if anchor == f"spec-{key}-keys":
            return self._resolved(self.definitions["complete_spec"]["properties"].get(key, {}))
        return self.definitions.get(name, {})

    def _entry(self, section: str, key: str, entry: Node, needed: bool) -> Iterator[str]:
        node = self._resolved(entry)
        yield f'<a id="{section}-{key}"></a>\n\n### `{key}`'
        yield node.get("description", "")
        facts = [self._type(entry, section, key)]
        if needed:
            facts.append("needed")
        if node.get("default") is not None:
            facts.append(
                f"by default `{_flow(node['default'])}`" if node["default"] not in ({}, []) else "by default none"
            )
        yield " · ".join(fact for fact in facts if fact)
        yield from self._examples(node.get("examples", []), "For example")

    def _examples(self, examples: list[Any], lead: str) -> Iterator[str]:
        short = [text for text in map(_flow, examples) if len(text) <= _WIDEST]
        if len(short) == len(examples):
            if short:
                yield f"{lead.rstrip(':')}: " + ", ".join(f"`{text}`" for text in short)
            return
        # Not marked as the YAML that the tests of the documents take for specs: most are parts of one.
        blocks = ["\n".join(_block(example)) for example in examples]
        yield lead.rstrip(":") + ":\n\n```yml\n" + "\n---\n".join(blocks) + "\n```"

    def _resolved(self, node: Node) -> Node:
        """A node with what it refers to: what it says itself counts more."""
        if "$ref" not in node:
            return node
        found: Node = self.schema
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return {**self._resolved(found), **{word: value for word, value in node.items() if word != "$ref"}}

    def _type(self, node: Node, section: str, key: str) -> str:
        """What may stand there, in words; what has words of its own is linked."""
        reference = str(node.get("$ref", ""))
        name = reference.removeprefix("#/$defs/") if reference.startswith("#/$defs/") else None
        whole = self._resolved(node)
        if "properties" in whole:
            return self._linked(name or f"{section}-{key}-keys", whole, name is None)
        if whole.get("anyOf") and "type" not in whole:
            return " or ".join(dict.fromkeys(self._type(branch, section, key) for branch in whole["anyOf"]))
        kinds = [kind for kind in _listed(whole.get("type")) if kind != "null"]
        if name and kinds == ["string"]:
            self.terms.setdefault(name, self.definitions[name])
            return f"[{_name(self.definitions[name], name)}](#term-{name})"
        if "enum" in whole:
            return "one of " + ", ".join(f"`{value}`" for value in whole["enum"] if value is not None)
        if "const" in whole:
            return f"`{_flow(whole['const'])}`"
        if kinds == ["array"]:
            return f"a list, each {self._type(whole['items'], section, key)}" if "items" in whole else "a list"
        if kinds == ["object"] and isinstance(whole.get("additionalProperties"), dict):
            names = self._resolved(whole.get("propertyNames", {}))
            by = f", by {names['title']}" if names.get("title") else ""
            return f"a mapping to {self._type(whole['additionalProperties'], section, key)}{by}"
        words = " or ".join(_TYPES[kind] for kind in kinds)
        return words + (f", at least {whole['minimum']}" if "minimum" in whole else "")

    def _linked(self, anchor: str, node: Node, unnamed: bool) -> str:
        title = _name(node, anchor)
        known = next(
            (at for at, (_, there) in self.sections.items() if there["properties"] == node["properties"]), None
        )
        if known is None:
            self.sections[anchor] = (
                title[:1].upper() + title[1:],
                self.definitions.get(anchor, node) if not unnamed else node,
            )
        return f"[{title}](#{known or anchor})"

    def _terms(self) -> Iterator[str]:
        yield '<a id="terms"></a>\n\n## Terms'
        for name, node in self.terms.items():
            yield f'<a id="term-{name}"></a>\n\n### {_name(node, name)}'
            yield node.get("description", "")
            yield from self._examples(node.get("examples", []), "For example")


def _name(node: Node, name: str) -> str:
    return str(node.get("title") or name.replace("_", " "))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_plain(key, flow=True)}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _plain(value, flow=True) if isinstance(value, str) else json.dumps(value)


def _block(value: Any) -> Iterator[str]:
    """A value as YAML on several lines; what is short and deep stays on one."""
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from _under(f"{_plain(key)}:", entry)
    elif isinstance(value, list) and value:
        for entry in value:
            first, *rest = _block(entry)
            yield from (f"- {first}", *(f"  {line}" for line in rest))
    else:
        yield _plain(value) if isinstance(value, str) else _flow(value)


def _under(lead: str, entry: Any) -> Iterator[str]:
    if isinstance(entry, (dict, list)) and len(_flow(entry)) > 40:
        yield lead
        yield from (f"  {line}" for line in _block(entry))
    else:
        yield f"{lead} {_flow(entry) if isinstance(entry, (dict, list)) else next(_block(entry))}"


def _plain(text: str, *, flow: bool = False) -> str:
    """Text as YAML writes it: without quotes where it can."""
    special = r"[\"'#{}\[\],]|: |:$|^[>|&*!%@`?-]|^\s|\s$|^$" if flow else r"[#]|: |:$|^[>|&*!%@`\"'{\[?-]|^\s|\s$|^$"
    looks = re.fullmatch(r"(?i)null|true|false|yes|no|on|off|~|[-+.0-9][-+.0-9eE_]*", text)
    return "'" + text.replace("'", "''") + "'" if looks or re.search(special, text) else text
