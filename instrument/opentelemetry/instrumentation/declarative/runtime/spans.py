"""The spans of one type: starting them, keeping those that stay open, and finding them again."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.plan.span_plan import EXCEPTIONS_IN_FULL, ExceptionPolicy
from opentelemetry.instrumentation.declarative.runtime.context.current import (
    SPAN_KEY,
    Block,
    attach,
    current_context,
    enabled,
    with_span,
)
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.open_spans import OpenSpanTable, missing_key
from opentelemetry.instrumentation.declarative.runtime.sampling.span_sampling import Sampling
from opentelemetry.instrumentation.declarative.runtime.span_counts import SpanCounts
from opentelemetry.instrumentation.declarative.runtime.span_ending import CallSpan, not_before
from opentelemetry.instrumentation.declarative.runtime.starting.span_starters import (
    NOT_READ,
    NOT_STARTED,
    Decision,
    SpanStarter,
)
from opentelemetry.instrumentation.declarative.runtime.starting.starter_selection import starter_of
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import clean_attributes
from opentelemetry.trace import Link, Span, SpanKind, Tracer

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.runtime.instruments import SpanMetrics


_NOTHING: Mapping[str, Any] = {}
_new_tuple = tuple.__new__


class Spans(SpanCounts):
    """All spans of one type of one spec, in this process.

    ``max_open``, ``max_age`` and ``keep_ended`` are those of its table of open spans. ``sampling`` limits how many
    spans are recorded; ``metrics`` counts and measures all of them. ``light``: spans that cost less than the SDK's are
    used where that is possible. ``current``: a span around a call is the current span during the call. ``failed`` and
    ``exception_policy`` as for ``SpanEnding``.

    ``decide`` returns whether a span is recorded. If it is, what it records is read, and ``enter``, ``begin`` or
    ``record`` starts it. If not, ``enter_unrecorded`` or ``keep_open`` does.
    """

    #: Returns whether what a span with a parent records is read, and its draft; no draft if instrumentation is
    #: suppressed. The second argument is the value of the attribute that the sampler looks at. This is the method of
    #: the starter where nothing is added to it.
    decide: Callable[..., Decision]

    def __init__(
        self,
        tracer: Tracer,
        kind: str,
        constants: Mapping[str, Any],
        *,
        max_open: int = 10_000,
        max_age: float | None = None,
        keep_ended: int = 0,
        sampling: Sampling | None = None,
        metrics: SpanMetrics | None = None,
        light: bool = True,
        current: bool = True,
        failed: Callable[[Exception], None] | None = None,
        exception_policy: ExceptionPolicy = EXCEPTIONS_IN_FULL,
    ) -> None:
        super().__init__(OpenSpanTable(max_open, max_age, keep_ended), metrics, failed, exception_policy)
        self._kind = SpanKind[kind.upper()]
        self._light = light
        self.is_current = current
        self._constants = clean_attributes(constants)
        self._sampling = sampling
        self._find_starter(tracer)
        #: Called once, when the first recorded span is open.
        self.on_first_span: Callable[[], None] | None = None
        reset_in_children(self)

    def change(self, new: Spans) -> None:
        """Continue with the settings of a changed spec. Open spans stay open and are found by their keys."""
        self._kind, self._constants, self._failed = new._kind, new._constants, new._failed
        self._light, self.is_current = new._light, new.is_current
        if new._metrics is not None and self._metrics is not None:
            new._metrics.take_over(self._metrics)
        self._sampling, self._metrics, self.always_read = new._sampling, new._metrics, new.always_read
        self._table.change_limits(*new._table.limits)
        self._find_starter(new._tracer)
        self._exception_policy = new._exception_policy

    def reset_after_fork(self) -> None:
        """Drop the open spans in a child process: the parent ends them, including those of calls in progress."""
        self._reset_counting()
        self._table.reset_after_fork()
        self._running.clear()
        self._owners.clear()
        self._blocks.clear()
        self.unread.clear()
        if self._metrics is not None:
            self._metrics.reset_after_fork()

    # ── Starting ──

    def _find_starter(self, tracer: Tracer) -> SpanStarter:
        """Use the starter for a tracer from now on."""
        self._tracer = tracer
        _, _, keep_ended = self._table.limits
        self._starter: SpanStarter = starter_of(
            tracer, self._kind, light=self._light, needs_context=bool(keep_ended), found=self._find_starter
        )
        is_plain = self._sampling is None and self._metrics is None
        self.decide = self._starter.decide if is_plain else self._decide_with_limit
        return self._starter

    def _decide_with_limit(self, parent: Context | None = None, sampled_by: Any = NOT_READ) -> Decision:
        if not enabled():
            return NOT_STARTED
        if self._sampling is not None and (unrecorded := self._sampling.unrecorded(parent)) is not None:
            decision: Decision = False, unrecorded
        else:
            decision = self._starter.decide(parent, sampled_by)
        # Metrics count spans that are not recorded, too.
        return decision if self._metrics is None or decision[0] else (True, decision[1])

    def decide_unless_open(self, key: Hashable, parent: Context | None = None, sampled_by: Any = NOT_READ) -> Decision:
        """As ``decide``, but no draft if a span is open under this key already."""
        return NOT_STARTED if self.find(key) is not None else self.decide(parent, sampled_by)

    def start(
        self,
        draft: Span | None,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None = None,
        links: Iterable[Link | None] = (),
        start_time: int | None = None,
        owner: Any = None,
    ) -> Span:
        """Start the span of a draft. ``start_time`` in nanoseconds since the epoch."""
        cleaned = clean_attributes(attributes, self._constants)
        if links:
            links = list(filter(None, links))
        if start_time is not None:
            start_time = self._time(start_time)
        span = self._starter.start(draft, name, cleaned, parent, links, start_time)  # type: ignore[arg-type]
        if self._metrics is not None:
            span = self._metrics.span_started(span, cleaned, start_time, self._report_failure)
        if owner is not None:
            self._set_owner(span, owner)
        return span

    def begin(
        self,
        key: Hashable,
        draft: Span | None,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None = None,
        links: Iterable[Link | None] = (),
        owner: Any = None,
        current: bool = False,
        unread: frozenset[str] = frozenset(),
        read: frozenset[str] = frozenset(),
    ) -> Span:
        """Start a span that stays open under its key.

        With ``current``, it is the current span until it ends. ``unread`` are the keys of attributes that are read when
        the span ends, because their names do not exist yet, and ``read`` those of attributes that are not read again
        then.
        """
        hash(key)  # an unhashable key raises here, before a span is started
        cleaned = clean_attributes(attributes, self._constants)
        span = self._starter.start(draft, name, cleaned, parent, list(filter(None, links)), None)
        if self._metrics is not None:
            span = self._metrics.span_started(span, cleaned, None, self._report_failure)
        if unread or read:
            self.unread[id(span)] = (unread, read)
        self.keep_open(key, span, owner, current)
        if self.on_first_span is not None:
            self._span_opened(span)
        return span

    def keep_open(self, key: Hashable, span: Span, owner: Any = None, current: bool = False) -> Span:
        """Let a span that has started be found by its key until it ends. One that is not recorded begins with this."""
        if owner is not None:
            try:
                self._owners[id(span)] = weakref.ref(owner)
            except TypeError:
                self._set_owner(span, owner)
        table = self._table
        is_added = table.max_age is None and table.spans.setdefault(key, span) is span
        if not is_added or len(table.spans) > table.max_open:
            for each, why in table.add(key, span):
                self._end_early(each, why)
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
        draft: Span | None,
        name: str,
        attributes: Mapping[str, Any] = _NOTHING,
        parent: Context | None = None,
        links: Iterable[Link | None] = (),
        current: bool = True,
        owner: Any = None,
        also: Sequence[Hashable] = (),
    ) -> CallSpan:
        """Start the span of a call, and make it current until ``leave``.

        With ``current=False``, do not make it current: the wrapper of a generator does so for each step.
        """
        span = self.start(draft, name, attributes, parent, links, None, owner)
        is_read = draft is not None or self.always_read or span.is_recording()
        if is_read:
            self._running[id(span)] = span
        if self.on_first_span is not None:
            self._span_opened(span)
        token = attach(with_span(span)) if current else None
        # Quicker than the constructor.
        return _new_tuple(CallSpan, (span, token, None, None, also, is_read))

    def enter_unrecorded(self, draft: Span, current: bool = True, also: Sequence[Hashable] = ()) -> CallSpan:
        """As ``enter``, for a span that is not recorded."""
        token = None
        if current:
            context = current_context()
            if not context:
                token = attach(Context({SPAN_KEY: draft}))
            elif context.get(SPAN_KEY) is not draft:
                token = attach(Context({**context, SPAN_KEY: draft}))
        return _new_tuple(CallSpan, (draft, token, None, None, also, False))

    def register(self, key: Hashable, call_span: CallSpan) -> CallSpan:
        """Let the span of a call be found by a key until ``leave``, in front of one that has the key already."""
        if key is None:
            raise missing_key()
        return call_span._replace(key=key, shadowed=self._table.shadow(key, call_span.span))

    def record(
        self,
        draft: Span | None,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None = None,
        links: Iterable[Link | None] = (),
        start_time: int | None = None,
        owner: Any = None,
        **outcome: Any,
    ) -> Span:
        """Start and end a span, now or at the given times. ``outcome`` as for ``end``."""
        start_time = self._time(start_time)
        span = self.start(draft, name, attributes, parent, links, start_time, owner)
        if start_time is not None and outcome.get("end_time") is None:
            outcome["end_time"] = not_before(start_time, time.time_ns())
        self.end(span, **outcome)
        return span

    # ── Finding ──

    def context(self, key: Hashable) -> Context | None:
        """Return the context of the span with this key, open or kept, to be used as a parent."""
        found = self._table.span_context(key)
        return None if found is None else trace.set_span_in_context(trace.NonRecordingSpan(found))
