"""Attributes that stand for the entries of a mapping, such as headers."""

from email.message import Message
from typing import Any

import httpx
import pytest

HOST = """
def handle(headers):
    return headers
"""
_HEADERS = {"Content-Type": "text/html", "X-Request-Id": "7", "Authorization": "Bearer secret", "Host": "shop"}


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def test_the_selected_entries_of_a_mapping_are_attributes(module, instrumented, tracing):
    spec = """
    spans:
      handle:
        around: HOST:handle
        attributes:
          request.*: {value: headers, only: [content-type, "x-.*", AUTHORIZATION], redact: auth, case: lower}
          response.*: {value: result, only: "x-.*, content-type", case: snake, as_list: true}
          raw_*: {value: headers, only: host}
    """
    with instrumented(spec, module):
        module.handle(_HEADERS)
        module.handle(None)
    first, second = tracing.spans
    assert dict(first.attributes) == {
        "request.content-type": "text/html",
        "request.x-request-id": "7",
        "request.authorization": "[REDACTED]",
        "response.content_type": ("text/html",),
        "response.x_request_id": ("7",),
        "raw_Host": "shop",
    }
    assert dict(second.attributes) == {}


_REPEATED = [("X-Id", "1"), ("Set-Cookie", "a"), ("Set-Cookie", "b")]
_MESSAGE = Message()
for _name, _value in _REPEATED:
    _MESSAGE[_name] = _value


@pytest.mark.parametrize(
    "headers",
    [
        _REPEATED,
        tuple((name.encode(), value.encode()) for name, value in _REPEATED),
        {"X-Id": "1", "Set-Cookie": ["a", "b"], 7: "no text"},
        _MESSAGE,
        {"wsgi.version": (1, 0), "HTTP_X_ID": "1", "HTTP_SET_COOKIE": ["a", "b"], "REQUEST_METHOD": "GET"},
    ],
    ids=["pairs", "bytes", "mapping", "message", "environment"],
)
def test_headers_are_read_in_every_form(headers, module, instrumented, tracing):
    spec = """
    spans:
      handle: {around: "HOST:handle", attributes: {h.*: {value: headers, only: "[xs].*", case: lower}}}
    """
    with instrumented(spec, module):
        module.handle(headers)
        module.handle(iter(_REPEATED))  # an iterator is not read: the program needs it
    assert [dict(span.attributes) for span in tracing.spans] == [{"h.x-id": "1", "h.set-cookie": ("a", "b")}, {}]


def test_the_headers_of_an_http_client_are_recorded_as_variables_say(
    module, instrumented, tracing, monkeypatch: pytest.MonkeyPatch
):
    spec = """
    spans:
      request:
        around: httpx:Client.send
        attributes:
          http.request.header.*:
            value: request.headers
            only: "${SHOP_REQUEST_HEADERS}"
            redact: "${SHOP_SANITIZED_HEADERS}"
            case: lower
            as_list: true
          http.response.header.*: {value: result.headers, only: "${SHOP_RESPONSE_HEADERS}", case: lower}
    """

    def attributes() -> dict[str, Any]:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, headers={"X-Served": "a"}))
        with instrumented(spec, module), httpx.Client(transport=transport) as client:
            client.get("http://shop/", headers=[("X-Tag", "a"), ("X-Tag", "b"), ("Cookie", "c")])
        return dict(tracing.spans[-1].attributes)

    assert attributes() == {}
    monkeypatch.setenv("SHOP_REQUEST_HEADERS", "x-.*,cookie")
    monkeypatch.setenv("SHOP_RESPONSE_HEADERS", "(unbalanced")
    monkeypatch.setenv("SHOP_SANITIZED_HEADERS", "cook")
    assert attributes() == {
        "http.request.header.x-tag": ("a", "b"),
        "http.request.header.cookie": ("[REDACTED]",),
    }


def test_the_number_of_entries_is_limited(module, instrumented, tracing):
    spec = 'spans: {handle: {around: "HOST:handle", attributes: {h.*: {value: headers, only: ".*"}}}}'
    with instrumented(spec, module):
        module.handle({f"name-{index}": index for index in range(5_000)})
        module.handle({"a" * 10_000: 1, "b": 2})
    assert [len(span.attributes) for span in tracing.spans] == [128, 1]


def test_entries_that_are_content_are_withheld_and_hashed(
    module, instrumented, tracing, monkeypatch: pytest.MonkeyPatch
):
    spec = 'spans: {handle: {around: "HOST:handle", attributes: {h.*: {value: headers, only: host, content: true}}}}'
    with instrumented(spec, module):
        module.handle({"host": "shop"})
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_CONTENT", "truncate:2")
    with instrumented(spec, module):
        module.handle({"host": "shop"})
    assert [dict(span.attributes) for span in tracing.spans] == [{}, {"h.host": "sh"}]


def test_entries_are_attributes_of_events_ends_metrics_of_spans_and_groups(module, instrumented, tracing):
    spec = """
    hooks: {handle: {call: "HOST:handle"}}
    spans:
      request:
        start: handle.enter
        key: '"only"'
        end: {at: handle.return, attributes: {end.*: {value: result, only: host}}}
        attribute_groups:
          headers: {when: '"Host" in headers', attributes: {start.*: {value: headers, only: host, case: lower}}}
        events: {handled: {at: handle.return, attributes: {event.*: {value: headers, only: host}}}}
    metrics:
      requests: {instrument: counter, span: request, span_attributes: [start.host]}
    """
    with instrumented(spec, module):
        module.handle({"Host": "shop"})
    assert dict(tracing.span.attributes) == {"start.host": "shop", "end.Host": "shop"}
    assert [dict(event.attributes) for event in tracing.span.events] == [{"event.Host": "shop"}]
    assert [*tracing.points("requests")] == [(("start.host", "shop"),)]
