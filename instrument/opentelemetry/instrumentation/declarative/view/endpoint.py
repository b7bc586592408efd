"""An OTLP endpoint over HTTP, and over gRPC if `grpcio` is installed, which keeps the spans that it receives."""

from __future__ import annotations

import json
import re
import socket
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.instrumentation.declarative.view.formats.fields import FormatError
from opentelemetry.instrumentation.declarative.view.formats.otlp_protobuf import decode_traces
from opentelemetry.instrumentation.declarative.view.formats.reading import Recording
from opentelemetry.instrumentation.declarative.view.grpc_endpoint import ADVICE, grpc_endpoint, is_http2

#: The port of OTLP over HTTP.
DEFAULT_PORT = 4318
DEFAULT_HOST = "127.0.0.1"
#: The largest request, also when it is decompressed.
_MAX_BODY = 256 * 1024 * 1024
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_OTHER_SIGNALS = ("/v1/metrics", "/v1/logs", "/v1development/profiles")


class Endpoint:
    """Receives spans until it is closed. ``recording`` has what was received so far."""

    def __init__(self, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> None:
        self.recording = Recording()
        self._lock = threading.Lock()
        self._server = (_ServerIPv6 if ":" in host else _Server)((host, port), _Handler)
        self._server.endpoint = self
        self.grpc = grpc_endpoint(lambda message: self.receive(message, _PROTOBUF), _MAX_BODY)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        name = host.decode() if isinstance(host, bytes) else str(host)
        return f"http://{f'[{name}]' if ':' in name else name}:{port}"

    @property
    def protocols(self) -> str:
        return "OTLP over HTTP and gRPC" if self.grpc else "OTLP over HTTP"

    def poll(self) -> None:
        """Do nothing: spans are added as they arrive."""

    def receive(self, body: bytes, content_type: str) -> None:
        """Add the spans of a request. Raises FormatError."""
        try:
            record = decode_traces(body) if content_type == _PROTOBUF else json.loads(body)
        except (ValueError, RecursionError) as error:
            self._refused(str(error) if isinstance(error, FormatError) else "is not JSON")
        with self._lock:
            self.recording.lines += 1
            self.recording.size += len(body)
        self._add(record)

    def _add(self, record: Any) -> None:
        with self._lock:
            try:
                self.recording.add_record(record)
                return
            except FormatError as error:
                reason = str(error)
        self._refused(reason)

    def _refused(self, reason: str) -> None:
        with self._lock:
            self.recording.add_broken(self.recording.lines, reason)
        raise FormatError(reason)

    def close(self) -> None:
        """Stop receiving."""
        self._server.shutdown()
        self._server.server_close()
        if self.grpc is not None:
            self.grpc.close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    endpoint: Endpoint


class _ServerIPv6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    """Answers one exporter."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Server

    def handle(self) -> None:
        if not is_http2(self.connection):
            super().handle()
        elif self.server.endpoint.grpc is not None:
            self.server.endpoint.grpc.serve(self.connection)
        else:
            self.server.endpoint.recording.advice = ADVICE

    def do_POST(self) -> None:
        content_type = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        path = self.path.partition("?")[0].rstrip("/")
        body = self._body()
        if body is None:
            self._answer(413, content_type, close=True)
        elif path in _OTHER_SIGNALS:
            self._answer(200, content_type)
        elif path != "/v1/traces":
            self._answer(404, content_type)
        elif content_type not in (_PROTOBUF, _JSON):
            self._answer(415, content_type)
        else:
            self._receive(body, content_type)

    def _receive(self, body: bytes, content_type: str) -> None:
        try:
            self.server.endpoint.receive(_decompressed(body, self.headers.get("Content-Encoding", "")), content_type)
        except (FormatError, zlib.error):
            self._answer(400, content_type)
        else:
            self._answer(200, content_type)

    def _body(self) -> bytes | None:
        """The body of the request; None if it is too large or has no length."""
        if self.headers.get("Transfer-Encoding", "").strip().lower() == "chunked":
            return self._chunks()
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MAX_BODY:
            return None
        return self.rfile.read(int(length))

    def _chunks(self) -> bytes | None:
        """A body of which each part begins with a line that has its size."""
        body = b""
        while True:
            line = self.rfile.readline(100).partition(b";")[0].strip()
            size = int(line, 16) if _CHUNK_SIZE.fullmatch(line) else -1
            if size < 0 or len(body) + size > _MAX_BODY:
                return None
            body += self.rfile.read(size)
            self.rfile.readline(100)
            if size == 0:
                return body

    def _answer(self, status: int, content_type: str, *, close: bool = False) -> None:
        body = b"{}" if content_type == _JSON else b""
        self.send_response(status)
        self.send_header("Content-Type", content_type if content_type in (_PROTOBUF, _JSON) else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests are not of interest."""


def _decompressed(body: bytes, encoding: str) -> bytes:
    """Decompress a body, no more than ``_MAX_BODY``. Raises FormatError."""
    if encoding.strip().lower() not in ("gzip", "deflate"):
        return body
    decompressor = zlib.decompressobj(wbits=47)  # detects gzip and zlib
    result = decompressor.decompress(body, _MAX_BODY)
    if decompressor.unconsumed_tail or not decompressor.eof:
        raise FormatError("is too large or incomplete")
    return result
