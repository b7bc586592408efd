"""A hub that serves WebSocket clients until its input is closed, and then prints its messages. No tracing code here."""

from __future__ import annotations

import asyncio
import importlib
import sys

from tests.oracle.api import PACKAGE, BaseHubListener, Hub, MemoryKnowledgeStore

serve_ws = importlib.import_module(f"{PACKAGE}.network.transport.ws").serve_ws


class Failures(BaseHubListener):
    """Prints the turns that have failed."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def on_turn_failed(self, channel_id: str, agent_id: str, envelope_id: str, exc: BaseException) -> None:
        print(f"{self._hub.name_for(agent_id)} failed: {type(exc).__name__}: {exc}")


async def serve(hub: Hub) -> None:
    """Serve on a free port, print it, and continue until the input is closed."""
    async with serve_ws(hub, "127.0.0.1", 0) as server:
        (socket,) = server.sockets
        print("port", socket.getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def main() -> None:
    hub = await Hub.open(MemoryKnowledgeStore())
    hub.register_listener(Failures(hub))
    await serve(hub)
    for channel in sorted(await hub.list_channels(limit=100), key=lambda one: one.created_at):
        for envelope in await hub.read_wal(channel.channel_id):
            if not envelope.event_type.startswith("ag2.channel."):
                print(f"{channel.manifest.type}: {envelope.event_data['text']}")
    await hub.close()
