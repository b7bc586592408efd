"""Every key of the language is required or documents its default, for the reference and for editors."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opentelemetry.instrumentation.declarative.language.schema import schema_path

# The variable names a schema that is checked before it replaces the current one.
SCHEMA: dict[str, Any] = json.loads(Path(os.environ.get("SPEC_SCHEMA", schema_path())).read_text(encoding="utf-8"))


def at(pointer: str) -> dict[str, Any]:
    node: Any = SCHEMA
    for step in filter(None, pointer.split("/")):
        node = node[int(step) if isinstance(node, list) else step]
    return dict(node)


def definition_of(pointer: str) -> str:
    """The pointer of the definition that a node refers to, or of the node itself."""
    while "$ref" in (node := at(pointer)):
        pointer = str(node["$ref"]).removeprefix("#")
    return pointer


def resolved(pointer: str) -> dict[str, Any]:
    """A node with its reference resolved. Its own keywords override those of the definition."""
    node = at(pointer)
    return {**resolved(node["$ref"].removeprefix("#")), **node} if "$ref" in node else node


def required(pointer: str, complete: str, found: dict[str, set[str]]) -> dict[str, set[str]]:
    """The required keys of each mapping in a spec that extends no other, including those of which one is required."""
    pointer, complete = definition_of(pointer), definition_of(complete)
    node, rule = at(pointer), at(complete)
    keys = found.setdefault(pointer, set())
    keys.update(rule.get("required", ()), *rule.get("dependentRequired", {}).values())
    keys.update(key for branch in rule.get("anyOf", ()) for key in branch.get("required", ()))
    for number in range(len(rule.get("allOf", ()))):
        required(pointer, f"{complete}/allOf/{number}", found)
    for number in range(len(node.get("anyOf", ()))):
        required(f"{pointer}/anyOf/{number}", complete, found)
    for word in ("items", "additionalProperties"):
        if isinstance(rule.get(word), dict) and isinstance(node.get(word), dict):
            required(f"{pointer}/{word}", f"{complete}/{word}", found)
    for key in rule.get("properties", ()):
        if key in node.get("properties", ()):
            required(f"{pointer}/properties/{key}", f"{complete}/properties/{key}", found)
    return found


REQUIRED = required("", "/$defs/complete_spec", {"": {"instrument"}})


def keys(pointer: str = "") -> Iterator[tuple[str, str]]:
    """Every key, with the pointer of its mapping. Definitions that only restrict the keys of others are left out."""
    node = at(pointer)
    if "properties" in node and node.get("additionalProperties") is False:
        yield from ((pointer, key) for key in node["properties"])
    for word in ("properties", "$defs"):
        for key in node.get(word, ()):
            if not key.startswith("complete_"):
                yield from keys(f"{pointer}/{word}/{key}")
    for word in ("items", "additionalProperties"):
        if isinstance(node.get(word), dict):
            yield from keys(f"{pointer}/{word}")
    for number, _ in enumerate(node.get("anyOf", ())):
        yield from keys(f"{pointer}/anyOf/{number}")


KEYS = list(keys())


def test_the_keys_of_the_language_are_found() -> None:
    assert len(KEYS) >= 100
    assert ("/$defs/span", "around") in KEYS
    assert REQUIRED["/$defs/closing"] == {"at", "owner"}
    assert {"around", "start", "end", "key", "at"} <= REQUIRED["/$defs/span"]


def test_every_optional_key_documents_its_default() -> None:
    undocumented = []
    for pointer, key in KEYS:
        node = resolved(f"{pointer}/properties/{key}")
        documented = "default" in node or "by default" in str(node.get("description", "")).lower()
        if not documented and key not in REQUIRED.get(pointer, ()):
            undocumented.append(f"{pointer}/properties/{key}")
    assert undocumented == [], "these need a `default` or a sentence with “By default”"


def test_no_default_is_documented_twice() -> None:
    both = [
        f"{pointer}/properties/{key}"
        for pointer, key in KEYS
        for node in [resolved(f"{pointer}/properties/{key}")]
        if "default" in node and "by default" in str(node.get("description", "")).lower()
    ]
    assert both == []


def test_every_description_consists_of_sentences() -> None:
    described = [resolved(f"{pointer}/properties/{key}") for pointer, key in KEYS]
    assert [node["description"] for node in described if not node["description"].endswith(".")] == []


def test_every_title_is_a_noun_phrase_without_an_article() -> None:
    """Problems add the indefinite article: a title may be part of a sentence."""
    titles = [resolved(f"{pointer}/properties/{key}")["title"] for pointer, key in KEYS]
    titles += [node["title"] for node in SCHEMA["$defs"].values()]
    assert [title for title in titles if re.match("(a|an|the|what|how|which|whether|when|where) ", title)] == []
    assert [title for title in titles if len(title.split()) > 5] == []
