"""The thread that answers ``instrument status`` and writes pending records, if one of them is enabled."""

from __future__ import annotations

import threading
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.live.open_span_processor import OpenSpanProcessor
from opentelemetry.instrumentation.declarative.live.status_server import StatusServer
from opentelemetry.instrumentation.declarative.runtime.lifecycle.background_thread import BackgroundThread

#: How often, in seconds, to look for spans whose record is due, and for a new tracer provider.
_INTERVAL = 1.0
#: Seconds that ``stop`` waits for the thread.
_PATIENCE = 2.0
THREAD_NAME = "instrument live"


class LiveSpans:
    """The open spans of this process, from ``start`` to ``stop``.

    Args:
        provider: the tracer provider of the specs; None for the global one.
        status: whether to answer ``instrument status``.
        pending_after: after how many seconds an open span gets a pending record; None for never.
    """

    def __init__(self, provider: Any = None, *, status: bool, pending_after: float | None) -> None:
        self._provider = provider
        self._processor = OpenSpanProcessor()
        self._server = StatusServer(self._processor.spans) if status else None
        self._pending = None
        if pending_after is not None:
            from opentelemetry.instrumentation.declarative.exporters.pending_records import PendingRecords

            self._pending = PendingRecords(pending_after, provider)
        self._thread = BackgroundThread(
            THREAD_NAME,
            self._run,
            consequence="open spans are not shown",
            patience=_PATIENCE,
            wake=None if self._server is None else self._server.wake,
            before_restart=self._before_restart,
        )
        self._has_failed = False

    def start(self) -> None:
        """Watch spans from now on."""
        self._watch()
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and forget all spans."""
        self._processor.stop()
        self._thread.stop()

    def _before_restart(self) -> None:
        """Prepare a forked child, which has spans and a socket of its own."""
        self._processor.reset_after_fork()
        if self._pending is not None:
            self._pending.reset_after_fork()
        if self._server is not None:
            self._server.close(is_ours=False)

    def _watch(self) -> None:
        """Watch the providers. The program may set the global one later."""
        self._processor.add_to(self._provider)
        self._processor.add_to(trace.get_tracer_provider())

    def _run(self, stopped: threading.Event) -> None:
        server = self._server if self._server is not None and self._server.open() else None
        try:
            while not stopped.is_set() and (server is not None or self._pending is not None):
                self._look()
                if server is None:
                    stopped.wait(_INTERVAL)
                else:
                    server.answer_one(_INTERVAL)
        except Exception:
            logger.exception("open spans cannot be shown anymore. The program is not affected.")
        finally:
            if server is not None:
                server.close()

    def _look(self) -> None:
        """Watch a provider that the program has set, and write the records that are due."""
        try:
            self._watch()
            if self._pending is not None:
                self._pending.write(self._processor.spans())
        except Exception:
            if not self._has_failed:
                self._has_failed = True
                logger.exception("open spans could not be shown. The program is not affected.")
