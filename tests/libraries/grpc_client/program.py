"""Calls a server that it starts: methods with one message and with streams of them, which fail or are cancelled."""

import atexit
import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc._channel import _RPCState, _UnaryUnaryMultiCallable


def find(request: bytes, context: Any) -> bytes:
    if request == b"nothing":
        context.abort(grpc.StatusCode.NOT_FOUND, "no such item")
    if request == b"failing":
        raise ValueError("no tea")
    return request


def watch(request: bytes, context: Any) -> Iterator[bytes]:
    yield request
    if request == b"nothing":
        context.abort(grpc.StatusCode.NOT_FOUND, "no such item")
    yield request


def add(requests: Iterable[bytes], context: Any) -> bytes:
    return b",".join(requests)


def talk(requests: Iterable[bytes], context: Any) -> Iterator[bytes]:
    for request in requests:
        yield find(request, context)


METHODS = {
    "Find": grpc.unary_unary_rpc_method_handler(find),
    "Watch": grpc.unary_stream_rpc_method_handler(watch),
    "Add": grpc.stream_unary_rpc_method_handler(add),
    "Talk": grpc.stream_stream_rpc_method_handler(talk),
}


def start_server() -> str:
    """Start a server, which is stopped when the process ends, and return its address."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Shop", METHODS),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    atexit.register(server.stop, None)
    return f"127.0.0.1:{port}"


ADDRESS = start_server()


def main() -> None:
    with grpc.insecure_channel(ADDRESS) as channel:
        find, add = channel.unary_unary("/shop.Shop/Find"), channel.stream_unary("/shop.Shop/Add")
        watch, talk = channel.unary_stream("/shop.Shop/Watch"), channel.stream_stream("/shop.Shop/Talk")
        find(b"tea", metadata=(("shop", "1"),))
        find.with_call(b"tea")
        find.future(b"tea").result()
        add(iter([b"tea", b"cup"]))
        add.future(iter([b"tea"])).result()
        [*watch(b"tea")]
        [*talk(iter([b"tea", b"cup"]))]
        for item in (b"nothing", b"failing"):
            with contextlib.suppress(grpc.RpcError):
                find(item)
            find.future(item).exception()
            with contextlib.suppress(grpc.RpcError):
                [*talk(iter([item]))]
        with contextlib.suppress(grpc.RpcError):
            [*watch(b"nothing")]
        with contextlib.suppress(grpc.RpcError):
            channel.unary_unary("/shop.Shop/Nothing")(b"tea")


class Answering(_UnaryUnaryMultiCallable):
    """Answers calls with their request, without a server, whose time would be measured as well."""

    __slots__ = ()

    def _blocking(self, request: Any, *options: Any) -> Any:
        state = _RPCState((), (), (), grpc.StatusCode.OK, "")
        state.response = request
        return state, None


used: list[Any] = []


def prepare() -> None:
    """The instrumentation of OpenTelemetry traces the channels that are created once it is active."""
    method: Any = grpc.insecure_channel(ADDRESS).unary_unary("/shop.Shop/Find")
    used[:] = [method]
    getattr(method, "_base_callable", method).__class__ = Answering


def hot() -> None:
    used[0](b"tea")
