"""Failures: models, tools and deliveries fail, envelopes are rejected, operations are cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

from .api import (
    EV_CHANNEL_INVITE,
    EV_CHANNEL_INVITE_ACK,
    AccessBlock,
    Agent,
    AuthBlock,
    Envelope,
    Hub,
    MemoryKnowledgeStore,
    Passport,
    Rule,
    RuleBasedArbiter,
    register_identity,
    tool,
)
from .declare import scenario
from .world import PATIENCE, Result, Script, Waiting, call, raised, world


@scenario()
async def failing_turn() -> Result:
    """The model of a consulted agent fails."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script(ConnectionError("the model is down"))))
        channel = await ann.open(type="consulting", target="bob")
        await channel.send("Are you well?")
        await here.quiet()
        return await here.texts(channel.channel_id), (await channel.info()).state.value


@scenario()
async def failing_ask() -> Result:
    """The model of an agent that is asked directly fails, with an exception without a message."""
    agent = Agent("ann", config=Script(ValueError()))
    return await raised(agent.ask("Hello?"))


@scenario()
async def tool_that_raises() -> Result:
    """A tool raises; one model receives the error and continues, another fails."""

    @tool
    async def divide(number: int) -> float:
        """Divide one by a number."""
        return 1 / number

    division = call("divide", '{"number": 0}')
    patient = Agent("patient", config=Script(division, "Not possible.", raise_tool_errors=False), tools=[divide])
    strict = Agent("strict", config=Script(division, "Not reached."), tools=[divide])
    reply = await patient.ask("Divide one by zero.")
    return reply.body, await raised(strict.ask("Divide one by zero."))


@scenario()
async def unknown_tool() -> Result:
    """A model calls a tool that does not exist, and one with invalid arguments."""

    @tool
    async def count(upto: int) -> int:
        """Count."""
        return upto

    script = Script([call("nothing"), call("count", '{"upto": "many"}')], "I see.", raise_tool_errors=False)
    reply = await Agent("ann", config=script, tools=[count]).ask("Count.")
    return reply.body


@scenario()
async def envelopes_rejected() -> Result:
    """Envelopes are rejected: no access, not a participant, not the sender's turn, unknown channel, closed channel."""
    outbound = Rule(access=AccessBlock(outbound_to=["bob"]))
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()), rule=outbound)
        bob = await here.join(Agent("bob", config=Script("Yes.")))
        cid = await here.join(Agent("cid", config=Script()))
        channel = await ann.open(type="consulting", target="bob")
        where = channel.channel_id
        refused = [
            await raised(channel.send("Hello, Cid", audience=[cid.agent_id])),
            await raised(here.hub.post_envelope(here.sends(where, cid.agent_id, "May I?"))),
            await raised(here.hub.post_envelope(here.sends(where, bob.agent_id, "Me first!"))),
            await raised(here.hub.post_envelope(here.sends("0" * 32, bob.agent_id, "Anybody?"))),
            await raised(here.hub.post_envelope(here.sends(where, "nobody", "Who am I?"))),
        ]
        await channel.send("Well?")
        await here.quiet()
        refused.append(await raised(channel.send("One more thing.")))
        return refused, await here.texts(where)


class _Bridge:
    """A bridge to agents of another hub: it accepts invitations and then behaves as configured."""

    scheme = "bridge"

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.fault: Exception | None = None
        self.holds: asyncio.Event | None = None
        self.received: list[str] = []

    async def dispatch(self, envelope: Envelope, recipient: Passport) -> None:
        if envelope.event_type == EV_CHANNEL_INVITE:
            ack = Envelope(
                channel_id=envelope.channel_id,
                sender_id=str(recipient.agent_id),
                audience=None,
                event_type=EV_CHANNEL_INVITE_ACK,
                event_data={"channel_id": envelope.channel_id},
                causation_id=envelope.envelope_id,
            )
            await self._hub.post_envelope(ack)
        elif envelope.event_type == "ag2.msg.text":
            if self.holds is not None:
                self.holds.set()
                await asyncio.Event().wait()
            if self.fault is not None:
                raise self.fault
            self.received.append(str(envelope.event_data["text"]))

    async def close(self) -> None:
        return None


async def _far(hub: Hub, name: str) -> str:
    passport = Passport(name=name, kind="remote_agent", auth=AuthBlock(scheme="bridge"))
    return await register_identity(hub, passport)


