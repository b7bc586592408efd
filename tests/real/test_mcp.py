"""The shipped spec of the MCP SDK: one trace through client and server, in memory, over standard input, over HTTP."""

from __future__ import annotations

import asyncio
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from tests.real.programs import both_ways, needs
from tests.real.runs import Run, assert_unchanged

pytestmark = needs("mcp")

FOLDER = Path(__file__).parent / "mcp_shop"
#: Whether the SDK has spans of its own, which the spec adds to.
NATIVE = needs("mcp").args == (False,) and metadata.version("mcp") >= "2"
#: Where the client visits the server. The stateless protocol is that of version 2.
PLACES = ["here", "elsewhere", *(["stateless"] if NATIVE else []), "far", "sse"]
OVER_HTTP = [place for place in PLACES if place not in ("here", "elsewhere")]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    scratch = tmp_path_factory.mktemp("mcp")
    return both_ways(
        FOLDER,
        ["client.py"],
        lambda program: program.process.wait(),
        scratch,
        stop=False,
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY",
    )


def test_the_program_is_unchanged(runs: tuple[Run, Run]):
    assert_unchanged(*runs)
    visited = ["progress 1.0 2.0", "3", "True", "Hello Ann", "5"]
    output = [
        line for line in runs[0].output if not line.startswith((" ", "/", "Configuration", "Unknown", "Internal"))
    ]
    expected = []
    for place in PLACES:
        expected += [f"{place} ['add', 'refuse', 'ask', 'wait']", *visited]
        if place in ("far", "sse"):
            expected += ["yo 1 True", f"timeout {-32001 if NATIVE else 408}", "cancelled True"]
    assert output == expected


def under(spans: list[ReadableSpan], root: str) -> list[ReadableSpan]:
    """The spans of the trace of a span, by its name."""
    (found,) = (span for span in spans if span.name == root)
    return [span for span in spans if span.context.trace_id == found.context.trace_id and span is not found]


@pytest.mark.parametrize("where", PLACES)
def test_a_request_is_one_trace_through_client_and_server(runs: tuple[Run, Run], where: str):
    spans = under(runs[0].all_spans, f"visit {where}")
    by_id = {span.context.span_id: span for span in spans}
    pairs = [
        (by_id[span.parent.span_id].name.removeprefix("MCP send "), span.name)
        for span in spans
        if span.kind.name == "SERVER" and span.parent and span.parent.span_id in by_id
    ]
    assert pairs == [
        (name, name)
        for name in (
            "tools/list",
            "tools/call add",
            "tools/call refuse",
            "prompts/get greet",
            "resources/read",
            "prompts/get unknown",
        )
    ]


@pytest.mark.parametrize("where", PLACES)
def test_both_sides_have_the_facts_of_the_conventions(runs: tuple[Run, Run], where: str):
    spans = under(runs[0].all_spans, f"visit {where}")
    sides: dict[str, dict[str, Any]] = {}
    for span in spans:
        name = span.name.removeprefix("MCP send ")
        if span.kind.name in ("CLIENT", "SERVER"):
            sides.setdefault(name, {})[span.kind.name] = (dict(span.attributes or {}), span.status.status_code.name)
    for side in ("CLIENT", "SERVER"):
        called, status = sides["tools/call add"][side]
        assert called["mcp.method.name"] == "tools/call"
        assert called["gen_ai.operation.name"] == "execute_tool"
        assert called["gen_ai.tool.name"] == "add"
        assert called["gen_ai.tool.call.arguments"] == '{"a": 1, "b": 2}'
        assert status == "UNSET"
        refused, status = sides["tools/call refuse"][side]
        assert (side == "CLIENT" and NATIVE) or (refused["error.type"], status) == ("tool_error", "ERROR")
        assert sides["prompts/get greet"][side][0]["gen_ai.prompt.name"] == "greet"
        assert sides["resources/read"][side][0]["mcp.resource.uri"] == "shop://prices"
        unknown, status = sides["prompts/get unknown"][side]
        assert (bool(unknown["error.type"]), status) == (True, "ERROR")
    assert "jsonrpc.request.id" in sides["tools/list"]["SERVER"][0]
    assert "3" in sides["tools/call add"]["SERVER"][0]["gen_ai.tool.call.result"]


