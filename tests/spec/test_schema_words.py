"""Each word of the language says what it is by default, or is needed; so the reference and an editor can tell."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opentelemetry.instrumentation.declarative.language.schema import schema_path

# The schema of another place can be looked at before it is put here.
SCHEMA: dict[str, Any] = json.loads(Path(os.environ.get("SPEC_SCHEMA", schema_path())).read_text(encoding="utf-8"))


def at(pointer: str) -> dict[str, Any]:
    node: Any = SCHEMA
    for step in filter(None, pointer.split("/")):
        node = node[int(step) if isinstance(node, list) else step]
    return dict(node)


def followed(pointer: str) -> str:
    """Where a node is written down, and not just referred to."""
    while "$ref" in (node := at(pointer)):
        pointer = str(node["$ref"]).removeprefix("#")
    return pointer


def whole(pointer: str) -> dict[str, Any]:
    """A node with what it refers to; what it says itself counts more."""
    node = at(pointer)
    return {**whole(node["$ref"].removeprefix("#")), **node} if "$ref" in node else node


def needed(pointer: str, complete: str, found: dict[str, set[str]]) -> dict[str, set[str]]:
    """The keys of each mapping that are needed where nothing is extended, or of which one is needed."""
    pointer, complete = followed(pointer), followed(complete)
    node, rule = at(pointer), at(complete)
    keys = found.setdefault(pointer, set())
    keys.update(rule.get("required", ()), *rule.get("dependentRequired", {}).values())
    keys.update(key for branch in rule.get("anyOf", ()) for key in branch.get("required", ()))
    for number in range(len(rule.get("allOf", ()))):
        needed(pointer, f"{complete}/allOf/{number}", found)
    for number in range(len(node.get("anyOf", ()))):
        needed(f"{pointer}/anyOf/{number}", complete, found)
    for word in ("items", "additionalProperties"):
        if isinstance(rule.get(word), dict) and isinstance(node.get(word), dict):
            needed(f"{pointer}/{word}", f"{complete}/{word}", found)
    for key in rule.get("properties", ()):
        if key in node.get("properties", ()):
            needed(f"{pointer}/properties/{key}", f"{complete}/properties/{key}", found)
    return found


NEEDED = needed("", "/$defs/complete_spec", {"": {"instrument"}})


def keys(pointer: str = "") -> Iterator[tuple[str, str]]:
    """Every mapping with keys of its own, and each key of it; what only says what must stand together is none."""
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
    assert NEEDED["/$defs/closing"] == {"at", "owner"}
    assert {"around", "start", "end", "key", "at"} <= NEEDED["/$defs/span"]


def test_every_key_that_may_be_left_out_says_what_it_is_by_default() -> None:
    silent = []
    for pointer, key in KEYS:
        node = whole(f"{pointer}/properties/{key}")
        said = "default" in node or "by default" in str(node.get("description", "")).lower()
        if not said and key not in NEEDED.get(pointer, ()):
            silent.append(f"{pointer}/properties/{key}")
    assert silent == [], "these need a `default`, or a sentence that begins with “By default”"


def test_no_default_is_said_twice() -> None:
    both = [
        f"{pointer}/properties/{key}"
        for pointer, key in KEYS
        for node in [whole(f"{pointer}/properties/{key}")]
        if "default" in node and "by default" in str(node.get("description", "")).lower()
    ]
    assert both == []


def test_every_description_is_made_of_sentences() -> None:
    described = [whole(f"{pointer}/properties/{key}") for pointer, key in KEYS]
    assert [node["description"] for node in described if not node["description"].endswith(".")] == []
