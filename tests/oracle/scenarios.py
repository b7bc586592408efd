"""Applications written against AG2's public API, with no telemetry in them.

Each scenario returns a small value: what its user saw. It is the same in every run, traced or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ag2 import Agent, Context, KnowledgeConfig, MemoryStream, TaskConfig, ToolResult, tool
from ag2.compact import CompactTrigger, SummarizeCompact
from ag2.events import (
    BuiltinToolCallEvent,
    HumanInputRequest,
    ImageInput,
    ModelMessage,
    ModelMessageChunk,
    ModelResponse,
    TextInput,
    ToolCallsEvent,
)
from ag2.events.types import Usage
from ag2.knowledge import MemoryKnowledgeStore
from ag2.network import (
    EV_CHANNEL_INVITE,
    EV_CHANNEL_INVITE_ACK,
    AccessBlock,
    AgentTarget,
    AuthBlock,
    ChannelInject,
    DiscussionAdapter,
    Envelope,
    Expectation,
    Finish,
    FromSpeaker,
    Handoff,
    Hub,
    HubBackedCheckpointStore,
    InboxBlock,
    LimitsBlock,
    Passport,
    Resume,
    Rule,
    RuleBasedArbiter,
    Transition,
    TransitionGraph,
)
from ag2.network.workflow_helpers import set_context
from ag2.task import TaskMetadata, TaskSpec, TaskState
from ag2.tools import WebSearchTool

from .world import Result, Script, Waiting, call, raised, spent, until, world


@dataclass(frozen=True)
class Scenario:
    """One application: its name and how to run it."""

    name: str
    run: Callable[[], Awaitable[Result]]


SCENARIOS: dict[str, Scenario] = {}


def scenario(run: Callable[[], Awaitable[Result]]) -> Callable[[], Awaitable[Result]]:
    """Add a scenario to the list."""
    SCENARIOS[run.__name__] = Scenario(run.__name__, run)
    return run


# ── Channels ──


@scenario
async def consulting_with_a_tool_call() -> Result:
    """One agent consults another, which looks something up before it answers."""

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


@scenario
async def conversation_both_ways() -> Result:
    """Two agents write to each other until one has nothing more to say."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script("And how is the weather?", "")))
        await here.join(Agent("bob", config=Script("Fine, thanks.", "It rains.")))
        channel = await ann.open(type="conversation", target="bob")
        await channel.send("How are you?")
        await here.quiet()
        return await here.texts(channel.channel_id)


@scenario
async def long_conversation() -> Result:
    """A listener who answers only at the end sees a summary of what came first."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script("")))
        await here.join(Agent("bob", config=Script(*[""] * 12, "I heard it all.")))
        channel = await ann.open(type="conversation", target="bob")
        for number in range(13):
            await channel.send(f"message {number}")
            await here.quiet()
        return await here.texts(channel.channel_id)


@scenario
async def conversation_by_tool() -> Result:
    """An agent writes into its channel with the tool that the channel gives it, twice in one turn."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script("", "", "")), alone=False)
        # One after the other: AG2 runs the calls of one reply in parallel, in no fixed order.
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


@scenario
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


@scenario
async def workflow_with_a_handoff() -> Result:
    """A workflow goes from the desk to triage, is handed to billing and is finished there."""

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


@scenario
async def human_in_a_channel() -> Result:
    """A person opens a channel to an agent and reads the reply."""
    async with world() as here:
        await here.join(Agent("bob", config=Script("Hello, Eve.")))
        eve = await here.shared.register_human(Passport(name="eve"))
        here.humans.append(eve)
        channel = await eve.open(type="conversation", target="bob")
        await eve.send(channel.channel_id, "Hello?")
        reply = await eve.next_envelope(predicate=lambda one: one.event_type == "ag2.msg.text", timeout=10)
        return reply.event_data["text"]


@scenario
async def delegating_from_a_plain_ask() -> Result:
    """An agent that is asked directly consults another with the tool that the network gave it."""
    async with world() as here:
        boss = Agent("boss", config=Script(call("delegate", '{"target": "helper", "prompt": "2 + 2?"}'), "Four."))
        await here.join(boss, plugin=True)
        await here.join(Agent("helper", config=Script("4")))
        reply = await boss.ask("How much is 2 + 2?")
        await here.quiet()
        return reply.body


