"""Facts about what a spec records: frozen records of plain text, without locations."""

from __future__ import annotations

from dataclasses import dataclass, replace

from opentelemetry.instrumentation.declarative.inspection.described.changes import ChangeFacts
from opentelemetry.instrumentation.declarative.inspection.described.value_types import ValueType
from opentelemetry.instrumentation.declarative.plan.model import ScopePlan


@dataclass(frozen=True, slots=True)
class AttributeFacts:
    """An attribute of a span, event or metric. ``recorded`` says when; ``fixed``: with the same value each time."""

    key: str
    source: str
    recorded: str
    type: ValueType | None = None
    brief: str | None = None
    content: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """A link, and what it points to."""

    kind: str
    to: str
    brief: str | None = None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """An event, or a log record with its severity. ``span`` is the type of the span that it is added to, None for the
    current span.
    """

    key: str
    name: str
    span: str | None
    at: tuple[str, ...]
    attributes: tuple[AttributeFacts, ...]
    brief: str | None = None
    severity: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class SpanFacts:
    """A span type. ``sink`` is a class."""

    key: str
    name: str
    kind: str
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    summary: str
    parent: str
    links: tuple[LinkFacts, ...]
    attributes: tuple[AttributeFacts, ...]
    events: tuple[EventFacts, ...]
    status: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    #: The names that it gets while it is open.
    new_names: tuple[str, ...] = ()
    sink: str | None = None
    brief: str | None = None

    @property
    def lifetime(self) -> str:
        """When the span starts and ends, in sentences."""
        if not self.ends:
            return f"{self.starts[0]}."
        return f"Starts when {', or '.join(self.starts)}. Ends when {', or '.join(self.ends)}."


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """A metric. ``measures`` says what it measures, in words."""

    name: str
    instrument: str
    unit: str
    measures: str
    attributes: tuple[AttributeFacts, ...]
    brief: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """Everything that a spec records. ``hooks``: the name, callable and condition of each."""

    name: str
    target: tuple[str, str] | None
    scope: ScopePlan
    spans: tuple[SpanFacts, ...]
    events: tuple[EventFacts, ...]
    current_attributes: tuple[AttributeFacts, ...]
    metrics: tuple[MetricFacts, ...]
    logs: tuple[EventFacts, ...]
    hooks: tuple[tuple[str, str, str | None], ...]
    #: What changes spans that exist already, which fields of the program are written, and functions that are called.
    changes: tuple[ChangeFacts, ...] = ()
    fields: tuple[ChangeFacts, ...] = ()
    functions: tuple[ChangeFacts, ...] = ()

    @property
    def recorded(self) -> dict[str, list[AttributeFacts]]:
        """The attributes by key, in alphabetical order."""
        found: dict[str, list[AttributeFacts]] = {}
        for attributes in (
            self.current_attributes,
            *(span.attributes for span in self.spans),
            *(event.attributes for event in self.all_events),
            *(metric.attributes for metric in self.metrics),
            *(log.attributes for log in self.logs),
        ):
            for attribute in attributes:
                found.setdefault(attribute.key, []).append(attribute)
        return dict(sorted(found.items()))

    @property
    def all_events(self) -> tuple[EventFacts, ...]:
        return (*(event for span in self.spans for event in span.events), *self.events)

    @property
    def empty(self) -> bool:
        return not (self.spans or self.events or self.current_attributes or self.metrics or self.logs or self.changes)

    def without(self, base: Description) -> Description:
        """Return the description without what the spec that it extends records in the same way."""
        return replace(
            self,
            spans=tuple(one for one in self.spans if one not in base.spans),
            events=tuple(one for one in self.events if one not in base.events),
            current_attributes=tuple(one for one in self.current_attributes if one not in base.current_attributes),
            metrics=tuple(one for one in self.metrics if one not in base.metrics),
            logs=tuple(one for one in self.logs if one not in base.logs),
            hooks=tuple(one for one in self.hooks if one not in base.hooks),
            changes=tuple(one for one in self.changes if one not in base.changes),
            fields=tuple(one for one in self.fields if one not in base.fields),
            functions=tuple(one for one in self.functions if one not in base.functions),
        )
