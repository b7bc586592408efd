"""Trace context in the carriers of programs, read and written: mappings, pairs and header objects, text and bytes."""

import copy
import email.message
import http.client
import types
from collections import UserDict, defaultdict, namedtuple
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import multidict
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.declarative.expressions.headers import set_header
from opentelemetry.instrumentation.declarative.runtime.context.trace_context import remote, remote_link

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
BYTES = PARENT.encode()

Metadatum = namedtuple("Metadatum", "key value")


def message(kind: type, **fields: str) -> Any:
    made = kind()
    for name, value in fields.items():
        made[name] = value
    return made


def header_object(path: str, *arguments: Any) -> Any:
    """An object of a library that need not be installed."""
    module, _, name = path.rpartition(".")
    return getattr(pytest.importorskip(module), name)(*arguments)


CARRIERS: dict[str, Callable[[], Any]] = {
    "mapping": lambda: {"traceparent": PARENT},
    "mapping with bytes": lambda: {"traceparent": BYTES},
    "mapping of bytes": lambda: {b"traceparent": BYTES},
    "mapping with a capital": lambda: {"Traceparent": PARENT},
    "mapping with capitals": lambda: {"TRACEPARENT": bytearray(BYTES)},
    "mapping of lists": lambda: {"Traceparent": [PARENT]},
    "mapping that adds what is missing": lambda: defaultdict(list, {"Traceparent": [BYTES]}),
    "read-only mapping": lambda: types.MappingProxyType({"Traceparent": PARENT}),
    "other mapping": lambda: UserDict({"Traceparent": PARENT}),
    "pairs of text": lambda: [("host", "x"), ("traceparent", PARENT)],
    "pairs of bytes": lambda: [(b"host", b"x"), (b"traceparent", BYTES)],
    "pairs of text and bytes": lambda: [("host", None), ("traceparent", BYTES)],
    "pairs with capitals": lambda: [(b"Host", b"x"), (b"Traceparent", BYTES)],
    "tuple of pairs": lambda: (("traceparent", PARENT), ("host", "x")),
    "lists": lambda: [["host", "x"], ["traceparent", memoryview(BYTES)]],
    "named tuples": lambda: (Metadatum("host", "x"), Metadatum("traceparent", PARENT)),
    "items of a mapping": lambda: {"traceparent": PARENT}.items(),
    "email": lambda: message(email.message.Message, Traceparent=PARENT),
    "email of today": lambda: message(email.message.EmailMessage, Traceparent=PARENT),
    "http.client": lambda: message(http.client.HTTPMessage, Traceparent=PARENT),
    "multidict": lambda: multidict.CIMultiDict({"Traceparent": PARENT}),
    "multidict that can be read": lambda: multidict.CIMultiDictProxy(multidict.CIMultiDict({"Traceparent": PARENT})),
    "httpx": lambda: httpx.Headers({"Traceparent": PARENT}),
    "werkzeug": lambda: header_object("werkzeug.datastructures.Headers", {"Traceparent": PARENT}),
    "werkzeug of WSGI": lambda: header_object("werkzeug.datastructures.EnvironHeaders", {"HTTP_TRACEPARENT": PARENT}),
    "starlette": lambda: header_object("starlette.datastructures.Headers", {"Traceparent": PARENT}),
    "requests": lambda: header_object("requests.structures.CaseInsensitiveDict", {"Traceparent": PARENT}),
    "django": lambda: header_object("django.http.request.HttpHeaders", {"HTTP_TRACEPARENT": PARENT}),
}
HOST = """
class Request:
    def __init__(self, headers):
        self.headers = headers

def receive(headers):
    return headers

def receive_request(request):
    return request

def send(headers):
    return None
"""
READING = {
    "item": ('headers["traceparent"]', "receive"),
    "item in capitals": ('headers["TraceParent"]', "receive"),
    "path": ('request.headers["traceparent"]', "receive_request"),
    "text": ('str(headers["traceparent"])', "receive"),
    "first of two": ('headers["trace"] or headers["traceparent"]', "receive"),
    "attribute": ("headers.traceparent", "receive"),
    "whole carrier": ("headers", "receive"),
}
UNREADABLE_SO = {
    "whole carrier": {"items of a mapping"},  # a view is read like an iterator, which would be exhausted
    "text": {"mapping of lists", "mapping that adds what is missing"},
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("way", READING)
def test_a_trace_continues_whatever_carries_its_context(
    way: str, carrier: str, tracing, make_module: Callable[..., Any], instrumented
):
    module = make_module(HOST)
    expression, function = READING[way]
    carried = CARRIERS[carrier]()
    spec = f"spans: {{receive: {{around: 'HOST:{function}', parent: {{traceparent: '{expression}'}}}}}}"
    with instrumented(spec, module):
        getattr(module, function)(module.Request(carried) if function == "receive_request" else carried)
    span = tracing.span
    if carrier in UNREADABLE_SO.get(way, ()):
        assert span.parent is None
    else:
        assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE_ID, SPAN_ID)


