"""Ending the spans of one type: where their spec says, when a call is over, or early; and who owns them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.instrumentation.declarative.plan.span_plan import EXCEPTIONS_IN_FULL, ExceptionPolicy
from opentelemetry.instrumentation.declarative.runtime.context.current import Block, detach
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import our_own
from opentelemetry.instrumentation.declarative.runtime.open_spans import OpenSpanTable
from opentelemetry.instrumentation.declarative.runtime.outcome import recorded_exception, resulting_status, set_outcome
from opentelemetry.instrumentation.declarative.runtime.starting.span_starters import UnrecordedSpan
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import clean_attributes
from opentelemetry.instrumentation.declarative.runtime.values.timestamps import nanoseconds
from opentelemetry.trace import Span

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.runtime.instruments import SpanMetrics

#: The attribute on a span that did not end where its spec says: `shutdown`, `limit`, `age`,
#: `replaced`, `changed`, `dropped`, or the name of the owner that was closed and `_closed`.
ENDED_BY = "instrument.end"
#: What is called with an owner and a span that has ended, and what is called with an exception that this raises.
Receiver = tuple[Callable[[Any, Any], object], Callable[[Exception], None]]


class CallSpan(NamedTuple):
    """A span around a call in progress."""

    span: Span
    token: Any
    key: Hashable | None = None
    #: The span that was open under this key when the call began, if there was one: a nested call.
    shadowed: Span | None = None
    #: Further keys under which its context is kept after the call.
    also: Sequence[Hashable] = ()
    #: Whether what its end records has to be read.
    is_read: bool = True


def not_before(start: Any, end: Any) -> Any:
    """Return the end time of a span, or its start time if that is later: two clocks may have given them."""
    return start if isinstance(start, int) and isinstance(end, int) and end < start else end


class SpanEnding:
    """What ``Spans`` knows of its spans between their start and their end, and every way to end them.

    ``failed`` is called with an exception raised while a span ends that no rule of the spec ends.
    ``exception_policy`` says how exceptions are recorded.
    """

    def __init__(
        self,
        table: OpenSpanTable,
        metrics: SpanMetrics | None,
        failed: Callable[[Exception], None] | None,
        exception_policy: ExceptionPolicy = EXCEPTIONS_IN_FULL,
    ) -> None:
        self._table = table
        self._metrics = metrics
        #: Whether what a span records is read even if it is not recorded: metrics measure it.
        self.always_read = metrics is not None
        #: Whether a span around a call is the current span during the call.
        self.is_current = True
        self._failed = failed
        self._exception_policy = exception_policy
        #: The spans around calls in progress by their ids, the latest last. To remove one is to take over its end.
        self._running: dict[int, Span] = {}
        #: By the id of the span, from its start to its end; the span is alive in between.
        self._owners: dict[int, Callable[[], Any]] = {}
        #: The blocks in which a span is current, also by the id of the span.
        self._blocks: dict[int, Block] = {}
        #: The counts of each span by name, also by the id of the span.
        self.counts: dict[int, dict[str, int]] = {}
        #: By the id of a span: the keys of the attributes that its start could not read, and of those that its end does
        #: not read. Most spans have none.
        self.unread: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        self.sink: Receiver | None = None

    @property
    def has_running_calls(self) -> bool:
        """Whether a call with a span of this type is in progress."""
        return bool(self._running)

    def is_running(self, span: Span) -> bool:
        """Whether the call of this span is in progress, in this process."""
        return id(span) in self._running

    def leave(self, call_span: CallSpan, error: BaseException | None = None, **outcome: Any) -> None:
        """End the span of a call that is over; it is no longer current. ``outcome`` as for ``end``."""
        span, token, key, shadowed, also, is_read = call_span
        if not is_read and key is None and not also and not self._owners:
            # The span is not recorded, and nothing is kept for it.
            if token is not None:
                detach(token)
            return
        try:
            if token is not None:
                detach(token)
            if key is not None:
                self._table.unshadow(key, span, shadowed)
            if also:
                self._table.keep(also, span)
        finally:
            # Missing if `close` has ended it, or if this is a forked child and the span belongs to the parent. One that
            # is not recorded is not among them.
            if self._running.pop(id(span), None) is None:
                self._discard(span)
            elif error is None and not outcome and self._metrics is None and not self.unread:
                self._finish(span)
            else:
                self.end(span, error, **outcome)

    @our_own
    def abandon(self, call_span: CallSpan | None, error: BaseException) -> None:
        """End the span of a call when an exception such as KeyboardInterrupt has hit our own code around the call."""
        if call_span is None or self._running.pop(id(call_span.span), None) is None:
            return
        span, token, key, shadowed, _, _ = call_span
        with suppress(RuntimeError):  # the token was used already
            if token is not None:
                detach(token)
        try:
            if key is not None:
                self._table.unshadow(key, span, shadowed)
            self.end(span, error)
        except Exception as failure:
            self._report_failure(failure)

    def suspend(self, call_span: CallSpan) -> CallSpan:
        """The call has returned something unfinished, with which its span ends: it is no longer current."""
        if call_span.token is not None:
            detach(call_span.token)
        return call_span._replace(token=None)

    def drop(self, call_span: CallSpan, why: str) -> None:
        """End the span of a call that has returned something that never finishes, with an attribute that says why."""
        span, _, key, shadowed, _, _ = call_span
        if key is not None:
            self._table.unshadow(key, span, shadowed)
        if self._running.pop(id(span), None) is not None:
            self._end_early(span, why)
        else:
            self._discard(span)

    def end(
        self,
        span: Span,
        error: BaseException | None = None,
        *,
        name: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        status: Any = None,
        ok: Any = None,
        exception: Any = None,
        end_time: int | None = None,
        unread: Mapping[str, Any] | None = None,
    ) -> None:
        """End a span with its outcome. ``end_time`` is in nanoseconds since the epoch.

        ``error`` is the exception that the program's call raised, ``exception`` one that it returned. ``status``
        and ``ok`` are as for ``resulting_status``. ``unread`` are attributes that a start may not have read.
        """
        try:
            if self.unread and (exceptions := self.unread.get(id(span))):
                attributes = _known_at_end(*exceptions, attributes or {}, unread or {})
            recorded = None
            if not (error is None and status is None and ok is None and exception is None):
                status = resulting_status(error, status, ok)
                recorded = recorded_exception(error, exception, status)
            cleaned: dict[str, Any] = {}
            for value in attributes.values() if attributes else ():
                if value is not None:  # often, none of them has a value
                    cleaned = clean_attributes(attributes or {})
                    break
            if self._metrics is not None:
                self._metrics.outcome_known(span, recorded, cleaned)
            if name or cleaned or status is not None or recorded is not None:
                set_outcome(span, name, cleaned, status, recorded, self._exception_policy)
        finally:
            if end_time is not None:
                end_time = not_before(getattr(span, "start_time", None), self._time(end_time))
            self._finish(span, end_time)

    def take(self, key: Hashable) -> Span | None:
        """Remove the open span with this key, and return it to be ended. One of which nothing is read has ended then.

        The sink does not receive the latter.
        """
        span = self._table.take(key)
        if span is None:
            return None
        if self.always_read:
            return span
        if type(span) is not UnrecordedSpan:
            if span.is_recording():
                return span
            span.end()
        if self.counts or self._blocks or self.unread:
            self._discard_details(span)
        self._owners.pop(id(span), None)
        return None

    def close(self, why: str = "shutdown", *, running: bool = False) -> None:
        """End every open span, with an attribute that says why; with ``running``, also those of calls in progress."""
        for span in self._table.take_all():
            self._end_early(span, why)
        for _ in range(len(self._running) if running else 0):
            try:
                _, span = self._running.popitem()
            except KeyError:  # another thread has ended its call
                return
            self._end_early(span, why)

    def close_owned(self, owner: Any, why: str) -> None:
        """End every open span of an owner, with an attribute that says why."""
        for span in self._table.take_all(lambda span: self._owner_of(span) is owner):
            self._end_early(span, why)

    def close_idle(self, why: str) -> None:
        """End every open span that no call in progress will end, with an attribute that says why."""
        for span in self._table.take_all(lambda span: id(span) not in self._running):
            self._end_early(span, why)

    def _end_early(self, span: Span, why: str) -> None:
        """End a span, with an attribute that says why. An exception of a span processor does not affect the others."""
        self._running.pop(id(span), None)
        try:
            span.set_attribute(ENDED_BY, why)
            self._finish(span)
        except Exception as failure:
            self._report_failure(failure)

    def _finish(self, span: Span, end_time: int | None = None) -> None:
        try:
            span.end(end_time)
        finally:
            if self._metrics is not None:
                self._metrics.span_ended(span, end_time, self._report_failure)
            if self.counts or self._blocks or self.unread:
                self._discard_details(span)
            reference = self._owners.pop(id(span), None)
            if reference is not None and self.sink is not None and (owner := reference()) is not None:
                add, failed = self.sink
                try:
                    add(owner, span)
                except Exception as error:
                    failed(error)

    def _time(self, value: Any) -> int | None:
        """Return a time in nanoseconds; None, which is now, if it is missing or, which is reported, not a time."""
        try:
            return nanoseconds(value)
        except Exception as failure:
            self._report_failure(failure)
            return None

    def _report_failure(self, failure: Exception) -> None:
        if self._failed is not None:
            self._failed(failure)

    # ── Owners ──

    def _set_owner(self, span: Span, owner: Any) -> None:
        """Keep the owner of a span until it ends, by a weak reference if the owner supports it."""
        try:
            self._owners[id(span)] = weakref.ref(owner)
        except TypeError:
            self._owners[id(span)] = lambda: owner

    def _owner_of(self, span: Span) -> Any:
        reference = self._owners.get(id(span))
        return None if reference is None else reference()

    def _discard(self, span: Span) -> None:
        """Drop what is kept for a span."""
        self._discard_details(span)
        self._owners.pop(id(span), None)

    def _discard_details(self, span: Span) -> None:
        """Drop what is kept for a span except its owner. Most spans have nothing else."""
        number = id(span)
        self.counts.pop(number, None)
        self.unread.pop(number, None)
        if (block := self._blocks.pop(number, None)) is not None:
            block.leave()


def _known_at_end(
    unread: frozenset[str], read: frozenset[str], attributes: Mapping[str, Any], late: Mapping[str, Any]
) -> dict[str, Any]:
    """The attributes that the end of a span adds: not those that its start has read, but those that it could not."""
    return {
        **{key: value for key, value in attributes.items() if key not in read},
        **{key: value for key, value in late.items() if key in unread and value is not None},
    }
