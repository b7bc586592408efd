"""What the shipped specs record beyond AG2's own tracing: failed model calls, and the opt-in spec `ag2_details`."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from .api import (
    PACKAGE,
    Agent,
    MemoryKnowledgeStore,
    ModelMessage,
    ModelMessageChunk,
    ModelResponse,
    TaskConfig,
    TaskMetadata,
    TaskSpec,
    TaskState,
)
from .compare import NormalSpan, Recorder
from .ours import declarative_tracing
from .runs import needs_ours
from .scenarios import SCENARIOS
from .world import Script, call, world

pytestmark = needs_ours

RetryMiddleware = importlib.import_module(f"{PACKAGE}.middleware.builtin").RetryMiddleware


def traced(work: Callable[[], Awaitable[Any]], *specs: str, content: bool = False) -> list[NormalSpan]:
    """The spans of the work, which may fail with a TimeoutError."""

    async def run() -> None:
        with suppress(TimeoutError):
            await work()

    recorder = Recorder()
    with declarative_tracing(recorder.provider, content, specs):
        asyncio.run(run())
    return [span for tree in recorder.trees() for span in tree.walk()]


class Named(Script):
    """A model configuration that names its model."""

    model = "demo-large"
    provider = "demo"


class Nameless(Script):
    """A model configuration that names no model, in the way of AG2's protocol."""

    @property
    def model(self) -> str:
        raise NotImplementedError

    @property
    def provider(self) -> Any:
        raise NotImplementedError


REQUESTED = ("gen_ai.provider.name", "gen_ai.request.model")


@pytest.mark.parametrize(("config", "names"), [(Named, ["demo", "demo-large"]), (Nameless, [None, None])])
def test_a_model_call_that_fails_names_the_requested_model(
    config: type[Script], names: list[str | None], caplog: pytest.LogCaptureFixture
):
    spans = traced(lambda: Agent("ann", config=config(TimeoutError("late"))).ask("?"))
    (chat,) = (span for span in spans if span.type == "llm")
    assert [chat.attributes.get(key) for key in REQUESTED] == names
    assert chat.status == ("ERROR", "TimeoutError")
    assert not [record for record in caplog.records if " failed: " in record.getMessage()]


@pytest.mark.parametrize(
    ("response", "names"),
    [("Yes.", ["demo", "demo-large"]), (ModelResponse(ModelMessage("Yes."), model="m", provider="p"), ["p", "m"])],
)
def test_a_model_call_names_the_model_of_its_response_or_else_the_requested_one(response, names: list[str]):
    spans = traced(lambda: Agent("ann", config=Named(response)).ask("?"))
    (chat,) = (span for span in spans if span.type == "llm")
    assert [chat.attributes.get(key) for key in REQUESTED] == names
    assert chat.name == f"chat {names[1]}"


class WithUrl(Script):
    """A model configuration with the URL of a server."""

    base_url = "http://models.test:8080/v1"


class WithClient(Script):
    """A model configuration whose client knows the URL."""

    def __init__(self, *lines: Any) -> None:
        super().__init__(*lines)
        self._client._client = SimpleNamespace(base_url="https://models.test/v1")  # type: ignore[attr-defined]


@pytest.mark.parametrize(("config", "server"), [(WithUrl, 8080), (WithClient, 443), (Nameless, None)])
def test_a_model_call_names_its_server(config: type[Script], server: int | None):
    spans = traced(lambda: Agent("ann", config=config("Yes.")).ask("?"))
    (chat,) = (span for span in spans if span.type == "llm")
    address = "models.test" if server else None
    assert [chat.attributes.get(key) for key in ("server.address", "server.port")] == [address, server]


