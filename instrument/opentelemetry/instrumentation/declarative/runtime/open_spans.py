"""The open spans of one type by their keys, limited in number and age, and the contexts of ended ones."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.context.trace_context import link_to
from opentelemetry.trace import Link, Span, SpanContext

#: A span that must end to make room, and why: `replaced`, `limit` or `age`.
Evicted = tuple[Span, str]


class OpenSpanTable:
    """Open spans by key. Safe to use from several threads, and from a signal handler or finalizer.

    ``max_open`` is the number of spans that may be open at once. ``max_age`` is how many seconds a span may stay open;
    it is checked whenever another span is added. ``keep_ended`` is the number of ended spans whose contexts are kept.
    """

    def __init__(
        self, max_open: int, max_age: float | None, keep_ended: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.max_open = max_open
        self.max_age = max_age
        self._keep_ended = keep_ended
        self._clock = clock
        # Reentrant: a signal handler or finalizer of the program may end a span while this thread holds the lock.
        self._lock = threading.RLock()
        self.spans: dict[Hashable, Span] = {}
        #: Returns the open span with a key; None if there is none.
        self.find: Callable[[Hashable], Span | None] = self.spans.get
        #: When each span was added, the oldest first. Empty if their age is unlimited.
        self._opened_at: dict[Hashable, float] = {}
        self._ended_contexts: OrderedDict[Hashable, SpanContext] = OrderedDict()
        #: The last link to each span, with the span and the attributes of the link: many spans have the same one.
        self._links: dict[Hashable, tuple[Span, Mapping[str, Any], Link]] = {}

    @property
    def limits(self) -> tuple[int, float | None, int]:
        return self.max_open, self.max_age, self._keep_ended

    def change_limits(self, max_open: int, max_age: float | None, keep_ended: int) -> None:
        """Apply other limits from now on. Spans that are open stay open."""
        with self._lock:
            self.max_open, self.max_age, self._keep_ended = max_open, max_age, keep_ended
            while len(self._ended_contexts) > keep_ended:
                self._ended_contexts.popitem(last=False)
            if max_age is None:
                self._opened_at.clear()
            else:
                for key in self.spans:
                    self._opened_at.setdefault(key, self._clock())

    def reset_after_fork(self) -> None:
        """Drop the open spans in a child process: they belong to the parent. Their contexts may be kept."""
        self._lock = threading.RLock()
        self.take_all()
        self._opened_at.clear()  # another thread may have been in the middle of a change at the fork

    def add(self, key: Hashable, span: Span) -> list[Evicted]:
        """Add an open span under its key; return the spans that have to end for it."""
        # Without the lock: this is atomic. ``Spans.keep_open`` does the same.
        is_added = self.max_age is None and self.spans.setdefault(key, span) is span
        if is_added and len(self.spans) <= self.max_open:
            return []
        with self._lock:
            if is_added:
                self.spans.pop(key, None)
            previous = self.take(key)
            evicted = [] if previous is None else [(previous, "replaced")]
            if self.max_age is not None:
                evicted += self._pop_expired(self.max_age)
                self._opened_at[key] = self._clock()
            while len(self.spans) >= self.max_open:
                oldest = self.take(next(iter(self.spans)))
                if oldest is not None:
                    evicted.append((oldest, "limit"))
            self.spans[key] = span
        return evicted

    def _pop_expired(self, age: float) -> list[Evicted]:
        expired: list[Evicted] = []
        latest = self._clock() - age
        while self._opened_at and self._opened_at[key := next(iter(self._opened_at))] <= latest:
            self._opened_at.pop(key, None)  # also if the key has no span: the loop would not end
            span = self.take(key)
            if span is not None:
                expired.append((span, "age"))
        return expired

    def take(self, key: Hashable) -> Span | None:
        """Remove and return the open span with this key; its context may be kept."""
        span = self.spans.pop(key, None)  # atomic, as is everything that follows
        if span is not None:
            if self._opened_at:
                self._opened_at.pop(key, None)
            if self._links:
                self._links.pop(key, None)
            if self._keep_ended:
                try:
                    context: Any = span._context  # type: ignore[attr-defined]  # quicker than the method
                except AttributeError:
                    context = None
                if type(context) is not SpanContext:
                    context = span.get_span_context()
                kept = self._ended_contexts
                if key in kept or len(kept) >= self._keep_ended:
                    self._keep(key, context)
                else:
                    kept[key] = context
        return span

    def take_all(self, selects: Callable[[Span], bool] | None = None) -> list[Span]:
        """Remove and return all open spans, or those selected."""
        with self._lock:
            keys = [key for key, span in list(self.spans.items()) if selects is None or selects(span)]
            return [span for span in map(self.take, keys) if span is not None]

    def shadow(self, key: Hashable, span: Span) -> Span | None:
        """Put a span under a key, in front of one that has the key already; return that one."""
        with self._lock:
            shadowed = self.spans.get(key)
            self.spans[key] = span
        return shadowed

    def unshadow(self, key: Hashable, span: Span, shadowed: Span | None) -> None:
        """Remove a span put in front of another, which takes its place again if it is still recording."""
        with self._lock:
            if self.spans.get(key) is not span:
                return
            if shadowed is not None and shadowed.is_recording():
                self.spans[key] = shadowed
                self._links.pop(key, None)
            else:
                self.take(key)

    def keep(self, keys: Iterable[Hashable], span: Span) -> None:
        """Keep the context of an ended span under each key that is not None."""
        for key in keys if self._keep_ended else ():
            if key is not None:
                self._keep(key, span.get_span_context())

    def _keep(self, key: Hashable, context: SpanContext) -> None:
        kept = self._ended_contexts
        if key in kept:
            kept.pop(key, None)  # the latest is the last
        kept[key] = context
        if len(kept) > self._keep_ended:
            try:  # noqa: SIM105 -- quicker than `suppress`
                kept.popitem(last=False)
            except KeyError:  # another thread has removed the last one
                pass

    def link(self, key: Hashable, attributes: Mapping[str, Any]) -> Link | None:
        """Return a link to the span with this key, open or kept."""
        span = self.spans.get(key)
        if span is None:
            ended = self._ended_contexts.get(key)
            return None if ended is None else link_to(ended, attributes)
        known = self._links.get(key)
        if known is not None and known[0] is span and known[1] is attributes:
            return known[2]
        link = link_to(span.get_span_context(), attributes)
        if link is not None:
            self._links[key] = span, attributes, link
            if self.spans.get(key) is not span:  # another thread has taken it meanwhile
                self._links.pop(key, None)
        return link

    def span_context(self, key: Hashable) -> SpanContext | None:
        """Return the context of the span with this key, open or kept."""
        span = self.spans.get(key)
        found: Any = span.get_span_context() if span is not None else self._ended_contexts.get(key)
        return found if found is not None and found.is_valid else None


def missing_key() -> ValueError:
    """The exception for a span that has no key."""
    return ValueError("the key is None")


def iterate_keys(keys: Any) -> Iterable[Hashable]:
    """Return the keys in a collection. Raises TypeError for an iterator, which belongs to the program."""
    if isinstance(keys, Iterator):
        raise TypeError(f"{type(keys).__name__} would be exhausted by reading it: a list is required")
    if isinstance(keys, (str, bytes)):
        raise TypeError(f"{type(keys).__name__} is a single key: a list is required")
    return () if keys is None else keys
