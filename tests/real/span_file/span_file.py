"""Configures the SDK of a traced program: each span is a line of the file `SPAN_FILE` as soon as it has ended."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.declarative.process import installation
from opentelemetry.instrumentation.declarative.runtime.lifecycle import fatal_signals
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext

# On a busy machine, telemetry may take longer than a user would wait.
fatal_signals.TIMEOUT = installation.EXPORT_TIMEOUT = 60.0


class Configurator:
    """What `opentelemetry-instrument` loads if `OTEL_PYTHON_CONFIGURATOR` names it."""

    def configure(self, **options: Any) -> None:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(SpanFile()))
        trace.set_tracer_provider(provider)


class SpanFile(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = "".join(json.dumps(record(span)) + "\n" for span in spans)
        # One write of a file that is open for appending: several processes do not mix their lines.
        file = os.open(os.environ["SPAN_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, lines.encode())
        os.close(file)
        return SpanExportResult.SUCCESS


def record(span: ReadableSpan) -> dict[str, Any]:
    assert span.context is not None
    return {
        "name": span.name,
        "kind": span.kind.name,
        "context": _ids(span.context),
        "parent": _ids(span.parent) if span.parent else None,
        "start": span.start_time,
        "end": span.end_time,
        "status": [span.status.status_code.name, span.status.description],
        "attributes": _plain(span.attributes),
        "events": [[event.name, _plain(event.attributes), event.timestamp] for event in span.events],
        "links": [[_ids(link.context), _plain(link.attributes)] for link in span.links],
        "scope": span.instrumentation_scope.name if span.instrumentation_scope else None,
        "pid": os.getpid(),
    }


def _ids(context: SpanContext) -> list[Any]:
    return [context.trace_id, context.span_id, context.is_remote]


def _plain(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return dict(attributes or {})
