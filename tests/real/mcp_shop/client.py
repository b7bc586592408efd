"""Uses the tools, prompts and resources of a server in this process, and then those of a server of its own process."""

import asyncio
import contextlib
import logging
import os
import shutil
import sys
from collections.abc import AsyncIterator
from typing import Any

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from server import server

try:
    from mcp import Client
    from mcp import MCPError as Error
except ImportError:  # before version 2
    from mcp import McpError as Error
    from mcp.shared.memory import create_connected_server_and_client_session

    Client = None


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[Any]:
    if Client is not None:
        async with Client(server) as client:
            yield client
    else:
        async with create_connected_server_and_client_session(server._mcp_server) as session:
            yield session


@contextlib.asynccontextmanager
async def connected_over_stdio() -> AsyncIterator[Any]:
    traced = os.environ["SCRATCH"].endswith("instrumented")
    command = [*([shutil.which("opentelemetry-instrument", path=os.path.dirname(sys.executable))] if traced else [])]
    command += [sys.executable, "server.py"]
    parameters = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
        await session.initialize()
        yield session


async def report(progress: float, total: float | None, message: str | None) -> None:
    print("progress", float(progress), float(total or 0))


async def visit(session: Any, where: str) -> None:
    tools = await session.list_tools()
    print(where, [tool.name for tool in tools.tools])
    result = await session.call_tool("add", {"a": 1, "b": 2}, progress_callback=report)
    print(result.content[0].text)
    result = await session.call_tool("refuse", {})
    print(result.model_dump(by_alias=True)["isError"])
    print((await session.get_prompt("greet", {"name": "Ann"})).messages[0].content.text)
    print((await session.read_resource("shop://prices")).contents[0].text)
    try:
        await session.get_prompt("unknown", {})
    except Error as error:
        print(error.error.message)


async def main() -> None:
    async with connected() as session:
        await visit(session, "here")
    async with connected_over_stdio() as session:
        await visit(session, "elsewhere")


if __name__ == "__main__":
    logging.disable()
    asyncio.run(main())
