"""Connections that end, hubs that restart, invitations that are not answered."""

from __future__ import annotations

from .api import Agent, Envelope, Hub, HubClient, LocalLink, MemoryKnowledgeStore, Passport, register
from .declare import scenario
from .world import Result, Script, raised, until, world


@scenario()
async def recipient_away() -> Result:
    """Of two recipients of a message, one is disconnected and one is connected."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        cid = await here.join(Agent("cid", config=Script("")))
        away = HubClient(LocalLink(here.hub), hub=here.hub)
        bob = await register(away, Agent("bob", config=Script()))
        channel = await ann.open(type="discussion", target=["cid", "bob"])
        await away.close()
        await until(lambda: here.hub._endpoint_for(bob.agent_id) is None)
        await channel.send("Who is there?")
        await here.quiet()
        await here.hub.unregister(bob.agent_id)
        return here.hub.name_for(cid.agent_id), await here.texts(channel.channel_id)


@scenario()
async def human_who_hangs_up() -> Result:
    """A human disconnects together with an agent: AG2 unregisters only the agent."""
    async with world() as here:
        shared = HubClient(LocalLink(here.hub), hub=here.hub)
        eve = await shared.register_human(Passport(name="eve"))
        await here.join(Agent("bob", config=Script()))
        await shared.shutdown()
        await until(lambda: here.hub._endpoint_for(eve.agent_id) is None)
        return here.hub.name_for(eve.agent_id)


@scenario()
async def hub_restarted() -> Result:
    """A hub is closed and reopened on its store, with an open channel that continues and one that was closed."""
    store = MemoryKnowledgeStore()
    async with world(store=store, tidy=False) as before:
        ann = await before.join(Agent("ann", config=Script()))
        await before.join(Agent("bob", config=Script("", "")))
        open_one = await ann.open(type="conversation", target="bob")
        closed = await ann.open(type="conversation", target="bob")
        await open_one.send("Wait for me.")
        await before.quiet()
        await before.hub.close_channel(closed.channel_id, reason="enough")
        await before.quiet()
    hub = await Hub.open(store, clock=before.clock, ttl_sweep_interval=0, expectation_sweep_interval=0)
    await hub.hydrate()
    again = Envelope(
        channel_id=open_one.channel_id,
        sender_id=ann.agent_id,
        audience=[ann.agent_id],
        event_type="ag2.msg.text",
        event_data={"text": "Here I am again."},
    )
    await hub.post_envelope(again)
    metadata = await hub.close_channel(open_one.channel_id, reason="the end")
    await hub.unregister(ann.agent_id)
    await hub.close()
    return metadata.state.value, len(await hub.list_channels(limit=10))


@scenario()
async def invitation_that_nobody_answers() -> Result:
    """The invited agent neither accepts nor declines, and the invitation times out."""
    async with world(invite_ack_timeout=0.2) as here:
        ann = await here.join(Agent("ann", config=Script()))
        bob = await here.join(Agent("bob", config=Script()))

        async def ignore(envelope: Envelope) -> None:
            """Leave it."""

        bob.on_envelope(ignore)
        return await raised(ann.open(type="conversation", target="bob"))
