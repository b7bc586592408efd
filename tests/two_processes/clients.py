"""Four agents that are connected to a hub in another process. Their models are scripted. There is no tracing code here.

Alice asks bob, whose tool asks carol, and receives his answer. Then she asks dora, whose turn fails.
"""

from __future__ import annotations

import asyncio
import importlib
from contextlib import AsyncExitStack
from typing import Any

from tests.oracle.api import EV_TEXT, PACKAGE, Agent, AgentClient, Envelope, HubClient, leave, register, tool
from tests.oracle.world import PATIENCE, Script, call

from .errands import ask

WsLink = importlib.import_module(f"{PACKAGE}.network.transport.ws").WsLink
default_handler = importlib.import_module(f"{PACKAGE}.network.client.handlers").default_handler


class Member:
    """An agent on the network that tracks which messages it has processed, successfully or not."""

    def __init__(self, client: AgentClient) -> None:
        self.client = client
        self._done: asyncio.Queue[str] = asyncio.Queue()
        client.on_envelope(self._handle)

    async def _handle(self, envelope: Envelope) -> None:
        await default_handler(envelope, self.client)
        if envelope.event_type == EV_TEXT:
            await self._done.put(envelope.event_data["text"])

    async def done(self) -> str:
        """Wait for the next message to be processed, and return its text."""
        return await asyncio.wait_for(self._done.get(), PATIENCE)


async def main(port: str) -> None:
    async with AsyncExitStack() as connections:

        async def join(name: str, *script: Any, tools: Any = ()) -> Member:
            connection = await connections.enter_async_context(HubClient(WsLink(f"ws://127.0.0.1:{port}")))
            agent = Agent(name, config=Script(*script), tools=tools)
            return Member(await register(connection, agent, attach_plugin=False))

        @tool
        async def look_up(topic: str) -> str:
            """Ask carol about a topic."""
            shelf = await bob.client.open(type="consulting", target="carol")
            await shelf.send(f"What do we have about {topic}?")
            answer = await bob.client.wait_for_channel_event(
                channel_id=shelf.channel_id, predicate=lambda one: one.event_type == EV_TEXT, timeout=PATIENCE
            )
            return str(answer.event_data["text"])

        alice = await join("alice", "")
        bob = await join("bob", call("look_up", '{"topic": "tides"}'), "Twice a day.", tools=[look_up])
        carol = await join("carol", "One book.")
        dora = await join("dora", ValueError("no such shelf"))

        talk = await alice.client.open(type="conversation", target="bob")
        await ask(talk, "How often are tides?")
        print("carol was asked:", await carol.done())
        print("alice has heard:", await alice.done())
        await talk.close()

        failing = await alice.client.open(type="consulting", target="dora")
        await failing.send("And why?")
        print("dora was asked:", await dora.done())
        await failing.close()

        for member in (dora, carol, bob, alice):
            await leave(member.client)