@scenario
async def agent_registered_inside_a_tool() -> Result:
    """A tool registers another agent, which goes on to answer after the turn has ended."""
    async with world() as here:

        @tool
        async def hire(name: str) -> str:
            """Hire somebody."""
            await here.join(Agent(name, config=Script("At your service.")))
            return f"{name} is here"

        boss = Agent("boss", config=Script(call("hire", '{"name": "temp"}'), "Hired.", ""), tools=[hire])
        client = await here.join(boss)
        reply = await boss.ask("Hire somebody.")
        channel = await client.open(type="conversation", target="temp")
        await channel.send("Are you there?")
        await here.quiet()
        return reply.body, await here.texts(channel.channel_id)


@scenario
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


@scenario
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


@scenario
async def channel_past_its_time() -> Result:
    """A channel whose time is over expires and takes no more messages."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script("")))
        channel = await ann.open(type="conversation", target="bob", ttl="60s")
        await channel.send("Quickly!")
        await here.quiet()
        here.clock.advance(61)
        await here.hub.expire_due()
        return (await channel.info()).state.value, await raised(channel.send("Too late."))


# ── What goes wrong ──


@scenario
async def failing_turn() -> Result:
    """The model of a consulted agent fails."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script(ConnectionError("the model is down"))))
        channel = await ann.open(type="consulting", target="bob")
        await channel.send("Are you well?")
        await here.quiet()
        return await here.texts(channel.channel_id), (await channel.info()).state.value


@scenario
async def failing_ask() -> Result:
    """The model of an agent that is asked directly fails, with an error that has no text."""
    agent = Agent("ann", config=Script(ValueError()))
    return await raised(agent.ask("Hello?"))


@scenario
async def tool_that_raises() -> Result:
    """A tool raises; the model is told and goes on, and another model gives up."""

    @tool
    async def divide(number: int) -> float:
        """Divide one by a number."""
        return 1 / number

    division = call("divide", '{"number": 0}')
    patient = Agent("patient", config=Script(division, "Not possible.", raise_tool_errors=False), tools=[divide])
    strict = Agent("strict", config=Script(division, "Not reached."), tools=[divide])
    reply = await patient.ask("Divide one by zero.")
    return reply.body, await raised(strict.ask("Divide one by zero."))


@scenario
async def unknown_tool() -> Result:
    """A model calls a tool that does not exist, and one with arguments that do not fit."""

    @tool
    async def count(upto: int) -> int:
        """Count."""
        return upto

    script = Script([call("nothing"), call("count", '{"upto": "many"}')], "I see.", raise_tool_errors=False)
    reply = await Agent("ann", config=script, tools=[count]).ask("Count.")
    return reply.body


@scenario
async def envelopes_rejected() -> Result:
    """Envelopes are refused: no access, not a participant, not that sender's turn, no such channel, channel closed."""
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
    """A way to agents of another hub: it accepts invitations and then does what it is told."""

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
    registered = await hub.register_identity(passport, Resume())
    return str(registered.agent_id)


@scenario
async def dispatch_failures() -> Result:
    """Two agents live elsewhere: one message reaches them, at one the way fails, and at one there is no way."""
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


@scenario
async def dispatch_that_raises() -> Result:
    """The hub's own decision about a delivery raises, and the sender gets the error."""
    async with world() as here:
        here.hub.register_arbiter(_Crashing())
        ann = await here.join(Agent("ann", config=Script()))
        # Deliveries of the crashing message never arrive, so Bob is not waited for in that channel.
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


@scenario
async def log_that_is_full() -> Result:
    """The hub cannot write an envelope to its log, and the sender gets the error."""
    async with world(store=_FullStore()) as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script("Yes.")))
        channel = await ann.open(type="conversation", target="bob")
        error = await raised(channel.send("the last straw"))
        return error, await here.texts(channel.channel_id)


@scenario
async def hub_closed_with_everything_open() -> Result:
    """A program ends without closing its channel and without unregistering its agents."""
    async with world(tidy=False) as here:
        ann = await here.join(Agent("ann", config=Script("")))
        await here.join(Agent("bob", config=Script("Yes.")))
        channel = await ann.open(type="conversation", target="bob")
        await channel.send("Are you there?")
        await here.quiet()
        return await here.texts(channel.channel_id)


async def _cancelled(running: asyncio.Task[Any], ready: asyncio.Event) -> str:
    await asyncio.wait_for(ready.wait(), 10)
    running.cancel()
    outcome = (await asyncio.gather(running, return_exceptions=True))[0]
    return type(outcome).__name__


