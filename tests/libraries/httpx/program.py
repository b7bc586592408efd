"""Sends requests, synchronous and asynchronous, to a server in the process and to a socket without one."""

import asyncio
import contextlib

import httpcore
import httpx


class Answers(httpcore.ConnectionPool):
    """A pool of connections that answers with the status that the path contains."""

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        return _answer(request)


class AsyncAnswers(httpcore.AsyncConnectionPool):
    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        return _answer(request)


def _answer(request: httpcore.Request) -> httpcore.Response:
    if b"refused" in request.url.host:
        raise httpcore.ConnectError("refused")
    status = int(request.url.target.rsplit(b"/", 1)[1].partition(b"?")[0])
    return httpcore.Response(status, content=b"hello")


def client() -> httpx.Client:
    transport = httpx.HTTPTransport()
    transport._pool = Answers()
    return httpx.Client(transport=transport)


def async_client() -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport()
    transport._pool = AsyncAnswers()
    return httpx.AsyncClient(transport=transport)


CLIENT = client()


def hot() -> None:
    CLIENT.get("http://shop.example/200")


async def main_async() -> None:
    async with async_client() as used:
        await used.get("http://shop.example/200")
        await asyncio.gather(used.get("http://shop.example/404"), used.post("http://shop.example/201", json={}))
        with contextlib.suppress(httpx.ConnectError):
            await used.get("http://refused.example/200")


def main() -> None:
    for path in ("200", "404", "500", "200?page=2"):
        CLIENT.get(f"http://shop.example/{path}")
    CLIENT.post("http://shop.example:8080/201", json={})
    CLIENT.request("brew", "http://user:secret@shop.example/200")
    with CLIENT.stream("GET", "http://shop.example/200") as streamed:
        streamed.read()
    with contextlib.suppress(httpx.ConnectError):
        CLIENT.get("http://refused.example/200")
    asyncio.run(main_async())
