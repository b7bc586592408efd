"""The log records of a block, with the same fields in all releases of the SDK."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as _export
from opentelemetry.sdk.resources import Resource


class RecordedLog(NamedTuple):
    """A log record. ``severity`` is OpenTelemetry's name of it, None if it is not specified."""

    event_name: str
    severity: str | None
    body: Any
    attributes: Mapping[str, Any]
    trace_id: int
    span_id: int
    #: The name of the instrumentation scope.
    scope: str


class LogRecorder:
    """A logger provider, and the records that its loggers have emitted."""

    def __init__(self) -> None:
        exports: Any = _export
        # The name before SDK 1.39.
        make: Any = getattr(exports, "InMemoryLogRecordExporter", None) or exports.InMemoryLogExporter
        self._exporter = make()
        saved = {key: os.environ.pop(key) for key in [*os.environ] if key.startswith("OTEL_")}
        try:
            self.provider = LoggerProvider(Resource.get_empty(), shutdown_on_exit=False)
        finally:
            os.environ.update(saved)
        self.provider.add_log_record_processor(_export.SimpleLogRecordProcessor(self._exporter))

    @property
    def records(self) -> tuple[RecordedLog, ...]:
        """The records so far."""
        return tuple(map(_recorded, self._exporter.get_finished_logs()))


def _recorded(data: Any) -> RecordedLog:
    record = data.log_record
    attributes = dict(record.attributes or {})
    name = getattr(record, "event_name", None) or attributes.pop("event.name", "")
    return RecordedLog(
        name,
        record.severity_text,
        record.body,
        attributes,
        record.trace_id or 0,
        record.span_id or 0,
        data.instrumentation_scope.name,
    )