@scenario
async def cancelled_turn() -> Result:
    """A turn is cancelled while its model thinks."""
    model = Waiting()
    agent = Agent("patient", config=model)
    return await _cancelled(asyncio.ensure_future(agent.ask("Hello?")), model.asked)


@scenario
async def cancelled_tool() -> Result:
    """A turn is cancelled while a tool of its works."""
    started = asyncio.Event()

    @tool
    async def dig() -> str:
        """Dig."""
        started.set()
        await asyncio.Event().wait()
        return "not reached"

    agent = Agent("digger", config=Script(call("dig")), tools=[dig])
    return await _cancelled(asyncio.ensure_future(agent.ask("Dig.")), started)


@scenario
async def cancelled_dispatch() -> Result:
    """A sender is cancelled while its envelope is on the way to another hub."""
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


# ── Tasks, identities, pressure, expectations, checkpoints ──


@scenario
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


@scenario
async def tasks_without_a_turn() -> Result:
    """The hub watches tasks: one expires by the clock, one with its channel, one is told to be over."""
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
        await observe("told")
        here.clock.advance(1)
        await here.hub.expire_due()
        await here.hub.update_task("told", state=TaskState.CANCELLED)
        await channel.close()
        await here.quiet()
        await here.hub.fire_task_event("strange", "started", {"owner_id": ann.agent_id})
        await here.hub.fire_task_event("strange", "mirror_failed", {})
        return [(one.task_id, one.state.value, one.error) for one in await here.hub.list_tasks()]


@scenario
async def task_too_many() -> Result:
    """A task that the hub does not accept is reported and does not disturb the turn."""
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


@scenario
async def identity_changes() -> Result:
    """An agent's résumé, skill and rule are set, its skill removed, and what it did is recorded."""
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


@scenario
async def registered_inside_an_ask() -> Result:
    """A tool registers an agent, changes its identity and unregisters it, all in one turn."""
    async with world() as here:

        @tool
        async def visit() -> str:
            """Have a visitor."""
            guest = await here.hub.register(Agent("guest", config=Script()))
            await guest.set_skill("Sits.")
            await guest.close()
            return "gone"

        return (await Agent("host", config=Script(call("visit"), "Bye."), tools=[visit]).ask("Visit?")).body


@scenario
async def inbox_pressure() -> Result:
    """An agent that only listens fills up until its inbox takes no more."""
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
    """A discussion that tells everybody who has not answered."""

    def __init__(self) -> None:
        super().__init__()
        self.manifest.type = "strict"
        self.manifest.expectations = [
            Expectation(name="reply_within", on_violation="notify_channel", params={"seconds": 5}),
            Expectation(name="max_silence", on_violation="audit", params={"seconds": 5}),
        ]


@scenario
async def expectations_fired() -> Result:
    """Channels fall silent: one is only noted, one is told, one is closed."""
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
            # The sweeper's own step; its interval cannot be waited for without sleeping.
            await here.hub._expectation_tick()
        await here.quiet()
        return [(await one.info()).close_reason for one in (silent, strict, consulting)]


@scenario
async def checkpoints() -> Result:
    """A tool writes a checkpoint and reads it back; outside a turn nothing is traced."""
    async with world() as here:
        store = HubBackedCheckpointStore(here.hub)

        @tool
        async def save(ctx: Context) -> str:
            """Save."""
            await store.write("job-one", {"step": 3, "name": "é"})
            found = await store.read("job-one"), await store.read("job-two")
            async with bob.task("resume", context=ctx, checkpoint_store=store, resume_from="job-one") as task:
                return f"{found} {task.resumed_state}"

        bob = Agent("bob", config=Script(call("save"), "Saved."), tools=[save])
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(bob)
        channel = await ann.open(type="consulting", target="bob")
        await channel.send("Save it.")
        await here.quiet()
        await store.write("job-three", {})
        return await here.texts(channel.channel_id), await store.read("job-three")


# ── Agents by themselves ──


