"""The local root of a span: the first span of its trace in this process, from any instrumentation.

A span only knows the context of its parent. A span processor, which sees every recorded span of a provider, remembers
to which root each belongs. It is added when a spec needs the local root, and does nothing once no spec needs it.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.declarative.runtime.added_processor import AddedProcessor
from opentelemetry.instrumentation.declarative.runtime.context.current import current_span
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.trace import INVALID_SPAN, Span

#: How many ended spans are remembered, for spans that start after their parent has ended.
_MOST_ENDED = 1_000


class LocalRoots(AddedProcessor):
    """Remembers the local root of each open span by the span's id."""

    def __init__(self) -> None:
        super().__init__()
        self._users = 0
        self._roots: dict[int, Span] = {}
        self._ended: deque[int] = deque()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Forget the spans of the parent process: it ends them."""
        self._roots = {}
        self._ended = deque()

    def acquire(self, *providers: Any) -> None:
        """Watch the spans of these providers, and of the global one, until ``release``."""
        self._users += 1
        for provider in (*providers, trace.get_tracer_provider()):
            self.add_to(provider)

    def release(self) -> None:
        """Do nothing anymore if nobody else watches. A processor cannot be removed from its provider."""
        self._users -= 1
        if not self._users:
            self.reset_after_fork()

    def of(self, span: Span) -> Span:
        """Return the local root of a span; an invalid span if it is not known."""
        provider = trace.get_tracer_provider()
        if not self.is_added_to(provider):  # set after the spec was installed
            self.add_to(provider)
        root = self._roots.get(span.get_span_context().span_id)
        if root is not None:
            return root
        return span if _has_no_local_parent(span) else INVALID_SPAN

    # ── As a span processor ──

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        if not self._users:
            return
        root = span if _has_no_local_parent(span) else self._roots.get(span.parent.span_id)
        if root is not None:
            self._roots[span.get_span_context().span_id] = root

    def on_end(self, span: Any) -> None:
        if not self._users:
            return
        self._ended.append(span.get_span_context().span_id)
        if len(self._ended) > _MOST_ENDED:
            self._roots.pop(self._ended.popleft(), None)


LOCAL_ROOTS = LocalRoots()


def local_root() -> Span:
    """Return the local root of the current span; an invalid span if there is none, or it is not known."""
    return LOCAL_ROOTS.of(current_span())


def _has_no_local_parent(span: Any) -> bool:
    """Whether a recorded span has no parent, or one in another process."""
    parent = getattr(span, "parent", None)
    return bool(span.is_recording()) and (parent is None or bool(parent.is_remote))
