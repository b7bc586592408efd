"""Other features of the hub: tasks, identities, inbox pressure, expectations, checkpoints."""

from __future__ import annotations

from typing import Any

from .api import (
    Agent,
    Context,
    DiscussionAdapter,
    Expectation,
    HubBackedCheckpointStore,
    InboxBlock,
    LimitsBlock,
    Resume,
    Rule,
    TaskMetadata,
    TaskSpec,
    TaskState,
    connect,
    leave,
    tool,
)
from .declare import scenario
from .world import Result, Script, call, raised, world


@scenario()
async def tasks_of_a_turn() -> Result:
    """Inside a turn tasks complete, fail, raise, are cancelled and expire, one of them by the hub's clock."""
    async with world() as here:

        @tool
        async def work(ctx: Context) -> str:
            """Work."""
            async with bob.task("dig", capability="dig", context=ctx) as task:
                await task.progress({"depth": 1})
                await task.complete("a hole")
            async with bob.task("fill", capability="fill", context=ctx) as task:
                await task.fail("no earth")
            try:
                async with bob.task("lift", context=ctx):
                    raise OverflowError("too heavy")
            except OverflowError:
                pass
            async with bob.task("carry", capability="carry", context=ctx) as task:
                await task.cancel("not needed")
            async with bob.task("paint", capability="paint", context=ctx) as task:
                await task.cancel()
            async with bob.task("wait", capability="wait", context=ctx) as task:
                await task.expire()
            async with bob.task("sleep", capability="sleep", ttl_seconds=60, context=ctx):
                here.clock.advance(120)
                await here.hub.expire_due()
            return "tired"

        bob = Agent("bob", config=Script(call("work"), "Done."), tools=[work])
        ann = await here.join(Agent("ann", config=Script()))
        helper = await here.join(bob)
        channel = await ann.open(type="consulting", target="bob")
        await channel.send("Work!")
        await here.quiet()
        observed = (await here.hub.get_resume(helper.agent_id)).observed
        return await here.texts(channel.channel_id), sorted(observed)


@scenario()
async def tasks_without_a_turn() -> Result:
    """The hub observes tasks: one expires at its deadline, one with its channel, one is cancelled by an update."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script()))
        channel = await ann.open(type="conversation", target="bob")

        async def observe(name: str, **more: Any) -> None:
            spec = TaskSpec(title=name, capability=name)
            task = TaskMetadata(name, ann.agent_id, spec, TaskState.RUNNING, started_at=here.clock(), **more)
            await here.hub.observe_task(task)

        await observe("by-clock", expires_at=here.clock())
        await observe("with-channel", channel_id=channel.channel_id)
        await observe("updated")
        here.clock.advance(1)
        await here.hub.expire_due()
        await here.hub.update_task("updated", state=TaskState.CANCELLED)
        await channel.close()
        await here.quiet()
        await here.hub.fire_task_event("strange", "started", {"owner_id": ann.agent_id})
        await here.hub.fire_task_event("strange", "mirror_failed", {})
        return [(one.task_id, one.state.value, one.error) for one in await here.hub.list_tasks()]


@scenario()
async def task_too_many() -> Result:
    """A task that the hub does not accept is reported and does not affect the turn."""
    async with world() as here:

        @tool
        async def work(ctx: Context) -> str:
            """Work."""
            async with bob.task("one", capability="one", context=ctx):
                async with bob.task("two", capability="two", context=ctx) as task:
                    await task.complete()
            return "done"

        bob = Agent("bob", config=Script(call("work"), "Done."), tools=[work])
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(bob, rule=Rule(limits=LimitsBlock(max_concurrent_tasks=1)))
        channel = await ann.open(type="consulting", target="bob")
        await channel.send("Work!")
        await here.quiet()
        return await here.texts(channel.channel_id)


@scenario()
async def identity_changes() -> Result:
    """An agent's résumé, skill and rule are set, its skill is removed, and an observation is recorded."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()), resume=Resume(summary="a baker"))
        await ann.set_resume(Resume(claimed_capabilities=["bake"], summary="a good baker"))
        await ann.set_skill("---\nname: bake\ndescription: bakes\n---\nBread.")
        await ann.set_skill(None)
        await ann.set_rule(Rule(limits=LimitsBlock(delegation_depth=2)))
        for outcome in (TaskState.COMPLETED, TaskState.FAILED, TaskState.RUNNING):
            await here.hub.record_observation(owner_id=ann.agent_id, capability="bake", outcome=outcome, latency_ms=3)
        stat = (await here.hub.get_resume(ann.agent_id)).observed["bake"]
        return stat.n, stat.completed, stat.failed


