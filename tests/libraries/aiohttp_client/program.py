"""Sends requests to a server that it starts: answers, redirects, failures, and addresses in several forms."""

import asyncio
import contextlib
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.client_reqrep import ClientRequest
from aiohttp.test_utils import TestServer, unused_port
from multidict import CIMultiDict
from yarl import URL

PORT, CLOSED_PORT = unused_port(), unused_port()


async def answer(request: web.Request) -> web.Response:
    status = int(request.match_info["status"])
    if status == 102:
        await asyncio.sleep(60)
    if status == 302:
        raise web.HTTPFound(request.query.get("to", "/200"))
    return web.Response(status=status, text="hello")


async def use() -> None:
    application = web.Application()
    application.router.add_route("*", "/{status}", answer)
    server = TestServer(application, port=PORT)
    await server.start_server()
    address = f"http://127.0.0.1:{PORT}"
    async with aiohttp.ClientSession(address, headers={"X-Shop": "1"}) as session:
        for path in ("/200", "/404", "/500", "/302", "/200?page=2&sig=secret"):
            await session.get(path)
        await session.get("/200", params={"page": 2})
        with contextlib.suppress(aiohttp.TooManyRedirects):
            await session.get("/302", params={"to": "/302"}, max_redirects=2)
        with contextlib.suppress(aiohttp.ClientResponseError):
            await session.get("/404", raise_for_status=True)
        with contextlib.suppress(asyncio.TimeoutError):
            await session.get("/102", timeout=aiohttp.ClientTimeout(sock_read=0.01))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(session.get("/102"), 0.01)
    async with aiohttp.ClientSession() as session:
        await session.post(URL(address) / "201", json={"item": "tea"}, headers=(("X-Item", "tea"), ("X-Item", "cup")))
        await session.request(
            "purge", f"http://ann:secret@127.0.0.1:{PORT}/200", headers=CIMultiDict({"X-Item": "tea"})
        )
        with contextlib.suppress(aiohttp.ClientConnectorError):
            await session.get(f"http://127.0.0.1:{CLOSED_PORT}/200")
    await server.close()


def main() -> None:
    asyncio.run(use())


class Response:
    """A response that has been read."""

    status = 200
    headers: CIMultiDict[str] = CIMultiDict()
    connection = _raw_cookie_headers = None

    async def start(self, connection: Any) -> None:
        pass


class Request(ClientRequest):
    async def send(self, connection: Any) -> Any:
        return Response()


class Connector(aiohttp.BaseConnector):
    """Connects with nothing."""

    async def connect(self, request: Any, traces: Any, timeout: Any) -> Any:
        return self

    @property
    def protocol(self) -> Any:
        return self

    def set_response_params(self, **parameters: Any) -> None:
        pass


async def send() -> None:
    async with aiohttp.ClientSession(connector=Connector(), request_class=Request) as session:
        for _ in range(100):
            await session.get("http://shop.example/200")


def hot() -> None:
    asyncio.run(send())