class Raising:
    def __getitem__(self, key: Any) -> Any:
        raise KeyError(key)


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        {},
        (),
        "traceparent",
        5,
        [("traceparent", None)],
        {"traceparent": None},
        {"traceparent": b"\xff"},
        {"traceparent": "00-zz"},
        [("traceparent",)],
        ["traceparent", PARENT],
        Raising(),
        {"baggage": "user=1"},
    ],
    ids=lambda value: "raising" if type(value) is Raising else repr(value),
)
def test_a_carrier_without_context_starts_a_new_trace(
    headers, tracing, make_module: Callable[..., Any], instrumented, caplog: pytest.LogCaptureFixture
):
    module = make_module(HOST)
    for way in ('headers["traceparent"]', "headers.traceparent"):
        with instrumented(f"spans: {{r: {{around: 'HOST:receive', parent: {{traceparent: '{way}'}}}}}}", module):
            assert module.receive(headers) is headers
    assert [span.parent for span in tracing.spans] == [None, None]
    assert caplog.messages == []


def test_an_iterator_of_pairs_is_not_consumed(tracing, make_module: Callable[..., Any], instrumented):
    module = make_module(HOST)
    for way in ('headers["traceparent"]', "headers.traceparent", "headers"):
        for pairs in (((k, v) for k, v in [("traceparent", PARENT)]), iter([("traceparent", PARENT)]), enumerate("ab")):
            with instrumented(f"spans: {{r: {{around: 'HOST:receive', parent: {{traceparent: '{way}'}}}}}}", module):
                module.receive(pairs)
            assert len(list(pairs)) in (1, 2)


def test_a_missing_name_is_not_created(tracing, make_module: Callable[..., Any], instrumented):
    module, headers = make_module(HOST), defaultdict(str)
    with instrumented(
        "spans: {r: {around: 'HOST:receive', parent: {traceparent: 'headers[\"traceparent\"]'}}}", module
    ):
        module.receive(headers)
    assert headers == {}


def test_only_expressions_for_trace_context_ignore_capitals(tracing, make_module: Callable[..., Any], instrumented):
    module = make_module(HOST)
    spec = "spans: {r: {around: 'HOST:receive', attributes: {a: 'headers[\"id\"]', b: 'headers[\"Id\"]'}}}"
    with instrumented(spec, module):
        module.receive({"Id": 1})
        module.receive([("Id", 1)])
        module.receive([(b"Id", b"x"), ("Id", 2)])
        module.receive([("Id", 1), 5])
        module.receive([("Id", 1, 2)])
    assert [dict(span.attributes) for span in tracing.spans] == [{"b": 1}, {"b": 1}, {"b": "x"}, {}, {}]


def test_several_fields_of_tracestate_are_one_list():
    fields = [(b"tracestate", b"a=1"), (b"Tracestate", b"b=2"), (b"traceparent", BYTES)]
    context = remote(fields)
    assert context is not None
    found = trace.get_current_span(context).get_span_context()
    assert found.trace_state.to_header() == "a=1,b=2"


def test_a_link_reads_context_in_bytes():
    link = remote_link(BYTES, b"a=1", {})
    assert link is not None
    assert (f"{link.context.trace_id:032x}", link.context.trace_state.to_header()) == (TRACE_ID, "a=1")


def as_pairs(carrier: Any) -> list[tuple[Any, Any]]:
    return list(carrier.items() if hasattr(carrier, "items") else map(tuple, carrier))


