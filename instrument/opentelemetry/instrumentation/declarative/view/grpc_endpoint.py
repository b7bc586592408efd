"""OTLP over gRPC, on the same port as OTLP over HTTP.

A connection that begins with HTTP/2 is passed on to a server of `grpcio`, which listens on a port of this host that
nobody needs to know. The messages are decoded as those over HTTP are.
"""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.view.formats.fields import FormatError

if TYPE_CHECKING:
    import grpc

#: How each connection over HTTP/2 begins.
_PREFACE = b"PRI * HTTP/2.0\r\n"
_SERVICE = "/opentelemetry.proto.collector.trace.v1.TraceService/"
_OTHER_SERVICES = "/opentelemetry.proto.collector."
#: What to do if spans arrive over gRPC and `grpcio` is not installed.
ADVICE = (
    "a program sends OTLP over gRPC, which needs the package grpcio: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf for "
    "that program, or install opentelemetry-instrumentation-declarative[grpc] here"
)


def is_http2(connection: socket.socket) -> bool:
    """Whether a new connection is one over HTTP/2. It waits for the first bytes, and leaves them to be read."""
    try:
        begin = connection.recv(len(_PREFACE), socket.MSG_PEEK)
    except OSError:
        return False
    return begin.startswith(b"PRI")


class GrpcEndpoint:
    """Receives traces over gRPC. ``receive`` is called with each message, and raises FormatError."""

    def __init__(self, receive: Callable[[bytes], None], max_size: int) -> None:
        import grpc

        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=4, thread_name_prefix="otlp-grpc"),
            handlers=[_handler(receive)],
            options=[("grpc.max_receive_message_length", max_size), ("grpc.so_reuseport", 0)],
        )
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def serve(self, connection: socket.socket) -> None:
        """Pass a connection on to the server until one side closes it."""
        connection.settimeout(None)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port)) as server:
            answers = threading.Thread(target=_copy, args=(server, connection), daemon=True)
            answers.start()
            _copy(connection, server)
            answers.join()

    def close(self) -> None:
        """Stop receiving."""
        self._server.stop(grace=None).wait()


def grpc_endpoint(receive: Callable[[bytes], None], max_size: int) -> GrpcEndpoint | None:
    """An endpoint for gRPC, or None if `grpcio` is not installed."""
    return GrpcEndpoint(receive, max_size) if importlib.util.find_spec("grpc") else None


def _handler(receive: Callable[[bytes], None]) -> grpc.GenericRpcHandler:
    import grpc

    def export(message: bytes, context: Any) -> bytes:
        try:
            receive(message)
        except FormatError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return b""

    class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, call: Any) -> Any:
            if call.method.startswith(_SERVICE):
                return grpc.unary_unary_rpc_method_handler(export)
            # Metrics and logs are accepted, so that programs report no failure.
            is_known = call.method.startswith(_OTHER_SERVICES)
            return grpc.unary_unary_rpc_method_handler(lambda *_: b"") if is_known else None

    return Handler()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy what arrives until the end, and close the other side for writing."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
