"""The shipped spec of the MCP SDK: one trace through client and server, in one process and over standard input."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from tests.real.programs import both_ways, needs
from tests.real.runs import Run, assert_unchanged

pytestmark = needs("mcp")

FOLDER = Path(__file__).parent / "mcp_shop"
#: Whether the SDK has spans of its own, which the spec adds to.
NATIVE = needs("mcp").args == (False,) and metadata.version("mcp") >= "2"


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


def test_the_program_is_unchanged(runs: tuple[Run, Run]) -> None:
    assert_unchanged(*runs)
    lines = ["progress 1.0 2.0", "3", "True", "Hello Ann", "5"]
    output = [line for line in runs[0].output if not line.startswith(("Configuration", "Unknown", "Internal"))]
    assert output == ["here ['add', 'refuse']", *lines, "elsewhere ['add', 'refuse']", *lines]


def under(spans: list[ReadableSpan], root: str) -> list[ReadableSpan]:
    """The spans of the trace of a span, by its name."""
    (found,) = (span for span in spans if span.name == root)
    return [span for span in spans if span.context.trace_id == found.context.trace_id and span is not found]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_request_is_one_trace_through_client_and_server(runs: tuple[Run, Run], where: str) -> None:
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


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_both_sides_have_the_facts_of_the_conventions(runs: tuple[Run, Run], where: str) -> None:
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
