"""Phoenix shows the conversations of five agents: sessions, kinds, messages, tokens and errors, read with its API."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .servers import PATIENCE, free_port, post, run_program, server

PHOENIX = os.environ.get("PHOENIX", "")
pytestmark = pytest.mark.skipif(not PHOENIX, reason="`make test-viewers` installs it")

QUERY = """{projects {edges {node {
  name traceCount tokenCountTotal
  sessions(first: 50) {edges {node {
    numTraces tokenUsage {prompt completion} firstInput {value} lastOutput {value}
  }}}
  spans(first: 500) {edges {node {name parentId spanKind statusCode propagatedStatusCode attributes}}}
}}}}"""


def _nodes(connection: Any) -> list[Any]:
    return [edge["node"] for edge in connection["edges"]]


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A project of the shipped spec alone, and one of both overlays."""
    folder, port = tmp_path_factory.mktemp("phoenix"), free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
    }
    with server([PHOENIX, "serve"], f"{url}/healthz", Path(folder, "log"), **settings):
        for name, specs in (("five", ""), ("overlays", "ag2_joined,ag2_handled")):
            environment = {
                "OTEL_RESOURCE_ATTRIBUTES": f"openinference.project.name={name}",
                "OTEL_PYTHON_DECLARATIVE_SPECS": specs,
            }
            run_program(f"{url}/v1/traces", **environment)
        yield _stored_projects(f"{url}/graphql")


def _stored_projects(url: str) -> dict[str, Any]:
    """The projects, once they no longer change: Phoenix stores spans after it has received them."""
    until = time.monotonic() + PATIENCE
    before = None
    while time.monotonic() < until:
        found = {each["name"]: each for each in _nodes(post(url, {"query": QUERY})["data"]["projects"])}
        if {"five", "overlays"} <= found.keys() and found == before:
            return found
        before = found
        time.sleep(1)
    raise TimeoutError("Phoenix has not stored the spans")


@pytest.fixture(scope="module")
def project(projects: dict[str, Any]) -> Any:
    return projects["five"]


def _sessions(project: Any) -> dict[str, tuple[int, str | None]]:
    """The number of traces and the last output of each session, by its first input."""
    return {
        each["firstInput"]["value"]: (each["numTraces"], (each["lastOutput"] or {}).get("value"))
        for each in _nodes(project["sessions"])
    }


@pytest.fixture(scope="module")
def spans(project) -> list[Any]:
    return _nodes(project["spans"])


def test_each_conversation_is_a_session_with_its_first_input_and_last_output(project):
    assert _sessions(project) == {
        "ask the writer": (5, "Seven."),
        "ask the critic": (5, "It is short."),
        "ask the editor": (7, "One word."),
        "ask the clerk": (2, None),
    }


def test_with_both_overlays_each_question_is_a_trace_with_its_answer_or_its_error(projects: dict[str, Any]):
    project = projects["overlays"]
    assert _sessions(project) == {
        "ask the writer": (3, "Seven."),
        "ask the critic": (3, "It is short."),
        "ask the editor": (3, "One word."),
        "ask the clerk": (2, None),
    }
    assert project["tokenCountTotal"] == 12 * 57
    roots = [each for each in _nodes(project["spans"]) if each["parentId"] is None]
    questions = [each for each in roots if each["name"] == "network.envelope ag2.msg.text"]
    assert len(questions) == 7
    for question in questions:
        failed = question["statusCode"] == "ERROR"
        attributes = json.loads(question["attributes"])
        assert ("output" in attributes) is not failed
        assert ("clerk" in attributes["input"]["value"]) is failed


def test_tokens_are_counted_once(project):
    """Ten model calls, and two of a worker."""
    usages = [each["tokenUsage"] for each in _nodes(project["sessions"])]
    assert sum(each["prompt"] for each in usages) == 12 * 50
    assert sum(each["completion"] for each in usages) == 12 * 7
    assert project["tokenCountTotal"] == 12 * 57


def test_no_span_is_of_unknown_kind(spans: list[Any]):
    kinds = Counter(each["spanKind"] for each in spans)
    assert kinds.keys() == {"agent", "chain", "llm", "tool"}
    assert (kinds["agent"], kinds["tool"]) == (7, 4)


def test_a_failed_turn_is_seen_at_its_envelope_and_its_channel(spans: list[Any]):
    failed = sorted(each["name"] for each in spans if each["statusCode"] == "ERROR")
    assert failed == ["chat", "invoke_agent clerk", "network.channel conversation", "network.turn_failed"]
    propagated = [each["name"] for each in spans if each["propagatedStatusCode"] == "ERROR"]
    assert "network.envelope ag2.msg.text" in propagated


def test_messages_tool_calls_and_system_instructions_are_read(spans: list[Any]):
    calls = [json.loads(each["attributes"])["llm"] for each in spans if each["name"].startswith("chat demo")]
    written = next(call for call in calls if len(call["input_messages"]) == 4)
    system, question, request, result = (each["message"] for each in written["input_messages"])
    assert (system["role"], system["content"]) == ("system", "You write.")
    assert (question["role"], question["content"]) == ("user", "The first question to the writer?")
    (tool_call,) = (each["tool_call"]["function"] for each in request["tool_calls"])
    assert (tool_call["name"], json.loads(tool_call["arguments"])) == ("look_up", {"word": "sept"})
    assert (result["role"], result["content"]) == ("tool", "sept means seven")
    assert written["output_messages"][0]["message"]["content"] == "Seven."
    assert written["token_count"]["prompt_details"]["cache_read"] == 20
