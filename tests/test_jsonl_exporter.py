"""The exporter ``jsonl`` writes spans that ``instrument view`` reads, and does not affect the program if it cannot."""

import logging
import math
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.declarative.exporters.jsonl import JsonLinesSpanExporter
from opentelemetry.instrumentation.declarative.view.formats.reading import Recording, read
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

VALUES = {
    "bool": True,
    "int": -(2**63),
    "float": 0.5,
    "text": "é\ud800\n",
    "list": [1, 2],
    "empty": [],
    "nan": math.nan,
}


def test_a_span_is_read_as_it_was_recorded(tmp_path: Path):
    file = tmp_path / "spans.jsonl"
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(JsonLinesSpanExporter(str(file))))
    tracer = provider.get_tracer("shop")
    with tracer.start_as_current_span("outer", kind=trace.SpanKind.CONSUMER) as outer:
        inner = tracer.start_span(
            "inner", attributes=VALUES, start_time=5, links=[trace.Link(outer.get_span_context())]
        )
        inner.add_event("happens", {"k": "v"}, timestamp=6)
        inner.set_status(trace.StatusCode.ERROR, "lost")
        inner.end(7)
    recording = Recording()
    with file.open("rb") as stream:
        read(stream, recording)
    inner_read, outer_read = recording.spans
    assert (recording.lines, outer_read.name, outer_read.kind, outer_read.parent_id) == (2, "outer", "consumer", None)
    assert (inner_read.start, inner_read.end, inner_read.status, inner_read.message) == (5, 7, "error", "lost")
    assert inner_read.attributes == {**VALUES, "nan": pytest.approx(math.nan, nan_ok=True)}
    assert [(event.time, event.name, event.attributes) for event in inner_read.events] == [(6, "happens", {"k": "v"})]
    assert [link.key for link in inner_read.links] == [outer_read.key] == [inner_read.parent_key]
    assert (inner_read.resource.service, inner_read.scope) == ("shop", "shop")


def test_a_file_that_cannot_be_written_is_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    exporter = JsonLinesSpanExporter(str(tmp_path / "missing" / "spans.jsonl"))
    with caplog.at_level(logging.WARNING, "opentelemetry.instrumentation.declarative"):
        assert [exporter.export([]), exporter.export([])] == [SpanExportResult.FAILURE] * 2
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == [
        f"spans cannot be written to {tmp_path}/missing/spans.jsonl"
    ]
    exporter.shutdown()
    assert exporter.export([]) is SpanExportResult.FAILURE