@scenario()
async def registered_inside_an_ask() -> Result:
    """A tool registers an agent, changes its identity and unregisters it, all in one turn."""
    async with world() as here:

        @tool
        async def visit() -> str:
            """Have a visitor."""
            guest = await connect(here.hub, Agent("guest", config=Script()))
            await guest.set_skill("Sits.")
            await leave(guest)
            return "gone"

        return (await Agent("host", config=Script(call("visit"), "Bye."), tools=[visit]).ask("Visit?")).body


@scenario()
async def inbox_pressure() -> Result:
    """The inbox of an agent that never answers fills up until it accepts no more messages."""
    rule = Rule(limits=LimitsBlock(inbox=InboxBlock(max_pending=3, high_water=2)))
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script("", "", "")), rule=rule)
        channel = await ann.open(type="conversation", target="bob")
        outcome = []
        for number in range(5):
            outcome.append(await raised(channel.send(f"message {number}")))
            await here.quiet()
        return outcome


class _Strict(DiscussionAdapter):
    """A discussion that notifies all participants of one that has not answered."""

    def __init__(self) -> None:
        super().__init__()
        self.manifest.type = "strict"
        self.manifest.expectations = [
            Expectation(name="reply_within", on_violation="notify_channel", params={"seconds": 5}),
            Expectation(name="max_silence", on_violation="audit", params={"seconds": 5}),
        ]


@scenario()
async def expectations_fired() -> Result:
    """Channels fall silent: one is only audited, one is notified, one is closed."""
    async with world() as here:
        here.hub.register_adapter(_Strict())
        ann = await here.join(Agent("ann", config=Script()), alone=False)
        await here.join(Agent("bob", config=Script("", "")), alone=False)
        await here.join(Agent("cid", config=Script()), alone=False)
        silent = await ann.open(type="conversation", target="bob")
        strict = await ann.open(type="strict", target=["bob", "cid"])
        consulting = await ann.open(type="consulting", target="bob")
        await strict.send("Who is there?")
        await consulting.send("Bob?")
        await here.quiet()
        here.clock.advance(3601)
        for _ in range(2):
            # One step of the sweeper, called directly because waiting for its interval would take real time.
            await here.hub._expectation_tick()
        await here.quiet()
        return [(await one.info()).close_reason for one in (silent, strict, consulting)]


@scenario()
async def checkpoints() -> Result:
    """A tool writes checkpoints, reads one and fails to write one; outside a turn they are not traced."""
    async with world() as here:
        store = HubBackedCheckpointStore(here.hub)

        @tool
        async def save(ctx: Context) -> str:
            """Save."""
            await store.write("job-one", {"step": 3, "name": "é"})
            refused = await raised(store.write("job-four", {"when": object()}))
            found = await store.read("job-one"), await store.read("job-two")
            async with bob.task("resume", context=ctx, checkpoint_store=store, resume_from="job-one") as task:
                await task.checkpoint({"seen": ["🌊", "naïve", None, 0.5], "more": {"ß": True}})
                return f"{refused} {found} {task.resumed_state}"

        bob = Agent("bob", config=Script(call("save"), "Saved."), tools=[save])
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(bob)
        channel = await ann.open(type="consulting", target="bob")
        await channel.send("Save it.")
        await here.quiet()
        await store.write("job-three", {})
        return await here.texts(channel.channel_id), await store.read("job-three")
