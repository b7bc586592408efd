"""The spans of one type: starting them, keeping those that stay open, and finding them again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT, ContentPolicy
from opentelemetry.instrumentation.declarative.runtime.attribute_values import clean_attributes
from opentelemetry.instrumentation.declarative.runtime.context import Block, attach, enabled, with_span
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.open_spans import OpenSpanTable
from opentelemetry.instrumentation.declarative.runtime.sampling import Sampling
from opentelemetry.instrumentation.declarative.runtime.span_ending import CallSpan, SpanEnding, not_before
from opentelemetry.trace import Link, Span, SpanKind, Tracer

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.runtime.instruments import SpanMetrics


class Spans(SpanEnding):
    """All spans of one type of one spec, in this process.

    ``limit``, ``age`` and ``remember`` are those of its table of open spans. ``sampling`` limits how many spans are
    recorded; ``metrics`` counts and measures all of them. ``failed`` and ``exception_policy`` as for ``SpanEnding``.
    """

    def __init__(
        self,
        tracer: Tracer,
        kind: str,
        constants: Mapping[str, Any],
        *,
        limit: int = 10_000,
        age: float | None = None,
        remember: int = 0,
        sampling: Sampling | None = None,
        metrics: SpanMetrics | None = None,
        failed: Callable[[Exception], None] | None = None,
        exception_policy: ContentPolicy = FULL_CONTENT,
    ) -> None:
        super().__init__(OpenSpanTable(limit, age, remember), metrics, failed, exception_policy)
        self._tracer = tracer
        self._kind = SpanKind[kind.upper()]
        self._constants = clean_attributes(constants)
        self._sampling = sampling
        self._lock = threading.RLock()
        self.find, self.take = self._table.find, self._table.take
        #: Called once, when the first recorded span is open.
        self.on_first_span: Callable[[], None] | None = None
        reset_in_children(self)

    def change(self, new: Spans) -> None:
        """Continue with the settings of a changed spec. Open spans stay open and can be found by their keys."""
        self._tracer, self._kind, self._constants, self._failed = new._tracer, new._kind, new._constants, new._failed
        if new._metrics is not None and self._metrics is not None:
            new._metrics.take_over(self._metrics)
        self._sampling, self._metrics = new._sampling, new._metrics
        self._exception_policy = new._exception_policy
        self._table.change_limits(*new._table.limits)

    def reset_after_fork(self) -> None:
        """Drop the open spans in a child process: the parent ends them, including those of calls in progress."""
        self._lock = threading.RLock()
        self._table.reset_after_fork()
        self._running.clear()
        self._owners.clear()
        self._blocks.clear()
        self._counts.clear()
        self.unread.clear()
        if self._metrics is not None:
            self._metrics.reset_after_fork()

    # ── Starting ──

    def start(
        self,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None = None,
        links: Iterable[Link | None] = (),
        start_time: int | None = None,
        owner: Any = None,
    ) -> Span | None:
        """Start a span; return None if instrumentation is suppressed. ``start_time`` in nanoseconds since the epoch."""
        if not enabled():
            return None
        attributes = clean_attributes(attributes, self._constants)
        start_time = self._time(start_time)
        span: Span | None = None if self._sampling is None else self._sampling.unrecorded(parent)
        if span is None:
            span = self._tracer.start_span(
                name,
                context=parent,
                kind=self._kind,
                attributes=attributes,
                links=[link for link in links if link is not None],
                start_time=start_time,
            )
        if self._metrics is not None:
            span = self._metrics.span_started(span, attributes, start_time, self._report_failure)
        if owner is not None:
            self._set_owner(span, owner)
        return span

    def begin(
        self,
        key: Hashable,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None = None,
        links: Iterable[Link | None] = (),
        owner: Any = None,
        resumes: bool = False,
        current: bool = False,
        unread: frozenset[str] = frozenset(),
        read: frozenset[str] = frozenset(),
    ) -> Span | None:
        """Start a span that stays open under its key. With ``resumes``, return None if one is open already.

        With ``current``, it is the current span until it ends. ``unread`` are the keys of attributes that are read when
        the span ends, because their names do not exist yet, and ``read`` those of attributes that are not read again
        then.
        """
        if key is None:
            raise ValueError("the key is None")
        # An unhashable key raises here, before a span is started.
        if self.find(key) is not None and resumes:
            return None
        span = self.start(name, attributes, parent, links, owner=owner)
        if span is not None:
            if unread or read:
                self.unread[id(span)] = (unread, read)
            for evicted, why in self._table.add(key, span):
                self._end_early(evicted, why)
            if self.on_first_span is not None:
                self._span_opened(span)
            if current:
                self._blocks[id(span)] = Block(with_span(span))
        return span

    def _span_opened(self, span: Span) -> None:
        if span.is_recording():
            callback, self.on_first_span = self.on_first_span, None
            if callback is not None:  # None if another thread has called it
                callback()

    def enter(
        self,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None = None,
        links: Iterable[Link | None] = (),
        current: bool = True,
        owner: Any = None,
        aliases: Sequence[Hashable] = (),
    ) -> CallSpan | None:
        """Start the span of a call, and make it current until ``leave``.

        With ``current=False``, do not make it current: the wrapper of a generator does so for each step.
        """
        span = self.start(name, attributes, parent, links, owner=owner)
        if span is None:
            return None
        self._running[id(span)] = span
        if self.on_first_span is not None:
            self._span_opened(span)
        return CallSpan(span, attach(with_span(span)) if current else None, aliases=aliases)

    def register(self, key: Hashable, call_span: CallSpan) -> CallSpan:
        """Let the span of a call be found by a key until ``leave``, in front of one that has the key already."""
        if key is None:
            raise ValueError("the key is None")
        return call_span._replace(key=key, shadowed=self._table.shadow(key, call_span.span))

    def record(
        self,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None = None,
        links: Iterable[Link | None] = (),
        start_time: int | None = None,
        owner: Any = None,
        **outcome: Any,
    ) -> Span | None:
        """Start and end a span, now or at the given times. ``outcome`` as for ``end``."""
        start_time = self._time(start_time)
        span = self.start(name, attributes, parent, links, start_time, owner)
        if span is not None:
            if start_time is not None and outcome.get("end_time") is None:
                outcome["end_time"] = not_before(start_time, time.time_ns())
            self.end(span, **outcome)
        return span

    # ── Finding ──

    def context(self, key: Hashable) -> Context | None:
        """Return the context of the span with this key, open or remembered, to be used as a parent."""
        found = self._table.span_context(key)
        return None if found is None else trace.set_span_in_context(trace.NonRecordingSpan(found))

    def link(self, key: Hashable, attributes: Mapping[str, Any]) -> Link | None:
        """Return a link to the span with this key, open or remembered."""
        found = self._table.span_context(key)
        return None if found is None else Link(found, attributes)

    # ── Counting ──

    def count(self, key: Hashable, name: str) -> bool:
        """Increment a count of the open span with this key; return False if there is none."""
        return bool(self._increment(key, name))

    def find_once(self, key: Hashable, name: str) -> Span | None:
        """Return the open span with this key the first time, and then None. ``name`` is that of the rule."""
        span = self.find(key)
        # No count of a spec has a name with a space.
        return span if span is not None and self._increment(key, f"{name} found") == 1 else None

    def _increment(self, key: Hashable, name: str) -> int:
        with self._lock:
            span = self.find(key)
            if span is None or not enabled():
                return 0
            counts = self._counts.setdefault(id(span), {})
            counts[name] = counts.get(name, 0) + 1
            if self.find(key) is not span:  # another thread has ended it
                self._counts.pop(id(span), None)
            return counts[name]

    def counts_of(self, span: Span, names: Sequence[str]) -> list[int]:
        """Return the counts of a span with these names."""
        counts = self._counts.get(id(span)) if self._counts else None
        return [0] * len(names) if counts is None else [counts.get(name, 0) for name in names]
