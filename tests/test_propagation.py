"""Trace context in carriers, by the configured propagators: injected, extracted, and as a parent or a link."""

import asyncio
import http.server
import threading
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.instrumentation.utils import (
    is_http_instrumentation_enabled,
    is_instrumentation_enabled,
    suppress_instrumentation,
)
from opentelemetry.propagate import get_global_textmap, set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .test_propagators import _b3

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
HOST = """
import asyncio
from opentelemetry import baggage

class Request:
    def __init__(self, headers=None):
        self.headers = headers

class Carrier:
    def __init__(self):
        self.fields = {}
    def get(self, name):
        return self.fields.get(name)
    def set(self, name, value):
        self.fields[name] = value

def send(headers=None):
    return headers

def post(request, **options):
    return options

def receive(headers):
    return handle(headers)

def handle(headers):
    return baggage.get_baggage("user")

def fail(headers):
    return 1 / 0

async def wait(headers):
    await asyncio.sleep(0)
    return baggage.get_baggage("user")

def steps(headers):
    yield baggage.get_baggage("user")
"""


@pytest.fixture(autouse=True)
def propagators(request: pytest.FixtureRequest) -> Iterator[None]:
    before = get_global_textmap()
    makers = getattr(request, "param", (TraceContextTextMapPropagator, W3CBaggagePropagator))
    set_global_textmap(CompositePropagator([make() for make in makers]))
    yield
    set_global_textmap(before)


@pytest.fixture
def module(make_module: Callable[..., Any]) -> Any:
    return make_module(HOST)


@pytest.fixture
def outer(tracing) -> Iterator[Any]:
    token = context.attach(baggage.set_baggage("user", "ada"))
    with tracing.provider.get_tracer("test").start_as_current_span("outer") as span:
        yield span
    context.detach(token)


def traceparent(span: Any) -> str:
    found = span.get_span_context()
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"


SEND = """
hooks: {send: {call: "HOST:send"}}
inject: {out: {at: send.enter, carrier: headers}}
"""


@pytest.mark.parametrize(
    ("headers", "written"),
    [
        ({}, lambda parent: {"traceparent": parent, "baggage": "user=ada"}),
        (None, lambda parent: {"traceparent": parent, "baggage": "user=ada"}),
        ([("a", "b")], lambda parent: [("a", "b"), ("traceparent", parent), ("baggage", "user=ada")]),
        ((("a", "b"),), lambda parent: (("a", "b"), ("traceparent", parent), ("baggage", "user=ada"))),
        (
            [(b"a", b"b"), (b"traceparent", b"old")],
            lambda parent: [(b"a", b"b"), (b"traceparent", parent.encode()), (b"baggage", b"user=ada")],
        ),
    ],
    ids=["mapping", "missing", "pairs", "tuple of pairs", "pairs of bytes"],
)
def test_the_configured_propagators_write_to_a_carrier_of_any_form(headers, written, module, instrumented, outer):
    with instrumented(SEND, module):
        assert module.send(headers) == written(traceparent(outer))


def test_a_carrier_with_a_method_set_is_written_with_it(module, instrumented, outer):
    carrier = module.Carrier()
    with instrumented(SEND, module):
        assert module.send(carrier) is carrier
    assert carrier.fields == {"traceparent": traceparent(outer), "baggage": "user=ada"}


@pytest.mark.parametrize("field", ["request.headers", 'options["headers"]'])
def test_a_missing_carrier_is_created_in_its_field(field: str, module, instrumented, outer):
    request = module.Request()
    spec = SEND.replace("HOST:send", "HOST:post").replace("carrier: headers", f"carrier: '{field}'")
    with instrumented(spec, module):
        options = module.post(request)
    assert (request.headers or options["headers"])["traceparent"] == traceparent(outer)


@pytest.mark.parametrize("propagators", [(_b3,)], indirect=True)
def test_only_the_fields_of_the_configured_propagators_are_written(module, instrumented, outer):
    with instrumented(SEND, module):
        assert list(module.send({})) == ["b3"]


def test_the_context_of_a_new_span_is_injected_into_a_carrier(module, instrumented, tracing):
    with instrumented("spans: {send: {around: 'HOST:send', inject: {carrier: headers}}}", module):
        headers = module.send(None)
    assert headers == {"traceparent": traceparent(tracing.span)}


def test_baggage_is_written_to_a_field_without_a_span(module, instrumented):
    spec = SEND.replace("carrier: headers", "baggage: 'headers[\"baggage\"]'")
    with instrumented(spec, module):
        token = context.attach(baggage.set_baggage("user", "ada"))
        assert module.send({}) == {"baggage": "user=ada"}
        context.detach(token)
        assert module.send({}) == {}