@scenario
async def standalone_ask_with_tools() -> Result:
    """An agent without a network uses two tools at once, one of them plain, and is asked again."""

    @tool
    async def add(left: int, right: int) -> int:
        """Add."""
        return left + right

    @tool
    def shout(text: str) -> dict[str, Any]:
        """Shout."""
        return {"text": text.upper(), "volume": 11}

    calls = [call("add", '{"left": 2, "right": 3}'), call("shout", '{"text": "grüß"}')]
    agent = Agent("ann", config=Script(calls, "Five.", "As I said.", "Run."), tools=[add, shout])
    first = await agent.ask("How much is 2 + 3?")
    second = await first.ask("Are you sure?")
    async with agent.run("Go!") as run:
        third = await run.result()
    return first.body, second.body, third.body


@scenario
async def tool_results_of_many_kinds() -> Result:
    """Tools return nothing, long text, several parts, a picture and a final answer."""

    @tool
    async def nothing() -> None:
        """Return nothing."""

    @tool
    async def long() -> str:
        """Return much."""
        return "long " * 2000

    @tool
    async def parts() -> ToolResult:
        """Return several things."""
        return ToolResult(TextInput("one"), TextInput("two"), {"three": 3})

    @tool
    async def picture() -> ToolResult:
        """Return a picture."""
        return ToolResult(ImageInput(data=b"png", media_type="image/png"))

    @tool
    async def last() -> ToolResult:
        """Return the answer."""
        return ToolResult("the end", final=True)

    calls = [call("nothing"), call("long"), call("parts"), call("picture")]
    agent = Agent("ann", config=Script(calls, call("last")), tools=[nothing, long, parts, picture, last])
    return (await agent.ask("Everything, please.")).body


@scenario
async def inputs_of_many_kinds() -> Result:
    """A model is shown a picture, streams its words, and has searched for itself."""
    searched = BuiltinToolCallEvent("web_search", arguments='{"q": "cats"}', id="builtin-1")
    script = Script(searched, ModelMessageChunk("A c"), "A cat.", "Yes.")
    agent = Agent("ann", "You look at pictures.", config=script, tools=[WebSearchTool()])
    stream = MemoryStream()
    first = await agent.ask("What is this?", ImageInput("https://example.test/cat.png"), stream=stream)
    second = await agent.ask("Really?", stream=stream)
    return first.body, second.body


@scenario
async def usage() -> Result:
    """Models say what they cost, on a plain reply and on a tool call, and one says only who it is."""

    @tool
    async def think() -> str:
        """Think."""
        return "thought"

    full = spent(
        "Yes.",
        prompt_tokens=11,
        completion_tokens=7,
        total_tokens=18,
        cache_read_input_tokens=3,
        cache_creation_input_tokens=2,
        thinking_tokens=5,
    )
    calling = ModelResponse(
        tool_calls=ToolCallsEvent([call("think")]),
        usage=Usage(prompt_tokens=4.0),
        model="model-2",
        finish_reason="tool",
    )
    named = ModelResponse(ModelMessage("Again."), provider="provider-3")
    zero = ModelResponse(ModelMessage(""), usage=Usage(prompt_tokens=0, completion_tokens=0), model="model-4")
    agent = Agent("ann", config=Script(calling, full, named, zero), tools=[think])
    reply = await agent.ask("Think.")
    again = await reply.ask("Again?")
    silent = await again.ask("And?")
    report = (await silent.usage()).total
    return reply.body, again.body, silent.body, report.prompt_tokens, report.total_tokens


@scenario
async def usage_of_a_compaction() -> Result:
    """A history is summarised when it grows, by a model that costs something."""
    knowledge = KnowledgeConfig(
        store=MemoryKnowledgeStore(),
        expose_tool=False,
        write_event_log=False,
        compact=SummarizeCompact(2, config=Script(*[spent("A summary.", prompt_tokens=9, total_tokens=9)] * 3)),
        compact_trigger=CompactTrigger(max_events=3),
    )
    agent = Agent("ann", config=Script("One.", "Two.", "Three.", "Four."), knowledge=knowledge)
    reply = await agent.ask("1?")
    bodies = [reply.body]
    for number in (2, 3, 4):
        reply = await reply.ask(f"{number}?")
        bodies.append(reply.body)
    return bodies


@scenario
async def subtasks() -> Result:
    """An agent gives work to workers of its own, one alone and two at once, and one of them fails."""

    @tool
    async def measure() -> str:
        """Measure."""
        return "3 m"

    workers = Script(
        call("measure"),
        spent("Three metres.", prompt_tokens=2, completion_tokens=1, total_tokens=3),
        spent("Left.", prompt_tokens=5),
        TimeoutError("no answer"),
    )
    script = Script(
        call("run_subtask", '{"task": "Measure it."}'),
        call("run_subtasks", '{"tasks": ["left", "right"], "parallel": false}'),
        "All done.",
    )
    boss = Agent("boss", config=script, tools=[measure], tasks=TaskConfig(config=workers))
    return (await boss.ask("Measure everything.")).body