WRITTEN: list[tuple[str, Any, list[tuple[Any, Any]]]] = [
    ("an empty list", [], [("traceparent", PARENT)]),
    ("pairs of text", [("a", "b")], [("a", "b"), ("traceparent", PARENT)]),
    ("pairs of bytes", [(b"a", b"b")], [(b"a", b"b"), (b"traceparent", BYTES)]),
    ("pairs of Kafka", [("a", b"b")], [("a", b"b"), ("traceparent", BYTES)]),
    ("a pair of the same name", [(b"Traceparent", b"old"), (b"a", b"b")], [(b"Traceparent", BYTES), (b"a", b"b")]),
    (
        "two of the name",
        [("traceparent", "1"), ("a", "b"), ("traceparent", "2")],
        [("traceparent", PARENT), ("a", "b")],
    ),
    ("lists", [["a", "b"]], [("a", "b"), ("traceparent", PARENT)]),
    ("an empty mapping", {}, [("traceparent", PARENT)]),
    ("a mapping", {"a": "b"}, [("a", "b"), ("traceparent", PARENT)]),
    ("a mapping with bytes", {"a": b"b"}, [("a", b"b"), ("traceparent", BYTES)]),
    ("a mapping of bytes", {b"a": b"b"}, [(b"a", b"b"), (b"traceparent", BYTES)]),
    ("a mapping with several kinds", {"a": b"b", "c": 5}, [("a", b"b"), ("c", 5), ("traceparent", PARENT)]),
    ("a mapping of lists", {"a": ["b"]}, [("a", ["b"]), ("traceparent", [PARENT])]),
    ("another capital", {"Traceparent": "old"}, [("Traceparent", PARENT)]),
    ("an email", message(email.message.Message, Traceparent="old"), [("traceparent", PARENT)]),
    ("http.client", message(http.client.HTTPMessage, a="b"), [("a", "b"), ("traceparent", PARENT)]),
    ("multidict", multidict.CIMultiDict({"Traceparent": "old"}), [("traceparent", PARENT)]),
    ("httpx", httpx.Headers({"Traceparent": "old"}), [("traceparent", PARENT)]),
]


@pytest.mark.parametrize(("carrier", "found"), [each[1:] for each in WRITTEN], ids=[each[0] for each in WRITTEN])
def test_a_field_is_written_as_the_others_of_its_carrier(carrier, found: list[tuple[Any, Any]]):
    set_header(carrier, "traceparent", PARENT)
    assert as_pairs(carrier) == found
    set_header(carrier, "traceparent", PARENT)
    assert as_pairs(carrier) == found


def test_a_name_in_bytes_is_written_in_bytes():
    carrier: list[Any] = []
    set_header(carrier, b"traceparent", PARENT)
    assert carrier == [(b"traceparent", BYTES)]


def test_a_named_tuple_is_written_as_one():
    carrier = [Metadatum("a", "b")]
    set_header(carrier, "traceparent", PARENT)
    assert type(carrier[1]) is Metadatum


@pytest.mark.parametrize("name", ["werkzeug.datastructures.Headers", "starlette.datastructures.MutableHeaders"])
def test_a_field_of_another_library_is_written(name: str):
    carrier = header_object(name, {"Traceparent": "old"})
    set_header(carrier, "traceparent", PARENT)
    assert [value for key, value in carrier.items() if key.lower() == "traceparent"] == [PARENT]


INJECT = """
spans:
  send: {around: 'HOST:send', inject: {traceparent: 'headers["traceparent"]'}}
"""
INJECTION = """
hooks:
  send: {call: 'HOST:send'}
spans:
  outer: {around: 'HOST:receive'}
inject:
  context: {at: send.enter, traceparent: 'headers["traceparent"]'}
"""


def spans_of(tracing: Any) -> Iterator[str]:
    for span in tracing.spans:
        yield f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"


@pytest.mark.parametrize("spec", [INJECT, INJECT.replace('headers["traceparent"]', "headers.traceparent")])
@pytest.mark.parametrize("headers", [[], [(b"a", b"b")], {}, {"a": b"b"}], ids=repr)
def test_the_context_of_a_span_is_injected_before_the_call(
    spec: str, headers, tracing, make_module: Callable[..., Any], instrumented
):
    module, headers = make_module(HOST), copy.copy(headers)
    with instrumented(spec, module):
        assert module.send(headers) is None
    (written,) = [value for name, value in as_pairs(headers) if name in ("traceparent", b"traceparent")]
    assert (written if isinstance(written, str) else written.decode())[:52] == next(spans_of(tracing))[:52]


def test_an_object_with_a_field_gets_an_attribute(tracing, make_module: Callable[..., Any], instrumented):
    module, message = make_module(HOST), types.SimpleNamespace(traceparent=None)
    with instrumented(INJECT.replace('headers["traceparent"]', "headers.traceparent"), module):
        module.send(message)
    assert message.traceparent[:52] == next(spans_of(tracing))[:52]