def test_nothing_is_written_to_a_carrier_while_suppressed(module, instrumented, outer):
    with instrumented(SEND, module), suppress_instrumentation():
        assert module.send({}) == {}


def test_a_carrier_that_cannot_be_written_is_reported_once(module, instrumented, outer, logged):
    with instrumented(SEND.replace("carrier: headers", "carrier: headers or None"), module):
        for _ in range(2):
            assert module.send((("a", "b"),)) == (("a", "b"),)
    (line,) = logged()
    assert "spec.yaml" in line and "cannot be written to an object of type tuple" in line


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": PARENT},
        [(b"Traceparent", PARENT.encode())],
        httpx.Headers({"traceparent": PARENT}),
        {"HTTP_TRACEPARENT": PARENT, "REQUEST_METHOD": "GET"},
    ],
    ids=lambda headers: type(headers).__name__,
)
def test_a_parent_and_a_link_are_read_from_a_carrier(headers, module, instrumented, tracing):
    spec = "spans: {r: {around: 'HOST:receive', parent: {carrier: headers}, links: {l: {carrier: headers}}}}"
    with instrumented(spec, module):
        module.receive(headers)
    span = tracing.span
    assert f"{span.parent.trace_id:032x}-{span.parent.span_id:016x}" == f"{TRACE_ID}-{SPAN_ID}"
    assert [link.context for link in span.links] == [span.parent]


@pytest.mark.parametrize("headers", [None, {}, [], 5, {"traceparent": "x"}, HOST], ids=lambda value: repr(value)[:20])
def test_without_context_in_the_carrier_the_next_source_is_used(headers, module, instrumented, tracing, outer, logged):
    with instrumented("spans: {r: {around: 'HOST:receive', parent: [{carrier: headers}, current]}}", module):
        module.receive(headers)
    assert tracing.spans[0].parent == outer.get_span_context()


# ── Context without a span ──


EXTRACT = """
context: {incoming: {during: "HOST:receive", carrier: headers}}
spans: {handle: {around: "HOST:handle"}, receive: {around: "HOST:receive"}}
"""


def test_context_from_a_carrier_is_current_during_a_call(module, instrumented, tracing):
    with instrumented(EXTRACT, module):
        assert module.receive({"traceparent": PARENT, "baggage": "user=ada"}) == "ada"
        assert module.receive({}) is None
    handle, receive, *others = tracing.spans
    assert f"{receive.parent.trace_id:032x}-{receive.parent.span_id:016x}" == f"{TRACE_ID}-{SPAN_ID}"
    assert handle.parent == receive.context
    assert [span.parent for span in others if span.name == "receive"] == [None]
    assert baggage.get_all() == {}


@pytest.mark.parametrize(
    "fields", ["traceparent: 'headers[\"traceparent\"]', baggage: 'headers[\"baggage\"]'", "baggage: headers.baggage"]
)
def test_context_from_single_fields_is_current_during_a_call(fields: str, module, instrumented, tracing):
    with instrumented(EXTRACT.replace("carrier: headers", fields), module):
        assert module.receive([("Baggage", b"user=ada"), (b"traceparent", PARENT)]) == "ada"
    parent = tracing.spans[1].parent
    assert (None if parent is None else f"{parent.span_id:016x}") == (SPAN_ID if "traceparent" in fields else None)


def test_what_was_current_is_current_again_after_a_call_that_raises(module, instrumented, outer):
    spec = "context: {incoming: {during: 'HOST:fail', carrier: headers, when: headers is not None}}"
    with instrumented(spec, module):
        with pytest.raises(ZeroDivisionError):
            module.fail({"traceparent": PARENT, "baggage": "user=bob"})
    assert baggage.get_all() == {"user": "ada"}
    assert trace.get_current_span() is outer


@pytest.mark.parametrize("headers", [None, {}, [], 5, {"traceparent": "x"}, HOST], ids=lambda value: repr(value)[:20])
def test_a_carrier_without_context_leaves_the_current_one(headers, module, instrumented, tracing, outer, logged):
    with instrumented(EXTRACT, module):
        assert module.receive(headers) == "ada"
    assert tracing.spans[1].parent == outer.get_span_context()
    assert logged() == []


def test_a_coroutine_keeps_its_context_while_others_run(module, instrumented, tracing):
    async def both() -> list[Any]:
        return await asyncio.gather(*(module.wait({"baggage": f"user={name}"}) for name in ("ada", "bob")))

    with instrumented("context: {incoming: {during: 'HOST:wait', carrier: headers}}", module):
        assert asyncio.run(both()) == ["ada", "bob"]


