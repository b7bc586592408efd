"""The spans of a hub in its own store, on every release in the format of the newest AG2."""

import asyncio
import importlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from . import world as worlds
from .api import NEWEST, PACKAGE, RELEASE, Agent, MemoryKnowledgeStore
from .compare import Recorder
from .ours import declarative_tracing
from .runs import needs_native, needs_ours
from .scenarios import SCENARIOS
from .world import Script, world

pytestmark = needs_ours

PATH = "/telemetry/spans.jsonl"
HUB_SIDE = {"agent_event", "agent_lifetime", "channel", "envelope", "task"}

Line = dict[str, Any]


def record_of(span: ReadableSpan) -> Line:
    """AG2's record of a span: its ``span_to_record``, which older releases lack."""
    context = span.get_span_context()
    assert context is not None
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_span_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "kind": span.kind.name,
        "start": _time(span.start_time),
        "end": _time(span.end_time),
        "status": span.status.status_code.name,
        "status_message": span.status.description,
        "attributes": dict(span.attributes or {}),
        "events": [
            {"name": event.name, "at": _time(event.timestamp), "attributes": dict(event.attributes or {})}
            for event in span.events
        ],
        "links": [
            {
                "trace_id": f"{link.context.trace_id:032x}",
                "span_id": f"{link.context.span_id:016x}",
                "attributes": dict(link.attributes or {}),
            }
            for link in span.links
        ],
    }


def _time(nanoseconds: int | None) -> str:
    assert nanoseconds is not None
    return datetime.fromtimestamp(nanoseconds / 1_000_000_000, tz=timezone.utc).isoformat().replace("+00:00", "Z")


def hub_side(recorder: Recorder) -> list[ReadableSpan]:
    """The exported spans of a hub."""
    return [span for span in recorder.finished if (span.attributes or {})["ag2.span.type"] in HUB_SIDE]


def by_id(lines: list[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: str(line["span_id"]))


def recorded(work: Callable[[], Awaitable[Any]], monkeypatch: pytest.MonkeyPatch) -> tuple[Recorder, list[list[Line]]]:
    """The exported spans of the work, and the lines in the store of each hub it creates."""
    stores: list[MemoryKnowledgeStore] = []

    def made() -> MemoryKnowledgeStore:
        stores.append(MemoryKnowledgeStore())
        return stores[-1]

    async def run() -> list[list[Line]]:
        await work()
        texts = [await store.read(PATH) for store in stores]
        return [[json.loads(line) for line in (text or "").splitlines()] for text in texts]

    monkeypatch.setattr(worlds, "MemoryKnowledgeStore", made)
    recorder = Recorder()
    with declarative_tracing(recorder.provider):
        return recorder, asyncio.run(run())


@needs_native
@pytest.mark.skipif(RELEASE != NEWEST, reason="the record of the newest release is the pattern for all")
def test_each_record_equals_the_one_written_by_native_tracing():
    recorder = Recorder()
    with declarative_tracing(recorder.provider):
        asyncio.run(SCENARIOS["tasks_of_a_turn"].run())
    native = importlib.import_module(f"{PACKAGE}.network.hub._envelope_tracing").span_to_record
    assert [record_of(span) for span in recorder.finished] == [native(span) for span in recorder.finished]


@pytest.mark.parametrize("name", ["consulting_with_a_tool_call", "hub_closed_with_everything_open", "identity_changes"])
def test_the_file_of_a_closed_hub_contains_every_exported_span_once(name: str, monkeypatch: pytest.MonkeyPatch):
    recorder, (lines,) = recorded(SCENARIOS[name].run, monkeypatch)
    exported = json.loads(json.dumps([record_of(span) for span in hub_side(recorder)]))
    assert exported
    assert by_id(lines) == by_id(exported)


async def talk() -> None:
    """Two agents talk in a new hub; all hubs use the same names."""
    async with world() as here:
        ann = await here.join(Agent("ann", config=Script()))
        await here.join(Agent("bob", config=Script("Paris.")))
        channel = await ann.open(type="consulting", target="bob")
        await channel.send("The capital?")
        await here.quiet()


def test_several_hubs_write_each_to_their_own_store(monkeypatch: pytest.MonkeyPatch):
    async def together() -> None:
        await asyncio.gather(talk(), talk(), talk())

    recorder, files = recorded(together, monkeypatch)
    exported = [record_of(span)["span_id"] for span in hub_side(recorder)]
    assert sorted(line["span_id"] for lines in files for line in lines) == sorted(exported)
    names = Counter(
        {
            "agent.lifetime ann": 1,
            "agent.lifetime bob": 1,
            "network.channel consulting": 1,
            "network.envelope ag2.msg.text": 2,
        }
    )
    assert [Counter(line["name"] for line in lines) for lines in files] == 3 * [names]
    for lines in files:
        (channel,) = (line for line in lines if line["name"] == "network.channel consulting")
        ids = {line["attributes"].get("ag2.network.channel_id") for line in lines} - {None}
        assert ids == {channel["attributes"]["ag2.network.channel_id"]}
