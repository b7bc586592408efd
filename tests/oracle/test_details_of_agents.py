"""What `ag2_details` records of an agent's memory, observers, tasks, timers and retries."""

import asyncio
import importlib
from typing import Any

import pytest

from .api import (
    PACKAGE,
    Agent,
    CompactTrigger,
    Context,
    KnowledgeConfig,
    MemoryKnowledgeStore,
    MemoryStream,
    ModelMessage,
    ModelMessageChunk,
    ModelResponse,
    TestConfig,
    tool,
)
from .compare import NormalSpan, Recorder
from .ours import declarative_tracing
from .runs import needs_ours
from .world import Script, call, spent, world

pytestmark = needs_ours


def _module(name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{name}")


watches, events, observers = _module("watch"), _module("events"), _module("observers.observer")
retries = {"middleware": [_module("middleware.builtin").RetryMiddleware(max_retries=3)]}


class Alarm(observers.BaseObserver):  # type: ignore[misc, name-defined]
    """Raises an alert that halts the agent."""

    async def process(self, seen: Any, ctx: Any) -> Any:
        alert = _module("events.alert")
        return alert.ObserverAlert(source=self.name, severity=alert.Severity.FATAL, message="stop it")


class Foreign:
    """A model client that is no subclass of AG2's. It fails once."""

    def __init__(self) -> None:
        self._replies: list[Any] = [TimeoutError("late"), ModelResponse(ModelMessage("Now."))]

    async def __call__(self, messages: Any, context: Any, **options: Any) -> Any:
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


class ForeignConfig(TestConfig):
    def __init__(self) -> None:
        super().__init__()
        self._client = Foreign()

    def create(self) -> Any:
        return self._client


async def _remember() -> None:
    """An agent with tasks, memory that is compacted and aggregated, and an observer."""

    @tool
    async def work(ctx: Context) -> str:
        """Work."""
        async with ann.task("dig", context=ctx):
            pass
        async with ann.task("carry", context=ctx) as task:
            await task.fail(LookupError("too heavy"))
        return "done"

    knowledge = KnowledgeConfig(
        store=MemoryKnowledgeStore(),
        compact=_module("compact").SummarizeCompact(target=1, config=Script(spent("short", prompt_tokens=1))),
        compact_trigger=CompactTrigger(max_events=1),
        aggregate=_module("aggregate").WorkingMemoryAggregate(Script(spent("memory", prompt_tokens=2))),
        aggregate_trigger=_module("aggregate").AggregateTrigger(on_end=True),
    )
    write = call("knowledge", '{"action": "write", "path": "/artifacts/a.md", "content": "abc"}')
    script = Script(call("work"), write, ModelMessageChunk("a "), ModelMessageChunk("b"), "a b")
    alarm = Alarm("alarm", watches.EventWatch(events.ModelMessage))
    ann = Agent("ann", config=script, tools=[work], knowledge=knowledge, observers=[alarm])
    await ann.ask("?")


async def _retry() -> None:
    await Agent("bob", config=Script(TimeoutError("1"), TimeoutError("2"), "Third.")).ask("?", **retries)
    await Agent("foreigner", config=ForeignConfig(), **retries).ask("?")


async def _halt() -> None:
    policy = _module("policies.alert").AlertPolicy()
    alarm = Alarm("alarm", watches.EventWatch(events.ToolCallsEvent))
    script = Script(call("nothing"), call("nothing"), "Not sent.", raise_tool_errors=False)
    await Agent("cem", config=script, assembly=[policy], observers=[alarm]).ask("?")


async def _wait() -> None:
    fired, count = asyncio.Event(), asyncio.Event()

    async def tick(_events: Any, _ctx: Any) -> None:
        fired.set()

    async def seen(_events: Any, _ctx: Any) -> None:
        count.set()

    stream = MemoryStream()
    watches.DelayWatch(0.001).arm(stream, tick)
    watches.EventWatch(events.ModelMessage).arm(stream, seen)
    await Agent("dora", config=Script("Yes.")).ask("?", stream=stream)
    await fired.wait()
    assert count.is_set()


async def _network() -> None:
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script("Yes.")))
        channel = await ann.open(type="consulting", target="bob")
        await channel.send("Really?")
        await here.quiet()


