"""The spans of a program reach a collector, over HTTP and over gRPC, with their kinds, links, scopes and attributes."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.processes import PATIENCE, free_port, listens, until
from tests.real.programs import needs

pytestmark = needs("ag2", "rotel", "opentelemetry.exporter.otlp")

PROGRAM = Path(__file__).parents[1] / "viewers" / "five_agents.py"
SCOPE = "opentelemetry.instrumentation.ag2"


class Backend(ThreadingHTTPServer):
    """What the collector exports to: it keeps the spans that it receives."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scope_spans: list[Any] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Backend

    def do_POST(self) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        self.server.scope_spans += [scope for each in request.resource_spans for scope in each.scope_spans]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@contextlib.contextmanager
def _backend() -> Iterator[Backend]:
    with Backend() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextlib.contextmanager
def _collector(backend: Backend, folder: Path, ports: Mapping[str, int]) -> Iterator[None]:
    """A collector that listens at a port for each protocol, and forwards spans to the backend."""
    spec = importlib.util.find_spec("rotel")
    assert spec is not None
    assert spec.origin is not None
    options = {
        "otlp-grpc-endpoint": f"127.0.0.1:{ports['grpc']}",
        "otlp-http-endpoint": f"127.0.0.1:{ports['http/protobuf']}",
        "exporter": "otlp",
        "otlp-exporter-protocol": "http",
        "otlp-exporter-endpoint": f"http://127.0.0.1:{backend.server_port}",
        "batch-timeout": "100ms",
        "pid-file": str(folder / "pid"),
    }
    command = [str(Path(spec.origin).with_name("rotel-agent")), "start"]
    command += [f"--{key}={value}" for key, value in options.items()]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: all(map(listens, ports.values())) or process.poll() is not None, "a collector")
        assert process.poll() is None, (folder / "log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Backend]:
    """What arrives at the backend, by protocol."""
    found = {}
    for protocol in ("http/protobuf", "grpc"):
        with (
            _backend() as backend,
            free_port() as grpc,
            free_port() as http,
            _collector(backend, tmp_path_factory.mktemp("collector"), ports := {"grpc": grpc, "http/protobuf": http}),
        ):
            environment = {
                "OTEL_TRACES_EXPORTER": "otlp",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{ports[protocol]}",
            }
            command = [str(Path(sys.executable).with_name("opentelemetry-instrument")), sys.executable, str(PROGRAM)]
            subprocess.run(command, env=os.environ | environment, check=True, timeout=PATIENCE)
            until(lambda backend=backend: len(_ours(backend)) >= 59, "all spans")  # type: ignore[misc]
        found[protocol] = backend
    return found


def _ours(backend: Backend) -> list[Any]:
    return [span for each in list(backend.scope_spans) if each.scope.name == SCOPE for span in each.spans]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_every_span_arrives_with_its_scope_kind_and_links(protocol: str, received: dict[str, Backend]):
    backend = received[protocol]
    spans = _ours(backend)
    names = Counter(span.name.split(" ")[0] for span in spans)
    assert names == {
        "agent.lifetime": 5,
        "network.channel": 4,
        "network.envelope": 13,
        "network.task": 2,
        "network.turn_failed": 1,
        "invoke_agent": 7,
        "chat": 11,
        "execute_tool": 4,
        "record_usage": 12,
    }
    scope = next(each for each in backend.scope_spans if each.scope.name == SCOPE)
    assert scope.scope.version
    assert scope.schema_url == "https://opentelemetry.io/schemas/1.41.0"
    producer = 4
    envelopes = [span for span in spans if span.name.startswith("network.envelope")]
    assert {span.kind for span in envelopes} == {producer}
    assert all(span.links for span in envelopes)


def test_the_protocols_transport_the_same_attributes(received: dict[str, Backend]):
    def keys(backend: Backend) -> Counter[tuple[str, str]]:
        return Counter((span.name.split(" ")[0], each.key) for span in _ours(backend) for each in span.attributes)

    http, grpc = (keys(received[protocol]) for protocol in ("http/protobuf", "grpc"))
    assert http == grpc
    assert http["chat", "gen_ai.conversation.id"] == 11


def test_instrument_view_receives_what_the_exporter_for_grpc_sends():
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.declarative.view.endpoint import Endpoint
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    endpoint = Endpoint(port=0)
    provider = TracerProvider()
    try:
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=endpoint.url, insecure=True)))
        provider.get_tracer("test").start_span("work").end()
        provider.shutdown()
    finally:
        endpoint.close()
    assert [(span.name, span.scope) for span in endpoint.recording.spans] == [("work", "test")]
