"""A server of the Model Context Protocol: in the process of its client, over standard input, or over HTTP."""

import asyncio
import logging
import socket
import sys
from typing import Any

from pydantic import BaseModel

try:
    from mcp.server.mcpserver import Context
    from mcp.server.mcpserver import MCPServer as Server
    from mcp_types import SamplingMessage, TextContent
except ImportError:  # before version 2
    from mcp.server.fastmcp import Context
    from mcp.server.fastmcp import FastMCP as Server
    from mcp.types import SamplingMessage, TextContent

server = Server("shop")


class Answer(BaseModel):
    sure: bool


@server.tool()
async def add(a: int, b: int, ctx: Context) -> int:
    await ctx.report_progress(1, 2)
    return a + b


@server.tool()
def refuse() -> int:
    raise ValueError("no")


@server.tool()
async def ask(ctx: Context) -> str:
    """Sends requests and a notification to the client."""
    await ctx.session.send_ping()
    message = SamplingMessage(role="user", content=TextContent(type="text", text="hi"))
    sample: Any = await ctx.session.create_message([message], max_tokens=3)
    roots = await ctx.session.list_roots()
    answer: Any = await ctx.elicit("Sure?", Answer)
    await ctx.info("asked")
    return f"{sample.content.text} {len(roots.roots)} {answer.data.sure}"


@server.tool()
async def wait() -> None:
    await asyncio.sleep(60)


@server.prompt()
def greet(name: str) -> str:
    return f"Hello {name}"


@server.resource("shop://prices")
def prices() -> str:
    return "5"


def serve_over_http() -> None:
    """Serves both transports over HTTP, and prints the port first."""
    import uvicorn
    from starlette.applications import Starlette

    streamable, events = server.streamable_http_app(), server.sse_app()
    app = Starlette(routes=[*streamable.routes, *events.routes], lifespan=streamable.router.lifespan_context)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=20)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    logging.disable()
    serve_over_http() if "http" in sys.argv else server.run("stdio")
