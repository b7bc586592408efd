"""``instrument view`` receives spans over OTLP/HTTP, from programs that run already and from those that it starts."""

import base64
import contextlib
import gzip
import json
import os
import re
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.view import sources
from opentelemetry.instrumentation.declarative.view.endpoint import Endpoint

from . import recorded_spans as spans
from .processes import PATIENCE

PROTOBUF, JSON = "application/x-protobuf", "application/json"
#: What OpenTelemetry's exporter sends for the spans `outer` and `inner` of the service `shop`.
REQUEST = base64.b64decode(
    "CtkCChgKFgoMc2VydmljZS5uYW1lEgYKBHNob3ASvAIKBgoEdGVzdBLwAQoQAAAAAAAAAAAAAAAAAAAKvBIIAAAAAAAAAAIiCAAAAAAAAAABKgVp"
    "bm5lcjABOegDZKeztuANQdAHZKeztuANShAKAW4SCxj7//////////8BSg4KAWYSCSEAAAAAAAD4P0oHCgFiEgIQAUoJCgFzEgQKAsOpShQKBGxp"
    "c3QSDCoKCgMKAWEKAwoBYlobCdwFZKeztuANEgdoYXBwZW5zGgcKAWsSAhgBajQKEAAAAAAAAAAAAAAAAAAACrwSCAAAAAAAAAABIhEKCWxpbmsu"
    "a2luZBIECgJieTUAAQAAeggSBGxvc3QYAoUBAAEAABI/ChAAAAAAAAAAAAAAAAAAAAq8EggAAAAAAAAAASoFb3V0ZXIwAjkAAGSns7bgDUG4C2Sn"
    "s7bgDXoAhQEAAQAA"
)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint(port=0)
    yield endpoint
    endpoint.close()


def post(url: str, body: bytes, content_type: str, encoding: str = "") -> int:
    headers = {"Content-Type": content_type, **({"Content-Encoding": encoding} if encoding else {})}
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_spans_in_protobuf_are_decoded_with_all_that_is_viewed(endpoint: Endpoint):
    assert post(f"{endpoint.url}/v1/traces", gzip.compress(REQUEST), PROTOBUF, "gzip") == 200
    outer, inner = endpoint.recording.spans
    assert (outer.name, outer.kind, outer.parent_id, outer.status) == ("outer", "server", None, "unset")
    assert (outer.start, outer.end) == (10**18, 10**18 + 3000)
    assert (inner.parent_key, inner.status, inner.message) == (outer.key, "error", "lost")
    assert inner.attributes == {"n": -5, "f": 1.5, "b": True, "s": "é", "list": ["a", "b"]}
    assert [(event.time, event.name, event.attributes) for event in inner.events] == [
        (10**18 + 1500, "happens", {"k": 1})
    ]
    assert [(link.key, link.attributes) for link in inner.links] == [(outer.key, {"link.kind": "by"})]
    assert (inner.resource.service, inner.scope) == ("shop", "test")


def test_spans_in_json_are_received(endpoint: Endpoint):
    body = json.dumps(spans.otlp(spans.network())).encode()
    assert post(f"{endpoint.url}/v1/traces", body, f"{JSON}; charset=utf-8") == 200
    assert len(endpoint.recording.spans) == 14


def test_a_body_in_chunks_is_received(endpoint: Endpoint):
    request = urllib.request.Request(f"{endpoint.url}/v1/traces", iter([REQUEST[:100], REQUEST[100:]]))
    request.add_header("Content-Type", PROTOBUF)
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        assert response.status == 200
    assert len(endpoint.recording.spans) == 2


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_other_signals_are_accepted_so_that_programs_report_no_failure(endpoint: Endpoint, content_type: str):
    assert post(f"{endpoint.url}/v1/metrics", b"", content_type) == 200
    assert post(f"{endpoint.url}/v1/logs", b"", content_type) == 200


@pytest.mark.parametrize(
    ("path", "body", "content_type", "encoding", "status"),
    [
        ("/v1/traces", b"{", JSON, "", 400),
        ("/v1/traces", b"[" * 100_000, JSON, "", 400),
        ("/v1/traces", REQUEST[:-3], PROTOBUF, "", 400),
        ("/v1/traces", b"\xff" * 100, PROTOBUF, "", 400),
        ("/v1/traces", b"\x0a\x02\x0a", PROTOBUF, "", 400),
        ("/v1/traces", b"no gzip", PROTOBUF, "gzip", 400),
        ("/v1/traces", gzip.compress(REQUEST)[:-9], PROTOBUF, "gzip", 400),
        # A page in a browser can send this type to any address without asking.
        ("/v1/traces", b"{}", "text/plain", "", 415),
        ("/", b"{}", JSON, "", 404),
    ],
)
def test_requests_that_cannot_be_read_are_refused(
    endpoint: Endpoint, path: str, body: bytes, content_type: str, encoding: str, status: int
):
    assert post(endpoint.url + path, body, content_type, encoding) == status
    assert post(f"{endpoint.url}/v1/traces", REQUEST, PROTOBUF) == 200
    assert len(endpoint.recording.spans) == 2


def test_a_message_that_is_cut_anywhere_is_refused_without_another_error(endpoint: Endpoint):
    from opentelemetry.instrumentation.declarative.view.formats.fields import FormatError
    from opentelemetry.instrumentation.declarative.view.formats.otlp_protobuf import decode_traces

    for size in range(len(REQUEST)):
        for data in (REQUEST[:size], REQUEST[size:], REQUEST[:size] + b"\xff" + REQUEST[size + 1 :]):
            try:
                decode_traces(data)
            except FormatError:
                continue


GRPC = "/opentelemetry.proto.collector"


