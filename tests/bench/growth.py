"""Whether a call costs the same however many rules there are, spans are open, or envelopes have been posted."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider

from tests.bench.results import Result, result

CALLS = 2_000
REPEATED = 9


def rules(counts: tuple[int, ...]) -> Iterator[Result]:
    """A call with a span, in a program with so many rules; and the time that each takes to be read and installed."""
    for count in counts:
        module = types.ModuleType("bench_host")
        exec("".join(f"def f{number}(order): return order\n" for number in range(count)), module.__dict__)
        sys.modules["bench_host"] = module
        spans = {
            f"s{number}": {"around": f"bench_host:f{number}", "attributes": {"order": "order"}}
            for number in range(count)
        }
        start = time.process_time()
        with _instrumented({"instrument": 2, "name": "bench", "spans": spans}):
            seconds = time.process_time() - start
            call = module.__dict__[f"f{count // 2}"]
            times = [_nanoseconds(lambda call=call: call("o-1")) for _ in range(REPEATED)]
        note = f"{seconds / count * 1000:.1f} ms per rule to read and install it"
        name = f"{count:,} rule{_s(count)}"
        yield result("Growth by rules: a call with a span", name, times, "ns", x=count, note=note)
        del sys.modules["bench_host"]


def open_spans(counts: tuple[int, ...]) -> Iterator[Result]:
    """A span that is opened and ended by its key while so many are open."""
    module = types.ModuleType("bench_host")
    exec("def begin(key): pass\ndef end(key): pass\n", module.__dict__)
    sys.modules["bench_host"] = module
    spec = {
        "instrument": 2,
        "name": "bench",
        "hooks": {"begin": {"call": "bench_host:begin"}, "end": {"call": "bench_host:end"}},
        "spans": {
            "order": {"key": {"value": "key", "max_open": 200_000}, "start": "begin.enter", "end": "end.exit"},
        },
    }
    with _instrumented(spec):
        begun = 0

        def once() -> None:
            module.begin("another")
            module.end("another")

        for count in counts:
            for key in range(begun, count):
                module.begin(key)
            begun = count
            times = [_nanoseconds(once) for _ in range(REPEATED)]
            yield result("Growth by open spans: one more", f"{count:,} open span{_s(count)}", times, "ns", x=count)
    del sys.modules["bench_host"]


def envelopes(count: int) -> Iterator[Result]:
    """An envelope of AG2, when so many have been posted to the same hub. AG2 itself is measured as well."""
    from tests.bench import post_envelope

    for title, variant in (("ours", post_envelope.VARIANTS["ours"]), ("AG2 alone", post_envelope.NONE)):
        times = asyncio.run(_envelope_times(variant, count))
        section = f"Growth by envelopes: {title}"
        for number, values in enumerate(times):
            posted = (number + 1) * count // len(times)
            yield result(section, f"the last of {posted:,} envelopes", values, "µs", x=posted)


async def _envelope_times(variant: Any, count: int, parts: int = 5, sample: int = 100) -> list[list[float]]:
    from tests.bench import post_envelope

    provider = TracerProvider(shutdown_on_exit=False)
    found = []
    with variant.around(provider):
        async with post_envelope.conversation(post_envelope.Store(), None) as (alice, bob, arrived):
            before = arrived()
            for _ in range(parts):
                times = []
                for _ in range(count // parts // sample):
                    start = time.process_time()
                    for number in range(sample):
                        await (bob if number % 2 else alice).send(post_envelope.TEXT)
                    while (arrived() - before) % sample:
                        await asyncio.sleep(0)
                    times.append((time.process_time() - start) / sample * 1e6)
                found.append(times[len(times) // 2 :])
    provider.shutdown()
    return found


def _instrumented(spec: dict[str, Any]) -> Any:
    @contextmanager
    def active() -> Iterator[None]:
        provider, counting = TracerProvider(shutdown_on_exit=False), _Counting()
        provider.add_span_processor(counting)
        instrumentor = DeclarativeInstrumentor()
        instrumentor.instrument(tracer_provider=provider, specs=[spec])
        try:
            yield
        finally:
            instrumentor.uninstrument()
            provider.shutdown()
        if not counting.started:
            raise SystemExit("no span was recorded")

    return active()


class _Counting(SpanProcessor):
    started = 0

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.started += 1


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _nanoseconds(call: Callable[[], Any]) -> float:
    gc.collect()
    start = time.process_time_ns()
    for _ in range(CALLS):
        call()
    return (time.process_time_ns() - start) / CALLS


def rows(*, full: bool) -> Iterator[Result]:
    yield from rules((1, 100, 10_000) if full else (1, 100, 1_000))
    yield from open_spans((1, 100, 10_000, 100_000))
    yield from envelopes(1_000_000 if full else 10_000)
