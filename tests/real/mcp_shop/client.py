"""Uses the tools, prompts and resources of a server: in this process, over standard input, and over HTTP."""

import asyncio
import contextlib
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from server import server

try:
    import mcp_types as types
    from mcp import Client
    from mcp import MCPError as Error
    from mcp.client.streamable_http import streamable_http_client
except ImportError:  # before version 2
    from mcp import McpError as Error
    from mcp import types
    from mcp.client.streamable_http import streamablehttp_client as streamable_http_client
    from mcp.shared.memory import create_connected_server_and_client_session

    Client = None


async def sample(context: Any, params: Any) -> Any:
    return types.CreateMessageResult(role="assistant", content=types.TextContent(type="text", text="yo"), model="m")


async def list_roots(context: Any) -> Any:
    return types.ListRootsResult(roots=[types.Root(uri="file:///shop")])


async def elicit(context: Any, params: Any) -> Any:
    return types.ElicitResult(action="accept", content={"sure": True})


ANSWERS: dict[str, Any] = {
    "sampling_callback": sample,
    "list_roots_callback": list_roots,
    "elicitation_callback": elicit,
}


def command(*arguments: str) -> list[str]:
    """The command that starts the server, instrumented if this process is."""
    traced = os.environ["SCRATCH"].endswith("instrumented")
    prefix = shutil.which("opentelemetry-instrument", path=os.path.dirname(sys.executable))
    return [*([str(prefix)] if traced else []), sys.executable, "server.py", *arguments]


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[Any]:
    if Client is not None:
        async with Client(server) as client:
            yield client
    else:
        async with create_connected_server_and_client_session(server._mcp_server) as session:
            yield session


@contextlib.asynccontextmanager
async def connected_over(transport: Any) -> AsyncIterator[Any]:
    async with transport as streams, ClientSession(*streams[:2], **ANSWERS) as session:
        await session.initialize()
        yield session


@contextlib.contextmanager
def serving_over_http() -> Iterator[str]:
    process = subprocess.Popen(command("http"), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


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


async def talk(session: Any, where: str) -> None:
    """Answers requests of the server, and stops waiting: once by a timeout, and once because it is cancelled."""
    await session.send_ping()
    print((await session.call_tool("ask", {})).content[0].text)
    limit: Any = 1 if Client is not None else timedelta(seconds=1)
    try:
        await session.call_tool("wait", {}, read_timeout_seconds=limit)
    except Error as error:
        print("timeout", error.error.code)
    with anyio.move_on_after(1) as scope:
        await session.call_tool("wait", {})
    print("cancelled", scope.cancel_called)


async def main() -> None:
    async with connected() as session:
        await visit(session, "here")
    parameters = StdioServerParameters(command=command()[0], args=command()[1:], env=dict(os.environ))
    # Another session is opened after it, with another transport.
    async with connected_over(stdio_client(parameters)) as session, connected():
        await visit(session, "elsewhere")
    with serving_over_http() as url:
        if Client is not None:
            async with Client(f"{url}/mcp") as client:
                await visit(client, "stateless")
        async with connected_over(streamable_http_client(f"{url}/mcp")) as session:
            await visit(session, "far")
            await talk(session, "far")
        async with connected_over(sse_client(f"{url}/sse")) as session:
            await visit(session, "sse")
            await talk(session, "sse")


if __name__ == "__main__":
    logging.disable()
    asyncio.run(main())
