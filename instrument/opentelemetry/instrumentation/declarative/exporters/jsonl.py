"""Writes spans to a file, as lines of OTLP in JSON, which ``instrument view`` shows: ``OTEL_TRACES_EXPORTER=jsonl``.

The OpenTelemetry SDK loads this module by the entry point ``jsonl``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.exporters import otlp_json
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

DEFAULT_PATH = "spans.jsonl"
#: The variable that names the file.
_PATH = "OTEL_PYTHON_DECLARATIVE_SPANS_FILE"


class JsonLinesSpanExporter(SpanExporter):
    """Appends a line for each batch of spans. Several processes may write to one file, as after a fork.

    The file is opened for each batch, so that it can be moved while the program runs.
    """

    def __init__(self, path: str | None = None) -> None:
        # The folder of the program may change.
        self._path = os.path.abspath(path or os.environ.get(_PATH) or DEFAULT_PATH)
        self._has_failed = False
        self._is_closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write the spans. What cannot be written is lost, which is logged once."""
        if self._is_closed:
            return SpanExportResult.FAILURE
        try:
            self._append(json.dumps(otlp_json.traces(spans), separators=(",", ":")).encode("ascii") + b"\n")
        except Exception as error:
            if not self._has_failed:
                self._has_failed = True
                logger.warning("spans cannot be written to %s: %s. The program is not affected.", self._path, error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            while line:  # usually one call, so that lines of several processes do not mix
                line = line[os.write(descriptor, line) :]
        finally:
            os.close(descriptor)

    def shutdown(self) -> None:
        """Write nothing more."""
        self._is_closed = True

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Everything is written when ``export`` returns."""
        return True
