"""Checks whether OpenTelemetry Weaver accepts a registry: with Weaver itself, and by the rules of its format.

The rules are from Weaver's documentation of registries of groups, and from the errors and warnings of `weaver registry
check`, as far as they apply to what we write.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from jsonschema import Draft202012Validator

PRIMITIVES = ["string", "int", "double", "boolean"]
TYPES = [*PRIMITIVES, "any", *(f"{name}[]" for name in PRIMITIVES)]
PYTHON = {"string": str, "int": int, "double": float, "boolean": bool}
TEXT = {"type": "string", "minLength": 1}
STABILITY = {"enum": ["stable", "development", "alpha", "beta", "release_candidate"]}


def _mapping(needed: dict[str, Any], also: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [*needed], "properties": {**needed, **also}, "additionalProperties": False}


_MEMBER = _mapping({"id": TEXT, "value": {"type": ["string", "integer"]}, "stability": STABILITY}, {"brief": TEXT})
_LEVEL = {
    "anyOf": [
        {"enum": ["required", "recommended", "opt_in"]},
        _mapping({"conditionally_required": TEXT}, {}),
        _mapping({"recommended": TEXT}, {}),
    ]
}
_MEMBERS = _mapping({"members": {"type": "array", "minItems": 1, "items": _MEMBER}}, {})
_DEFINED = _mapping(
    {"id": TEXT, "type": {"anyOf": [{"enum": TYPES}, _MEMBERS]}, "stability": STABILITY, "brief": TEXT},
    {"note": TEXT, "examples": {"type": "array", "minItems": 1}},
)
_REFERENCE = _mapping({"ref": TEXT}, {"requirement_level": _LEVEL, "brief": TEXT, "note": TEXT})
_HEAD = {"id": TEXT, "brief": TEXT}
_SIGNAL = {**_HEAD, "stability": STABILITY}
_REFERENCES = {"attributes": {"type": "array", "items": _REFERENCE}}
_GROUPS = {
    "attribute_group": _mapping(
        {**_HEAD, "type": {}, "attributes": {"type": "array", "minItems": 1, "items": _DEFINED}}, {"note": TEXT}
    ),
    "span": _mapping(
        {
            **_SIGNAL,
            "type": {},
            "span_kind": {"enum": ["client", "server", "producer", "consumer", "internal"]},
            **_REFERENCES,
        },
        {"note": TEXT, "events": {"type": "array", "items": TEXT}},
    ),
    "event": _mapping({**_SIGNAL, "type": {}, "name": TEXT}, {"note": TEXT, **_REFERENCES}),
    "metric": _mapping(
        {
            **_SIGNAL,
            "type": {},
            "metric_name": TEXT,
            "instrument": {"enum": ["counter", "gauge", "histogram", "updowncounter"]},
            "unit": TEXT,
        },
        {"note": TEXT, **_REFERENCES},
    ),
}
_MANIFEST = _mapping({"schema_url": TEXT}, {"description": TEXT, "stability": STABILITY})


def groups(folder: Path) -> list[dict[str, Any]]:
    """All groups of a registry."""
    files = [file for file in sorted(folder.glob("*.yaml")) if file.name != "manifest.yaml"]
    contents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    assert all([*content] == ["groups"] for content in contents)
    return [group for content in contents for group in content["groups"]]


def problems(folder: Path) -> list[str]:
    """Return the departures of a directory from the format, and the output of Weaver if it is installed."""
    found = [*_departures(folder)]
    weaver = shutil.which("weaver")
    if weaver:
        done = subprocess.run([weaver, "registry", "check", "-r", str(folder)], capture_output=True, text=True)
        found += [done.stdout + done.stderr] if done.returncode else []
    return found


def _departures(folder: Path) -> Iterator[str]:
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text(encoding="utf-8"))
    yield from _shape("manifest", _MANIFEST, manifest)
    url = urlsplit(str(manifest.get("schema_url")))
    if url.scheme not in ("http", "https") or not url.netloc or len(url.path.strip("/").split("/")) < 2:
        yield f"manifest: {manifest.get('schema_url')} is not a URL of the form https://host/path/version"
    found = groups(folder)
    for group in found:
        rules = _GROUPS.get(group.get("type", ""))
        if rules is None:
            yield f"{group.get('id')}: {group.get('type')} is not a type of a group"
        else:
            yield from _shape(group.get("id", "?"), rules, group)
    yield from _inconsistencies(found)


def _shape(name: str, rules: dict[str, Any], content: Any) -> Iterator[str]:
    for error in Draft202012Validator(rules).iter_errors(content):
        yield f"{name}: {error.json_path}: {error.message}"


def _inconsistencies(found: list[dict[str, Any]]) -> Iterator[str]:
    """Names that are defined twice or not at all, and examples of the wrong type."""
    attributes = [each for group in found for each in group.get("attributes", ())]
    defined = [each for each in attributes if "id" in each]
    for what, names in (
        ("group", [group["id"] for group in found]),
        ("attribute", [each["id"] for each in defined]),
        ("event", [group["name"] for group in found if group["type"] == "event"]),
        ("metric", [group["metric_name"] for group in found if group["type"] == "metric"]),
        *(
            (f"attribute of {group['id']}", [each.get("ref") for each in group.get("attributes", ()) if "ref" in each])
            for group in found
        ),
    ):
        yield from (f"{what} {name} is defined {count} times" for name, count in Counter(names).items() if count > 1)
    keys, events = {each["id"] for each in defined}, {group["id"] for group in found if group["type"] == "event"}
    yield from (
        f"attribute {each['ref']} is not defined" for each in attributes if each.get("ref", "") not in {*keys, ""}
    )
    for group in found:
        yield from (f"event {name} is not defined" for name in group.get("events", ()) if name not in events)
    for each in defined:
        kind = PYTHON.get(each["type"]) if isinstance(each["type"], str) else None
        if kind and not all(type(example) is kind for example in each.get("examples", ())):
            yield f"{each['id']}: an example is not of type {each['type']}"
        members = each["type"]["members"] if isinstance(each["type"], dict) else []
        yield from (
            f"{each['id']}: member {name} twice" for name, n in Counter(m["id"] for m in members).items() if n > 1
        )
