"""A BaseException that stops the program passes through our code, wherever it is raised."""

import asyncio
import signal
import sys
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

HOST = """
class Item:
    error = None
    @property
    def bad(self):
        if self.error is not None:
            raise self.error
def call(item): return item
async def acall(item): return item
def give(item): yield item
async def agive(item): yield item
def fail(error): raise error
"""
#: The ways in which an application is stopped.
STOPS = [KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit, BaseException]
PLACES = [
    "attributes: {a: item.bad}",
    "attributes: {a: item.bad, b: item.missing.deeper + 1}",
    "name: 'x {item.bad}'",
    "attributes: {a: 'result.bad'}",
    "key: item.bad",
    "parent: {traceparent: item.bad}",
    "status: {error: item.bad}",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("stop", STOPS)
def test_a_base_exception_raised_by_a_property_is_not_swallowed(
    stop: type[BaseException], place: str, make_module, instrumented, tracing, logged
):
    module = make_module(HOST)
    item = module.Item()
    item.error = stop("stop")
    with instrumented(f'spans: {{call: {{around: "HOST:call", {place}}}}}', module), pytest.raises(stop) as caught:
        module.call(item)
    assert caught.value is item.error
    assert logged() == []
    assert tracing.names in (["call"], [])
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("kind", ["call", "acall", "give", "agive"])
def test_a_base_exception_passes_through_every_kind_of_callable(
    kind: str, stop: type[BaseException], make_module, instrumented
):
    module = make_module(HOST)
    item = module.Item()
    item.error = stop("stop")
    with instrumented(f'spans: {{call: {{around: "HOST:{kind}", attributes: {{a: item.bad}}}}}}', module):
        called = getattr(module, kind)
        begin = {
            "call": lambda: called(item),
            "acall": lambda: called(item).send(None),
            "give": lambda: next(called(item)),
            "agive": lambda: called(item).__anext__().send(None),
        }[kind]
        with pytest.raises(stop) as caught:
            begin()
    assert caught.value is item.error


@pytest.mark.parametrize("moment", ["on_start", "on_end"])
@pytest.mark.parametrize("stop", STOPS)
def test_a_base_exception_raised_by_a_span_processor_is_not_swallowed(
    stop: type[BaseException], moment: str, make_module, spec_file, monkeypatch
):
    monkeypatch.setattr("opentelemetry.instrumentation.declarative.process.active_specs.SHIPPED_SPECS", ())
    module = make_module(HOST)
    error = stop("stop")

    def raising(*_: Any, **__: Any) -> None:
        raise error

    processor = SpanProcessor()
    setattr(processor, moment, raising)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=provider, specs=[spec_file('spans: {call: {around: "HOST:call"}}', module)])
    try:
        with pytest.raises(stop) as caught:
            module.call(1)
    finally:
        instrumentor.uninstrument()
    assert caught.value is error
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.parametrize("stop", STOPS)
def test_a_base_exception_of_the_application_passes_with_its_traceback(
    stop: type[BaseException], make_module, instrumented, tracing
):
    module = make_module(HOST)
    error = stop("stop")
    with instrumented('spans: {fail: {around: "HOST:fail"}}', module), pytest.raises(stop) as caught:
        module.fail(error)
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert tracing.names == ["fail"]


SEVERAL = """
hooks: {call: {call: "HOST:call"}}
spans:
  outer: {around: call}
  other: {at: call.MOMENT, attributes: {a: item.bad}}
"""


@pytest.mark.parametrize("moment", ["enter", "return", "exit"])
def test_a_span_around_a_call_ends_when_another_rule_lets_a_base_exception_pass(
    moment: str, make_module, instrumented, tracing
):
    module = make_module(HOST)
    item = module.Item()
    item.error = KeyboardInterrupt("stop")
    with instrumented(SEVERAL.replace("MOMENT", moment), module):
        with pytest.raises(KeyboardInterrupt):
            module.call(item)
        assert trace.get_current_span() is trace.INVALID_SPAN
        assert tracing.names == ["outer"]


ORDERS = """
def begin(id): return id
def end(id): return id
"""
ORDERS_SPEC = """
hooks: {begin: {call: "HOST:begin"}, end: {call: "HOST:end"}}
spans:
  order: {key: {value: id, max_age: 60}, start: begin.enter, end: end.exit, counts: {n: {at: begin.enter, key: id}}}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a signal cannot be raised in the middle of a call there")
def test_a_signal_handler_may_call_the_function_it_interrupts(make_module, instrumented, tracing):
    """The handler runs in the thread that holds the lock of the table of open spans: it must not wait for it."""
    module = make_module(ORDERS)

    class Interrupting(str):
        """A key whose comparison, which happens while the lock is held, is interrupted."""

        def __eq__(self, other: object) -> bool:
            signal.raise_signal(signal.SIGUSR1)
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    before = signal.signal(signal.SIGUSR1, lambda *_: module.end(module.begin("from the handler")))
    try:
        with instrumented(ORDERS_SPEC, module):
            module.begin(Interrupting("a"))
            assert module.end("a") == "a"
            assert module.begin("left") == "left"
    finally:
        signal.signal(signal.SIGUSR1, before)
    ends = [span.attributes.get("instrument.end") for span in tracing.spans]
    assert (ends[-1], set(ends[:-1])) == ("shutdown", {None})


def test_a_finalizer_may_call_the_function_whose_rule_it_interrupts_and_is_not_recorded(
    make_module, instrumented, tracing
):
    module = make_module(ORDERS)

    class Resource:
        def __del__(self) -> None:
            module.end("resource")

    class Dropping(str):
        held: Any = None

        def __eq__(self, other: object) -> bool:
            self.held = None
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    with instrumented(ORDERS_SPEC, module):
        module.begin("resource")
        key = Dropping("a")
        module.begin(key)
        key.held = Resource()
        module.end("a")
        assert [span.attributes.get("instrument.end") for span in tracing.spans] == [None]
    assert [span.attributes.get("instrument.end") for span in tracing.spans] == [None, "shutdown"]
