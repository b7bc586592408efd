"""Fixtures: modules made from source text, specs that are active on them, and the spans that result."""

from __future__ import annotations

import contextlib
import gc
import itertools
import linecache
import logging
import signal
import sys
import textwrap
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.testing import Trace, Traced
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

_COUNT = itertools.count()

with contextlib.suppress(ImportError):  # not in every environment of the gate
    import hypothesis

    # The same examples in every run, however long they take: a gate does not fail by chance. `make fuzz` looks for new
    # ones.
    hypothesis.settings.register_profile(
        "repeatable", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Handle the signals that background jobs and nohup ignore: the processes of the tests would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run the tests of a file in one worker, which makes its fixtures once, unless the file is in a group of files."""
    if item.get_closest_marker("xdist_group") is None:
        item.add_marker(pytest.mark.xdist_group(item.path.name))


def pytest_collection_finish() -> None:
    """Hide the thousands of collected tests from the garbage collector, and from hooks that look for referrers."""
    gc.freeze()


@dataclass(slots=True)
class Tracing:
    """The providers of one test, and the spans that have been exported."""

    provider: TracerProvider
    exporter: InMemorySpanExporter
    meters: MeterProvider
    reader: InMemoryMetricReader

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The ended spans, in the order of their ends."""
        return self.exporter.get_finished_spans()

    @property
    def span(self) -> ReadableSpan:
        """The only span."""
        (span,) = self.spans
        return span

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    def points(self, metric: str) -> dict[tuple[tuple[str, Any], ...], Any]:
        """The data points of a metric by their sorted attributes."""
        data = self.reader.get_metrics_data()
        found = [each for r in (data.resource_metrics if data else ()) for s in r.scope_metrics for each in s.metrics]
        return {
            tuple(sorted((point.attributes or {}).items())): point
            for each in found
            if each.name == metric
            for point in each.data.data_points
        }

    def named(self, name: str) -> ReadableSpan:
        (span,) = (span for span in self.spans if span.name == name)
        return span


@pytest.fixture
def tracing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracing]:
    # Another test may have imported the library of a shipped spec. Only the spec of the test should be active.
    monkeypatch.setattr("opentelemetry.instrumentation.declarative.process.active_specs.SHIPPED_SPECS", ())
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    yield Tracing(provider, exporter, meters, reader)
    provider.shutdown()
    meters.shutdown()


