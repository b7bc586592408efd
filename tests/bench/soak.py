"""Measures whether memory grows over a million calls, and over spans that never end. Exits with 1 if it does.

Each kind of call is repeated so often that anything it leaves behind becomes visible. After a warm-up, which fills all
bounded tables, the blocks that Python has allocated are counted at each checkpoint. A table of the checkpoints is
printed, then ``flat`` or the types of objects that have become more.
"""

import argparse
import asyncio
import contextlib
import gc
import itertools
import logging
import sys
import tempfile
import types
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import _callbacks
from opentelemetry.instrumentation.declarative.runtime.spans import Spans
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

HOST = """
class Owner:
    def begin(self, id): return id
class Broken:
    @property
    def field(self): raise ArithmeticError("broken")
BROKEN = Broken()
def plain(value): return value
async def coroutine(value): return value
def generator(value):
    yield value
async def asynchronous_generator(value):
    yield value
def failing(value): return value
def raising(value): raise ValueError(value)
def begin(id): return id
def note(id): return id
def end(id): return id
def never(id): return id
def old(id): return id
def named(id): return id
"""
SPEC = """instrument: 2
name: soak
hooks:
  begin: {call: "soaked:begin"}
  note: {call: "soaked:note"}
  end: {call: "soaked:end"}
  never: {call: "soaked:never"}
  old: {call: "soaked:old"}
  owned: {call: "soaked:Owner.begin"}
  closed: {call: "soaked:plain", when: value is None}
spans:
  plain: {around: "soaked:plain", attributes: {value: value, result: result}}
  coroutine: {around: "soaked:coroutine", attributes: {value: value}}
  generator: {around: "soaked:generator", attributes: {value: value}}
  asynchronous_generator: {around: "soaked:asynchronous_generator"}
  failing: {around: "soaked:failing", attributes: {bad: value.field, good: "1"}}
  raising: {around: "soaked:raising"}
  order:
    key: {value: id, keep_ended: 100}
    start: begin.enter
    end: end.exit
    counts: {notes: {at: note.enter, key: id}}
    events: {noted: {at: note.enter, key: id}}
    attribute_groups: {noted: {at: note.enter, key: id, attributes: {noted: id}}}
    attributes: {notes: notes}
  never:
    key: {value: id, max_open: 500}
    start: never.enter
    end: end.exit
    counts: {notes: {at: never.return, key: id}}
  old: {key: {value: id, max_age: 1}, start: old.enter, end: end.exit}
  owned: {key: {value: id, max_open: 500}, start: owned.enter, end: end.exit, owner: holder}
  named: {around: "soaked:named", key: {value: id, also: [id + 1, id + 2], keep_ended: 100}}
owners:
  holder: {object: self, closes: {at: closed.exit, object: value}}
"""
#: The most by which a run may grow after its warm-up: in blocks that Python has allocated, and in MiB of the process.
BLOCKS = 1_500
MIB = 8.0
CHECKPOINTS = 10


class Counting(SpanProcessor):
    """Counts ended spans."""

    ended = 0

    def on_end(self, span: ReadableSpan) -> None:
        self.ended += 1


class Result(NamedTuple):
    """The result of a workload: checkpoints as (calls, blocks, MiB), and the types with more objects than before."""

    name: str
    points: list[tuple[int, int, float]]
    growth: list[tuple[str, int]]

    @property
    def blocks(self) -> int:
        return self.points[-1][1] - self.points[0][1]

    @property
    def mib(self) -> float:
        return self.points[-1][2] - self.points[0][2]

    @property
    def flat(self) -> bool:
        return self.blocks <= BLOCKS and self.mib <= MIB


@contextlib.contextmanager
def soaked(text: str = SPEC) -> Iterator[tuple[Any, DeclarativeInstrumentor, Counting, Callable[[], None]]]:
    """The module with its spec active, the instrumentor, the counter, and a function that instruments again."""
    module = sys.modules["soaked"] = types.ModuleType("soaked")
    exec(compile(HOST, "<soaked>", "exec"), module.__dict__)
    vars(module)["loop"] = asyncio.new_event_loop()
    counting = Counting()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(counting)
    instrumentor = DeclarativeInstrumentor()
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "soak.yaml"
        spec.write_text(text)

        def start() -> None:
            instrumentor.instrument(tracer_provider=provider, specs=[spec])

        start()
        try:
            yield module, instrumentor, counting, start
        finally:
            instrumentor.uninstrument()
            vars(module)["loop"].close()
            del sys.modules["soaked"]


def spans_of(instrumentor: DeclarativeInstrumentor) -> dict[str, Spans]:
    assert instrumentor._active is not None
    (installation,) = instrumentor._active._installations
    return installation._runtime.spans


