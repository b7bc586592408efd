"""The open spans of one type by their keys, bounded in number and age, and what is remembered of ended ones."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable

from opentelemetry.trace import Span, SpanContext

#: A span that may not stay open, and why: `replaced`, `limit` or `age`.
Displaced = tuple[Span, str]


class Table:
    """Open spans by key. Safe to use from several threads, and from what interrupts one: a signal, a finaliser.

    ``limit`` bounds how many may be open at once; ``age``, in seconds, for how long, which is looked at when one more
    is kept; ``remember``, of how many ended ones the context is kept.
    """

    def __init__(
        self, limit: int, age: float | None, remember: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._age = age
        self._remember = remember
        self._clock = clock
        # One that may be taken again: a signal handler or a finaliser of the host may end a span in the middle of this.
        self._lock = threading.RLock()
        self._open: dict[Hashable, Span] = {}
        #: When each was kept, the oldest first; only where they may not grow old.
        self._since: dict[Hashable, float] = {}
        self._ended: OrderedDict[Hashable, SpanContext] = OrderedDict()

    @property
    def bounds(self) -> tuple[int, float | None, int]:
        return self._limit, self._age, self._remember

    def change(self, limit: int, age: float | None, remember: int) -> None:
        """Let other bounds count from now on; what is open stays open."""
        with self._lock:
            self._limit, self._age, self._remember = limit, age, remember
            while len(self._ended) > remember:
                self._ended.popitem(last=False)
            if age is None:
                self._since.clear()
            else:
                for key in self._open:
                    self._since.setdefault(key, self._clock())

    def reset_after_fork(self) -> None:
        """Begin anew, in a child process: what is open belongs to the parent, and is remembered at most."""
        self._lock = threading.RLock()
        self.take_all()
        self._since.clear()  # Another thread may have been half way when this one forked.

    def keep(self, key: Hashable, span: Span) -> list[Displaced]:
        """Keep an open span under its key; gives those that have to end for it."""
        with self._lock:
            old = self._pop(key)
            displaced = [] if old is None else [(old, "replaced")]
            if self._age is not None:
                displaced += self._grown_old(self._age)
                self._since[key] = self._clock()
            while len(self._open) >= self._limit:
                oldest = self._pop(next(iter(self._open)))
                if oldest is not None:
                    displaced.append((oldest, "limit"))
            self._open[key] = span
        return displaced

    def _grown_old(self, age: float) -> list[Displaced]:
        found: list[Displaced] = []
        before = self._clock() - age
        while self._since and self._since[key := next(iter(self._since))] <= before:
            self._since.pop(key, None)  # Here too: a key that has no span would be found for ever.
            old = self._pop(key)
            if old is not None:
                found.append((old, "age"))
        return found

    def _pop(self, key: Hashable) -> Span | None:
        span = self._open.pop(key, None)
        if span is not None:
            if self._since:
                self._since.pop(key, None)
            if self._remember:
                self._note(key, span)
        return span

    def find(self, key: Hashable) -> Span | None:
        """The open span with this key."""
        return self._open.get(key)

    def take(self, key: Hashable) -> Span | None:
        """The open span with this key, which is from now on no longer open under it, only remembered."""
        with self._lock:
            return self._pop(key)

    def take_all(self, which: Callable[[Span], bool] | None = None) -> list[Span]:
        """All open spans, or some, which are from now on no longer open."""
        with self._lock:
            keys = [key for key, span in list(self._open.items()) if which is None or which(span)]
            return [span for span in map(self._pop, keys) if span is not None]

    def cover(self, key: Hashable, span: Span) -> Span | None:
        """Let a span be found under a key in place of one that has it already; gives that one."""
        with self._lock:
            hidden = self._open.get(key)
            self._open[key] = span
        return hidden

    def uncover(self, key: Hashable, span: Span, hidden: Span | None) -> None:
        """The span that covered is over, and what it hid is found again if it still records."""
        with self._lock:
            if self._open.get(key) is not span:
                return
            if hidden is not None and hidden.is_recording():
                self._open[key] = hidden
            else:
                self._pop(key)

    def note(self, keys: Iterable[Hashable], span: Span) -> None:
        """Remember an ended span under each of these that is one."""
        if self._remember:
            with self._lock:
                for key in keys:
                    if key is not None:
                        self._note(key, span)

    def _note(self, key: Hashable, span: Span) -> None:
        self._ended[key] = span.get_span_context()
        self._ended.move_to_end(key)
        if len(self._ended) > self._remember:
            self._ended.popitem(last=False)

    def span_context(self, key: Hashable) -> SpanContext | None:
        """The context of the span with this key, open or remembered."""
        span = self._open.get(key)
        found = span.get_span_context() if span is not None else self._ended.get(key)
        return found if found is not None and found.is_valid else None