@pytest.mark.parametrize(
    "headers",
    [message(email.message.Message), http.client.HTTPMessage(), httpx.Headers(), UserDict(), multidict.CIMultiDict()],
    ids=lambda value: type(value).__name__,
)
def test_a_header_object_gets_a_header_if_the_field_is_named_with_a_dot(
    headers, tracing, make_module: Callable[..., Any], instrumented
):
    module = make_module(HOST)
    with instrumented(INJECT.replace('headers["traceparent"]', "headers.traceparent"), module):
        module.send(headers)
    assert headers["traceparent"][:52] == next(spans_of(tracing))[:52]


IMMUTABLE = [
    (("a", "b"),),
    None,
    multidict.CIMultiDictProxy(multidict.CIMultiDict()),
    types.MappingProxyType({}),
    "text",
    (pair for pair in [("a", "b")]),
]


@pytest.mark.parametrize("headers", IMMUTABLE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("spec", [INJECT, INJECTION], ids=["of a span", "at a moment"])
def test_a_carrier_that_cannot_be_changed_is_reported_once_with_its_line(
    spec: str, headers, tracing, make_module: Callable[..., Any], instrumented, caplog: pytest.LogCaptureFixture
):
    module = make_module(HOST)
    with instrumented(spec, module), tracing.provider.get_tracer("t").start_as_current_span("outer"):
        for _ in range(3):
            assert module.send(headers) is None
    (text,) = (message for message in caplog.messages if "spec.yaml:" in message)
    assert f"cannot be written to an object of type {_title(headers)}: its items cannot be set" in text


def _title(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


@pytest.mark.parametrize(
    ("form", "given", "expected"),
    [
        ("mapping", None, {"traceparent": "…"}),
        ("pairs", None, [("traceparent", "…")]),
        ("pairs", (), (("traceparent", "…"),)),
        ("byte_pairs", None, [("traceparent", "…".encode())]),
        ("byte_pairs", [], [("traceparent", "…".encode())]),
        ("byte_pairs", [("id", b"1")], [("id", b"1"), ("traceparent", "…".encode())]),
    ],
)
def test_a_carrier_that_is_missing_gets_the_form_that_the_library_has(
    form: str, given, expected, make_module, instrumented, tracing
):
    module = make_module("def send(message, headers=None):\n    return headers")
    spec = f'spans: {{send: {{around: "HOST:send", inject: {{carrier: headers, form: {form}}}}}}}'
    with instrumented(spec, module):
        sent = module.send("tea", given)
    context = tracing.span.context
    traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(filled, value))
        return {"…": traceparent, b"\xe2\x80\xa6": traceparent.encode()}.get(value, value)

    assert sent == filled(expected)
    if given == []:
        assert sent is given


@pytest.mark.parametrize(
    "given",
    [{"id": "1"}, [("id", "1")], (("id", "1"),), multidict.CIMultiDict(id="1"), UserDict(id="1"), {}, None],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(
    "inject",
    [
        "spans: {send: {around: send, inject: {carrier: headers, copy: true}}}",
        "spans: {send: {around: send}}\ninject: {sent: {at: send.enter, carrier: headers, copy: true}}",
    ],
    ids=["of a span", "at a moment"],
)
def test_a_copy_of_the_carrier_leaves_that_of_the_program_as_it_is(
    inject: str, given, make_module, instrumented, tracing
):
    module = make_module("def send(message, headers=None):\n    return headers")
    before = copy.copy(given)
    with instrumented(f'hooks: {{send: {{call: "HOST:send"}}}}\n{inject}', module):
        sent = module.send("tea", given)
    assert given == before
    assert given is None or type(sent) is type(given)
    assert trace.format_trace_id(tracing.span.context.trace_id) in dict(sent)["traceparent"]
    assert dict(sent).get("id") == dict(given or {}).get("id")


def test_a_carrier_that_cannot_be_copied_or_replaced_is_reported_and_not_changed(make_module, instrumented, logged):
    module = make_module("def send(message):\n    return message")
    spec = """
    spans: {send: {around: "HOST:send", inject: {carrier: message.headers or message.email, copy: true}}}
    """
    kept, letter = types.SimpleNamespace(headers={"id": "1"}), types.SimpleNamespace(email=email.message.Message())
    with instrumented(spec, module):
        module.send(kept)
        module.send(letter)
    assert (kept.headers, [*letter.email.keys()]) == ({"id": "1"}, [])
    assert "neither a field nor a parameter that could be replaced" in "\n".join(logged())
