"""The ended spans of a hub are also written to a file in its store, without delaying the program."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ag2 import Agent
from ag2.knowledge import MemoryKnowledgeStore
from ag2.network import EV_CHANNEL_CLOSED, Hub
from ag2.testing import TestConfig
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.libraries.ag2 import rotated_file, spans_file
from opentelemetry.instrumentation.declarative.libraries.ag2.spans_file import SpansFile
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

PATH = "/telemetry/spans.jsonl"
WITHOUT_FILE = Path(__file__).parents[1] / "docs" / "demo" / "without_spans_file.yaml"
HUB_SIDE = ("network.envelope", "network.channel", "agent.lifetime", "agent.resume_set", "network.task")


class Tracing:
    def __init__(self, *specs: Path) -> None:
        self.specs = specs
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def __enter__(self) -> Tracing:
        DeclarativeInstrumentor().instrument(tracer_provider=self.provider, specs=self.specs)
        return self

    def __exit__(self, *_: object) -> None:
        DeclarativeInstrumentor().uninstrument()

    def ids(self) -> set[str]:
        return {
            format(span.context.span_id, "016x")
            for span in self.exporter.get_finished_spans()
            if span.context and span.name.startswith(HUB_SIDE)
        }


async def consult(store: Any, close: bool = True) -> str:
    hub = await Hub.open(store)
    alice = await hub.register(Agent("alice"))
    await hub.register(Agent("bob", config=TestConfig("Paris.")))
    channel = await alice.open(type="consulting", target="bob")
    await channel.send("The capital?")
    end = await alice.wait_for_channel_event(
        channel_id=channel.channel_id, predicate=lambda envelope: envelope.event_type == EV_CHANNEL_CLOSED
    )
    if close:
        await hub.close()
    return str(end.event_data["reason"])


def lines(text: str | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (text or "").splitlines()]


def test_the_file_of_a_closed_hub_contains_every_span_of_the_hub():
    async def run() -> list[dict[str, Any]]:
        store = MemoryKnowledgeStore()
        await consult(store)
        return lines(await store.read(PATH))

    with Tracing() as tracing:
        written = asyncio.run(run())
    assert {line["span_id"] for line in written} == tracing.ids()
    assert len(written) == len(tracing.ids()) == 5
    assert {line["attributes"].get("instrument.end") for line in written if "lifetime" in line["name"]} == {
        "hub_closed"
    }


def test_several_hubs_write_each_to_their_own_store():
    async def run() -> list[list[dict[str, Any]]]:
        stores = [MemoryKnowledgeStore(), MemoryKnowledgeStore()]
        await asyncio.gather(*(consult(store) for store in stores))
        return [lines(await store.read(PATH)) for store in stores]

    with Tracing() as tracing:
        first, second = asyncio.run(run())
    assert len(first) == len(second) == 5
    assert {line["span_id"] for line in (*first, *second)} == tracing.ids()


class Failing(MemoryKnowledgeStore):
    async def append(self, path: str, content: str) -> None:
        if path == PATH:
            raise OSError("no space left")
        await super().append(path, content)


def test_a_store_that_raises_does_not_affect_the_application_and_is_reported_once(
    caplog: pytest.LogCaptureFixture,
):
    with Tracing() as tracing, caplog.at_level(logging.WARNING, logger="opentelemetry.instrumentation.declarative"):
        assert asyncio.run(consult(Failing())) == "consulting_complete"
    assert len(tracing.ids()) == 5
    (message,) = [
        record.getMessage() for record in caplog.records if record.name == "opentelemetry.instrumentation.declarative"
    ]
    assert "sink hub failed: OSError: no space left" in message
    assert "ag2.yaml:" in message


@pytest.mark.parametrize(
    ("store", "why"),
    [
        (len, "TypeError: a builtin_function_or_method has no method append"),
        ([], "TypeError: cannot create weak reference to 'list' object"),
        (None, None),
    ],
)
def test_spans_are_still_exported_when_there_is_no_store(
    store, why: str | None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """It is reported once; a store that is None counts as missing without a report."""
    add = SpansFile.add
    monkeypatch.setattr(SpansFile, "add", lambda self, _hub, span: add(self, SimpleNamespace(_store=store), span))
    with Tracing() as tracing, caplog.at_level(logging.WARNING, logger="opentelemetry.instrumentation.declarative"):
        assert asyncio.run(consult(MemoryKnowledgeStore())) == "consulting_complete"
    assert len(tracing.ids()) == 5
    message = [
        record.getMessage() for record in caplog.records if record.name == "opentelemetry.instrumentation.declarative"
    ]
    assert [text.split(" failed: ")[1].split(". The")[0] for text in message] == ([] if why is None else [why])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("{rotat: 5}", "SpansFile.__init__() got an unexpected keyword argument 'rotat'"),
        ("{rotate: 0}", "rotate must be a number of bytes, not 0"),
        ("{path: 7}", "path must be the path of a file in the store, not 7"),
    ],
)
def test_options_that_the_file_does_not_accept_are_reported_and_spans_are_only_exported(
    options: str, why: str, tmp_path: Path, logged, capsys: pytest.CaptureFixture[str]
):
    spec = tmp_path / "options.yaml"
    spec.write_text(f"instrument: 2\nextends: ag2\nowners: {{hub: {{sink: {{options: {options}}}}}}}\n")
    assert files_under(spec) == []
    (message,) = logged()
    assert f"sink hub failed: {'Type' if 'rotat:' in options else 'Value'}Error: {why}" in message
    assert "its spans are only exported" in message


class Hanging(MemoryKnowledgeStore):
    """A store that never completes writing the spans."""

    async def append(self, path: str, content: str) -> None:
        if path == PATH:
            await asyncio.Event().wait()
        await super().append(path, content)


def test_a_store_that_hangs_delays_no_send_and_the_close_only_until_its_timeout(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(spans_file, "FLUSH_TIMEOUT", 0.01)
    with Tracing() as tracing:
        assert asyncio.run(consult(Hanging())) == "consulting_complete"
    assert len(tracing.ids()) == 5


class Recorded(MemoryKnowledgeStore):
    def __init__(self) -> None:
        super().__init__()
        self.appends: list[str] = []

    async def append(self, path: str, content: str) -> None:
        self.appends.append(content)
        await super().append(path, content)


def spans(count: int) -> list[Any]:
    tracing = Tracing()
    for index in range(count):
        tracing.provider.get_tracer("t").start_span(f"span {index}").end()
    return list(tracing.exporter.get_finished_spans())


def hub_with(store: Any) -> Any:
    return SimpleNamespace(_store=store)


RULE = Rule(RuleId("sink", "hub", Mark("spec.yaml", 1, 1)))


def test_a_burst_of_spans_is_written_with_few_appends_and_in_order():
    async def run() -> list[str]:
        store, sink = Recorded(), SpansFile(RULE, "/s")
        for span in spans(300):
            sink.add(hub_with(store), span)
        await sink.flush(hub_with(store))
        return store.appends

    burst = asyncio.run(run())
    assert [len(lines(text)) for text in burst] == [250, 50]
    assert [line["name"] for line in lines("".join(burst))] == [f"span {index}" for index in range(300)]


def test_the_file_is_rotated_once_it_has_reached_its_size():
    async def run() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        store, sink = MemoryKnowledgeStore(), SpansFile(RULE, "/s", rotate=1)
        for span in spans(3):
            sink.add(hub_with(store), span)
            await sink.flush(hub_with(store))
        return lines(await store.read("/s.1")), lines(await store.read("/s"))

    aside, current = asyncio.run(run())
    assert [line["name"] for line in aside] == ["span 1"]
    assert [line["name"] for line in current] == ["span 2"]


class Small(MemoryKnowledgeStore):
    """A store on a disk that becomes full."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.attempts = 0

    async def append(self, path: str, content: str) -> int:
        self.attempts += 1
        if sum(map(len, self._data.values())) + len(content) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return await super().append(path, content)