@scenario
async def subtasks_of_a_member() -> Result:
    """An agent on a network, asked over a channel, gives work to a worker of its own and to another agent."""
    worker = Script(spent("Worked.", prompt_tokens=2))
    expert = Agent("expert", config=Script(spent("Known.", prompt_tokens=3)))
    calls = [call("run_subtask", '{"task": "Work."}'), call("task_expert", '{"objective": "Know."}')]
    async with world() as here:
        boss = Agent(
            "boss",
            config=Script(calls[0], calls[1], "Worked and known."),
            tools=[expert.as_tool(description="Ask the expert.")],
            tasks=TaskConfig(config=worker),
        )
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(boss, plugin=True)
        channel = await ann.open(type="consulting", target="boss")
        await channel.send("Work and know.")
        await here.quiet()
        return await here.texts(channel.channel_id)


@scenario
async def human_in_the_loop() -> Result:
    """Tools ask a person: one answers, one fails, and for one there is nobody to ask."""

    @tool
    async def confirm(ctx: Context) -> str:
        """Ask a person."""
        return await ctx.input("Go on?")

    async def yes(request: HumanInputRequest) -> str:
        return "by all means"

    async def broken(request: HumanInputRequest) -> str:
        raise BrokenPipeError("no terminal")

    def agent(name: str, **more: Any) -> Agent:
        return Agent(name, config=Script(call("confirm"), "Going on."), tools=[confirm], **more)

    reply = await agent("asked", hitl_hook=yes).ask("Do it.")
    failed = await raised(agent("failing", hitl_hook=broken).ask("Do it."))
    return reply.body, failed, await raised(agent("alone").ask("Do it."))


@scenario
async def human_asked_from_below() -> Result:
    """A worker, and another agent used as a tool, ask the person that the agent above them knows."""

    @tool
    async def confirm(ctx: Context) -> str:
        """Ask a person."""
        return await ctx.input("Go on?")

    async def yes(request: HumanInputRequest) -> str:
        return "yes"

    expert = Agent("expert", config=Script(call("confirm"), "Confirmed."), tools=[confirm])
    boss = Agent(
        "boss",
        config=Script(
            call("run_subtask", '{"task": "Confirm."}'), call("task_expert", '{"objective": "Confirm."}'), "Both."
        ),
        hitl_hook=yes,
        tools=[expert.as_tool(description="Ask the expert.")],
        tasks=TaskConfig(config=Script(call("confirm"), "Confirmed below."), extra_tools=[confirm]),
    )
    return (await boss.ask("Confirm.")).body


@scenario
async def agent_built_from_another() -> Result:
    """An agent is given the middleware of another, and each is asked."""
    first = Agent("first", config=Script("One."))
    second = Agent("second", config=Script("Two."), middleware=[one.middleware for one in first.middleware])
    return (await first.ask("1?")).body, (await second.ask("2?")).body


@scenario
async def agent_named_like_a_worker() -> Result:
    """An agent of the application has a name as long as, and like, that of a worker that AG2 makes for a subtask."""
    return (await Agent("subtask-research", config=Script("Found it.")).ask("Search.")).body


@scenario
async def two_agents_on_one_stream() -> Result:
    """Two agents share a stream, and what each spends is counted once."""
    stream = MemoryStream()
    first = Agent("first", config=Script(spent("One.", prompt_tokens=1)))
    second = Agent("second", config=Script(spent("Two.", prompt_tokens=2)))
    return (await first.ask("1?", stream=stream)).body, (await second.ask("2?", stream=stream)).body


@scenario
async def asks_at_once() -> Result:
    """Three agents are asked at the same time, and their tools meet."""
    arrived: set[str] = set()

    def agent(name: str) -> Agent:
        @tool
        async def meet() -> str:
            """Wait for the others."""
            arrived.add(name)
            await until(lambda: len(arrived) == 3)
            return "met"

        return Agent(name, config=Script(call("meet"), f"{name} is done."), tools=[meet])

    replies = await asyncio.gather(*(agent(name).ask("Meet.") for name in ("one", "two", "three")))
    return [reply.body for reply in replies]