@pytest.mark.parametrize("where", OVER_HTTP)
def test_both_sides_name_the_transport_and_the_session(runs: tuple[Run, Run], where: str):
    spans = [span for span in under(runs[0].all_spans, f"visit {where}") if span.kind.name in ("CLIENT", "SERVER")]
    sessions = set()
    for span in spans:
        facts = dict(span.attributes or {})
        if span.kind.name == "CLIENT" and where == "sse" and not NATIVE:
            continue  # its transport sends in a task of its own
        assert (facts["network.transport"], facts["network.protocol.name"]) == ("tcp", "http"), span.name
        if span.kind.name == "SERVER":
            assert (facts["network.protocol.version"], facts["client.address"]) == ("1.1", "127.0.0.1")
            assert isinstance(facts["client.port"], int)
            sessions.add(facts.get("mcp.session.id"))
        elif where != "sse":
            assert (facts["network.protocol.version"], facts["server.address"]) == ("1.1", "127.0.0.1")
            assert isinstance(facts["server.port"], int)
            assert facts["mcp.protocol.version"] >= "2025"
            sessions.add(facts.get("mcp.session.id"))
    assert len(sessions) == 1
    assert (None in sessions) == (where == "stateless")


@pytest.mark.parametrize(("where", "transport"), [("here", None), ("elsewhere", "pipe")])
def test_both_sides_name_standard_input_as_a_pipe_and_nothing_in_memory(
    where: str, transport: str | None, runs: tuple[Run, Run]
):
    spans = [span for span in under(runs[0].all_spans, f"visit {where}") if span.kind.name in ("CLIENT", "SERVER")]
    assert {span.kind.name for span in spans} == {"CLIENT", "SERVER"}
    assert {(span.attributes or {}).get("network.transport") for span in spans} == {transport}


def test_the_durations_of_requests_and_sessions_are_measured_on_both_sides(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setenv("SCRATCH", "untraced")
    reader = InMemoryMetricReader()
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=TracerProvider(), meter_provider=MeterProvider([reader]))
    try:
        from tests.real.mcp_shop import client

        async def use() -> None:
            async with client.connected() as session:
                await session.call_tool("add", {"a": 1, "b": 2})
                await session.call_tool("refuse", {})

        asyncio.run(use())
        data = reader.get_metrics_data()
        assert data is not None
        found = {
            metric.name: [
                point
                for point in metric.data.data_points
                if (point.attributes or {}).get("mcp.method.name", "tools/call") == "tools/call"
            ]
            for scopes in data.resource_metrics
            for metrics in scopes.scope_metrics
            for metric in metrics.metrics
            if metric.name.startswith("mcp.")
        }
    finally:
        instrumentor.uninstrument()
    assert {name: sum(point.count for point in points) for name, points in found.items()} == {
        "mcp.client.operation.duration": 2,
        "mcp.client.session.duration": 1,
        "mcp.server.operation.duration": 2,
        "mcp.server.session.duration": 1,
    }
    assert [dict(point.attributes) for point in found["mcp.client.session.duration"]] == [{}]


@pytest.mark.parametrize("where", ["far", "sse"])
def test_what_a_server_sends_while_it_handles_a_request_is_in_the_same_trace(runs: tuple[Run, Run], where: str):
    spans = under(runs[0].all_spans, f"talk {where}")
    by_id = {span.context.span_id: span for span in spans}
    (asked,) = (span for span in spans if span.name == "tools/call ask" and span.kind.name == "SERVER")
    sent = [span for span in spans if span.parent and span.parent.span_id == asked.context.span_id]
    answered = [
        (span.name, span.kind.name, (span.attributes or {}).get("jsonrpc.request.id") is not None)
        for parent in sent
        for span in spans
        if span.parent and by_id.get(span.parent.span_id) is parent
    ]
    assert answered == [
        ("ping", "SERVER", True),
        ("sampling/createMessage", "SERVER", True),
        ("roots/list", "SERVER", True),
        ("elicitation/create", "SERVER", True),
        ("notifications/message", "SERVER", False),
    ]
    assert all(span.status.status_code.name == "UNSET" for span in sent)


@pytest.mark.parametrize("where", ["far", "sse"])
def test_a_cancelled_request_is_not_an_error_and_one_that_timed_out_is(runs: tuple[Run, Run], where: str):
    spans = under(runs[0].all_spans, f"talk {where}")
    found = [
        (span.status.status_code.name, "error.type" in (span.attributes or {}))
        for span in spans
        if span.kind.name == "CLIENT" and span.name.endswith("tools/call wait")
    ]
    # The spans of the SDK have no type of this error.
    assert found == [("ERROR", not NATIVE), ("UNSET", False)]


@pytest.mark.skipif(not NATIVE, reason="earlier releases do not notify a server of a request that is abandoned")
def test_the_notification_of_a_cancelled_request_is_in_the_trace_of_the_request(runs: tuple[Run, Run]):
    for where in ("far", "sse"):
        spans = under(runs[0].all_spans, f"talk {where}")
        kinds = [span.kind.name for span in spans if span.name == "notifications/cancelled"]
        assert kinds.count("CLIENT") == 2
        assert "SERVER" in kinds
