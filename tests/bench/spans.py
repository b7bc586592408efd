"""What one span with four attributes adds to a call: declared in a spec, and written by hand in two ways.

Each tracer provider has a process of its own, in which the variants of a round run in random order and are compared
within that round. Processor time counts, including that of the export thread. Times depend on the machine, so compare
the ratios.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor

from tests.bench import variants
from tests.bench.otlp_sink import running_sink
from tests.bench.results import Result, result
from tests.bench.variants import SPEC, Order

CALLS = 2_000


class Setup(NamedTuple):
    """A process: its tracer provider, the variables it starts with, and how many of its spans are exported."""

    processor: str | None = "simple"
    variables: Mapping[str, str] = MappingProxyType({})
    exports: bool = True


SDK_SPANS = {"OTEL_PYTHON_DECLARATIVE_LIGHT_SPANS": "0"}
SETUPS = {
    "simple processor": Setup(),
    "batch processor": Setup("batch"),
    "simple processor, SDK's spans": Setup(variables=SDK_SPANS),
    "always_off": Setup(variables={"OTEL_TRACES_SAMPLER": "always_off"}, exports=False),
    "parentbased_traceidratio 0": Setup(
        variables={"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, exports=False
    ),
    "no SDK": Setup(None, exports=False),
    "batch, OTLP over HTTP": Setup("otlp"),
}
KINDS = ("sync", "async")
VARIANTS = ("bare", "declared", "idiomatic", "lean")


class Row(NamedTuple):
    """What is divided by what in one process, both without the bare call, and the target for the ratio."""

    setup: str
    over: str
    under: str
    target: float | None


def _rows() -> list[Row]:
    targets: dict[str, tuple[float | None, float | None]] = {
        "simple processor": (0.5, 0.65),
        "batch processor": (0.5, 0.65),
        "simple processor, SDK's spans": (0.85, 1.05),
        "always_off": (0.2, None),
        "parentbased_traceidratio 0": (0.2, None),
        "no SDK": (0.05, None),
        "batch, OTLP over HTTP": (0.6, None),
    }
    return [
        Row(setup, f"{kind} declared", f"{kind} {by_hand}", target)
        for setup, found in targets.items()
        for kind in KINDS
        for by_hand, target in zip(("idiomatic", "lean"), found, strict=True)
    ]


ROWS = _rows()
#: Functions with a condition that is false: their rows, the same in Python, and the targets in nanoseconds over that.
CONDITIONS = {
    "parameter declared": ("a condition on a parameter that is false − in Python", "parameter by hand", 30.0),
    "condition declared": ("a condition on an attribute that is false − in Python", "condition by hand", 30.0),
    "condition least": ("the least wrapper with the same condition − in Python", "condition by hand", None),
    "condition guarded": ("the least that runs no rule while it reads − in Python", "condition by hand", None),
}
Times = dict[str, list[float]]


# ── In the process of a setup ──


def provide(processor: str) -> tuple[Any, Callable[[], Any], Callable[[], int]]:
    """Set the global tracer provider, for spans by hand, and make one for declared spans, which is returned.

    These are two because light spans make the export of all spans of their provider cheaper. Also returns functions
    that flush both, and that return how many spans have been exported.
    """
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    providers, exporters = [], []
    for _ in range(2):
        exporters.append(exporter := _exporter(processor))
        providers.append(provider := TracerProvider(shutdown_on_exit=False))
        if processor == "simple":
            provider.add_span_processor(SimpleSpanProcessor(exporter))
        else:
            provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=4 * CALLS))
    by_hand, declared = providers
    trace.set_tracer_provider(by_hand)
    return (
        declared,
        lambda: [each.force_flush() for each in providers],
        lambda: sum(each.exported for each in exporters),
    )


def _exporter(processor: str) -> Any:
    """An exporter that counts the spans, and then discards or sends them."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    base: Any = SpanExporter
    if processor == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as base

    class Counting(base):  # type: ignore[misc]
        exported = 0

        def export(self, spans: Any) -> Any:
            self.exported += len(spans)
            return super().export(spans) if processor == "otlp" else SpanExportResult.SUCCESS

    return Counting()


