"""The registry of what a spec records, in the format of OpenTelemetry Weaver."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.described import (
    AttributeFacts,
    Description,
    EventFacts,
    SpanFacts,
    ValueType,
)
from opentelemetry.instrumentation.declarative.inspection.described.value_types import merge_types

#: The file that makes a directory a registry.
MANIFEST = "manifest.yaml"
#: The files of the groups. A file without groups is not written.
GROUPS = ("attributes.yaml", "spans.yaml", "events.yaml", "metrics.yaml")

_STABILITY = "development"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./]*")
#: Words that some version of YAML does not read as text.
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def registry(facts: Description, schema_url: str, head: str) -> dict[str, str]:
    """Return the files of the registry by name. ``head`` is a comment at the top of each."""
    groups = dict(zip(GROUPS, (_attributes(facts), _spans(facts), _events(facts), _metrics(facts)), strict=True))
    library = f" for {facts.target[0]} {facts.target[1]}".rstrip() if facts.target else ""
    manifest = {"schema_url": schema_url, "description": f"What the spec {facts.name} records{library}."}
    files: dict[str, Any] = {MANIFEST: manifest, **{name: {"groups": found} for name, found in groups.items() if found}}
    comment = "".join(f"# {line}\n" for line in head.splitlines())
    return {name: f"{comment}{_yaml(content)}" for name, content in files.items()}


def _attributes(facts: Description) -> list[dict[str, Any]]:
    found = [_definition(key, uses) for key, uses in facts.recorded.items()]
    kinds = list(dict.fromkeys(link.kind for span in facts.spans for link in span.links))
    if kinds and facts.scope.link_kind not in facts.recorded:
        link = AttributeFacts(
            facts.scope.link_kind,
            "",
            "with each link",
            ValueType("string", tuple(kinds), True),
            "The kind of the link.",
        )
        found.append(_definition(facts.scope.link_kind, [link]))
    if not found:
        return []
    found.sort(key=lambda attribute: str(attribute["id"]))
    brief = f"Attributes recorded by the spec {facts.name}."
    return [{"id": f"registry.{facts.name}", "type": "attribute_group", "brief": brief, "attributes": found}]


def _definition(key: str, uses: list[AttributeFacts]) -> dict[str, Any]:
    kind = merge_types(one.type for one in uses)
    sources = [one for one in dict.fromkeys(one.source for one in uses if not one.fixed) if one]
    read = " or ".join(f"`{source}`" for source in sources)
    brief = next((one.brief for one in uses if one.brief), None)
    found: dict[str, Any] = {
        "id": _id(key),
        "type": _type(kind),
        "stability": _STABILITY,
        "brief": brief or (f"Read from {read}." if read else "A constant."),
    }
    if brief and read:
        found["note"] = f"Read from {read}."
    if kind is not None and kind.values and not _members(kind):
        found["examples"] = list(kind.values)
    return found


def _id(key: str) -> str:
    """Return the identifier of an attribute. One that stands for the entries of a mapping has none for their names."""
    return key.rstrip("*").rstrip(".")


def _type(kind: ValueType | None) -> Any:
    """Return the type of an attribute; any if it is unknown."""
    if kind is None:
        return "any"
    members = _members(kind)
    return {"members": members} if members else kind.name


def _members(kind: ValueType) -> list[dict[str, Any]]:
    """Return the only values of a type; empty if there may be others, or values cannot be named."""
    if not kind.closed or kind.name not in ("string", "int"):
        return []
    return [{"id": _identifier(str(value)), "value": value, "stability": _STABILITY} for value in kind.values]


def _identifier(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "empty"


def _spans(facts: Description) -> list[dict[str, Any]]:
    return [_span(facts, span) for span in facts.spans]


def _span(facts: Description, span: SpanFacts) -> dict[str, Any]:
    note = [f"Named `{span.name}`.", span.lifetime, f"Parent: {span.parent}."]
    note += [f"Link `{link.kind}`: {link.to}." for link in span.links]
    note += [f"Status: {'; '.join(span.status)}."] if span.status else []
    found = {
        "id": f"span.{facts.name}.{span.key}",
        "type": "span",
        "span_kind": span.kind,
        "stability": _STABILITY,
        "brief": span.brief or f"Spans named `{span.name}`.",
        "note": "\n".join(note),
        "attributes": [_reference(one) for one in span.attributes],
    }
    events = dict.fromkeys(_event_id(facts, event) for event in span.events)
    return {**found, "events": list(events)} if events else found


def _reference(one: AttributeFacts) -> dict[str, Any]:
    level: Any = {"conditionally_required": _condition(one)}
    if one.recorded == "always" or one.content:
        level = "required" if one.recorded == "always" else "opt_in"
    return {"ref": _id(one.key), "requirement_level": level}


def _condition(one: AttributeFacts) -> str:
    if one.fixed or not one.source:
        return f"Recorded {one.recorded}."
    return f"If `{one.source}` has a value, {one.recorded}."


def _event_name(event: EventFacts) -> str:
    """Return the name of an event; its key if the name contains values."""
    return event.key if re.search(r"[{}]", event.name) else event.name


def _event_id(facts: Description, event: EventFacts) -> str:
    return f"event.{facts.name}.{_event_name(event)}"


def _events(facts: Description) -> list[dict[str, Any]]:
    """Return one group for each name: spans of several types may have the same event, as a log record, too."""
    named: dict[str, list[EventFacts]] = {}
    for event in (*facts.all_events, *facts.logs):
        named.setdefault(_event_name(event), []).append(event)
    return [_event(facts, name, events) for name, events in named.items()]


def _event(facts: Description, name: str, events: list[EventFacts]) -> dict[str, Any]:
    note = [f"Recorded with the name `{event.name}`." for event in events if event.name != name]
    for event in events:
        on = f"`{event.span}` spans" if event.span else "the current span"
        note.append(f"On {on}, when {' or when '.join(event.at)}.")
    attributes = {one.key: _reference(one) for event in events for one in event.attributes}
    found = {
        "id": f"event.{facts.name}.{name}",
        "type": "event",
        "name": name,
        "stability": _STABILITY,
        "brief": next((event.brief for event in events if event.brief), None) or f"Events named `{events[0].name}`.",
        "note": "\n".join(dict.fromkeys(note)),
    }
    return {**found, "attributes": list(attributes.values())} if attributes else found


def _metrics(facts: Description) -> list[dict[str, Any]]:
    return [
        {
            "id": f"metric.{metric.name}",
            "type": "metric",
            "metric_name": metric.name,
            "instrument": metric.instrument.replace("_", ""),
            "unit": metric.unit,
            "stability": _STABILITY,
            "brief": metric.brief or f"{metric.measures[0].upper()}{metric.measures[1:]}.",
            **({"attributes": [_reference(one) for one in metric.attributes]} if metric.attributes else {}),
        }
        for metric in facts.metrics
    ]


def _yaml(value: Any, indent: str = "") -> str:
    """Return mappings, lists and scalars as YAML that all versions of YAML read the same way."""
    return "".join(f"{line}\n" for line in _lines(value, indent))


def _lines(value: Mapping[str, Any] | list[Any], indent: str) -> Iterable[str]:
    entries: Iterable[tuple[str, Any]]
    entries = (
        ((f"{key}:", one) for key, one in value.items()) if isinstance(value, Mapping) else (("-", x) for x in value)
    )
    for lead, inner in entries:
        if isinstance(inner, str) and "\n" in inner:
            yield f"{indent}{lead} |-"
            yield from (f"{indent}  {line}" for line in inner.splitlines())
        elif not isinstance(inner, (Mapping, list)):
            yield f"{indent}{lead} {_scalar(inner)}"
        elif lead == "-" or (isinstance(inner, Mapping) and inner):
            lines = [*_lines(inner, indent + "  ")]
            yield from (f"{indent}- {lines[0].strip()}", *lines[1:]) if lead == "-" else (f"{indent}{lead}", *lines)
        else:
            yield f"{indent}{lead}" if inner else f"{indent}{lead} []"
            yield from _lines(inner, indent + "  ")


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return value
    if isinstance(value, str) and value.isprintable() and ('"' in value or "\\" in value):
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value, ensure_ascii=False)
