"""Agents without a network: turns, tools, usage, workers, questions to humans."""

from __future__ import annotations

import asyncio
from typing import Any

from .api import (
    Agent,
    BuiltinToolCallEvent,
    CompactTrigger,
    Context,
    ConversationContext,
    HumanInputRequest,
    ImageInput,
    KnowledgeConfig,
    MemoryKnowledgeStore,
    MemoryStream,
    ModelMessage,
    ModelMessageChunk,
    ModelRequest,
    ModelResponse,
    SummarizeCompact,
    TaskConfig,
    TextInput,
    ToolCallsEvent,
    ToolResult,
    Usage,
    UsageEvent,
    WebSearchTool,
    tool,
)
from .declare import scenario
from .world import Result, Script, call, raised, spent, until, world


@scenario()
async def standalone_ask_with_tools() -> Result:
    """An agent without a network calls two tools at once, one of them synchronous, and is asked again."""

    @tool
    async def add(left: int, right: int) -> int:
        """Add."""
        return left + right

    @tool
    def shout(text: str) -> dict[str, Any]:
        """Shout."""
        return {"text": text.upper(), "volume": 11}

    calls = [call("add", '{"left": 2, "right": 3}'), call("shout", '{"text": "grüß"}')]
    agent = Agent("ann", config=Script(calls, "Five.", "As I said."), tools=[add, shout])
    first = await agent.ask("How much is 2 + 3?")
    second = await first.ask("Are you sure?")
    return first.body, second.body


@scenario(since="0.14", why="an agent has no run()")
async def standalone_run() -> Result:
    """A turn is started, and its result is awaited."""
    async with Agent("ann", config=Script("Run.")).run("Go!") as run:
        return (await run.result()).body


@scenario()
async def tool_results_of_many_kinds() -> Result:
    """Tools return nothing, a long text, several parts, an image and a final answer."""

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


@scenario()
async def inputs_of_many_kinds() -> Result:
    """A model receives an image, streams its reply, and calls a built-in search tool."""
    searched = BuiltinToolCallEvent("web_search", arguments='{"q": "cats"}', id="builtin-1")
    script = Script(searched, ModelMessageChunk("A c"), "A cat.", "Yes.")
    agent = Agent("ann", "You look at pictures.", config=script, tools=[WebSearchTool()])
    stream = MemoryStream()
    first = await agent.ask("What is this?", ImageInput("https://example.test/cat.png"), stream=stream)
    second = await agent.ask("Really?", stream=stream)
    return first.body, second.body


@scenario()
async def usage() -> Result:
    """Models report usage with a plain reply and with a tool call, and one reports only its name."""

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


@scenario()
async def usage_of_a_compaction() -> Result:
    """A long history is summarised by a model that reports usage."""
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


@scenario()
async def usage_after_the_end() -> Result:
    """A background task of a turn reports usage after the turn has ended."""
    reply = await Agent("ann", config=Script("Yes.")).ask("Hello?")
    await reply.context.send(UsageEvent(kind="aggregation", usage=Usage(prompt_tokens=3, total_tokens=3)))
    return reply.body


@scenario()
async def subtasks() -> Result:
    """An agent delegates to its workers, first to one and then to two at once, and one of them fails."""

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


@scenario()
async def subtasks_of_a_member() -> Result:
    """An agent on a network, asked over a channel, delegates to a worker and to another agent."""
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


def _asking(name: str, **more: Any) -> Agent:
    @tool
    async def confirm(ctx: Context) -> str:
        """Ask a person."""
        return await ctx.input("Go on?")

    return Agent(name, config=Script(call("confirm"), "Going on."), tools=[confirm], **more)


@scenario()
async def human_in_the_loop() -> Result:
    """A tool asks a human, who answers."""

    async def yes(request: HumanInputRequest) -> str:
        return "by all means"

    return (await _asking("asked", hitl_hook=yes).ask("Do it.")).body


@scenario(same_since="1.0.3", why="the model receives the error before the turn ends")
async def human_who_cannot_be_asked() -> Result:
    """Tools ask a human: one question fails, and one has no human to ask."""

    async def broken(request: HumanInputRequest) -> str:
        raise BrokenPipeError("no terminal")

    failed = await raised(_asking("failing", hitl_hook=broken).ask("Do it."))
    return failed, await raised(_asking("alone").ask("Do it."))


@scenario()
async def human_asked_from_below() -> Result:
    """A worker, and another agent used as a tool, ask the human of the agent that called them."""

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


@scenario()
async def served_agents() -> Result:
    """Two agents answer in contexts that a server has made, as for A2A, one of them in a tool of the other."""

    @tool
    async def confirm(ctx: Context) -> str:
        """Ask a person."""
        return await ctx.input("Go on?")

    async def yes(request: HumanInputRequest) -> str:
        return "yes"

    inner = Agent("inner", config=Script(call("confirm"), "Confirmed."), tools=[confirm], hitl_hook=yes)

    @tool
    async def pass_on() -> str | None:
        """Ask the other one."""
        return await _served(inner, "Confirm.")

    outer = Agent(
        "outer",
        config=Script(call("pass_on"), call("run_subtask", '{"task": "Confirm."}'), "Both."),
        hitl_hook=yes,
        tools=[pass_on],
        tasks=TaskConfig(config=Script(call("confirm"), "Confirmed below."), extra_tools=[confirm]),
    )
    return await _served(outer, "Confirm twice.")


async def _served(agent: Agent, text: str) -> str | None:
    """Let an agent answer as AG2's servers do: its context does not name it."""
    context = ConversationContext(
        MemoryStream(), dependencies=dict(agent._agent_dependencies), dependency_provider=agent.dependency_provider
    )
    reply = await agent._execute(ModelRequest([TextInput(text)]), context=context, client=agent.config.create())
    return reply.body


@scenario(since="1.0.2", why="an agent does not show its middleware")
async def agent_built_from_another() -> Result:
    """An agent is created with the middleware of another, and each is asked."""
    first = Agent("first", config=Script("One."))
    second = Agent("second", config=Script("Two."), middleware=[one.middleware for one in first.middleware])
    return (await first.ask("1?")).body, (await second.ask("2?")).body


@scenario()
async def agent_named_like_a_worker() -> Result:
    """An agent of the program has a name in the format that AG2 uses for the worker of a subtask."""
    return (await Agent("subtask-research", config=Script("Found it.")).ask("Search.")).body


@scenario()
async def two_agents_on_one_stream() -> Result:
    """Two agents share a stream, and the usage of each is counted once."""
    stream = MemoryStream()
    first = Agent("first", config=Script(spent("One.", prompt_tokens=1)))
    second = Agent("second", config=Script(spent("Two.", prompt_tokens=2)))
    return (await first.ask("1?", stream=stream)).body, (await second.ask("2?", stream=stream)).body


@scenario()
async def asks_at_once() -> Result:
    """Three agents are asked at the same time, and their tools wait for each other."""
    arrived: set[str] = set()

    def agent(name: str) -> Agent:
        @tool
        async def meet() -> str:
            """Wait for the others."""
            arrived.add(name)
            await until(lambda: len(arrived) == 3)
            return "together"

        return Agent(name, config=Script(call("meet"), f"{name} is done."), tools=[meet])

    replies = await asyncio.gather(*(agent(name).ask("Meet.") for name in ("one", "two", "three")))
    return [reply.body for reply in replies]
