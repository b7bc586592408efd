"""Serves requests of a client, which are handled, redirected and refused, and whose handlers fail."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request, unused_port

PORT = unused_port()


async def item(request: web.Request) -> web.Response:
    return web.json_response({"item": request.match_info["name"]})


async def moved(request: web.Request) -> web.Response:
    raise web.HTTPFound("/items/tea")


async def refused(request: web.Request) -> web.Response:
    raise web.HTTPServiceUnavailable


async def failing(request: web.Request) -> web.Response:
    raise ValueError("no tea")


async def missing(request: web.Request) -> web.Response:
    return web.Response(status=500)


@web.middleware
async def named(request: web.Request, handler: Any) -> web.StreamResponse:
    response: web.StreamResponse = await handler(request)
    response.headers["X-Shop"] = "1"
    return response


ROUTES = [
    web.get("/items/{name}", item),
    web.get("/moved", moved),
    web.get("/refused", refused),
    web.get("/failing", failing),
    web.get("/missing", missing),
]


def make_application() -> web.Application:
    application = web.Application(middlewares=[named])
    application.add_routes(ROUTES)
    application.freeze()
    return application


used: list[web.Application] = []


def prepare() -> None:
    """The instrumentation of OpenTelemetry traces the applications that are created once it is active."""
    used[:] = [make_application()]


async def serve() -> None:
    request = make_mocked_request("GET", "/items/tea", {"Host": "shop.example", "User-Agent": "shop/1"})
    for _ in range(100):
        await used[0]._handle(request.clone())


def hot() -> None:
    asyncio.run(serve())


async def use() -> None:
    async with TestClient(TestServer(make_application(), port=PORT)) as client:
        for path in ("/items/tea", "/items/tea?page=2&Signature=secret", "/moved", "/refused", "/failing", "/missing"):
            await client.get(path, allow_redirects=False)
        await client.get("/nothing")
        await client.request("PURGE", "/items/tea")
        headers = {"traceparent": f"00-{7:032x}-{7:016x}-01", "User-Agent": "shop/1"}
        await client.post("/items/tea", data=b"tea", headers=headers)


def main() -> None:
    asyncio.run(use())
