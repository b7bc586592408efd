"""The counts of the open spans of one type, which the rules of a spec increment."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.context.current import enabled
from opentelemetry.instrumentation.declarative.runtime.span_ending import SpanEnding
from opentelemetry.trace import Span


class SpanCounts(SpanEnding):
    """Counts for each open span, by the names that the spec gives them."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._lock = threading.RLock()
        self.find, self.link = self._table.find, self._table.link

    def _reset_counting(self) -> None:
        """Start without counts in a child process, whatever another thread of the parent was doing."""
        self._lock = threading.RLock()
        self.counts.clear()

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
            counts = self.counts.setdefault(id(span), {})
            counts[name] = counts.get(name, 0) + 1
            if self.find(key) is not span:  # another thread has ended it
                self.counts.pop(id(span), None)
            return counts[name]

    def counts_of(self, span: Span, names: Sequence[str]) -> list[int]:
        """Return the counts of a span with these names."""
        counts = self.counts.get(id(span))
        return [0] * len(names) if counts is None else [counts.get(name, 0) for name in names]
