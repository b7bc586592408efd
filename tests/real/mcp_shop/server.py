"""A server of the Model Context Protocol, for a client in the same process, or over standard input and output."""

import logging

try:
    from mcp.server.mcpserver import Context
    from mcp.server.mcpserver import MCPServer as Server
except ImportError:  # before version 2
    from mcp.server.fastmcp import Context
    from mcp.server.fastmcp import FastMCP as Server

server = Server("shop")


@server.tool()
async def add(a: int, b: int, ctx: Context) -> int:
    await ctx.report_progress(1, 2)
    return a + b


@server.tool()
def refuse() -> int:
    raise ValueError("no")


@server.prompt()
def greet(name: str) -> str:
    return f"Hello {name}"


@server.resource("shop://prices")
def prices() -> str:
    return "5"


if __name__ == "__main__":
    logging.disable()
    server.run("stdio")