def test_a_generator_is_reported_as_without_context(module, instrumented, logged):
    with instrumented("context: {incoming: {during: 'HOST:steps', carrier: headers}}", module):
        assert list(module.steps({"baggage": "user=ada"})) == [None]
    (line,) = logged()
    assert "error[not-carried]" in line and "context is only extracted for a call" in line


SERVER = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = answer().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

def answer():
    from opentelemetry import baggage, trace
    found = trace.get_current_span().get_span_context()
    return f"{found.trace_id:032x} {baggage.get_baggage('user')}"
"""


def with_httpx(url: str, headers: Any = None) -> str:
    return httpx.get(url, headers=headers, timeout=None).text


def with_urllib(url: str, headers: Any = None) -> str:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {})) as response:
        return str(response.read().decode())


@pytest.mark.parametrize("client", ["httpx", "urllib"])
def test_a_trace_continues_from_a_client_to_a_server_by_http(client: str, make_module, instrumented, outer):
    module = make_module(SERVER)
    module.get = with_httpx if client == "httpx" else with_urllib
    spec = """
hooks: {get: {call: "HOST:get"}}
inject: {outgoing: {at: get.enter, carrier: headers}}
context: {incoming: {during: "HOST:Handler.do_GET", carrier: self.headers}}
"""
    server = http.server.HTTPServer(("127.0.0.1", 0), module.Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with instrumented(spec, module):
            text = module.get(f"http://127.0.0.1:{server.server_port}/")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert text == f"{outer.get_span_context().trace_id:032x} ada"


# ── Suppression ──


@pytest.mark.parametrize(
    ("suppress", "expected"), [("instrumentation", (False, False)), ("http", (True, False)), (None, (True, True))]
)
def test_what_a_call_calls_is_suppressed_but_not_the_call(
    suppress: str | None, expected, make_module, instrumented, tracing
):
    module = make_module("""
from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled, is_instrumentation_enabled

def get():
    return inner(is_instrumentation_enabled(), is_http_instrumentation_enabled())

def inner(*found):
    return found

async def wait():
    return get()
""")
    spec = """
hooks: {get: {call: "HOST:get"}}
CONTEXT
spans: {get: {around: get, attributes: {found: result}}, inner: {around: "HOST:inner"}}
enrich: {current: {events: {got: {at: get.return}}}}
"""
    with instrumented(
        spec.replace("CONTEXT", f"context: {{quiet: {{during: get, suppress: {suppress}}}}}" if suppress else ""),
        module,
    ):
        assert module.get() == expected
        assert is_instrumentation_enabled() and is_http_instrumentation_enabled()
    spans = {span.name: span for span in tracing.spans}
    assert ("inner" in spans) is expected[0]
    assert spans["get"].attributes["found"] == expected
    assert [event.name for event in spans["get"].events] == ["got"]


# ── Calls that return something unfinished ──


UNFINISHED = """
import asyncio, contextlib
from opentelemetry import baggage
from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled, is_instrumentation_enabled

def found():
    inner()
    return baggage.get_baggage("user"), is_http_instrumentation_enabled(), is_instrumentation_enabled()

def inner():
    pass

def given(result, headers):
    return result

async def _wait():
    await asyncio.sleep(0)
    return found()

def _steps():
    yield found()
    yield found()

async def _asteps():
    yield found()
    await asyncio.sleep(0)
    yield found()

class Stream:
    def __init__(self):
        self.left = 2
    def __iter__(self):
        return self
    def __next__(self):
        if not self.left:
            raise StopIteration
        self.left -= 1
        return found()
    def close(self):
        pass

class Deferred:
    def __await__(self):
        return _wait().__await__()

def wait(headers=None):
    return _wait()

def wait_for(headers=None):
    return Deferred()

def steps(headers=None):
    return _steps()

def asteps(headers=None):
    return _asteps()

def stream(headers=None):
    return Stream()

async def astream(headers=None):
    return Stream()

@contextlib.contextmanager
def _block():
    yield found()

@contextlib.asynccontextmanager
async def _ablock():
    yield found()

def block(headers=None):
    return _block()

def ablock(headers=None):
    return _ablock()
"""


async def everything_found(module: Any, name: str, headers: Any) -> list[Any]:
    """What the code finds in its context while the result of a call is used up."""
    result = getattr(module, name)(headers)
    await asyncio.sleep(0)
    assert (baggage.get_all(), is_http_instrumentation_enabled(), is_instrumentation_enabled()) == ({}, True, True)
    if name == "astream":
        result = await result
    if name.startswith("wait"):
        found = [await result]
    elif name == "asteps":
        found = []
        async for item in result:
            assert baggage.get_all() == {} and is_http_instrumentation_enabled()
            found.append(item)
    elif name == "block":
        with result as given:
            found = [given, module.found()]
    elif name == "ablock":
        async with result as given:
            found = [given, module.found()]
    else:
        found = []
        for item in result:
            assert baggage.get_all() == {} and is_http_instrumentation_enabled()
            found.append(item)
    assert (baggage.get_all(), is_http_instrumentation_enabled(), is_instrumentation_enabled()) == ({}, True, True)
    return found


RESULTS = ["wait", "wait_for", "steps", "asteps", "block", "ablock", "stream", "astream"]


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("has_span", [True, False], ids=["span", "no span"])
def test_what_is_extracted_is_current_whenever_an_unfinished_result_runs(
    name: str, has_span: bool, make_module, instrumented, tracing
):
    module = make_module(UNFINISHED)
    spec = f"""