def repeat(function: Callable[[Order], Any], count: int) -> None:
    order = Order()
    for _ in range(count):
        function(order)


async def repeat_awaited(function: Callable[[Order], Any], count: int) -> None:
    order = Order()
    for _ in range(count):
        await function(order)


def nanoseconds(name: str, flush: Callable[[], Any]) -> float:
    """The processor time of a call."""
    function = getattr(variants, name.replace(" ", "_"))
    gc.collect()
    if name.startswith("async"):
        with asyncio.Runner() if sys.version_info >= (3, 11) else _Runner() as runner:
            runner.run(repeat_awaited(function, 1))
            start = time.process_time_ns()
            runner.run(repeat_awaited(function, CALLS))
            flush()
            return (time.process_time_ns() - start) / CALLS
    start = time.process_time_ns()
    repeat(function, CALLS)
    flush()
    return (time.process_time_ns() - start) / CALLS


class _Runner:
    """Python 3.10 has no ``asyncio.Runner``."""

    def __enter__(self) -> _Runner:
        self._loop = asyncio.new_event_loop()
        return self

    def run(self, coroutine: Any) -> Any:
        return self._loop.run_until_complete(coroutine)

    def __exit__(self, *_: object) -> None:
        self._loop.close()


def measure(setup: Setup, rounds: int, seed: int) -> Times:
    """The times of each variant, one per round."""
    provider, flush, exported = (None, lambda: None, lambda: 0) if setup.processor is None else provide(setup.processor)
    DeclarativeInstrumentor().instrument(tracer_provider=provider, specs=[SPEC])
    names = [f"{kind} {variant}" for kind in KINDS for variant in VARIANTS]
    if setup == SETUPS["simple processor"]:
        names += [*CONDITIONS, *{by_hand for _, by_hand, _ in CONDITIONS.values()}]
    for name in names:
        before = exported()
        nanoseconds(name, flush)
        spans = exported() - before
        if bool(spans) != (
            setup.exports and not name.endswith("bare") and not name.startswith(("condition", "parameter"))
        ):
            raise RuntimeError(f"{name}: {spans} spans of {CALLS} calls")
    times: Times = {name: [] for name in names}
    shuffled = random.Random(seed)
    for _ in range(rounds):
        for name in shuffled.sample(names, len(names)):
            times[name].append(nanoseconds(name, flush))
    return times


def _run(name: str, rounds: int, seed: int) -> Times:
    return measure(SETUPS[name], rounds, seed)


# ── The rows ──


def measured(name: str, rounds: int, seed: int) -> Times:
    """The times of one setup, from a process of its own."""
    saved = dict(os.environ)
    with running_sink() if SETUPS[name].processor == "otlp" else contextlib.nullcontext("") as endpoint:
        for key in [key for key in os.environ if key.startswith("OTEL_")]:
            del os.environ[key]
        os.environ.update({**SETUPS[name].variables, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
        try:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                return pool.apply(_run, (name, rounds, seed))
        finally:
            os.environ.clear()
            os.environ.update(saved)


def added(times: Times, name: str) -> list[float]:
    """Per round, the time that a variant adds to the bare call."""
    bare = times[f"{name.partition(' ')[0]} bare"]
    return [with_span - without for with_span, without in zip(times[name], bare, strict=True)]


def rows(rounds: int, seed: int = 1) -> Iterator[Result]:
    for name in SETUPS:
        section = f"One span: {name}"
        try:
            times = measured(name, rounds, seed)
        except ImportError as missing:
            yield Result(section, "declared / by hand", note=f"not measured: {missing}")
            continue
        for row in (row for row in ROWS if row.setup == name):
            pairs = zip(added(times, row.over), added(times, row.under), strict=True)
            ratios = [one / max(other, 1.0) for one, other in pairs]
            yield result(section, f"{row.over} / {row.under}", ratios, target=row.target)
        if name == "simple processor":
            for variant, (title, by_hand, target) in CONDITIONS.items():
                pairs = zip(times[variant], times[by_hand], strict=True)
                yield result(section, title, [more - by_hand for more, by_hand in pairs], "ns", target)