def written_one_by_one(store: MemoryKnowledgeStore, count: int, rotate: int = 1_000_000) -> list[str]:
    """The paths in a store after these spans have been written, each with an append of its own."""

    async def run() -> list[str]:
        sink = SpansFile(Rule(RuleId("sink", "hub", Mark("spec.yaml", 1, 1))), "/s", rotate)
        for span in spans(count):
            sink.add(hub_with(store), span)
            await sink.flush(hub_with(store))
        return sorted(store._data)

    return asyncio.run(run())


def test_a_full_disk_stops_the_sink_which_makes_room_for_the_program(logged):
    store = Small(room=1000)
    assert written_one_by_one(store, 10) == []
    assert store.attempts < 5
    (message,) = logged()
    assert "No space left on device" in message
    assert "/s is removed, to make room, and no more spans are written to it" in message


def test_a_full_disk_does_not_remove_what_was_there_before():
    store = Small(room=1000)
    asyncio.run(store.write("/s", "before\n"))
    assert written_one_by_one(store, 10) == ["/s"]


def test_files_that_have_been_rotated_are_removed_from_a_full_disk():
    async def run() -> list[str]:
        store, sink = Small(room=10_000), SpansFile(RULE, "/s", rotate=1)
        for span in spans(3):
            sink.add(hub_with(store), span)
            await sink.flush(hub_with(store))
        found = sorted(store._data)
        store.room = 0
        sink.add(hub_with(store), spans(1)[0])
        await sink.flush(hub_with(store))
        return [*found, *store._data]

    assert asyncio.run(run()) == ["/s", "/s.1"]


def test_no_span_is_written_to_a_disk_that_is_almost_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, logged):
    store = MemoryKnowledgeStore()
    store._root = tmp_path  # type: ignore[attr-defined]  # where a DiskKnowledgeStore has its directory
    assert written_one_by_one(store, 1) == ["/s"]
    monkeypatch.setattr(rotated_file, "MIN_FREE", shutil.disk_usage(tmp_path).total)
    asyncio.run(store.delete("/s"))
    assert written_one_by_one(store, 3) == []
    (message,) = logged()
    assert "writes no spans while less than 100 MB are free on the disk" in message