hooks: {{call: {{call: "HOST:{name}", follow_result: true}}}}
context: {{incoming: {{during: call, carrier: headers, when: headers is not None}}}}
spans: {{inner: {{around: "HOST:inner"}}{", call: {around: call}" if has_span else ""}}}
"""
    with instrumented(spec if "stream" in name else spec.replace(", follow_result: true", ""), module):
        headers = {"traceparent": PARENT, "baggage": "user=ada"}
        assert {*asyncio.run(everything_found(module, name, headers))} == {("ada", True, True)}
        inner = [span for span in tracing.spans if span.name == "inner"]
        assert {span.context.trace_id for span in tracing.spans} == {int(TRACE_ID, 16)}
        above = [span.context.span_id for span in tracing.spans if span.name == "call"] or [int(SPAN_ID, 16)]
        assert {span.parent.span_id for span in inner} == {*above}
        assert {*asyncio.run(everything_found(module, name, None))} == {(None, True, True)}


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("suppress", ["http", "instrumentation"])
@pytest.mark.parametrize("has_span", [True, False], ids=["span", "no span"])
def test_instrumentation_is_suppressed_whenever_an_unfinished_result_runs_but_not_for_the_rules_of_the_call(
    name: str, suppress: str, has_span: bool, make_module, instrumented, tracing
):
    module = make_module(UNFINISHED)
    spec = f"""
hooks: {{call: {{call: "HOST:{name}", follow_result: true}}}}
context: {{quiet: {{during: call, suppress: {suppress}}}}}
spans: {{inner: {{around: "HOST:inner"}}{", call: {around: call}" if has_span else ""}}}
enrich: {{current: {{events: {{item: {{at: call.item}}, end: {{at: call.return}}}}}}}}
"""
    if not has_span:
        spec = "\n".join(line for line in spec.splitlines() if not line.startswith("enrich"))
    with instrumented(spec, module):
        found = asyncio.run(everything_found(module, name, None))
    assert {*found} == {(None, False, suppress == "http")}
    names = [span.name for span in tracing.spans]
    assert ("inner" in names) is (suppress == "http")
    if has_span:
        (call,) = (span for span in tracing.spans if span.name == "call")
        items = len(found) if "step" in name or "stream" in name else 0
        assert [event.name for event in call.events] == [*["item"] * items, "end"]


def test_a_result_is_passed_on_unchanged_without_context_in_the_carrier(make_module, instrumented):
    module = make_module(UNFINISHED)
    steps = module._steps()
    with instrumented("context: {incoming: {during: 'HOST:given', carrier: headers}}", module):
        assert module.given(steps, {}) is steps
        assert module.given(steps, {"baggage": "user=ada"}) is steps  # the program holds it, so that it is not followed
    with instrumented("context: {incoming: {during: 'HOST:steps', carrier: headers}}", module):
        assert [*module.steps({"baggage": "user=ada"})] == [("ada", True, True)] * 2


def test_the_extracted_context_of_a_result_does_not_hide_other_values_that_its_caller_makes_current(
    make_module, instrumented
):
    module = make_module(UNFINISHED)
    with instrumented("context: {incoming: {during: 'HOST:steps', carrier: headers}}", module):
        steps = module.steps({"traceparent": PARENT})
        token = context.attach(baggage.set_baggage("user", "bob"))
        assert next(steps) == ("bob", True, True)
        context.detach(token)
        assert next(steps) == (None, True, True)


def test_a_measurement_at_a_moment_of_a_suppressed_result_is_recorded(make_module, instrumented, tracing):
    module = make_module(UNFINISHED)
    spec = """
hooks: {steps: {call: "HOST:steps"}}
context: {quiet: {during: steps, suppress: instrumentation}}
metrics:
  shop.ended: {instrument: counter, at: steps.return}
  shop.items: {instrument: counter, at: steps.item}
"""
    with instrumented(spec, module):
        assert [*module.steps()] == [(None, False, False)] * 2
    assert tracing.points("shop.ended")[()].value == 1
    assert tracing.points("shop.items")[()].value == 2
