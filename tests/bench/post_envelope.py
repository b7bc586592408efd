"""What tracing adds to a posted envelope: AG2's own tracing and this project's, side by side in one run.

Two agents talk on one conversation channel; what receives an envelope does nothing, so that the way of an envelope is
all that is timed: posting, the log, dispatch, delivery, receipt, and the writing of the spans' file, which ours does
later: the time runs until the hub is closed and everything is in its store. Every measurement has a fresh hub, event
loop and tracer provider; the variants of a round are shuffled and compared within that round only. Times depend on the
machine, so read the ratios. Ends with 1 if one of them is over its budget.
"""

import argparse
import asyncio
import contextlib
import gc
import multiprocessing
import platform
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import NamedTuple
from unittest import mock

from ag2 import Agent
from ag2.knowledge import MemoryKnowledgeStore
from ag2.network import Channel, Envelope, Hub
from ag2.network.hub import _envelope_tracing
from ag2.network.hub.layout import spans_path
from ag2.network.hub.telemetry import HubTelemetryListener
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

#: What ours may cost of what native tracing costs, which writes its file: without a file of ours, and with it.
BUDGET = 0.75
BUDGET_WITH_FILE = 1.0
WITHOUT_FILE = Path(__file__).parents[2] / "docs" / "demo" / "without_spans_file.yaml"
TEXT = "Two high tides and two low tides come and go in a little more than a day."


class Variant(NamedTuple):
    """How a hub is traced, and what has to come of it: a variant that does nothing must not look quick."""

    around: Callable[[TracerProvider], AbstractContextManager[object]]
    natively: bool = False
    spans: bool = True
    file: bool = True


class Store(MemoryKnowledgeStore):
    """A store whose append takes the same time however long the file is; AG2's own copies the file each time."""

    def __init__(self) -> None:
        super().__init__()
        self._files: dict[str, list[str]] = {}
        self._sizes: dict[str, int] = {}

    async def append(self, path: str, content: str) -> int:
        offset = self._sizes.get(path, 0)
        self._files.setdefault(path, []).append(content)
        self._sizes[path] = offset + len(content.encode())
        return offset

    def envelope_spans(self) -> int:
        return "".join(self._files.get(spans_path(), [])).count('"name": "network.envelope')

    async def read(self, path: str) -> str | None:
        lines = self._files.get(path)
        return await super().read(path) if lines is None else "".join(lines)

    async def read_range(self, path: str, start: int, end: int | None = None) -> str:
        return ((await self.read(path)) or "").encode()[start:end].decode()


class Dropping(SpanExporter):
    """Keeps nothing but the number of envelope spans: a variant that makes none must not look quick."""

    def __init__(self) -> None:
        self.envelopes = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.envelopes += sum(span.name.startswith("network.envelope") for span in spans)
        return SpanExportResult.SUCCESS


@contextmanager
def native_without_file(provider: TracerProvider) -> Iterator[None]:
    async def write_nothing(*_: object) -> int:
        return 0

    with mock.patch.object(_envelope_tracing, "write_span", write_nothing):
        yield


@contextmanager
def instrumented(provider: TracerProvider, *specs: Path) -> Iterator[None]:
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=provider, specs=specs)
    try:
        yield
    finally:
        instrumentor.uninstrument()


def instrumented_without_file(provider: TracerProvider) -> AbstractContextManager[None]:
    return instrumented(provider, WITHOUT_FILE)


NONE = Variant(nullcontext, spans=False, file=False)
VARIANTS = {
    "none": NONE,
    "native": Variant(nullcontext, natively=True),
    "native without its file": Variant(native_without_file, natively=True, file=False),
    "ours": Variant(instrumented),
    "ours without its file": Variant(instrumented_without_file, file=False),
}
#: Which variants are set against each other, and how much of the second the first may cost.
COMPARED = (
    ("ours", "native", BUDGET_WITH_FILE),
    ("ours without its file", "native", BUDGET),
    ("ours without its file", "native without its file", None),
)


@asynccontextmanager
async def conversation(
    store: Store, provider: TracerProvider | None
) -> AsyncIterator[tuple[Channel, Channel, Callable[[], int]]]:
    """Both ends of an open channel, and how many envelopes have arrived."""
    arrived = 0

    async def receive(envelope: Envelope) -> None:
        nonlocal arrived
        arrived += 1

    hub = await Hub.open(store, ttl_sweep_interval=3600, expectation_sweep_interval=0, tracer_provider=provider)
    if provider is not None:
        hub.register_listener(HubTelemetryListener(store, tracer_provider=provider))
    alice, bob = [await hub.register(Agent(name), attach_plugin=False) for name in ("alice", "bob")]
    channel = await alice.open(type="conversation", target="bob")
    for client in (alice, bob):
        client.on_envelope(receive)
    yield channel, Channel(metadata=channel.metadata, client=bob), lambda: arrived
    await channel.close()
    await bob.close()
    await alice.close()
    await hub.close()


