"""What one span with four attributes adds to a call: declared in a spec, and written by hand in two ways.

``start_as_current_span`` is how instrumented code is usually written; ``start_span`` with attach, detach and end is the
least that a span can be written with. Every variant records the same. Each tracer provider has a process of its own, in
which the variants of a round run in random order and are compared within that round. Processor time counts, including
that of the export thread. Times depend on the machine, so compare the ratios. Exits with 1 if one exceeds its target.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from opentelemetry import context, trace
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor

CALLS = 2_000
SPEC = {
    "instrument": 2,
    "name": "shop",
    "hooks": {"expensive": {"call": f"{__name__}:condition_declared", "when": "order.total > 1000"}},
    "spans": {
        kind: {
            "around": f"{__name__}:{kind}_declared",
            "name": "checkout",
            "attributes": {
                "shop.order": "order.id",
                "shop.customer": "order.customer",
                "shop.total": "order.total",
                "shop.lines": "len(order.lines)",
            },
        }
        for kind in ("sync", "async")
    }
    | {"expensive": {"around": "expensive", "attributes": {"shop.order": "order.id"}}},
}


class Order:
    def __init__(self) -> None:
        self.id = "o-1017"
        self.customer = "c-4"
        self.total = 17.5
        self.lines = ["tea", "cup"]


def attributes_of(order: Order) -> dict[str, Any]:
    return {
        "shop.order": order.id,
        "shop.customer": order.customer,
        "shop.total": order.total,
        "shop.lines": len(order.lines),
    }


tracer = trace.get_tracer("shop")


def sync_bare(order: Order) -> Order:
    return order


def sync_declared(order: Order) -> Order:
    return order


def sync_idiomatic(order: Order) -> Order:
    with tracer.start_as_current_span("checkout", attributes=attributes_of(order)):
        return order


def sync_lean(order: Order) -> Order:
    span = tracer.start_span("checkout", attributes=attributes_of(order))
    token = context.attach(trace.set_span_in_context(span))
    try:
        return order
    finally:
        context.detach(token)
        span.end()


async def async_bare(order: Order) -> Order:
    return order


async def async_declared(order: Order) -> Order:
    return order


async def async_idiomatic(order: Order) -> Order:
    with tracer.start_as_current_span("checkout", attributes=attributes_of(order)):
        return order


async def async_lean(order: Order) -> Order:
    span = tracer.start_span("checkout", attributes=attributes_of(order))
    token = context.attach(trace.set_span_in_context(span))
    try:
        return order
    finally:
        context.detach(token)
        span.end()


def condition_declared(order: Order) -> Order:
    return order


def condition_by_hand(order: Order) -> Order:
    if order.total > 1000:
        raise AssertionError
    return order


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
    }
    return [
        Row(setup, f"{kind} declared", f"{kind} {by_hand}", target)
        for setup, found in targets.items()
        for kind in KINDS
        for by_hand, target in zip(("idiomatic", "lean"), found, strict=True)
    ]


ROWS = _rows()
#: Nanoseconds that a declared condition that is false may cost more than one written in Python.
CONDITION_TARGET = 30
Times = dict[str, list[float]]


# ── In the process of a setup ──


def provide(processor: str) -> tuple[Any, Callable[[], int]]:
    """Set the global tracer provider; return it, and a function that tells how many spans have been exported."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult

    exported = 0

    class Discarding(SpanExporter):
        def export(self, spans: Sequence[Any]) -> SpanExportResult:
            nonlocal exported
            exported += len(spans)
            return SpanExportResult.SUCCESS

    provider = TracerProvider(shutdown_on_exit=False)
    if processor == "simple":
        provider.add_span_processor(SimpleSpanProcessor(Discarding()))
    else:
        provider.add_span_processor(BatchSpanProcessor(Discarding(), max_queue_size=4 * CALLS))
    trace.set_tracer_provider(provider)
    return provider, lambda: exported


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
    function = globals()[name.replace(" ", "_")]
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
    provider, exported = (None, lambda: 0) if setup.processor is None else provide(setup.processor)
    flush = (lambda: None) if provider is None else provider.force_flush
    DeclarativeInstrumentor().instrument(specs=[SPEC])
    names = [f"{kind} {variant}" for kind in KINDS for variant in VARIANTS]
    if setup == SETUPS["simple processor"]:
        names += ["condition declared", "condition by hand"]
    for name in names:
        before = exported()
        nanoseconds(name, flush)
        spans = exported() - before
        if bool(spans) != (setup.exports and not name.endswith("bare") and not name.startswith("condition")):
            raise RuntimeError(f"{name}: {spans} spans of {CALLS} calls")
    times: Times = {name: [] for name in names}
    shuffled = random.Random(seed)
    for _ in range(rounds):
        for name in shuffled.sample(names, len(names)):
            times[name].append(nanoseconds(name, flush))
    return times


