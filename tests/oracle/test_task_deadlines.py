"""The opt-in spec ``ag2_task_deadlines``: if it is listed, a task on the network expires on every release."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from .api import Agent, AgentClient, Context, at_least, tool
from .compare import Recorder
from .deviations import DEVIATIONS
from .golden import golden_form, golden_text
from .ours import declarative_tracing
from .runs import Tracing, needs_ours, run, untraced
from .scenarios import SCENARIOS
from .test_golden import differing, golden
from .wire import needs_websockets, wire
from .world import Script, World, call, until, world

pytestmark = needs_ours

SCENARIO = "tasks_of_a_turn"
with_deadlines: Tracing = functools.partial(declarative_tracing, specs=["ag2_task_deadlines"])


def test_with_the_spec_a_task_expires_on_every_release():
    text = golden_text(SCENARIO)
    for id_, each in DEVIATIONS.items():
        if id_ != "task-deadline" and each.holds and each.golden is not None:
            text = each.golden(SCENARIO, text)
    listed = run(SCENARIO, with_deadlines)
    found = differing(text, golden_form(listed.result, listed.trees), "golden", "with deadlines")
    assert not found, f"\n{found}"
    assert listed.result == untraced(SCENARIO).result


@pytest.mark.skipif(at_least("1.0"), reason="since 1.0 AG2 sends the deadline itself")
def test_without_the_spec_a_task_never_expires_on_older_releases():
    spans = [span for tree in run(SCENARIO, declarative_tracing).trees for span in tree.walk()]
    (sleep,) = (span for span in spans if span.name == "network.task sleep")
    assert (sleep.attributes["ag2.network.outcome"], sleep.status[0]) == ("completed", "OK")


@pytest.mark.skipif(not at_least("1.0"), reason="before 1.0 it has something to do")
@pytest.mark.parametrize("name", sorted(name for name in SCENARIOS if "task" in name))
def test_the_spec_changes_nothing_if_ag2_announces_the_deadline(name: str, caplog: pytest.LogCaptureFixture):
    if SCENARIOS[name].missing or SCENARIOS[name].other:
        pytest.skip(SCENARIOS[name].missing or SCENARIOS[name].other)
    with caplog.at_level(logging.WARNING, logger="opentelemetry.instrumentation.declarative"):
        listed = run(name, with_deadlines)
    found = differing(golden(name), golden_form(listed.result, listed.trees), "golden", "with deadlines")
    assert not found, f"\n{found}"
    assert [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("opentelemetry.instrumentation.declarative")
    ] == []


# ── The deadline in the hub ──


@dataclass(frozen=True)
class ObservedTask:
    """A task inside a turn: its deadline for its owner and in the hub, and its state in the hub."""

    deadline: str | None
    hub_deadline: str | None
    before: str
    after: str
    """Two minutes later."""


async def tasks_of_bob(wired: bool) -> dict[str, ObservedTask]:
    """The three tasks of Bob, in the hub's process or over the wire, by their names."""
    async with world() as here:
        if not wired:
            return await _tasks(here, here.join)
        async with wire(here.hub) as network:
            return await _tasks(here, network.join)


async def _tasks(here: World, join: Callable[[Agent], Awaitable[AgentClient]]) -> dict[str, ObservedTask]:
    found: dict[str, ObservedTask] = {}

    @tool
    async def work(ctx: Context) -> str:
        """Work."""
        async with (
            bob.task("long", ttl_seconds=600, context=ctx) as long,
            bob.task("short", ttl_seconds=60, context=ctx) as short,
            bob.task("untimed", context=ctx) as untimed,
        ):
            tasks = [(each.metadata, await here.hub.get_task(each.task_id)) for each in (long, short, untimed)]
            before = [(seen.expires_at, seen.state.value) for _, seen in tasks]
            here.clock.advance(120)
            await here.hub.expire_due()
            for (own, seen), (hub_deadline, state) in zip(tasks, before, strict=True):
                found[own.spec.title] = ObservedTask(own.expires_at, hub_deadline, state, seen.state.value)
        return "done"

    async def answered() -> bool:
        return ("bob", "Done.") in await here.texts(channel.channel_id)

    bob = Agent("bob", config=Script(call("work"), "Done."), tools=[work])
    ann = await here.join(Agent("ann", config=Script()))
    await join(bob)
    channel = await ann.open(type="consulting", target="bob")
    await channel.send("Work!")
    await until(answered)
    await here.quiet()
    return found


@pytest.mark.parametrize("wired", [False, pytest.param(True, marks=needs_websockets)])
def test_with_the_spec_the_hub_receives_exactly_the_deadline_of_the_task(wired: bool):
    with with_deadlines(Recorder().provider, True):
        found = asyncio.run(tasks_of_bob(wired))
    assert [each.hub_deadline for each in found.values()] == [each.deadline for each in found.values()]
    assert found["long"].hub_deadline
    assert found["short"].hub_deadline
    assert found["untimed"].hub_deadline is None
    assert {name: (each.before, each.after) for name, each in found.items()} == {
        "long": ("running", "running"),
        "short": ("running", "expired"),
        "untimed": ("running", "running"),
    }


@pytest.mark.skipif(at_least("1.0"), reason="since 1.0 AG2 sends the deadline itself")
@pytest.mark.parametrize("wired", [False, pytest.param(True, marks=needs_websockets)])
def test_without_the_spec_the_hub_of_an_older_release_receives_no_deadline(wired: bool):
    with declarative_tracing(Recorder().provider):
        found = asyncio.run(tasks_of_bob(wired))
    assert found["short"].deadline
    assert {(each.hub_deadline, each.after) for each in found.values()} == {(None, "running")}