@pytest.fixture(scope="module")
def spans() -> list[NormalSpan]:
    """Every span of the programs above, which run one after the other."""

    async def run() -> None:
        for program in (_remember, _retry, _halt, _wait, _network):
            await program()

    recorder = Recorder()
    with declarative_tracing(recorder.provider, specs=["ag2_details"]):
        asyncio.run(run())
    return [span for tree in recorder.trees() for span in tree.walk()]


def _of(spans: list[NormalSpan], kind: str, *keys: str) -> list[Any]:
    """The name and some attributes of the spans of a type."""
    return [(span.name, *map(span.attributes.get, keys)) for span in spans if span.type == kind]


def _turn(spans: list[NormalSpan], agent: str) -> NormalSpan:
    return next(span for span in spans if span.name == f"invoke_agent {agent}")


@pytest.mark.parametrize(
    ("agent", "statuses"), [("bob", ["ERROR", "ERROR", "UNSET"]), ("foreigner", ["ERROR", "UNSET"])]
)
def test_each_attempt_is_a_span_wherever_the_call_is_retried(spans: list[NormalSpan], agent: str, statuses: list[str]):
    (chat,) = _turn(spans, agent).children
    assert [span.status[0] for span in chat.children] == statuses
    assert {span.name for span in chat.children} == {"chat attempt"}
    assert chat.attributes["ag2.chat.attempts"] == len(statuses)


def test_the_chunks_of_a_response_are_counted_and_the_first_has_its_time(spans: list[NormalSpan]):
    (chat,) = (span for span in spans if "ag2.chat.chunks" in span.attributes)
    ((event, attributes),) = chat.events
    assert (chat.attributes["ag2.chat.chunks"], event) == (2, "first_chunk")
    assert 0 < attributes["gen_ai.response.time_to_first_chunk"] < 60


def test_tasks_outside_of_a_network_are_spans(spans: list[NormalSpan]):
    found = [span for span in _turn(spans, "ann").walk() if span.type == "agent_task"]
    keys = ("ag2.task.objective", "ag2.task.outcome", "error.type", "gen_ai.agent.name")
    assert _of(found, "agent_task", *keys) == [
        ("task ann", "carry", "failed", "LookupError", "ann"),
        ("task ann", "dig", "completed", None, "ann"),
    ]
    assert [span.status[0] for span in found] == ["ERROR", "OK"]


def test_memory_that_is_compacted_aggregated_and_written_is_in_the_trace_of_the_turn(spans: list[NormalSpan]):
    turn = list(_turn(spans, "ann").walk())
    assert _of(turn, "compaction", "ag2.compaction.strategy") == [("compact", "SummarizeCompact")]
    assert _of(turn, "aggregation", "ag2.aggregation.strategy") == [("aggregate", "WorkingMemoryAggregate")]
    areas = ["ag2.knowledge.area", "ag2.knowledge.store"]
    assert sorted(_of(turn, "knowledge", *areas)) == [
        ("knowledge write", area, "MemoryKnowledgeStore") for area in ("artifacts", "log", "log", "memory")
    ]
    (history,) = (span for span in turn if span.type == "history")
    assert (history.name, history.attributes["ag2.history.events"] > 0) == ("persist history", True)
    assert {span.attributes["gen_ai.conversation.id"] for span in turn} == {
        turn[0].attributes["gen_ai.conversation.id"]
    }


def test_the_store_of_a_hub_is_not_recorded(spans: list[NormalSpan]):
    paths = [span.attributes["ag2.knowledge.path"] for span in spans if span.type == "knowledge"]
    assert paths and not [path for path in paths if path.startswith(("/agents", "/channels", "/registry", "/audit"))]


def test_an_observer_is_a_span_and_its_alert_and_the_halt_are_events_of_the_turn(spans: list[NormalSpan]):
    turn = _turn(spans, "cem")
    found = _of(list(turn.walk()), "observer", "ag2.watch.type", "ag2.event.severity")
    assert set(found) == {("observe alarm", "EventWatch", "fatal")}
    assert {name for name, _ in turn.events} == {"tool_not_found", "ag2.ObserverAlert", "ag2.HaltEvent"}


def test_what_a_timer_or_a_watch_calls_is_a_span(spans: list[NormalSpan]):
    timers = _of(spans, "timer", "ag2.watch.schedule", "ag2.watch.callback")
    assert timers == [("timer DelayWatch", "0.001", "_wait.<locals>.tick")]
    turn = list(_turn(spans, "dora").walk())
    assert _of(turn, "watch", "ag2.watch.events", "ag2.watch.callback") == [("watch", 1, "_wait.<locals>.seen")]
