"""Spans as they are viewed, whatever the format they are read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Attributes = Mapping[str, Any]
SpanKey = tuple[str, str]  # (trace id, span id), in hexadecimal
_NONE: Attributes = {}


@dataclass(slots=True, eq=False)
class Resource:
    """The process that recorded spans."""

    service: str = ""
    attributes: Attributes = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Event:
    """An event of a span. The time is in nanoseconds since 1970."""

    time: int
    name: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Link:
    """A link from a span to another one, which may be in another trace."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)

    @property
    def key(self) -> SpanKey:
        return self.trace_id, self.span_id


@dataclass(slots=True, eq=False)
class Span:
    """A recorded span. Times are in nanoseconds since 1970; without an end, the span was open when it was recorded."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start: int
    end: int | None
    kind: str = "internal"
    status: str = "unset"
    message: str = ""
    attributes: Attributes = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    resource: Resource = field(default_factory=Resource)
    scope: str = ""
    #: When a span without an end was last seen open.
    last_seen: int = 0

    @property
    def key(self) -> SpanKey:
        return self.trace_id, self.span_id

    @property
    def parent_key(self) -> SpanKey | None:
        return None if self.parent_id is None else (self.trace_id, self.parent_id)

    @property
    def latest(self) -> int:
        """The latest time at which something is known of the span."""
        return max(self.end or 0, self.start, self.last_seen)

    @property
    def is_error(self) -> bool:
        return self.status == "error"

    @property
    def duration(self) -> int | None:
        """In nanoseconds; None if the span has not ended. Clocks may run backwards, durations do not."""
        return None if self.end is None else max(self.end - self.start, 0)

    @property
    def reason(self) -> str:
        """The text of an error: its description, or the exception that was recorded."""
        if self.message:
            return self.message
        for event in reversed(self.events):
            if event.name == "exception":
                found = (event.attributes.get(f"exception.{key}") for key in ("type", "message"))
                return ": ".join(str(value) for value in found if value)
        return ""

    @property
    def error_text(self) -> str:
        """The reason of an error, or else its type, or the status of its response."""
        for key in ("error.type", "http.response.status_code", "http.status_code"):
            code = self.attributes.get(key)
            if code and not self.reason:
                return f"HTTP {code}" if str(code).isdecimal() else str(code)
        return self.reason


class SpanStore:
    """Spans by their ids. Of several records of a span, the last one that has an end is kept, or else the last one."""

    def __init__(self) -> None:
        self._spans: dict[SpanKey, Span] = {}

    def add(self, span: Span) -> None:
        known = self._spans.get(span.key)
        if known is None or span.end is not None or known.end is None:
            self._spans[span.key] = span

    def get(self, key: SpanKey | None) -> Span | None:
        return None if key is None else self._spans.get(key)

    def __len__(self) -> int:
        return len(self._spans)

    def __iter__(self) -> Iterator[Span]:
        """The spans in order of start. Those that start together keep their order."""
        copied = [*self._spans.values()]  # other threads may add spans
        return iter(sorted(copied, key=lambda span: span.start))