@pytest.mark.parametrize("content", [True, False])
def test_a_tool_that_does_not_exist_is_an_event_of_the_turn_and_its_name_is_content(content: bool):
    script = Script(call("nothing"), "I see.", raise_tool_errors=False)
    spans = traced(lambda: Agent("ann", config=script).ask("?"), content=content)
    (turn,) = (span for span in spans if span.type == "agent")
    written_by_the_model = {"gen_ai.tool.name": "nothing"} if content else {}
    assert turn.events == [("tool_not_found", {"gen_ai.tool.call.id": "call-nothing", **written_by_the_model})]


def test_a_task_is_an_open_span_while_it_runs_and_after_a_restart_of_its_hub():
    store, recorder = MemoryKnowledgeStore(), Recorder()

    def tasks(*, ended: bool) -> list[NormalSpan]:
        return [span for span in recorder.trees() if span.type == "task" and span.ended is ended]

    async def work() -> None:
        async with world(store=store, tidy=False) as here:
            ann = await here.join(Agent("ann", config=Script()))
            for name, start in (("dig", here.clock()), ("fill", None)):
                spec = TaskSpec(title=name, capability=name)
                await here.hub.observe_task(TaskMetadata(name, ann.agent_id, spec, TaskState.RUNNING, started_at=start))
            assert [span.name for span in tasks(ended=False)] == ["network.task dig", "network.task fill"]
            await here.hub.update_task("fill", state=TaskState.COMPLETED)
            assert [span.name for span in tasks(ended=False)] == ["network.task dig"]
        async with world(store=store, tidy=False) as here:
            await here.hub.update_task("dig", state=TaskState.FAILED, error="tired")

    with declarative_tracing(recorder.provider):
        asyncio.run(work())
    keys = ("ag2.network.restored", "instrument.end", "ag2.network.outcome", "error.type")
    assert [(span.name, *map(span.attributes.get, keys)) for span in tasks(ended=True)] == [
        ("network.task dig", True, None, "failed", "failed"),
        ("network.task dig", None, "hub_closed", None, None),
        ("network.task fill", None, None, "completed", None),
    ]


def test_joined_a_message_is_in_the_trace_of_what_sends_it_with_everything_that_it_causes():
    recorder = Recorder()
    with declarative_tracing(recorder.provider, specs=["ag2_joined"]):
        asyncio.run(SCENARIOS["conversation_by_tool"].run())
    messages = [tree for tree in recorder.trees() if tree.type == "envelope"]
    (first,) = messages
    found = [span for span in first.walk() if span.type in ("envelope", "tool")]
    assert [span.type for span in found] == ["envelope", "tool", "envelope", "tool", "envelope", "envelope"]
    assert {str(attributes["ag2.link.kind"]) for span in found for _, attributes in span.links} == {"in_channel"}


def test_joined_a_task_is_in_the_trace_of_the_turn_that_starts_it():
    scenario = SCENARIOS["tasks_of_a_turn"]
    if scenario.missing:
        pytest.skip(scenario.missing)
    recorder = Recorder()
    with declarative_tracing(recorder.provider, specs=["ag2_joined"]):
        asyncio.run(scenario.run())
    (tool,) = (span for tree in recorder.trees() for span in tree.walk() if span.name == "execute_tool work")
    assert {span.type for span in tool.children} == {"task"}
    assert not [tree for tree in recorder.trees() if tree.type == "task"]


@pytest.mark.parametrize("name", ["discussion_of_three", "failing_turn", "recipient_away"])
def test_handled_a_message_lasts_until_its_last_turn_has_ended_and_fails_with_it(name: str):
    if SCENARIOS[name].missing:
        pytest.skip(SCENARIOS[name].missing)
    recorder = Recorder()
    with declarative_tracing(recorder.provider, specs=["ag2_handled"]):
        asyncio.run(SCENARIOS[name].run())
    spans = {span.context.span_id: span for span in recorder.finished if span.context is not None}
    messages = {key: span for key, span in spans.items() if (span.attributes or {})["ag2.span.type"] == "envelope"}
    failed = set()
    for span in spans.values():
        above = messages.get(span.parent.span_id) if span.parent else None
        if above is not None:
            assert (span.end_time or 0) <= (above.end_time or 0)
            failed |= {id(above)} if span.name == "network.turn_failed" else set()
    assert messages and not recorder.unfinished
    for message in messages.values():
        attributes = message.attributes or {}
        assert "instrument.end" not in attributes
        assert (message.status.description == "1 turn failure(s)") is (id(message) in failed)
        assert ("error.type" in attributes) is (id(message) in failed)
    assert bool(failed) is (name != "recipient_away")


