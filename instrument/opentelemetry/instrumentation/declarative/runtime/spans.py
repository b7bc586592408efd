"""The spans of one type: starting them, keeping those that stay open, finding them again, ending them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.runtime.attribute_values import clean
from opentelemetry.instrumentation.declarative.runtime.context import attach, detach, enabled, with_span
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.open_spans import Table
from opentelemetry.instrumentation.declarative.runtime.outcome import tell
from opentelemetry.instrumentation.declarative.runtime.sampling import Sampling
from opentelemetry.trace import Link, Span, SpanKind, Tracer

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.runtime.instruments import Measures

#: The attribute on a span that did not end where its spec says: `shutdown`, `limit`, `age`,
#: `replaced` or the name of a closing.
ENDED_BY = "instrument.end"


class Entered(NamedTuple):
    """A span around a running call."""

    span: Span
    token: Any
    key: Hashable | None = None
    #: The span that was open under this key when the call began, if one was: a call inside a call.
    hidden: Span | None = None
    #: More keys by which it is remembered once the call is over.
    aliases: Sequence[Hashable] = ()


class Spans:
    """All spans of one type of one spec, in this process.

    ``limit``, ``age`` and ``remember`` are those of its table of open spans, whose ``find`` and ``take`` it has;
    ``sampling`` is a bound on how many are recorded, ``measures`` are the metrics of them all. What
    is in ``mirrors`` is called with the owner and the span when a span with an owner has ended. ``failed`` is told
    when a span could not be ended where no rule ends it.
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
        measures: Measures | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._tracer = tracer
        self._kind = SpanKind[kind.upper()]
        self._constants = clean(constants)
        self._table = Table(limit, age, remember)
        self._sampling = sampling
        self._measures = measures
        self._failed = failed
        self._lock = threading.RLock()
        #: The spans around calls that are running, by their ids, the latest last. Whoever takes one out ends it.
        self._running: dict[int, Span] = {}
        #: By the id of the span, from its start to its end: a span is alive in between.
        self._owners: dict[int, Callable[[], Any]] = {}
        #: What has been counted, by the id of the span as well.
        self._counts: dict[int, dict[str, int]] = {}
        self.mirrors: list[Callable[[Any, Span], None]] = []
        self.find, self.take = self._table.find, self._table.take
        #: Called once, when the first span is open.
        self.first: Callable[[], None] | None = None
        reset_in_children(self)

    def change(self, new: Spans) -> None:
        """Go on as what a changed spec says of this type of span. What is open stays open, and is found by its key."""
        self._tracer, self._kind, self._constants, self._failed = new._tracer, new._kind, new._constants, new._failed
        if new._measures is not None and self._measures is not None:
            new._measures.take_over(self._measures)
        self._sampling, self._measures = new._sampling, new._measures
        self._table.change(*new._table.bounds)

    @property
    def running(self) -> bool:
        """Whether there is a call under way that has a span of this type."""
        return bool(self._running)

    def leave_out(self, why: str) -> None:
        """End every open span that no running call will end, each with a mark that says why."""
        for span in self._table.take_all(lambda span: id(span) not in self._running):
            self._cut(span, why)

    def reset_after_fork(self) -> None:
        """Begin anew, in a child process: what is open is ended by the parent, the calls that led to the fork too."""
        self._lock = threading.RLock()
        self._table.reset_after_fork()
        self._running.clear()
        self._owners.clear()
        self._counts.clear()
        if self._measures is not None:
            self._measures.reset_after_fork()

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
        """A new span; None where instrumentation is suppressed. ``start_time`` in nanoseconds since the epoch."""
        if not enabled():
            return None
        attributes = clean(attributes, self._constants)
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
        if self._measures is not None:
            span = self._measures.begun(span, attributes, start_time, self._tell)
        if owner is not None:
            self._owners[id(span)] = _reference(owner)
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
    ) -> Span | None:
        """A new span that stays open under its key; with ``resumes``, None where one is open already."""
        if key is None:
            raise ValueError("its key is None")
        # A key that cannot be one raises here, before there is a span to lose.
        if self.find(key) is not None and resumes:
            return None
        span = self.start(name, attributes, parent, links, owner=owner)
        if span is not None:
            for displaced, why in self._table.keep(key, span):
                self._cut(displaced, why)
            if self.first is not None:
                self._opened(span)
        return span

    def _opened(self, span: Span) -> None:
        if span.is_recording():
            first, self.first = self.first, None
            if first is not None:  # else another thread has been quicker
                first()

    def enter(
        self,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None = None,
        links: Iterable[Link | None] = (),
        current: bool = True,
        owner: Any = None,
        aliases: Sequence[Hashable] = (),
    ) -> Entered | None:
        """A new span around a call that begins now.

        It is the current one until ``leave``; not so with ``current=False``, for a generator, which makes it current
        step by step.
        """
        span = self.start(name, attributes, parent, links, owner=owner)
        if span is None:
            return None
        self._running[id(span)] = span
        if self.first is not None:
            self._opened(span)
        return Entered(span, attach(with_span(span)) if current else None, aliases=aliases)

    def under(self, key: Hashable, entered: Entered) -> Entered:
        """Let the span around a running call be found by a key until ``leave``, in place of one that has it already."""
        if key is None:
            raise ValueError("its key is None")
        return entered._replace(key=key, hidden=self._table.cover(key, entered.span))

    # ── Finding ──

    def context(self, key: Hashable) -> Context | None:
        """The context of the span with this key, open or remembered, to be a parent."""
        found = self._table.span_context(key)
        return None if found is None else trace.set_span_in_context(trace.NonRecordingSpan(found))

    def link(self, key: Hashable, attributes: Mapping[str, Any]) -> Link | None:
        """A link to the span with this key, open or remembered."""
        found = self._table.span_context(key)
        return None if found is None else Link(found, attributes)

    def runs(self, span: Span) -> bool:
        """Whether the call that the span is around is running, in this process."""
        return id(span) in self._running

    # ── Counting ──

    def count(self, key: Hashable, name: str) -> bool:
        """One more of what is counted on the open span with this key; False where there is none."""
        with self._lock:
            span = self.find(key)
            if span is None or not enabled():
                return False
            counts = self._counts.setdefault(id(span), {})
            counts[name] = counts.get(name, 0) + 1
            if self.find(key) is not span:  # it has ended meanwhile, in another thread
                self._counts.pop(id(span), None)
            return True

    def counted(self, span: Span, names: Sequence[str]) -> list[int]:
        """How much has been counted on a span under each of these names."""
        counts = self._counts.get(id(span)) if self._counts else None
        return [0] * len(names) if counts is None else [counts.get(name, 0) for name in names]

    # ── Ending ──

    def leave(self, entered: Entered, error: BaseException | None = None, **outcome: Any) -> None:
        """The call is over: its span is no longer current and ends. ``outcome`` as for ``end``."""
        span, token, key, hidden, aliases = entered
        try:
            if token is not None:
                detach(token)
            if key is not None:
                self._table.uncover(key, span, hidden)
            if aliases:
                self._table.note(aliases, span)
        finally:
            # Not there: `close` has ended it, or this is a forked child and it is the parent's.
            if self._running.pop(id(span), None) is not None:
                self.end(span, error, **outcome)
            else:
                self._forget(span)

    def abandon(self, entered: Entered | None, error: BaseException) -> None:
        """The host is being stopped: if that was in the middle of our own lines, the span of the call is left now."""
        if entered is None or self._running.pop(id(entered.span), None) is None:
            return
        span, token, key, hidden, _ = entered
        with suppress(RuntimeError):  # it was in the middle of being left
            if token is not None:
                detach(token)
        try:
            if key is not None:
                self._table.uncover(key, span, hidden)
            self.end(span, error)
        except Exception as mistake:
            self._tell(mistake)

    def _tell(self, mistake: Exception) -> None:
        if self._failed is not None:
            self._failed(mistake)

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
    ) -> None:
        """End a span with its outcome, as for ``tell``. ``end_time`` in nanoseconds since the epoch."""
        if self._measures is not None:
            self._measures.told(span, error if error is not None else exception, clean(attributes or {}))
        try:
            tell(span, error, name, attributes, status, ok, exception)
        finally:
            self._over(span, end_time)

    def shot(
        self,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None = None,
        links: Iterable[Link | None] = (),
        start_time: int | None = None,
        owner: Any = None,
        **outcome: Any,
    ) -> Span | None:
        """A span that starts and ends now, or at the times given. ``outcome`` as for ``end``."""
        span = self.start(name, attributes, parent, links, start_time, owner)
        if span is not None:
            self.end(span, **outcome)
        return span

    def close(self, why: str = "shutdown", *, running: bool = False) -> None:
        """End every open span, each with a mark that says why; with ``running`` those around running calls as well."""
        for span in self._table.take_all():
            self._cut(span, why)
        for _ in range(len(self._running) if running else 0):
            try:
                _, span = self._running.popitem()
            except KeyError:  # its call has ended meanwhile, in another thread
                return
            self._cut(span, why)

    def close_owned(self, owner: Any, why: str) -> None:
        """End every open span of an owner, each with a mark that says why."""
        for span in self._table.take_all(lambda span: self._owner(span) is owner):
            self._cut(span, why)

    def _cut(self, span: Span, why: str) -> None:
        """End a span, marked. What a span processor raises does not keep the others open."""
        self._running.pop(id(span), None)
        try:
            span.set_attribute(ENDED_BY, why)
            self._over(span)
        except Exception as mistake:
            self._tell(mistake)

    def _over(self, span: Span, end_time: int | None = None) -> None:
        try:
            span.end(end_time)
        finally:
            if self._measures is not None:
                self._measures.over(span, end_time, self._tell)
            self._mirror(span)

    def _owner(self, span: Span) -> Any:
        reference = self._owners.get(id(span))
        return None if reference is None else reference()

    def _forget(self, span: Span) -> Callable[[], Any] | None:
        """Let go of what is kept beside a span; gives how its owner was kept."""
        if self._counts:
            self._counts.pop(id(span), None)
        return self._owners.pop(id(span), None)

    def _mirror(self, span: Span) -> None:
        reference = self._forget(span)
        if reference is None or not self.mirrors:
            return
        owner = reference()
        if owner is not None:
            for mirror in self.mirrors:
                mirror(owner, span)


def _reference(owner: Any) -> Callable[[], Any]:
    """How an owner is kept: not so that it lives longer for it, if that can be had."""
    try:
        return weakref.ref(owner)
    except TypeError:
        return lambda: owner


def several(keys: Any) -> Iterable[Hashable]:
    """Keys of spans, to be gone through. What is used up by that is the program's own to go through."""
    if isinstance(keys, Iterator):
        raise TypeError(f"{type(keys).__name__} is used up when it is read: a list is needed")
    if isinstance(keys, (str, bytes)):
        raise TypeError(f"{type(keys).__name__} is one key: a list is needed")
    return () if keys is None else keys