def test_a_large_file_that_was_there_before_is_left_alone(logged):
    store = MemoryKnowledgeStore()
    asyncio.run(store.write("/s", "x" * 1001))
    assert written_one_by_one(store, 3, rotate=1000) == ["/s"]
    assert store._data["/s"] == "x" * 1001
    (message,) = logged()
    assert "writes no spans to /s: it has 1001 bytes already. Move it, or increase `rotate`." in message


def test_a_file_never_becomes_larger_than_its_bound(logged):
    store = MemoryKnowledgeStore()
    assert written_one_by_one(store, 20, rotate=1000) == ["/s", "/s.1"]
    assert all(0 < len(text) <= 1000 for text in store._data.values())
    names = [line["name"] for path in ("/s.1", "/s") for line in lines(store._data[path])]
    assert names == [f"span {index}" for index in range(20)][-len(names) :]
    (message,) = logged()
    assert "has filled /s and continues in a new file" in message


def test_a_span_that_is_larger_than_the_bound_is_written():
    store = MemoryKnowledgeStore()
    assert written_one_by_one(store, 1, rotate=1) == ["/s"]


def test_the_file_of_the_shipped_spec_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """AG2's store in memory copies the whole file for each append, so that each would take longer than the last."""
    created: list[int | None] = []
    make = SpansFile.__init__

    def recorded(self: SpansFile, rule: Rule, path: str, rotate: int | None = None) -> None:
        created.append(rotate)
        make(self, rule, path, rotate)

    monkeypatch.setattr(SpansFile, "__init__", recorded)
    files_under()
    assert created == [1_000_000]


def test_a_store_that_is_disconnected_for_a_while_is_written_again():
    class Disconnected(MemoryKnowledgeStore):
        failures = 2

        async def append(self, path: str, content: str) -> int:
            if self.failures:
                self.failures -= 1
                raise ConnectionError("gone")
            return await super().append(path, content)

    store = Disconnected()
    assert written_one_by_one(store, 3) == ["/s"]


def test_spans_that_end_without_a_running_loop_are_written_by_the_next_flush():
    store, sink = MemoryKnowledgeStore(), SpansFile(RULE, "/s")
    sink.add(hub_with(store), spans(1)[0])

    async def run() -> str | None:
        await sink.flush(hub_with(store))
        return await store.read("/s")

    assert len(lines(asyncio.run(run()))) == 1


def test_spans_that_end_during_an_append_are_not_appended_one_by_one(monkeypatch: pytest.MonkeyPatch):
    sink = SpansFile(RULE, "/s")

    class EndingOne(Recorded):
        async def append(self, path: str, content: str) -> None:
            sink.add(hub, spans(1)[0])
            await super().append(path, content)

    store = EndingOne()
    hub = hub_with(store)

    async def run() -> None:
        monkeypatch.setattr(spans_file, "BATCH_DELAY", 0)
        sink.add(hub, spans(1)[0])
        monkeypatch.setattr(spans_file, "BATCH_DELAY", 3600)
        for _ in range(20):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert len(store.appends) == 1


def test_spans_beyond_the_queue_limit_are_dropped_and_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(spans_file, "MOST_WAITING", 2)
    sink, store = SpansFile(Rule(RuleId("sink", "hub", Mark("spec.yaml", 1, 1))), "/s"), MemoryKnowledgeStore()
    with caplog.at_level(logging.WARNING, logger="opentelemetry.instrumentation.declarative"):
        for span in spans(spans_file.FORMATTED_AT_ONCE):
            sink.add(hub_with(store), span)
    assert "2 spans wait for /s: the newest are dropped" in caplog.text


def files_under(*specs: Path) -> list[str]:
    """The files of spans in the store of a hub after one consultation."""

    async def run() -> list[str]:
        store = MemoryKnowledgeStore()
        await consult(store)
        return [path for path in (PATH, f"{PATH}.1") if await store.read(path) is not None]

    with Tracing(*specs):
        return asyncio.run(run())


def test_a_spec_can_disable_the_file():
    assert files_under() == [PATH]
    assert files_under(WITHOUT_FILE) == []


def test_a_spec_can_limit_the_size_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(spans_file, "BATCH_DELAY", 0)  # so that this short-lived hub appends more than once
    text = WITHOUT_FILE.read_text(encoding="utf-8")
    (larger,) = re.findall("`(sink: {options: {rotate: [0-9]+}})`", text)
    spec = tmp_path / "rotated.yaml"
    spec.write_text(text.replace("    sink: null", f"    {larger}"), encoding="utf-8")
    assert files_under(spec) == [PATH]
    spec.write_text(text.replace("    sink: null", "    sink: {options: {rotate: 1}}"), encoding="utf-8")
    assert files_under(spec) == [PATH, f"{PATH}.1"]
