"""The reference page of a spec, in Markdown: what is recorded, when, and its meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from opentelemetry.instrumentation.declarative.inspection.described import (
    AttributeFacts,
    Description,
    EventFacts,
    MetricFacts,
    SpanFacts,
    ValueType,
)
from opentelemetry.instrumentation.declarative.inspection.described.value_types import merge_types
from opentelemetry.instrumentation.declarative.inspection.wording import code

_SHOWN_VALUES = 8


def reference_page(facts: Description, file: str, release: str, others: Mapping[str, Description] | None = None) -> str:
    """Return the page of a spec. ``release`` says which release it describes; ``others`` describes other releases."""
    parts = [
        f"# {facts.name}",
        _about(facts, file, release),
        *_spans(facts),
        *_existing_spans(facts),
        *_metrics(facts),
        *_logs(facts),
        *_changes(facts),
        *_attributes(facts),
        *_hooks(facts),
        *_other_releases(facts, others or {}),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_RULES = """\
Attributes without a value are not recorded. An exception raised by a call is recorded on its span with the status
ERROR, unless the span defines another status. Content is what people write and models answer: it is recorded only if
`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` enables it."""


def _about(facts: Description, file: str, release: str) -> str:
    name, version, url = facts.scope.name, facts.scope.version, facts.scope.schema_url
    library = f" for {' '.join(facts.target)}".rstrip() if facts.target else ""
    scope = f"The instrumentation scope is {code(name)}{f' {version}' if version else ''}"
    lines = [
        f"What `{file}` records{library}, {release}.",
        f"{scope}{f', with the schema URL <{url}>' if url else ''}.",
    ]
    if facts.spans:
        lines += [f"The kind of a link is recorded as {code(facts.scope.link_kind)}.", "", _RULES]
    return "\n".join(lines)


def _spans(facts: Description) -> Iterable[str]:
    if not facts.spans:
        return
    yield "## Spans"
    rows = [
        (f"[{code(span.key)}](#{anchor(span.key)})", code(span.name), span.kind, _brief(span)) for span in facts.spans
    ]
    yield _table(("span", "name", "kind", "description"), rows)
    for span in facts.spans:
        yield f"### {code(span.key)}"
        yield span.brief or ""
        yield _table(("", ""), _properties(facts, span))
        yield _table(("attribute", "type", "description", "recorded"), map(_attribute, span.attributes))
        if span.events:
            yield f"Events on {code(span.key)}:"
            yield _table(("event", "when", "attributes"), map(_event, span.events))


def _properties(facts: Description, span: SpanFacts) -> Iterable[tuple[str, str]]:
    yield "name", "<br>then ".join([code(span.name), *span.new_names])
    yield "kind", span.kind
    if span.ends:
        yield "starts", "when " + "<br>or ".join(span.starts)
        yield "ends", "when " + "<br>or ".join(span.ends)
    else:
        yield "lifetime", span.starts[0][:1].lower() + span.starts[0][1:]
    if span.times:
        yield "timestamps", "<br>".join(span.times)
    yield "parent", span.parent
    for link in span.links:
        yield f"link {code(link.kind)}", link.to + (f"<br>{link.brief}" if link.brief else "")
    if span.status:
        yield "status", "<br>".join(span.status)
    if span.keys:
        yield "key", "<br>or ".join(map(code, span.keys))
    if span.sink:
        yield "also written by", code(span.sink)


def _event(event: EventFacts) -> tuple[str, str, str]:
    name = code(event.key) + (f"<br>as {code(event.name)}" if event.name != event.key else "")
    when = (f"{event.brief}<br>" if event.brief else "") + "when " + "<br>or ".join(event.at)
    return name, when, "<br>".join(_short(one) for one in event.attributes)


def _short(one: AttributeFacts) -> str:
    return f"{code(one.key)}: {one.brief or code(one.source)}" + (" (content)" if one.content else "")


def _attribute(one: AttributeFacts) -> tuple[str, str, str, str]:
    return code(one.key), _type(one.type), _description([one]), one.recorded + (", as content" if one.content else "")


def _description(uses: list[AttributeFacts]) -> str:
    """Return the description of an attribute and, unless it is a constant, what it is read from."""
    brief = next((one.brief for one in uses if one.brief), None)
    if uses[0].fixed:
        fixed = " or ".join(dict.fromkeys(code(one.source) for one in uses if one.fixed))
        return f"{brief} {fixed}" if brief else fixed
    sources = dict.fromkeys(code(one.source) for one in uses if one.source)
    read = f"read from {' or '.join(sources)}" if sources else ""
    return "<br>".join(part for part in (brief, read) if part)


def _type(kind: ValueType | None) -> str:
    if kind is None:
        return ""
    if not kind.closed or len(kind.values) > _SHOWN_VALUES:
        return kind.name
    return f"{kind.name}: " + ", ".join(code(str(value)) for value in kind.values)


def _existing_spans(facts: Description) -> Iterable[str]:
    if facts.events:
        yield "## Events on existing spans"
        yield _table(("event", "when", "attributes"), map(_event, facts.events))
    if facts.current_attributes:
        yield "## Attributes of existing spans"
        yield _table(("attribute", "type", "description", "recorded"), map(_attribute, facts.current_attributes))


def _metrics(facts: Description) -> Iterable[str]:
    if facts.metrics:
        yield "## Metrics"
        yield _table(("metric", "instrument", "unit", "description", "attributes"), map(_metric, facts.metrics))


def _changes(facts: Description) -> Iterable[str]:
    for title, head, rows in (
        ("Changes of existing spans", ("change", "on", "when"), facts.changes),
        ("Fields of the program", ("value", "written to", "when"), facts.fields),
        ("Functions that are called with a span", ("function", "span", "when"), facts.functions),
    ):
        if rows:
            yield f"## {title}"
            yield _table(head, rows)


def _logs(facts: Description) -> Iterable[str]:
    if facts.logs:
        yield "## Log records"
        yield _table(("event", "severity", "when", "body", "attributes"), map(_log, facts.logs))


def _log(one: EventFacts) -> tuple[str, str, str, str, str]:
    name, when, attributes = _event(one)
    return name, (one.severity or "").upper(), when, one.body or "", attributes


def _metric(one: MetricFacts) -> tuple[str, str, str, str, str]:
    measures = (f"{one.brief}<br>" if one.brief else "") + one.measures
    unit = code(one.unit)
    return code(one.name), one.instrument, unit, measures, "<br>".join(code(each.key) for each in one.attributes)


def _attributes(facts: Description) -> Iterable[str]:
    if not facts.recorded:
        return
    where: dict[str, list[str]] = {}
    for span in facts.spans:
        for attribute in span.attributes:
            where.setdefault(attribute.key, []).append(f"[{code(span.key)}](#{anchor(span.key)})")
    for event in facts.all_events:
        for attribute in event.attributes:
            where.setdefault(attribute.key, []).append(f"event {code(event.key)}")
    for metric in facts.metrics:
        for attribute in metric.attributes:
            where.setdefault(attribute.key, []).append(f"metric {code(metric.name)}")
    for log in facts.logs:
        for attribute in log.attributes:
            where.setdefault(attribute.key, []).append(f"log record {code(log.key)}")
    yield "## Attributes"
    rows = [
        (code(key), _type(merge_types(one.type for one in uses)), _brief_of(uses), _places(where.get(key, [])))
        for key, uses in facts.recorded.items()
    ]
    yield _table(("attribute", "type", "description", "on"), rows)


def _brief_of(uses: list[AttributeFacts]) -> str:
    return next((one.brief for one in uses if one.brief), None) or _description(uses)


def _places(places: list[str]) -> str:
    return ", ".join(dict.fromkeys(places)) or "the current span"


def _hooks(facts: Description) -> Iterable[str]:
    if facts.hooks:
        yield "## Hooks"
        rows = [(code(name), code(place), code(when) if when else "") for name, place, when in facts.hooks]
        yield _table(("hook", "callable", "if"), rows)


def _other_releases(facts: Description, others: Mapping[str, Description]) -> Iterable[str]:
    """The differences from other releases."""
    if others:
        yield "## Other releases"
        yield _table(("release", "difference"), [(title, _difference(facts, other)) for title, other in others.items()])


def _difference(facts: Description, other: Description) -> str:
    found: list[str] = []
    for what, now, then in (
        ("span", {one.key: one for one in facts.spans}, {one.key: one for one in other.spans}),
        ("event", {one.key: one for one in facts.events}, {one.key: one for one in other.events}),
        ("metric", {one.name: one for one in facts.metrics}, {one.name: one for one in other.metrics}),
        ("log record", {one.key: one for one in facts.logs}, {one.key: one for one in other.logs}),
    ):
        for key in dict.fromkeys((*now, *then)):
            if now.get(key) != then.get(key):
                change = "is added" if key not in now else "is missing" if key not in then else "differs"
                found.append(f"{what} {code(key)} {change}")
    return ", ".join(found) or "other callables are hooked, the same is recorded"


def _brief(span: SpanFacts) -> str:
    return span.brief or span.summary


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_row(head), "|" + "---|" * len(head), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def anchor(title: str) -> str:
    """Return the anchor that GitHub and other renderers give to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