def _run(name: str, rounds: int, seed: int) -> Times:
    return measure(SETUPS[name], rounds, seed)


# ── The table ──


def measured(name: str, rounds: int, seed: int) -> Times:
    """The times of one setup, from a process of its own."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    saved = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables | dict(SETUPS[name].variables))
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


def percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The 10th, 50th and 90th percentile."""
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    return tenths[0], statistics.median(values), tenths[-1]


def table(times: dict[str, Times]) -> tuple[list[str], list[dict[str, Any]]]:
    """The lines of the table, and its rows as data."""
    lines = [f"{'':31}{'ours':>7}{'by hand':>9}   {'ours / by hand':38}{'ratio':>6}   {'10th..90th':14}target"]
    rows = []
    for row in ROWS:
        if row.setup not in times:
            continue
        over, under = added(times[row.setup], row.over), added(times[row.setup], row.under)
        low, ratio, high = percentiles([one / max(other, 1.0) for one, other in zip(over, under, strict=True)])
        exceeded = row.target is not None and round(ratio, 2) > row.target
        target = "" if row.target is None else f"{row.target:.2f}{' EXCEEDED' if exceeded else ''}"
        lines.append(
            f"{row.setup:31}{statistics.median(over):>7.0f}{statistics.median(under):>9.0f}   "
            f"{f'{row.over} / {row.under}':38}{ratio:>6.2f}   {f'{low:.2f}..{high:.2f}':14}{target}".rstrip()
        )
        rows.append({**row._asdict(), "ratio": ratio, "tenth": low, "ninetieth": high, "exceeded": exceeded})
    simple = times.get("simple processor", {})
    if simple:
        pairs = zip(simple["condition declared"], simple["condition by hand"], strict=True)
        low, median, high = percentiles([ours - by_hand for ours, by_hand in pairs])
        exceeded = median > CONDITION_TARGET
        lines += [
            "",
            f"a condition that is false, declared, adds to one in Python: {median:.0f} ns   "
            f"10th..90th {low:.0f}..{high:.0f}   target {CONDITION_TARGET}{' EXCEEDED' if exceeded else ''}",
        ]
        rows.append({"setup": "condition", "median": median, "tenth": low, "ninetieth": high, "exceeded": exceeded})
    return lines, rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=40, help="how often each variant is measured (default: 40)")
    parser.add_argument("--seed", type=int, default=1, help="for the order of the variants (default: 1)")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    parser.add_argument("--only", choices=SETUPS, action="append", help="measure only this setup")
    options = parser.parse_args()
    times = {name: measured(name, options.rounds, options.seed) for name in options.only or SETUPS}
    lines, rows = table(times)
    releases = f"Python {platform.python_version()}, opentelemetry-sdk {version('opentelemetry-sdk')}"
    print(f"{releases}, {options.rounds} rounds of {CALLS} calls, nanoseconds of processor time per call\n")
    print("\n".join(lines))
    if options.json:
        found = {"python": platform.python_version(), "machine": platform.platform(), "rows": rows, "times": times}
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return int(any(row["exceeded"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