@pytest.fixture
def make_module() -> Iterator[Callable[[str], types.ModuleType]]:
    """Makes a module from source text that can be imported, with a unique name by default."""
    made: list[str] = []

    def make(source: str, name: str | None = None) -> types.ModuleType:
        name = name or f"host_{next(_COUNT)}"
        module = types.ModuleType(name)
        sys.modules[name] = module
        made.append(name)
        source = textwrap.dedent(source)
        # For `inspect` and tracebacks, which read the source.
        linecache.cache[f"<{name}>"] = (len(source), None, source.splitlines(keepends=True), f"<{name}>")
        exec(compile(source, f"<{name}>", "exec"), module.__dict__)
        return module

    yield make
    for name in made:
        sys.modules.pop(name, None)
        linecache.cache.pop(f"<{name}>", None)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Writes a module that can be imported but has not been, and returns its name."""
    monkeypatch.syspath_prepend(tmp_path)
    made: list[str] = []

    def write(source: str) -> str:
        name = f"host_of_{tmp_path.name}_{len(made)}"
        (tmp_path / f"{name}.py").write_text(source)
        made.append(name)
        return name

    yield write
    for name in made:
        sys.modules.pop(name, None)


def start_instrumentor(tracing: Any, *specs: Path) -> DeclarativeInstrumentor:
    """Start an instrumentor. The caller stops it."""
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=tracing.provider, meter_provider=tracing.meters, specs=specs)
    return instrumentor


def patchable_objects(module: types.ModuleType) -> list[Any]:
    """The module and its classes: the objects whose attributes can be patched."""
    return [module, *(value for value in vars(module).values() if isinstance(value, type))]


def attributes_by_owner(module: types.ModuleType) -> dict[tuple[str, str], Any]:
    """The attributes of each of them, by owner and name."""
    return {(repr(owner), name): held for owner in patchable_objects(module) for name, held in vars(owner).items()}


@contextlib.contextmanager
def undone_exactly(*modules: types.ModuleType) -> Iterator[None]:
    """A block after which modules and classes must have the same attributes, and functions the same code, as before."""
    before = [attributes_by_owner(module) for module in modules]
    codes = [pair for held in before for pair in _codes(held.values())]
    yield
    assert [function for function, code in codes if function.__code__ is not code] == []
    for module, held in zip(modules, before, strict=True):
        after = attributes_by_owner(module)
        # A module may add and delete variables itself. All others must be the same objects.
        changed = [key for key in held if key in after and after[key] is not held[key] and not _views(held[key])]
        assert changed == []
        assert [key for key in after if key not in held and key[0] != repr(module)] == []


def _codes(values: Iterable[Any]) -> Iterator[tuple[types.FunctionType, types.CodeType]]:
    """The functions among values and inside descriptors, with their code."""
    for value in values:
        for each in (value, *(getattr(value, name, None) for name in ("__func__", "fget", "func", "callback"))):
            if type(each) is types.FunctionType:
                yield each, each.__code__


def is_patched(function: Any) -> bool:
    """Whether a function has code of ours: that code calls a copy of the function, which is one of its constants."""
    return any(type(each) is types.FunctionType for each in function.__code__.co_consts)


def _views(value: Any) -> bool:
    return type(value).__name__ in ("getset_descriptor", "mappingproxy", "dict", "int")


Instrument = Callable[..., contextlib.AbstractContextManager[DeclarativeInstrumentor]]


@pytest.fixture
def spec_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a spec. ``HOST`` in it is replaced by the name of the module."""

    def write(text: str, module: types.ModuleType | str = "", file: str = "spec.yaml") -> Path:
        name = module if isinstance(module, str) else module.__name__
        path = tmp_path / file
        path.write_text("instrument: 2\nname: test\n" + textwrap.dedent(text).replace("HOST", name).lstrip("\n"))
        return path

    return write


@pytest.fixture
def instrumented(tracing: Tracing, spec_file: Callable[..., Path]) -> Instrument:
    """A block in which a spec is active on a module. Afterwards the module must be as before."""

    @contextlib.contextmanager
    def instrument(spec: str | Sequence[str], *modules: types.ModuleType) -> Iterator[DeclarativeInstrumentor]:
        texts = [spec] if isinstance(spec, str) else spec
        files = [spec_file(text, modules[0], f"spec{n or ''}.yaml") for n, text in enumerate(texts)]
        instrumentor = DeclarativeInstrumentor()
        with undone_exactly(*modules):
            instrumentor.instrument(tracer_provider=tracing.provider, meter_provider=tracing.meters, specs=files)
            try:
                yield instrumentor
            finally:
                if instrumentor.is_instrumented_by_opentelemetry:
                    instrumentor.uninstrument()

    return instrument


@pytest.fixture
def recorded(traced: Traced) -> Callable[..., contextlib.AbstractContextManager[Trace]]:
    """A block in which a spec is active on a module. Returns the trace. Afterwards the module must be as before."""

    @contextlib.contextmanager
    def record(spec: str, *modules: types.ModuleType, **options: Any) -> Iterator[Trace]:
        text = "instrument: 2\nname: test\n" + textwrap.dedent(spec).replace("HOST", modules[0].__name__)
        with undone_exactly(*modules), traced(text, **options) as trace:
            yield trace

    return record


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Returns the messages that this package and OpenTelemetry have logged so far."""
    caplog.set_level(logging.INFO)

    def messages() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.name.startswith("opentelemetry")]

    return messages