@scenario()
async def dispatch_failures() -> Result:
    """Two agents belong to another hub: one message reaches them, one delivery fails, and one has no bridge."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        far = [await _far(here.hub, name) for name in ("far-one", "far-two")]
        bridge = _Bridge(here.hub)
        here.hub.register_remote_proxy(bridge)
        channel = await ann.open(type="discussion", target=["far-one", "far-two"])
        await channel.send("Can you hear me?")
        for sender in far:
            await here.hub.post_envelope(here.sends(channel.channel_id, sender, "Yes."))
        bridge.fault = ConnectionResetError("the line is cut")
        await channel.send("And now?", audience=[far[0]])
        for sender in far:
            await here.hub.post_envelope(here.sends(channel.channel_id, sender, "Hm."))
        here.hub.unregister_remote_proxy("bridge")
        await channel.send("Anybody?")
        texts = await here.texts(channel.channel_id)
        await here.hub.close_channel(channel.channel_id)
        for one in far:
            await here.hub.unregister(one)
        return bridge.received, texts


class _Crashing(RuleBasedArbiter):
    async def authorize_dispatch(self, envelope: Any, *rest: Any) -> Any:
        if envelope.event_data.get("text") == "crash":
            raise LookupError("the rules are gone")
        return await super().authorize_dispatch(envelope, *rest)


@scenario()
async def dispatch_that_raises() -> Result:
    """The hub's routing of a delivery raises, and the sender receives the error."""
    async with world() as here:
        here.hub.register_arbiter(_Crashing())
        ann = await here.join(Agent("ann", config=Script()))
        # The message whose routing raises never arrives, so do not wait for Bob in that channel.
        bob = await here.join(Agent("bob", config=Script()))
        channel = await ann.open(type="conversation", target="bob")
        await here.quiet()
        here.members.remove(bob)
        error = await raised(channel.send("crash"))
        await here.hub.close_channel(channel.channel_id)
        here.members.append(bob)
        await here.quiet()
        return error


class _FullStore(MemoryKnowledgeStore):
    async def append(self, path: str, content: str) -> Any:
        if "the last straw" in content:
            raise OSError("no space left")
        return await super().append(path, content)


@scenario()
async def log_that_is_full() -> Result:
    """The hub cannot write an envelope to its log, and the sender receives the error."""
    async with world(store=_FullStore()) as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script("Yes.")))
        channel = await ann.open(type="conversation", target="bob")
        error = await raised(channel.send("the last straw"))
        return error, await here.texts(channel.channel_id)


@scenario()
async def hub_closed_with_everything_open() -> Result:
    """A program exits without closing its channel and without unregistering its agents."""
    async with world(tidy=False) as here:
        ann = await here.join(Agent("ann", config=Script("")))
        await here.join(Agent("bob", config=Script("Yes.")))
        channel = await ann.open(type="conversation", target="bob")
        await channel.send("Are you there?")
        await here.quiet()
        return await here.texts(channel.channel_id)


@scenario()
async def program_that_stops() -> Result:
    """A program exits without closing anything, not even its hub."""
    async with world(tidy=False, closing=False) as here:
        ann = await here.join(Agent("ann", config=Script("")))
        await here.join(Agent("bob", config=Script("Yes.")))
        channel = await ann.open(type="conversation", target="bob")
        await channel.send("Are you there?")
        await here.quiet()
        return await here.texts(channel.channel_id)


async def _cancelled(running: asyncio.Task[Any], ready: asyncio.Event) -> str:
    await asyncio.wait_for(ready.wait(), PATIENCE)
    running.cancel()
    outcome = (await asyncio.gather(running, return_exceptions=True))[0]
    return type(outcome).__name__


@scenario()
async def cancelled_turn() -> Result:
    """A turn is cancelled during a model call."""
    model = Waiting()
    agent = Agent("patient", config=model)
    return await _cancelled(asyncio.ensure_future(agent.ask("Hello?")), model.asked)


@scenario()
async def cancelled_tool() -> Result:
    """A turn is cancelled during a tool call."""
    started = asyncio.Event()

    @tool
    async def dig() -> str:
        """Dig."""
        started.set()
        await asyncio.Event().wait()
        return "not reached"

    agent = Agent("digger", config=Script(call("dig")), tools=[dig])
    return await _cancelled(asyncio.ensure_future(agent.ask("Dig.")), started)


@scenario()
async def cancelled_dispatch() -> Result:
    """A sender is cancelled while its envelope is being delivered to another hub."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        far = await _far(here.hub, "far")
        bridge = _Bridge(here.hub)
        here.hub.register_remote_proxy(bridge)
        channel = await ann.open(type="conversation", target="far")
        bridge.holds = asyncio.Event()
        outcome = await _cancelled(asyncio.ensure_future(channel.send("Hold on.")), bridge.holds)
        bridge.holds = None
        await here.hub.close_channel(channel.channel_id)
        await here.hub.unregister(far)
        return outcome
