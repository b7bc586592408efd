"""The environment of the scenarios: a hub with an artificial clock, scripted models, and waiting until it is idle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

from .api import (
    EV_CHANNEL_INVITE_ACK,
    EV_CHANNEL_INVITE_REJECT,
    Agent,
    AgentClient,
    BuiltinToolCallEvent,
    Envelope,
    Hub,
    HubClient,
    LLMClient,
    LocalLink,
    MemoryKnowledgeStore,
    ModelMessage,
    ModelResponse,
    Rule,
    TestConfig,
    ToolCallEvent,
    ToolCallsEvent,
    ToolErrorEvent,
    Usage,
    connect,
    leave,
    register,
)

Result: TypeAlias = Any
PATIENCE = 120.0
"""Seconds after which a condition that should have come true at once is a failure: many, for a machine that is busy."""

_ABSORBED = (EV_CHANNEL_INVITE_ACK, EV_CHANNEL_INVITE_REJECT)


class Clock:
    """A clock that stands still until it is advanced."""

    def __init__(self) -> None:
        self._now = datetime.now(timezone.utc)

    def __call__(self) -> str:
        return self._now.isoformat()

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Script(TestConfig):
    """A model with scripted replies, across turns. AG2's own test model has fewer features in older releases.

    A text, a reply or tool calls end a model call, an exception fails it, any other event is sent during it.
    """

    __test__ = False

    def __init__(self, *lines: Any, raise_tool_errors: bool = True) -> None:
        super().__init__()
        self._client = _ScriptClient(lines, raise_tool_errors)

    def create(self) -> LLMClient:  # type: ignore[override]
        return self._client


class _ScriptClient(LLMClient):
    def __init__(self, lines: Iterable[Any], raise_tool_errors: bool) -> None:
        self._lines = iter(lines)
        self._raise_tool_errors = raise_tool_errors

    async def __call__(self, messages: Any, context: Any, **kwargs: Any) -> ModelResponse:
        failed = [one.error for one in messages if isinstance(one, ToolErrorEvent)]
        if failed and self._raise_tool_errors:
            raise failed[0]
        for line in self._lines:
            if isinstance(line, BaseException):
                raise line
            if isinstance(line, str):
                message = ModelMessage(line)
                await context.send(message)
                return ModelResponse(message)
            if isinstance(line, ModelResponse):
                return line
            if isinstance(line, list):
                return ModelResponse(tool_calls=ToolCallsEvent(line))
            if isinstance(line, ToolCallEvent) and not isinstance(line, BuiltinToolCallEvent):
                return ModelResponse(tool_calls=ToolCallsEvent([line]))
            await context.send(line)
        raise AssertionError("the script is over")


class Waiting(TestConfig):
    """A model that signals when it is called and then never answers."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    def create(self) -> LLMClient:  # type: ignore[override]
        return _WaitingClient(self.asked)


class _WaitingClient(LLMClient):
    def __init__(self, asked: asyncio.Event) -> None:
        self._asked = asked

    async def __call__(self, messages: Any, context: Any, **kwargs: Any) -> ModelResponse:
        self._asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nothing ever sets that event")


def call(name: str, arguments: str = "{}", *, id: str = "") -> ToolCallEvent:
    """One tool call of a model, with an id that is the same in every run."""
    return ToolCallEvent(name, arguments=arguments, id=id or f"call-{name}")


def spent(text: str, **usage: float) -> ModelResponse:
    """A reply with its usage and the model's name."""
    return ModelResponse(
        ModelMessage(text), usage=Usage(**usage), model="model-1", provider="provider-1", finish_reason="stop"
    )


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Yield to other tasks until ``condition`` is true."""

    async def watch() -> None:
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.001)  # not 0: the loop would spin and starve the threads that it waits for

    await asyncio.wait_for(watch(), PATIENCE)


@dataclass
class World:
    """One hub, the agents on it and the means to wait for them."""

    hub: Hub
    clock: Clock
    shared: HubClient
    members: list[AgentClient] = field(default_factory=list)
    humans: list[Any] = field(default_factory=list)

    async def join(
        self, agent: Agent, *, rule: Rule | None = None, alone: bool = True, plugin: bool = False, **more: Any
    ) -> AgentClient:
        """Register an agent, with its own connection or with the shared one, which delivers sequentially.

        AG2 takes long to build the network's tools, so an agent gets them (``plugin``) only if needed.
        """
        options = {"rule": rule, "attach_plugin": plugin} | more
        client = await (connect(self.hub, agent, **options) if alone else register(self.shared, agent, **options))
        self.members.append(client)
        return client

    async def quiet(self) -> None:
        """Wait until every envelope sent so far has been processed by each of its recipients."""
        await until(self._is_quiet)

    async def _is_quiet(self) -> bool:
        members = {member.agent_id for member in self.members}
        for channel in await self.hub.list_channels(limit=1000):
            last: dict[str, str] = {}
            for envelope in await self.hub.read_wal(channel.channel_id):
                if envelope.event_type in _ABSORBED:
                    continue
                audience = envelope.audience
                if audience is None:
                    audience = [one for one in channel.participant_ids() if one != envelope.sender_id]
                for one in audience:
                    if one in members:
                        last[one] = envelope.envelope_id
            for one, envelope_id in last.items():
                if self.hub.inbox_cursor(one, channel.channel_id) < envelope_id:
                    return False
        return True

    async def texts(self, channel_id: str) -> list[tuple[str, str]]:
        """The sender and text of each message in a channel, in order."""
        return [
            (self.hub.name_for(one.sender_id), str(one.event_data.get("text", one.event_data.get("body", ""))))
            for one in await self.hub.read_wal(channel_id)
            if not one.event_type.startswith("ag2.channel.")
        ]

    def sends(self, channel_id: str, sender_id: str, text: str, **more: Any) -> Envelope:
        """Return an envelope built by hand."""
        fields: dict[str, Any] = {"audience": None, "event_type": "ag2.msg.text", "event_data": {"text": text}} | more
        return Envelope(channel_id=channel_id, sender_id=sender_id, **fields)

    async def leave(self) -> None:
        """Wait until it is idle, close all channels and unregister all agents."""
        await self.quiet()
        for channel in await self.hub.list_channels(limit=1000):
            if not channel.is_terminal():
                await self.hub.close_channel(channel.channel_id, reason="the end")
        await self.quiet()
        for member in self.members:
            await leave(member)
        for human in self.humans:
            await self.hub.unregister(human.agent_id)


@asynccontextmanager
async def world(
    *, store: Any = None, tidy: bool = True, closing: bool = True, invite_ack_timeout: float = PATIENCE
) -> AsyncIterator[World]:
    """A hub without sweepers.

    At the end everything opened on it is closed, unless ``tidy`` is false, and then the hub itself, unless
    ``closing`` is false.
    """
    clock = Clock()
    hub = await Hub.open(
        store if store is not None else MemoryKnowledgeStore(),
        clock=clock,
        ttl_sweep_interval=0,
        expectation_sweep_interval=0,
        invite_ack_timeout=invite_ack_timeout,
    )
    here = World(hub=hub, clock=clock, shared=HubClient(LocalLink(hub), hub=hub))
    try:
        yield here
        await (here.leave() if tidy else here.quiet())
    finally:
        await here.shared.close()
        if closing:
            await hub.close()


async def raised(awaitable: Awaitable[Any]) -> str:
    """The name of the type of exception that an awaitable raises."""
    try:
        await awaitable
    except Exception as error:
        return type(error).__name__
    return "nothing"
