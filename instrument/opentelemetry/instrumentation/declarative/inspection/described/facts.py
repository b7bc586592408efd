"""The facts about a spec: frozen records of plain text, without the places where things stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from opentelemetry.instrumentation.declarative.inspection.described.value_types import ValueType


@dataclass(frozen=True, slots=True)
class AttributeFacts:
    """An attribute where it is recorded. ``fixed``: it is there whenever the span is, and always the same."""

    key: str
    source: str
    recorded: str
    type: ValueType | None = None
    brief: str | None = None
    content: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """A link and the sources that are tried for it, in turn."""

    kind: str
    sources: tuple[str, ...]
    brief: str | None = None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """An event; ``span`` is the type of the span that it is pinned on, None where that is the current one."""

    key: str
    name: str
    span: str | None
    at: tuple[str, ...]
    attributes: tuple[AttributeFacts, ...]
    brief: str | None = None


@dataclass(frozen=True, slots=True)
class SpanFacts:
    """A type of span. ``type`` is what its attribute for the type says, where there is one; ``mirror`` is a path."""

    key: str
    type: str
    name: str
    kind: str
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    in_short: str
    parents: tuple[str, ...]
    links: tuple[LinkFacts, ...]
    attributes: tuple[AttributeFacts, ...]
    events: tuple[EventFacts, ...]
    status: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    mirror: str | None = None
    brief: str | None = None

    @property
    def lifetime(self) -> str:
        """Where the span begins and ends, in one sentence."""
        if not self.ends:
            return f"{self.starts[0]}."
        return f"From when {', or '.join(self.starts)}, until {', or '.join(self.ends)}."


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """A metric. ``measures`` is what of, in words."""

    name: str
    instrument: str
    unit: str
    measures: str
    attributes: tuple[AttributeFacts, ...]
    brief: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """All that a spec records. ``hooks``: name, callable and condition of each; ``meanings``: key to its meaning."""

    name: str
    target: tuple[str, str] | None
    scope: tuple[str, str | None, str | None]
    span_type: str | None
    link_kind: str
    spans: tuple[SpanFacts, ...]
    events: tuple[EventFacts, ...]
    updates: tuple[AttributeFacts, ...]
    metrics: tuple[MetricFacts, ...]
    hooks: tuple[tuple[str, str, str | None], ...]

    @property
    def recorded(self) -> dict[str, list[AttributeFacts]]:
        """Each attribute key, in alphabetical order, and all that is recorded under it."""
        found: dict[str, list[AttributeFacts]] = {}
        for attributes in (
            self.updates,
            *(span.attributes for span in self.spans),
            *(event.attributes for event in self.all_events),
            *(metric.attributes for metric in self.metrics),
        ):
            for attribute in attributes:
                found.setdefault(attribute.key, []).append(attribute)
        return dict(sorted(found.items()))

    @property
    def all_events(self) -> tuple[EventFacts, ...]:
        return (*(event for span in self.spans for event in span.events), *self.events)

    @property
    def empty(self) -> bool:
        return not (self.spans or self.events or self.updates or self.metrics)

    def beyond(self, below: Description) -> Description:
        """What is recorded here and not, or not so, in what is extended."""
        return replace(
            self,
            spans=tuple(one for one in self.spans if one not in below.spans),
            events=tuple(one for one in self.events if one not in below.events),
            updates=tuple(one for one in self.updates if one not in below.updates),
            metrics=tuple(one for one in self.metrics if one not in below.metrics),
            hooks=tuple(one for one in self.hooks if one not in below.hooks),
        )
