"""The spans of this process that are open, from any instrumentation."""

from __future__ import annotations

from typing import Any

from opentelemetry.instrumentation.declarative.runtime.added_processor import AddedProcessor


class OpenSpanProcessor(AddedProcessor):
    """The recorded spans that have started and not ended since it was added to their provider."""

    def __init__(self) -> None:
        super().__init__()
        self._open: dict[tuple[int, int], Any] = {}
        self._is_stopped = False

    def reset_after_fork(self) -> None:
        """Forget the spans of the parent process: it ends them."""
        self._open = {}

    def stop(self) -> None:
        """Know nothing from now on."""
        self._is_stopped = True
        self._open = {}

    def spans(self) -> list[Any]:
        """The open spans, in order of start."""
        return list(self._open.values())

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        if not self._is_stopped:
            context = span.get_span_context()
            self._open[context.trace_id, context.span_id] = span

    def on_end(self, span: Any) -> None:
        context = span.get_span_context()
        self._open.pop((context.trace_id, context.span_id), None)