def call(endpoint: Endpoint, method: str, message: bytes, **options: Any) -> str:
    """Send a message over gRPC. Returns the name of the status."""
    import grpc

    with grpc.insecure_channel(endpoint.url.removeprefix("http://")) as channel:
        try:
            channel.unary_unary(method)(message, timeout=PATIENCE, **options)
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


def test_spans_over_grpc_are_received_at_the_same_port_as_those_over_http(endpoint: Endpoint):
    grpc = pytest.importorskip("grpc")
    assert endpoint.protocols == "OTLP over HTTP and gRPC"
    assert call(endpoint, f"{GRPC}.trace.v1.TraceService/Export", REQUEST) == "OK"
    assert call(endpoint, f"{GRPC}.trace.v1.TraceService/Export", REQUEST, compression=grpc.Compression.Gzip) == "OK"
    assert post(f"{endpoint.url}/v1/traces", REQUEST, PROTOBUF) == 200
    assert [span.name for span in endpoint.recording.spans] == ["outer", "inner"]  # the same spans three times
    assert endpoint.recording.lines == 3
    assert call(endpoint, f"{GRPC}.metrics.v1.MetricsService/Export", b"") == "OK"
    assert call(endpoint, f"{GRPC}.trace.v1.TraceService/Export", REQUEST[:-3]) == "INVALID_ARGUMENT"
    assert call(endpoint, "/other.Service/Export", b"") == "UNIMPLEMENTED"


def test_without_grpcio_the_user_reads_what_to_set(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "grpc", None)
    endpoint = Endpoint(port=0)
    assert endpoint.protocols == "OTLP over HTTP"
    host, port = endpoint.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1) == b""  # it is closed
    waits = iter((None, KeyboardInterrupt()))

    def wait(_: float) -> None:
        if (interrupt := next(waits)) is not None:
            raise interrupt

    monkeypatch.setattr(sources, "open_endpoint", lambda *_: endpoint)
    monkeypatch.setattr(sources.time, "sleep", wait)
    assert main(["view", "--listen", "0"]) == 1
    _, err = capfd.readouterr()
    said, failed = err.splitlines()[1:]
    assert said.startswith(
        "a program sends OTLP over gRPC, which needs the package grpcio: set OTEL_EXPORTER_OTLP_PROTOCOL="
    )
    assert failed == f"instrument view: no span has arrived: {said}"


PROGRAM = """\
import json, os, sys, urllib.request
url = os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
body = sys.argv[1].encode()
print("exported to", os.environ["OTEL_TRACES_EXPORTER"])
urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}))
sys.exit(3)
"""


def test_a_command_is_run_and_its_spans_are_shown(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console,none")
    body = json.dumps(spans.otlp(spans.network()))
    code = main(["view", "--show", "failures", "--listen", "0", "--", sys.executable, "-c", PROGRAM, body])
    out, err = capfd.readouterr()
    assert (code, err) == (3, "")
    assert out.startswith("exported to console,otlp\n\n1 failure\n+0.0450 s coordinator: execute_tool publish")


def test_the_title_of_a_page_has_no_variable_of_its_command(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    body = json.dumps(spans.otlp(spans.network()))
    command = ["env", "KEY=secret", sys.executable, "-c", PROGRAM, body]
    assert main(["view", "--html", "-", "--listen", "0", "--", *command]) == 3
    out, _ = capfd.readouterr()
    (title,) = re.findall("<title>(.*?) -c", out)
    assert title == os.path.basename(sys.executable)


RECORDED = """\
from opentelemetry import trace
tracer = trace.get_tracer("shop")
with tracer.start_as_current_span("checkout", attributes={"n": 1, "list": ["a"]}) as span:
    links = [trace.Link(span.get_span_context(), {"link.kind": "by"})]
    with tracer.start_as_current_span("pay", kind=trace.SpanKind.CLIENT, links=links):
        raise ValueError("declined")
"""


def test_a_command_under_opentelemetry_instrument_needs_no_exporter_of_its_own(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("OTEL_TRACES_EXPORTER", raising=False)
    instrument = os.path.join(os.path.dirname(sys.executable), "opentelemetry-instrument")
    command = [instrument, sys.executable, "-c", RECORDED]
    assert main(["view", "--show", "traces", "--attributes", "--", *command]) == 1
    out, _ = capfd.readouterr()
    assert re.sub(r"\d[\d,]*\.\d+ m?s|(?<=\[)\w{4,}|\d+ lines", "N", out).splitlines()[2:] == [
        "└─ checkout · +N · N · ERROR ValueError: declined",
        '   │ n=1 list=["a"]',
        "   │ • exception exception.type=ValueError exception.message=declined exception.stacktrace=(N)",
        "   │   exception.escaped=False",
        "   │ ↩ by ← pay [N]",
        "   └─ pay · client · +N · N · ERROR ValueError: declined",
        "        • exception exception.type=ValueError exception.message=declined exception.stacktrace=(N)",
        "          exception.escaped=False",
        "        ↪ by → checkout [N]",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--", sys.executable, "-c", "pass"], 1, "written no span. Run it under opentelemetry-instrument"),
        (["--listen", "0", "--", sys.executable, "-c", "pass"], 1, "exported no span. It must be instrumented"),
        (["--", "no-such-command"], 1, "there is no command no-such-command"),
        ([], 2, "name a FILE, or receive spans with --listen or -- COMMAND"),
        (["--listen", "0", "spans.jsonl"], 2, "but not both"),
        (["--since", "noon", os.devnull, __file__], 1, "line 1 is not JSON"),
        (["no-such-file"], 1, "no-such-file cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_viewed_is_an_error(
    capfd: pytest.CaptureFixture[str], arguments: list[str], code: int, expected: str
):
    assert main(["view", *arguments]) == code
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert expected in err
