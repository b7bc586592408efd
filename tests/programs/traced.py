"""Enables tracing in a small program if the test wants it. Each ended span is written as a line of a file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path


def on() -> None:
    """Instrument `shop` as `TRACED` says: with a provider created `before` or `after`, and `batched` or not; or not."""
    how = os.environ.get("TRACED", "").split()
    if not how:
        return
    from opentelemetry import trace
    from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
    from opentelemetry.instrumentation.declarative.process import installation
    from opentelemetry.instrumentation.declarative.runtime.lifecycle import fatal_signals
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult

    # On a busy machine, telemetry may take longer than a user would wait.
    fatal_signals.TIMEOUT = fatal_signals.MESSAGE_TIMEOUT = installation.EXPORT_TIMEOUT = 60.0

    class Lines(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            lines = "".join(json.dumps(record(span)) + "\n" for span in spans)
            file = os.open(os.environ["SPANS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, lines.encode())
            os.close(file)
            return SpanExportResult.SUCCESS

    def record(span: ReadableSpan) -> dict[str, object]:
        assert span.context is not None
        return {
            "name": span.name,
            "span": span.context.span_id,
            "parent": span.parent.span_id if span.parent else None,
            "attributes": dict(span.attributes or {}),
            "status": span.status.status_code.name,
            "description": span.status.description,
            "pid": os.getpid(),
        }

    def provide() -> None:
        provider = TracerProvider()
        processor = BatchSpanProcessor if "batched" in how else SimpleSpanProcessor
        provider.add_span_processor(processor(Lines()))
        trace.set_tracer_provider(provider)

    if "after" not in how:
        provide()
    DeclarativeInstrumentor().instrument(specs=[Path(__file__).with_name("spec.yaml")])
    if "after" in how:
        provide()
