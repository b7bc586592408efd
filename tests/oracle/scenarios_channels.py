"""Conversations between agents, and between agents and humans."""

from __future__ import annotations

import asyncio

from .api import (
    EV_CHANNEL_INVITE,
    Agent,
    AgentTarget,
    ChannelInject,
    Envelope,
    Finish,
    FromSpeaker,
    Handoff,
    Passport,
    Transition,
    TransitionGraph,
    set_context,
    tool,
)
from .declare import scenario
from .world import PATIENCE, Result, Script, call, raised, world


@scenario()
async def consulting_with_a_tool_call() -> Result:
    """One agent consults another, which calls a tool before it answers."""

    @tool
    async def look_up(word: str) -> str:
        """Look a word up."""
        return f"{word} means seven"

    async with world() as here:
        asker = await here.join(Agent("asker", config=Script()))
        helper = Agent("helper", config=Script(call("look_up", '{"word": "sept"}'), "It means seven."), tools=[look_up])
        await here.join(helper, plugin=True)
        channel = await asker.open(type="consulting", target="helper", intent="translation")
        await channel.send("What does sept mean?")
        await here.quiet()
        return await here.texts(channel.channel_id), (await channel.info()).close_reason


@scenario()
async def conversation_both_ways() -> Result:
    """Two agents write to each other until one ends the conversation."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script("And how is the weather?", "")))
        await here.join(Agent("bob", config=Script("Fine, thanks.", "It rains.")))
        channel = await ann.open(type="conversation", target="bob")
        await channel.send("How are you?")
        await here.quiet()
        return await here.texts(channel.channel_id)


@scenario()
async def long_conversation() -> Result:
    """An agent that answers only at the end receives a summary of the first messages."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script("")))
        await here.join(Agent("bob", config=Script(*[""] * 12, "I heard it all.")))
        channel = await ann.open(type="conversation", target="bob")
        for number in range(13):
            await channel.send(f"message {number}")
            await here.quiet()
        return await here.texts(channel.channel_id)


@scenario()
async def conversation_by_tool() -> Result:
    """An agent posts to its channel with the channel's own tool, twice in one turn."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script("", "", "")), alone=False)
        # Sequentially: AG2 runs the calls of one reply in parallel, in no fixed order.
        bob = Script(
            call("say", '{"content": "first"}', id="say-1"),
            call("say", '{"content": "to ann", "audience": ["ann"]}', id="say-2"),
            "third",
        )
        await here.join(Agent("bob", config=bob), alone=False)
        channel = await ann.open(type="conversation", target="bob")
        await channel.send("Say something.")
        await here.quiet()
        return await here.texts(channel.channel_id)


@scenario()
async def discussion_of_three() -> Result:
    """Three agents speak in turn."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script("I sum up.", "")), alone=False)
        await here.join(Agent("bob", config=Script("I agree.", "Nothing to add.")), alone=False)
        await here.join(Agent("cid", config=Script("I do not.", "")), alone=False)
        channel = await ann.open(type="discussion", target=["bob", "cid"])
        await channel.send("What do you think?")
        await here.quiet()
        return await here.texts(channel.channel_id)


@scenario()
async def workflow_with_a_handoff() -> Result:
    """A workflow goes from the desk to triage, is handed over to billing and ends there."""

    @tool
    async def route(reason: str, channel: ChannelInject) -> Handoff:
        """Hand the case over."""
        await set_context(channel, "category", "billing")
        return Handoff(target="billing", reason=reason)

    @tool
    async def finish(summary: str) -> Finish:
        """End the case."""
        return Finish(summary=summary, reason="settled")

    async with world() as here:
        desk = await here.join(Agent("desk", config=Script()), alone=False)
        triage_script = Script(call("route", '{"reason": "an invoice"}'), "Over to billing.")
        triage = await here.join(Agent("triage", config=triage_script, tools=[route]), alone=False, plugin=True)
        billing_script = Script(call("finish", '{"summary": "refunded"}'), "Refunded.")
        await here.join(Agent("billing", config=billing_script, tools=[finish]), alone=False)
        graph = TransitionGraph(
            initial_speaker=desk.agent_id,
            transitions=[Transition(when=FromSpeaker(desk.agent_id), then=AgentTarget(triage.agent_id))],
        )
        channel = await desk.open(type="workflow", target=["triage", "billing"], knobs={"graph": graph.to_dict()})
        await channel.send("My invoice is wrong.")
        await here.quiet()
        return await here.texts(channel.channel_id), (await channel.info()).close_reason


@scenario()
async def human_in_a_channel() -> Result:
    """A human opens a channel to an agent and reads the reply."""
    async with world() as here:
        await here.join(Agent("bob", config=Script("Hello, Eve.")))
        eve = await here.shared.register_human(Passport(name="eve"))
        here.humans.append(eve)
        channel = await eve.open(type="conversation", target="bob")
        await eve.send(channel.channel_id, "Hello?")
        reply = await eve.next_envelope(predicate=lambda one: one.event_type == "ag2.msg.text", timeout=PATIENCE)
        return reply.event_data["text"]


@scenario()
async def delegating_from_a_plain_ask() -> Result:
    """An agent that is asked directly consults another with the network's tool."""
    async with world() as here:
        boss = Agent("boss", config=Script(call("delegate", '{"target": "helper", "prompt": "2 + 2?"}'), "Four."))
        await here.join(boss, plugin=True)
        await here.join(Agent("helper", config=Script("4")))
        reply = await boss.ask("How much is 2 + 2?")
        await here.quiet()
        return reply.body


@scenario()
async def agent_registered_inside_a_tool() -> Result:
    """A tool registers another agent, which answers after the turn has ended."""
    async with world() as here:

        @tool
        async def hire(name: str) -> str:
            """Hire a helper."""
            await here.join(Agent(name, config=Script("At your service.")))
            return f"{name} is here"

        boss = Agent("boss", config=Script(call("hire", '{"name": "temp"}'), "Hired.", ""), tools=[hire])
        client = await here.join(boss)
        reply = await boss.ask("Hire a helper.")
        channel = await client.open(type="conversation", target="temp")
        await channel.send("Are you there?")
        await here.quiet()
        return reply.body, await here.texts(channel.channel_id)


@scenario()
async def two_channels_at_once() -> Result:
    """One agent consults two others at the same time."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script("Bob here.")))
        await here.join(Agent("cid", config=Script("Cid here.")))
        first = await ann.open(type="consulting", target="bob")
        second = await ann.open(type="consulting", target="cid")
        await asyncio.gather(first.send("Bob?"), second.send("Cid?"))
        await here.quiet()
        return await here.texts(first.channel_id), await here.texts(second.channel_id)


@scenario()
async def invite_rejected() -> Result:
    """A channel is not opened because the invited agent declines."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        bob = await here.join(Agent("bob", config=Script()))

        async def decline(envelope: Envelope) -> None:
            if envelope.event_type == EV_CHANNEL_INVITE:
                data = {"channel_id": envelope.channel_id}
                reject = here.sends(
                    envelope.channel_id, bob.agent_id, "", event_type="ag2.channel.invite.reject", event_data=data
                )
                await here.hub.post_envelope(reject)

        bob.on_envelope(decline)
        return await raised(ann.open(type="conversation", target="bob"))


@scenario()
async def channel_past_its_time() -> Result:
    """A channel expires and accepts no more messages."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script("")))
        channel = await ann.open(type="conversation", target="bob", ttl="60s")
        await channel.send("Quickly!")
        await here.quiet()
        here.clock.advance(61)
        await here.hub.expire_due()
        return (await channel.info()).state.value, await raised(channel.send("Too late."))