def table_sizes(instrumentor: DeclarativeInstrumentor) -> dict[str, int]:
    """The sizes of the internal tables."""
    sizes: Counter[str] = Counter()
    for name, spans in spans_of(instrumentor).items():
        table = spans._table
        held = {
            "open": table.spans,
            "since": table._opened_at,
            "remembered": table._ended_contexts,
            "owners": spans._owners,
            "counts": spans.counts,
            "running": spans._running,
        }
        sizes.update({f"{name} {what}": len(there) for what, there in held.items() if there})
    sizes["waiting imports"] = sum(map(len, _callbacks.values()))
    return dict(sizes)


def calls(module: Any) -> dict[str, Callable[[int], object]]:
    """A step of each workload, which is called with a different number each time."""
    loop = module.loop

    async def numbers(number: int) -> None:
        async for _ in module.asynchronous_generator(number):
            pass

    def raising(number: int) -> None:
        with contextlib.suppress(ValueError):
            module.raising(number)

    def keyed(number: int) -> None:
        module.end(module.note(module.begin(number)))

    def every(number: int) -> None:
        kinds[number % len(kinds)](number)

    def owned(number: int) -> None:
        module.Owner().begin(number)  # no reference to the owner is kept

    kinds: list[Callable[[int], object]] = [
        module.plain,
        lambda number: loop.run_until_complete(module.coroutine(number)),
        lambda number: list(module.generator(number)),
        lambda number: next(module.generator(number)),
        lambda number: loop.run_until_complete(numbers(number)),
        lambda number: module.failing(module.BROKEN),
        raising,
        keyed,
    ]
    return {
        "calls of every kind": every,
        "spans whose end never comes": module.never,
        "spans that grow old": module.old,
        "owners that are forgotten": owned,
        "further keys of ended spans": module.named,
    }


def measure(name: str, step: Callable[[int], object], count: int, write: Callable[[str], None], warm: int) -> Result:
    """Run a workload, and measure the memory at each checkpoint."""
    numbers = itertools.count()
    for _ in range(warm):
        step(next(numbers))
    points = [_point(0)]
    before = _types()
    write(f"\n{name}\n{'calls':>12} {'blocks':>12} {'MiB':>8}")
    write(_line(points[0]))
    for checkpoint in range(1, CHECKPOINTS + 1):
        for _ in range(count // CHECKPOINTS):
            step(next(numbers))
        points.append(_point(checkpoint * (count // CHECKPOINTS)))
        write(_line(points[-1]))
    growth = [(kind, number) for kind, number in (_types() - before).most_common(8) if number > 50]
    return Result(name, points, growth)


def _point(count: int) -> tuple[int, int, float]:
    gc.collect()
    return count, sys.getallocatedblocks(), _mib()


def _line(point: tuple[int, int, float]) -> str:
    return f"{point[0]:>12,} {point[1]:>12,} {point[2]:>8.1f}"


def _mib() -> float:
    """The memory of the process; 0 if it is not known."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * 4096 / 2**20


def _types() -> Counter[str]:
    gc.collect()
    return Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())


def soak(calls_count: int, spans_count: int, cycles: int, write: Callable[[str], None] = print) -> list[Any]:
    """Run everything. Returns the results that are not flat, and the tables that are too large."""
    wrong: list[Any] = []
    with soaked() as (module, instrumentor, counting, start):
        # Each call of the clock advances it, so that a few hundred spans have not reached their age.
        spans_of(instrumentor)["old"]._table._clock = itertools.count(step=1 / 400).__next__
        for name, step in calls(module).items():
            count = calls_count if name == "calls of every kind" else spans_count
            ended = counting.ended
            result = measure(name, step, count, write, max(count // CHECKPOINTS, 2_500))
            assert counting.ended - ended >= count, "spans are missing: the workload did nothing"
            write(
                "flat" if result.flat else f"GROWS by {result.blocks:,} blocks, {result.mib:.1f} MiB: {result.growth}"
            )
            wrong += [] if result.flat else [result]

        def cycle(_number: int) -> None:
            module.never(_number)
            instrumentor.uninstrument()
            start()

        sizes = table_sizes(instrumentor)
        write(f"\ninternal tables: {sizes}")
        wrong += [(name, size) for name, size in sizes.items() if size > 501]
        result = measure("instrument and uninstrument", cycle, cycles, write, 20) if cycles else None
        if result is not None:
            write("flat" if result.flat else f"GROWS by {result.blocks:,} blocks: {result.growth}")
            wrong += [] if result.flat else [result]
    write(f"\n{'flat' if not wrong else f'NOT FLAT: {wrong}'}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--spans", type=int, default=100_000, help="spans that never end, of each kind")
    parser.add_argument("--cycles", type=int, default=200, help="how often to instrument and uninstrument")
    options = parser.parse_args()
    logging.getLogger("opentelemetry.instrumentation.declarative").setLevel(
        logging.ERROR
    )  # one workload fails on purpose
    return bool(soak(options.calls, options.spans, options.cycles))


if __name__ == "__main__":
    sys.exit(main())
