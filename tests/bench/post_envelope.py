"""What tracing adds to a posted envelope: AG2's own tracing and this project's, side by side in one run.

Two agents talk on one conversation channel. Envelopes are received by a function that does nothing, so that only the
path of an envelope is timed: posting, the log, dispatch, delivery, receipt, and the writing of the file of spans. Ours
is written later, so the time runs until the hub is closed. Each measurement has a hub, event loop and tracer provider
of its own; the variants of a round run in random order and are compared within that round only.
"""

import asyncio
import gc
import multiprocessing
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
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
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from tests.bench.least_wrappers import least
from tests.bench.results import Result, result

ROOT = Path(__file__).parents[2]
WITHOUT_FILE = ROOT / "docs" / "demo" / "without_spans_file.yaml"
#: Records what AG2's own tracing records, and nothing more.
NATIVE_FORM = ROOT / "configs" / "ag2_native_form.yaml"
#: Messages of a conversation before each measurement. What a process does once, such as compiling what the first
#: failure of an expression needs, is not divided among a few hundred envelopes.
WARM_UP = 50
TEXT = "Two high tides and two low tides come and go in a little more than a day."


class Variant(NamedTuple):
    """How a hub is traced, and what must result: a variant that does nothing must not look quick."""

    around: Callable[[TracerProvider], AbstractContextManager[object]]
    natively: bool = False
    spans: bool = True
    file: bool = True
    sampler: Sampler = ALWAYS_ON


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
    """Discards the spans, and counts those of envelopes."""

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
def instrumented(provider: TracerProvider, specs: Sequence[Path]) -> Iterator[None]:
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=provider, specs=specs)
    try:
        yield
    finally:
        instrumentor.uninstrument()


def ours(*specs: Path, **more: Any) -> Variant:
    return Variant(partial(instrumented, specs=specs), **more)


NONE = Variant(nullcontext, spans=False, file=False)
VARIANTS = {
    "none": NONE,
    "native": Variant(nullcontext, natively=True),
    "native without its file": Variant(native_without_file, natively=True, file=False),
    "ours": ours(),
    "ours without its file": ours(WITHOUT_FILE, file=False),
    "the same attributes": ours(NATIVE_FORM),
    "the same attributes, without its file": ours(NATIVE_FORM, WITHOUT_FILE, file=False),
    "ours sampled out": ours(sampler=ALWAYS_OFF, spans=False, file=False),
    "the least by hand": Variant(least, file=False),
    "the least by hand, sampled out": Variant(least, sampler=ALWAYS_OFF, spans=False, file=False),
}
#: Which variants are compared, and the target for the ratio of what they add.
COMPARED = (
    ("the same attributes", "native", 0.5),
    ("the same attributes, without its file", "native", 0.4),
    ("the same attributes, without its file", "native without its file", None),
    ("ours", "native", 1.0),
    ("ours without its file", "native", None),
    ("ours sampled out", "native", 0.12),
    ("the least by hand", "native", None),
    ("the least by hand, sampled out", "native", None),
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
    """Seconds per envelope with everything made again and used once; the garbage collector is on, and has just run."""
    dropping, store = Dropping(), Store()
    provider = TracerProvider(variant.sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(dropping))
    native = provider if variant.natively else None
    with variant.around(provider):
        asyncio.run(seconds_per_envelope(WARM_UP, Store(), native))
        dropping.envelopes = 0
        gc.collect()
        seconds = asyncio.run(seconds_per_envelope(messages, store, native))
    provider.shutdown()
    made, written = dropping.envelopes, store.envelope_spans()
    if (made, written) != (messages * variant.spans, messages * variant.file):
        raise SystemExit(f"{variant}: {made} envelope spans and {written} lines of {messages} envelopes")
    return seconds


def never_instrumented(connection: Connection, messages: int) -> None:
    """Measures on request, in a process of its own in which nothing is ever patched."""
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


def ratios(times: dict[str, list[float]], over: str, under: str) -> list[float]:
    """Per round, the time that one variant adds over the time that another adds."""
    rounds = zip(times[over], times[under], times["none"], strict=True)
    return [(first - none) / max(second - none, 1e-9) for first, second, none in rounds]


def measured(rounds: int, messages: int, seed: int) -> tuple[dict[str, list[float]], str]:
    """The times of each variant, one per round, and how many attributes of AG2 differ afterwards."""
    shuffle = random.Random(seed).shuffle
    measure(NONE, messages)  # ag2 fills its own caches, which are no differences
    before = attributes_of_ag2()
    with other_process(messages) as measure_elsewhere:
        measurements: dict[str, Callable[[], float]] = {
            name: partial(measure, variant, messages) for name, variant in VARIANTS.items()
        }
        measurements["never"] = measure_elsewhere
        for warm_up in measurements.values():
            warm_up()
        times: dict[str, list[float]] = {name: [] for name in measurements}
        for _ in range(rounds):
            order = list(measurements)
            shuffle(order)
            for name in order:
                times[name].append(measurements[name]())
    if changed := differences(before):
        raise SystemExit(f"attributes of ag2 that are not the very objects from before: {', '.join(changed)}")
    return times, f"all {len(before)} attributes of ag2 are the same objects"


def rows(rounds: int, messages: int = 300, seed: int = 1) -> Iterator[Result]:
    times, unchanged = measured(rounds, messages, seed)
    for name in [*VARIANTS][1:]:
        added = [(some - none) * 1e6 for some, none in zip(times[name], times["none"], strict=True)]
        yield result("AG2: added to an envelope", name, added, "µs")
    for over, under, target in COMPARED:
        yield result("AG2: ratios of what is added", f"{over} / {under}", ratios(times, over, under), target=target)
    off = [here / elsewhere for here, elsewhere in zip(times["none"], times["never"], strict=True)]
    section = "AG2: after the instrumentation is removed"
    yield result(section, "an envelope / in a process without it", off, note=unchanged)
