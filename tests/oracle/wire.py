"""A hub that is reached over AG2's WebSocket transport in the same process."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from .api import PACKAGE, Agent, AgentClient, Hub, HubClient, register

needs_websockets = pytest.mark.skipif(
    importlib.util.find_spec("websockets") is None,
    reason="AG2's transport between processes needs the package websockets",
)


class Wire:
    """Connections to one hub, one per agent: AG2 cannot open a channel between two agents that share a connection."""

    def __init__(self, link: Any, connections: AsyncExitStack) -> None:
        self._link = link
        self._connections = connections

    async def join(self, agent: Agent, **options: Any) -> AgentClient:
        """Register an agent over the wire."""
        client, _ = await self.connect(agent, **options)
        return client

    async def connect(self, agent: Agent, **options: Any) -> tuple[AgentClient, HubClient]:
        """Register an agent over the wire, and return its connection as well, so that the caller can end it."""
        connection = await self._connections.enter_async_context(HubClient(self._link))
        return await register(connection, agent, attach_plugin=False, **options), connection


@asynccontextmanager
async def wire(hub: Hub) -> AsyncIterator[Wire]:
    """Serve a hub on a free port."""
    ws = importlib.import_module(f"{PACKAGE}.network.transport.ws")
    async with ws.serve_ws(hub, "127.0.0.1", 0) as server, AsyncExitStack() as connections:
        (socket,) = server.sockets
        yield Wire(ws.WsLink(f"ws://127.0.0.1:{socket.getsockname()[1]}"), connections)
