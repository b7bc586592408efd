"""Behaviours of AG2's agents: turns, tools, streams, schemas, middleware, workers, humans, usage."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ag2 import Agent, Context, MemoryStream, TaskConfig, tool
from ag2.events import BaseEvent, HumanInputRequest, ModelMessageChunk
from ag2.middleware import BaseMiddleware, Middleware
from pydantic import BaseModel

from .ag2_record import Record
from .oracle.world import Script, call, spent

BEHAVIOURS: list[Callable[[Record], Awaitable[Any]]] = []


def behaviour(act: Callable[[Record], Awaitable[Any]]) -> Callable[[Record], Awaitable[Any]]:
    BEHAVIOURS.append(act)
    return act


@behaviour
async def an_agent_is_asked_and_asked_again(record: Record) -> Any:
    stream = record.stream()
    first = await Agent("ann", "You are brief.", config=Script("Five.", "As I said.")).ask("2 + 3?", stream=stream)
    second = await first.ask("Sure?")
    return first.body, second.body, list(await second.history.get_events()), stream.pending_messages


@behaviour
async def tools_are_called_in_threads_and_tasks_and_one_raises(record: Record) -> Any:
    @tool
    def plain(text: str) -> dict[str, Any]:
        """Shout."""
        return {"text": text.upper()}

    @tool
    async def waiting(left: int, right: int = 4) -> int:
        """Add."""
        await asyncio.sleep(0)
        return left + right

    @tool
    async def broken() -> str:
        """Break."""
        raise OverflowError("too much") from KeyError("cause")

    script = [call("plain", '{"text": "ü"}'), call("waiting", '{"left": 1}'), call("broken"), call("absent"), "Done."]
    for strict in (True, False):
        agent = Agent("ann", config=Script(*script, raise_tool_errors=strict), tools=[plain, waiting, broken])
        reply = await record.outcome(agent.ask("Go.", stream=record.stream()))
        record.say(reply and reply.body)
    return plain.schema, waiting.schema


@behaviour
async def a_model_that_fails_fails_the_turn_with_its_own_exception(record: Record) -> Any:
    error = ConnectionError("gone")
    stream = record.stream()
    try:
        await Agent("ann", config=Script(error)).ask("Anybody?", stream=stream)
    except ConnectionError as caught:
        return caught is error, list(await stream.history.get_events())


@behaviour
async def events_are_streamed_filtered_changed_and_suppressed(record: Record) -> Any:
    stream, chunks = record.stream(), []
    stream.where(ModelMessageChunk).subscribe(lambda event: chunks.append(event.content), sync_to_thread=False)

    def louder(event: BaseEvent) -> BaseEvent | None:
        if isinstance(event, ModelMessageChunk):
            return None if event.content == "secret" else ModelMessageChunk(event.content.upper())
        return event

    stream.subscribe(louder, interrupt=True, sync_to_thread=False)
    script = Script(*map(ModelMessageChunk, ("a", "secret", "b")), "ab")
    with stream.join() as events:
        reply = await Agent("ann", config=script).ask("Spell.", stream=stream)
        joined = [type(await events.__anext__()).__name__ for _ in range(3)]
    return reply.body, chunks, joined


class City(BaseModel):
    name: str
    people: int


@behaviour
async def an_answer_is_validated_by_its_schema_or_requested_again(record: Record) -> Any:
    good, bad = '{"name": "Bern", "people": 1}', '{"name": "Bern"}'
    agent = Agent("ann", config=Script(good, bad, bad, good, "no"), response_schema=City)
    first = await (await agent.ask("A city?", stream=record.stream())).content()
    record.say(type(first), first)
    await record.outcome((await agent.ask("Another?")).content())
    third = await agent.ask("And one more?", stream=record.stream())
    return await third.content(retries=1), await record.outcome((await agent.ask("Last?")).content())


def _middleware(record: Record, name: str) -> Middleware:
    class Noting(BaseMiddleware):
        def __init__(self, event: BaseEvent, context: Any) -> None:
            super().__init__(event, context)
            record.say(name, "made for", event)

        async def on_turn(self, call_next: Any, event: Any, context: Any) -> Any:
            record.say(name, "turn", event)
            return record.say(name, "turned", reply := await call_next(event, context)) or reply

        async def on_llm_call(self, call_next: Any, events: Sequence[BaseEvent], context: Any) -> Any:
            record.say(name, "model", list(events))
            return record.say(name, "said", reply := await call_next(events, context)) or reply

        async def on_tool_execution(self, call_next: Any, event: Any, context: Any) -> Any:
            record.say(name, "tool", event)
            try:
                return record.say(name, "done", result := await call_next(event, context)) or result
            finally:
                record.say(name, "tool is over")

        async def on_human_input(self, call_next: Any, event: Any, context: Any) -> Any:
            record.say(name, "person", event)
            return record.say(name, "answered", answer := await call_next(event, context)) or answer

    return Middleware(Noting)


@behaviour
async def middleware_runs_in_order_and_sees_every_hook(record: Record) -> Any:
    @tool
    async def confirm(ctx: Context) -> str:
        """Ask a person."""
        return await ctx.input("Go on?")

    async def yes(request: HumanInputRequest) -> str:
        return f"yes to {request.content}"

    agent = Agent(
        "ann",
        config=Script(call("confirm"), "Going on.", "Again."),
        tools=[confirm],
        hitl_hook=yes,
        middleware=[_middleware(record, "outer"), _middleware(record, "inner")],
    )
    reply = await agent.ask("Do it.", middleware=[_middleware(record, "of this turn")])
    # Ours is installed as AG2's middleware and visible among it; the program's is there in its order.
    shown = [repr(each.middleware) for each in agent.middleware if "opentelemetry." not in repr(each.middleware)]
    return reply.body, (await reply.ask("And?")).body, shown


@behaviour
async def a_tool_fails_if_no_human_can_be_asked(record: Record) -> Any:
    @tool
    async def confirm(ctx: Context) -> str:
        """Ask a person."""
        return await ctx.input("Go on?", timeout=5)

    async def broken(request: HumanInputRequest) -> str:
        raise BrokenPipeError("no terminal")

    for hook in (broken, None):
        agent = Agent("ann", config=Script(call("confirm"), "On."), tools=[confirm], hitl_hook=hook)
        await record.outcome(agent.ask("Do it.", stream=record.stream()))


@behaviour
async def an_agent_delegates_to_workers_and_to_agents_used_as_tools(record: Record) -> Any:
    workers = Script(spent("Left.", prompt_tokens=2), spent("Right.", prompt_tokens=3), TimeoutError("no answer"))
    expert = Agent("expert", config=Script("Known."))
    script = Script(
        call("run_subtasks", '{"tasks": ["left", "right"], "parallel": false}'),
        call("task_expert", '{"objective": "Know."}'),
        call("run_subtask", '{"task": "middle"}'),
        "All done.",
        raise_tool_errors=False,
    )
    boss = Agent("boss", config=script, tools=[expert.as_tool(description="Ask.")], tasks=TaskConfig(config=workers))
    reply = await boss.ask("Go.", stream=record.stream())
    return reply.body, (await reply.usage()).total


@behaviour
async def usage_is_counted(record: Record) -> Any:
    full = spent("Yes.", prompt_tokens=11, completion_tokens=7, total_tokens=18, cache_read_input_tokens=3)
    agent = Agent("ann", config=Script(full, spent("Again.", prompt_tokens=4), "For nothing."))
    reply = await agent.ask("1?", stream=record.stream())
    for question in ("2?", "3?"):
        record.say(await reply.usage())
        reply = await reply.ask(question)
    return await reply.usage()


@behaviour
async def a_turn_is_run_and_cancelled(record: Record) -> Any:
    started, forever = asyncio.Event(), asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait."""
        started.set()
        await forever.wait()
        return "never"

    agent = Agent("ann", config=Script("One.", call("wait"), call("wait"), "Never."), tools=[wait])
    async with agent.run("Go!", stream=record.stream()) as run:
        record.say((await run.result()).body, await run.result() is await run.result())
    async with agent.run("Wait!", stream=record.stream()) as run:
        run.start()
        await started.wait()
    started.clear()
    asking = asyncio.ensure_future(agent.ask("Wait!", stream=record.stream()))
    await started.wait()
    asking.cancel()
    await record.outcome(asking)
    return asking.cancelled(), await record.outcome(run.result())


@behaviour
async def agents_and_their_methods_are_copied_and_printed(record: Record) -> Any:
    agent = Agent("ann", "Be brief.", config=Script("One."), dependencies={"a": 1}, variables={"b": 2})
    copied = copy.copy(agent)
    return copied.name, copied.system_prompt, dict(copied.variables), repr(copied.ask.__func__), Agent.__mro__


@behaviour
async def two_agents_share_a_stream(record: Record) -> Any:
    stream: MemoryStream = record.stream()
    first, second = Agent("first", config=Script("One.")), Agent("second", config=Script("Two."))
    bodies = [(await first.ask("1?", stream=stream)).body, (await second.ask("2?", stream=stream)).body]
    return bodies, len(list(await stream.history.get_events()))
