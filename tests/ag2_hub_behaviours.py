"""Behaviours of AG2's hub: channels, rules, deadlines, replays, and restoring its state from a store."""

from __future__ import annotations

from typing import Any

from ag2 import Agent, tool
from ag2.network import (
    AccessBlock,
    Hub,
    HubBackedCheckpointStore,
    HubClient,
    InboxBlock,
    LimitsBlock,
    LocalLink,
    Passport,
    Resume,
    Rule,
)
from ag2.task import TaskMetadata, TaskSpec, TaskState

from .ag2_behaviours import behaviour
from .ag2_record import Record
from .oracle.world import Script, call, until, world


@behaviour
async def agents_consult_each_other_and_their_files_are_stored(record: Record) -> Any:
    @tool
    async def look_up(word: str) -> str:
        """Look a word up."""
        return f"{word} means seven"

    async with world(store=record.store()) as here:
        helper = Agent("helper", config=Script(call("look_up", '{"word": "sept"}'), "Seven."), tools=[look_up])
        asker = await here.join(Agent("asker", config=Script()))
        await here.join(helper, plugin=True)
        channel = await asker.open(type="consulting", target="helper", intent="translation")
        await channel.send("What does sept mean?")
        await here.quiet()
        record.say(await here.hub.read_wal(channel.channel_id))
        return await here.texts(channel.channel_id), (await channel.info()).close_reason


@behaviour
async def envelopes_that_the_rules_forbid_are_rejected(record: Record) -> Any:
    async with world(store=record.store()) as here:
        ann = await here.join(Agent("ann", config=Script()), rule=Rule(access=AccessBlock(outbound_to=["bob"])))
        limits = Rule(limits=LimitsBlock(max_concurrent_tasks=1, inbox=InboxBlock(max_pending=1)))
        bob = await here.join(Agent("bob", config=Script("Yes.")), rule=limits)
        cid = await here.join(Agent("cid", config=Script()))
        channel = await ann.open(type="consulting", target="bob")
        where = channel.channel_id
        await record.outcome(ann.open(type="consulting", target="cid"))
        await record.outcome(channel.send("Hello, Cid", audience=[cid.agent_id]))
        for sender, place in ((cid.agent_id, where), (bob.agent_id, where), (bob.agent_id, "0" * 32), ("no", where)):
            await record.outcome(here.hub.post_envelope(here.sends(place, sender, "May I?")))
        await channel.send("Well?")
        await here.quiet()
        await record.outcome(channel.send("One more thing."))
        return await here.texts(where)


@behaviour
async def channels_and_tasks_expire(record: Record) -> Any:
    async with world(store=record.store()) as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script("")))
        channel = await ann.open(type="conversation", target="bob", ttl="60s")
        await channel.send("Quickly!")
        await here.quiet()
        for name, expires in (("soon", here.clock()), ("late", None)):
            spec = TaskSpec(title=name, capability=name)
            task = TaskMetadata(name, ann.agent_id, spec, TaskState.RUNNING, here.clock(), expires_at=expires)
            await here.hub.observe_task(task)
        here.clock.advance(61)
        await here.hub.expire_due()
        await here.hub.update_task("late", state=TaskState.CANCELLED)
        await record.outcome(channel.send("Too late."))
        return (await channel.info()).state, await here.hub.list_tasks()


@behaviour
async def a_client_that_reconnects_receives_missed_messages(record: Record) -> Any:
    async with world(store=record.store()) as here:
        ann = await here.join(Agent("ann", config=Script()))
        away = HubClient(LocalLink(here.hub))
        bob = await away.register(Agent("bob", config=Script()), Passport(name="bob"), Resume())
        channel = await ann.open(type="conversation", target="bob")
        await away.close()
        await until(lambda: here.hub._endpoint_for(bob.agent_id) is None)
        await channel.send("Where are you?")
        back = HubClient(LocalLink(here.hub))
        again = await back.attach(Agent("bob", config=Script("I am back.", "")), "bob")
        await until(lambda: here.hub.inbox_cursor(ann.agent_id, channel.channel_id) > "")
        texts = await here.texts(channel.channel_id)
        await channel.close()
        await back.close()
        return again.agent_id == bob.agent_id, texts


@behaviour
async def a_hub_is_reopened_on_its_store(record: Record) -> Any:
    store = record.store()
    async with world(store=store, tidy=False) as before:
        ann = await before.join(Agent("ann", config=Script()), resume=Resume(summary="a baker"))
        await before.join(Agent("bob", config=Script("", "")))
        channel = await ann.open(type="conversation", target="bob")
        await channel.send("Wait for me.")
        await before.quiet()
        checkpoints = HubBackedCheckpointStore(before.hub)
        record.say(type(checkpoints).__name__)
    hub = await Hub.open(store, clock=before.clock, ttl_sweep_interval=0, expectation_sweep_interval=0)
    await hub.hydrate()
    record.say(await hub.read_wal(channel.channel_id), (await hub.get_resume(ann.agent_id)).summary)
    metadata = await hub.close_channel(channel.channel_id, reason="the end")
    await hub.unregister(ann.agent_id)
    await hub.close()
    return metadata.state, [each.close_reason for each in await hub.list_channels(limit=10)]
