"""Generators: their items are not kept alive, and they decide how they handle exceptions and closing."""

import asyncio
import weakref
from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.trace import StatusCode


def test_an_item_that_a_generator_has_yielded_is_not_kept_alive(make_module, instrumented):
    module = make_module("""
        class Chunk: pass
        def read():
            for _ in range(3):
                yield Chunk()
        async def aread():
            for _ in range(3):
                yield Chunk()
    """)

    async def check() -> None:
        async for chunk in module.aread():
            there = weakref.ref(chunk)
            del chunk
            assert there() is None

    with instrumented('spans: {a: {around: "HOST:read"}, b: {around: "HOST:aread"}}', module):
        for chunk in module.read():
            there = weakref.ref(chunk)
            del chunk
            assert there() is None
        asyncio.run(check())


def test_a_generator_decides_how_it_is_closed(make_module, instrumented, tracing):
    module = make_module("""
        def stubborn():
            try:
                yield 1
            except GeneratorExit:
                yield 2
        def graceful():
            try:
                yield 1
            except GeneratorExit:
                return 3
        def stops():
            raise StopIteration(1)
            yield
    """)
    closed = [module.graceful().close(), _closed(module.graceful())]
    with instrumented(
        'spans: {a: {around: "HOST:stubborn"}, b: {around: "HOST:graceful", attributes: {r: result}},'
        ' c: {around: "HOST:stops"}}',
        module,
    ):
        running = module.stubborn()
        next(running)
        with pytest.raises(RuntimeError, match="generator ignored GeneratorExit"):
            running.close()
        assert next(running, "end") == "end"
        assert [module.graceful().close(), _closed(module.graceful())] == closed
        with pytest.raises(RuntimeError, match="generator raised StopIteration") as caught:
            next(module.stops())
        assert isinstance(caught.value.__cause__, StopIteration)
    stubborn, graceful, stops = tracing.spans
    assert stubborn.status.status_code is StatusCode.UNSET
    assert graceful.attributes == {"r": 3}
    assert stops.status.status_code is StatusCode.ERROR


def _closed(generator: Any) -> Any:
    next(generator)
    return generator.close()


def test_an_event_loop_that_shuts_down_closes_an_unfinished_asynchronous_generator_without_errors(
    make_module, instrumented, tracing, caplog
):
    module = make_module("""
        import asyncio
        done = []
        async def read():
            try:
                yield 1
                yield 2
            finally:
                for _ in range(5):
                    await asyncio.sleep(0)
                done.append(True)
    """)
    kept = []

    async def main() -> None:
        for _ in range(10):
            kept.append(module.read())
            assert await kept[-1].__anext__() == 1
            assert trace.get_current_span() is trace.INVALID_SPAN

    with instrumented('spans: {read: {around: "HOST:read"}}', module):
        asyncio.run(main())
    assert module.done == [True] * 10
    assert [span.status.status_code for span in tracing.spans] == [StatusCode.UNSET] * 10
    assert caplog.records == []


def test_a_task_cancelled_while_it_waits_for_an_item_cancels_the_generator_and_ends_the_span(
    make_module, instrumented, tracing, caplog
):
    module = make_module("""
        import asyncio
        async def read(started):
            yield 1
            started.set()
            await asyncio.Event().wait()
    """)

    async def main() -> None:
        started = asyncio.Event()

        async def consume() -> None:
            async for _ in module.read(started):
                pass

        task = asyncio.ensure_future(consume())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with instrumented('spans: {read: {around: "HOST:read"}}', module):
        asyncio.run(main())
    assert (tracing.span.status.status_code, tracing.span.events) == (StatusCode.UNSET, ())
    assert caplog.records == []


BLOCKS = """
from opentelemetry import context, trace

class Conn:
    def __enter__(self): return self
    def __exit__(self, *error): return None

def work(name): return trace.get_current_span().name if hasattr(trace.get_current_span(), "name") else None

def read(tracer):
    with Conn():
        yield work("first")
        yield work("second")
    with tracer.start_as_current_span("own"):
        yield work("third")
        yield work("fourth")
    yield work("fifth")

async def aread(tracer):
    for item in (None,):
        with Conn():
            yield work("first")
            yield work("second")
        with tracer.start_as_current_span("own"):
            yield work("third")
            yield work("fourth")
    yield work("fifth")

def items(tracer): return list(read(tracer))

async def aitems(tracer): return [item async for item in aread(tracer)]
"""


@pytest.mark.parametrize("kind", ["", "a"])
def test_what_a_generator_makes_current_stays_current_in_it_and_not_outside(
    kind: str, make_module, instrumented, tracing, logged
):
    module = make_module(BLOCKS)
    spec = f"""
    hooks: {{enter: {{call: "HOST:Conn.__enter__"}}, exit: {{call: "HOST:Conn.__exit__"}}}}
    spans:
      read: {{around: "HOST:{kind}read"}}
      block: {{key: self, start: enter.return, end: exit.exit}}
    """
    tracer = tracing.provider.get_tracer("of the program")
    with instrumented(spec, module):
        found = module.items(tracer) if not kind else asyncio.run(module.aitems(tracer))
        assert module.work("outside") is None
    assert found == ["block", "block", "own", "own", "read"]
    parents = {span.name: span.parent and span.parent.span_id for span in tracing.spans}
    read = next(span for span in tracing.spans if span.name == "read")
    assert parents == {"block": read.context.span_id, "own": read.context.span_id, "read": None}
    assert logged() == []


def test_context_that_the_consumer_makes_current_between_items_is_current_in_the_generator(
    make_module, instrumented, tracing
):
    module = make_module("""
        from opentelemetry import baggage
        def read():
            yield baggage.get_baggage("user")
            yield baggage.get_baggage("user")
    """)
    with instrumented('spans: {read: {around: "HOST:read"}}', module):
        reading = module.read()
        assert next(reading) is None
        token = context.attach(baggage.set_baggage("user", "ada"))
        assert next(reading) == "ada"
        context.detach(token)