@pytest.mark.parametrize(
    ("content", "expected"),
    [(True, [("Ask!", "Which?"), ("Which?", "This."), ("This.", None)]), (False, [(None, None)] * 3)],
)
def test_joined_a_message_that_is_open_until_it_is_handled_has_its_reply(content: bool, expected: list[Any]):
    """The second message is a reply, which is replied to as well."""

    async def work() -> None:
        async with world() as here:
            ann = await here.join(Agent("ann", config=Script("This.")), alone=False)
            await here.join(Agent("bob", config=Script("Which?", "")), alone=False)
            channel = await ann.open(type="conversation", target="bob")
            await channel.send("Ask!")
            await here.quiet()

    spans = traced(work, "ag2_joined", "ag2_handled", content=content)
    messages = [span for span in spans if span.type == "envelope"]
    assert [tuple(map(message.attributes.get, ("input.value", "output.value"))) for message in messages] == expected


def test_each_attempt_of_a_model_call_is_a_span():
    script = Script(TimeoutError("first"), TimeoutError("second"), "Third time.")

    async def work() -> None:
        await Agent("ann", config=script, middleware=[RetryMiddleware(max_retries=3)]).ask("?")

    spans = traced(work, "ag2_details")
    (chat,) = (span for span in spans if span.type == "llm")
    assert [(child.name, child.status) for child in chat.children] == [
        ("chat attempt", ("ERROR", "TimeoutError")),
        ("chat attempt", ("ERROR", "TimeoutError")),
        ("chat attempt", ("UNSET", None)),
    ]
    assert [span.name for span in traced(lambda: Agent("ann", config=Script("Yes.")).ask("?"))] == [
        "invoke_agent ann",
        "chat",
    ]


def test_the_first_chunk_of_a_response_is_an_event():
    script = Script(ModelMessageChunk("a "), ModelMessageChunk("b "), "a b c")
    spans = traced(lambda: Agent("ann", config=script).ask("?"), "ag2_details")
    (chat,) = (span for span in spans if span.type == "llm")
    assert [name for name, _ in chat.events] == ["first_chunk"]


def test_the_workers_of_subtasks_are_traced():
    async def work() -> None:
        script = Script(call("run_subtask", '{"task": "Dig."}'), "Done.")
        await Agent("boss", config=script, tasks=TaskConfig(config=Script("A hole."))).ask("?")

    names = [span.name for span in traced(work, "ag2_details") if span.type == "agent"]
    assert [name.partition("-")[0] for name in names] == ["invoke_agent boss", "invoke_agent subtask"]


@pytest.mark.parametrize("content", [True, False])
def test_a_subtask_that_fails_is_an_event_of_the_turn_that_delegated_it(content: bool):
    async def work() -> None:
        expert = Agent("expert", config=Script(LookupError("no answer")))
        script = Script(call("task_expert", '{"objective": "Find it."}'), "It failed.", raise_tool_errors=False)
        await Agent("boss", config=script, tools=[expert.as_tool(description="Ask the expert.")]).ask("?")

    spans = traced(work, "ag2_details", content=content)
    (turn,) = (span for span in spans if span.name == "invoke_agent boss")
    reason = {"ag2.event.reason": "no answer"} if content else {}
    expected = {"ag2.error.type": "LookupError", "ag2.event.source": "expert", **reason}
    assert turn.events == [("ag2.TaskFailed", expected)]