async def seconds_per_envelope(messages: int, store: Store, provider: TracerProvider | None) -> float:
    """Seconds of processor time: nothing here waits, so that is the whole cost, whatever else the machine does.

    The closing of the hub is part of it for every variant, because some of what ours has to write waits until then.
    """
    async with conversation(store, provider) as (alice, bob, arrived):
        await asyncio.sleep(0)
        before, start = arrived(), time.process_time()
        for number in range(messages):
            await (bob if number % 2 else alice).send(TEXT)  # by turns: an inbox that is never answered fills up
            while arrived() < before + number + 1:
                await asyncio.sleep(0)
    return (time.process_time() - start) / messages


def measure(variant: Variant, messages: int) -> float:
    """Seconds per envelope with everything made again; the garbage collector is on, and has just run."""
    dropping, store = Dropping(), Store()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(dropping))
    with variant.around(provider):
        gc.collect()
        seconds = asyncio.run(seconds_per_envelope(messages, store, provider if variant.natively else None))
    provider.shutdown()
    made, written = dropping.envelopes, store.envelope_spans()
    if (made, written) != (messages * variant.spans, messages * variant.file):
        raise SystemExit(f"{variant}: {made} envelope spans and {written} lines of {messages} envelopes")
    return seconds


def never_instrumented(connection: Connection, messages: int) -> None:
    """Runs in a process of its own, in which nothing is ever patched, and measures when it is asked to."""
    measure(NONE, messages)
    while connection.recv():
        connection.send(measure(NONE, messages))


@contextmanager
def other_process(messages: int) -> Iterator[Callable[[], float]]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=never_instrumented, args=(there, messages), daemon=True)
    process.start()
    there.close()

    def ask() -> float:
        here.send(True)
        return float(here.recv())

    yield ask
    here.send(False)
    process.join(10)


def attributes_of_ag2() -> dict[str, object]:
    """Every attribute of every class, and every function, of the modules of ag2 that are loaded."""
    found: dict[str, object] = {}
    modules: list[tuple[str, ModuleType]] = [item for item in sys.modules.items() if item[0].split(".")[0] == "ag2"]
    for module_name, module in modules:
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) != module_name:
                continue
            found[f"{module_name}:{name}"] = value
            if isinstance(value, type):
                found.update({f"{module_name}:{name}.{key}": inner for key, inner in vars(value).items()})
    return found


def differences(before: dict[str, object]) -> list[str]:
    after = attributes_of_ag2()
    return sorted(name for name in {*before, *after} if before.get(name) is not after.get(name))


def spread(values: Sequence[float]) -> str:
    tenths = statistics.quantiles(values, n=10, method="inclusive") if len(values) > 1 else [values[0]] * 9
    return f"{statistics.median(values):.2f}   10th..90th percentile {tenths[0]:.2f}..{tenths[-1]:.2f}"


def ratios(times: dict[str, list[float]], over: str, under: str) -> list[float]:
    """Per round, the time that one variant adds over the time that another adds."""
    rounds = zip(times[over], times[under], times["none"], strict=True)
    return [(first - none) / max(second - none, 1e-9) for first, second, none in rounds]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=40, help="how often each variant is measured (default: 40)")
    parser.add_argument("--messages", type=int, default=300, help="envelopes in each measurement (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="for the order of the variants (default: 1)")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    shuffle = random.Random(options.seed).shuffle
    measure(NONE, options.messages)  # ag2 fills its own caches, which are no differences
    before = attributes_of_ag2()
    with other_process(options.messages) as measure_elsewhere:
        measurements: dict[str, Callable[[], float]] = {
            name: partial(measure, variant, options.messages) for name, variant in VARIANTS.items()
        }
        measurements["never"] = measure_elsewhere
        for warm_up in measurements.values():
            warm_up()
        times: dict[str, list[float]] = {name: [] for name in measurements}
        for _ in range(options.rounds):
            order = list(measurements)
            shuffle(order)
            for name in order:
                times[name].append(measurements[name]())

    print(f"Python {platform.python_version()}, {options.rounds} rounds of {options.messages} envelopes\n")
    kept = report(times)
    changed = differences(before)
    print(
        f"attributes of ag2 that are not the very objects from before: {', '.join(changed) or 'none'} of {len(before)}"
    )
    return 0 if kept and not changed else 1


def report(times: dict[str, list[float]]) -> bool:
    """Print what was measured; whether every budget is kept."""
    print("variant                    µs per envelope      added")
    for name in VARIANTS:
        added = statistics.median([some - none for some, none in zip(times[name], times["none"], strict=True)])
        print(f"{name:24} {statistics.median(times[name]) * 1e6:17.1f} {added * 1e6:10.1f}")

    kept = True
    print(f"\n{'added by':50}ratio")
    for over, under, budget in COMPARED:
        found = ratios(times, over, under)
        within = budget is None or statistics.median(found) <= budget
        verdict = "" if budget is None else f"   budget {budget:.2f}: {'kept' if within else 'EXCEEDED'}"
        kept = kept and within
        print(f"{f'{over} / {under}':50}{spread(found)}{verdict}")
    off = [here / elsewhere for here, elsewhere in zip(times["none"], times["never"], strict=True)]
    print(f"\n{'uninstrumented / never instrumented, in all':50}{spread(off)}")
    return kept


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
