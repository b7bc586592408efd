"""Span processors, exporters, samplers and log handlers that raise or hang, and the effect on the program."""

import importlib
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from tests.processes import PATIENCE

HOST = """
def call(value): return value
def begin(id): return id
def end(id): return id
"""
SPEC = """
hooks: {begin: {call: "HOST:begin"}, end: {call: "HOST:end"}}
spans:
  call: {around: "HOST:call", attributes: {value: value}}
  order: {key: {value: id, max_open: 3}, start: begin.enter, end: end.exit, attributes: {id: id}}
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


@contextmanager
def instrumented_with(provider: TracerProvider, spec: Path) -> Iterator[DeclarativeInstrumentor]:
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=provider, specs=[spec])
    try:
        yield instrumentor
    finally:
        instrumentor.uninstrument()


class Broken(SpanProcessor):
    """A span processor that raises in one of its methods, and counts the calls."""

    def __init__(self, moment: str, error: BaseException) -> None:
        self.asked = 0

        def broken(*_: Any, **__: Any) -> None:
            self.asked += 1
            raise error

        setattr(self, moment, broken)


@pytest.mark.parametrize("moment", ["on_start", "on_end", "force_flush", "shutdown"])
def test_a_processor_that_raises_keeps_no_span_open_and_is_reported_once_per_rule(
    moment: str, module, spec_file, tracing, logged
):
    provider = TracerProvider(shutdown_on_exit=False)
    broken = Broken(moment, OSError("the disk is full"))
    provider.add_span_processor(SimpleSpanProcessor(tracing.exporter))
    provider.add_span_processor(broken)
    with instrumented_with(provider, spec_file(SPEC, module)):
        for id in range(6):
            assert (module.begin(id), module.call(id)) == (id, id)
        assert module.end(5) == 5
    if moment == "on_start":
        assert tracing.spans == ()
    else:
        orders = [span.attributes for span in tracing.spans if span.name == "order"]
        ends = [(attributes["id"], attributes.get("instrument.end")) for attributes in orders]
        assert ends == [(0, "limit"), (1, "limit"), (2, "limit"), (5, None), (3, "shutdown"), (4, "shutdown")]
    lines = [line for line in logged() if "the disk is full" in line]
    assert all("spec.yaml:" in line for line in lines)
    # on_end: the end of a call, the end of an order, and the early end of an order
    expected = {"on_start": 2, "on_end": 3, "force_flush": 0, "shutdown": 0}
    assert len(lines) == expected[moment]


class Raising(SpanExporter):
    def export(self, spans: Any) -> SpanExportResult:
        raise OSError("the network is gone")


@pytest.mark.parametrize("processor", [SimpleSpanProcessor, BatchSpanProcessor])
def test_an_exporter_that_raises_is_reported_by_opentelemetry(processor, module, spec_file, logged):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor(Raising()))
    with instrumented_with(provider, spec_file(SPEC, module)):
        assert module.call(1) == 1
        provider.force_flush()
    provider.shutdown()
    assert [line for line in logged() if "spec.yaml" in line] == []
    assert any("Exception while exporting" in line for line in logged())


class Hanging(SpanExporter):
    """An exporter that waits for permission to export, and signals that it is waiting."""

    def __init__(self) -> None:
        self.entered, self.let = threading.Event(), threading.Event()

    def export(self, spans: Any) -> SpanExportResult:
        self.entered.set()
        self.let.wait()
        return SpanExportResult.SUCCESS


def test_an_exporter_that_hangs_behind_a_batch_delays_no_call(module, spec_file):
    exporter = Hanging()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=1, schedule_delay_millis=1))
    try:
        with instrumented_with(provider, spec_file(SPEC, module)):
            module.call(0)
            assert exporter.entered.wait(PATIENCE)
            assert [module.call(id) for id in range(100)] == list(range(100))
    finally:
        exporter.let.set()
        provider.shutdown()


def test_an_exporter_that_hangs_without_a_batch_delays_the_call_whose_span_ends(module, spec_file):
    """OpenTelemetry works like this: a simple processor exports in the thread of the call."""
    exporter = Hanging()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    given: list[Any] = []
    with instrumented_with(provider, spec_file(SPEC, module)):
        thread = threading.Thread(target=lambda: given.append(module.call(1)))
        thread.start()
        assert exporter.entered.wait(PATIENCE)
        assert given == []
        assert module.begin(2) == 2  # calls that end no span are not delayed
        exporter.let.set()
        thread.join()
    assert given == [1]


class Choosy(Sampler):
    def should_sample(self, parent_context: Any, trace_id: int, name: str, *args: Any, **words: Any) -> Any:
        if name == "call":
            raise LookupError("no rate")
        return ALWAYS_ON.should_sample(parent_context, trace_id, name, *args, **words)

    def get_description(self) -> str:
        return "choosy"


def test_a_sampler_that_raises_loses_the_span_but_does_not_affect_the_call(module, spec_file, logged):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=Choosy(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with instrumented_with(provider, spec_file(SPEC, module)):
        for id in range(3):
            assert module.call(module.end(module.begin(id))) == id
    assert [span.name for span in exporter.get_finished_spans()] == ["order"] * 3
    (line,) = logged()
    assert "spec.yaml:5:" in line
    assert "span call starts failed: LookupError: no rate" in line


def test_the_limits_of_the_sdk_apply_to_our_attributes(module, spec_file, logged):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(
        span_limits=SpanLimits(max_attribute_length=5, max_span_attributes=1), shutdown_on_exit=False
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with instrumented_with(provider, spec_file(SPEC, module)):
        module.call("a long text")
        module.begin(1)
    call, order = exporter.get_finished_spans()
    assert call.attributes == {"value": "a lon"}
    assert len(order.attributes or {}) == 1
    assert [line for line in logged() if "spec.yaml" in line] == []


class Furious(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("no log")


@pytest.fixture
def furious() -> Iterator[None]:
    handler = Furious()
    logging.getLogger("opentelemetry.instrumentation.declarative").addHandler(handler)
    yield
    logging.getLogger("opentelemetry.instrumentation.declarative").removeHandler(handler)


FAILING = [
    'spans: {call: {around: "HOST:call", attributes: {a: value / 0}}}',  # logged during a call
    'spans: {call: {around: "HOST:calll"}}',  # logged when the module is imported
    'spans: {call: {around: "HOST:call", attributes: {a: valu}}}',  # logged when it is patched
    'spans: {call: {round: "HOST:call"}}',  # logged when the spec is read
]


@pytest.mark.usefixtures("furious")
@pytest.mark.parametrize("spec", FAILING, ids=["call", "missing", "name", "spec"])
@pytest.mark.parametrize("late", [False, True], ids=["imported", "imported later"])
def test_a_log_handler_that_raises_affects_neither_calls_nor_imports(
    spec: str, late: bool, tracing, spec_file, tmp_path: Path, monkeypatch
):
    name = "furious_late" if late else "furious_now"
    (tmp_path / f"{name}.py").write_text(HOST)
    monkeypatch.syspath_prepend(tmp_path)
    if not late:
        importlib.import_module(name)
    with instrumented_with(tracing.provider, spec_file(spec, name)):
        assert importlib.import_module(name).call(1) == 1
    sys.modules.pop(name)
