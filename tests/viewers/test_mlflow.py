"""MLflow shows the conversations of five agents: sessions, kinds, messages, tokens and errors, read with its client."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .servers import free_port, post, run_program, server

MLFLOW = os.environ.get("MLFLOW", "")
pytestmark = pytest.mark.skipif(not MLFLOW, reason="`make test-viewers` installs it")

READER = Path(__file__).with_name("read_mlflow.py")


@pytest.fixture(scope="module")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Any]]]:
    """The traces of the shipped spec alone, and those of both overlays."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    url = f"http://127.0.0.1:{port}"
    store = [f"--backend-store-uri=sqlite:///{folder}/mlflow.db", f"--default-artifact-root={folder}/artifacts"]
    command = [MLFLOW, "server", "--host=127.0.0.1", f"--port={port}", "--workers=1", *store]
    with server(command, f"{url}/health", Path(folder, "log")):
        yield {specs: _traces(url, specs) for specs in ("", "ag2_joined,ag2_handled")}


def _traces(url: str, specs: str) -> list[Any]:
    experiment = post(f"{url}/api/2.0/mlflow/experiments/create", {"name": f"five {specs}"})["experiment_id"]
    headers = f"x-mlflow-experiment-id={experiment}"
    run_program(f"{url}/v1/traces", OTEL_EXPORTER_OTLP_TRACES_HEADERS=headers, OTEL_PYTHON_DECLARATIVE_SPECS=specs)
    reading = [str(Path(MLFLOW).with_name("python")), str(READER), url, experiment]
    output = subprocess.run(reading, check=True, capture_output=True, text=True, timeout=300).stdout
    found: list[Any] = json.loads(output.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def traces(experiments: dict[str, list[Any]]) -> list[Any]:
    return experiments[""]


def test_each_conversation_is_a_session(traces: list[Any]):
    sessions = Counter(trace["session"] for trace in traces)
    assert sorted(count for session, count in sessions.items() if session) == [2, 5, 5, 7]
    # The lifetimes of the agents belong to none.
    assert sessions[None] == 5


def test_tokens_are_counted_once(traces: list[Any]):
    """Ten model calls, and two of a worker."""
    totals: Counter[str] = Counter()
    for trace in traces:
        totals.update(trace["tokens"])
    expected = {"input_tokens": 12 * 50, "output_tokens": 12 * 7, "total_tokens": 12 * 57}
    assert {key: totals[key] for key in expected} == expected


def test_no_span_is_of_unknown_type(traces: list[Any]):
    types = Counter(span["type"] for trace in traces for span in trace["spans"])
    assert types.keys() == {"AGENT", "CHAIN", "CHAT_MODEL", "LLM", "TOOL"}


def test_messages_are_the_requests_and_responses_of_traces(traces: list[Any]):
    requests = {json.loads(trace["request"]) for trace in traces if trace["request"]}
    responses = {json.loads(trace["response"]) for trace in traces if trace["response"]}
    assert {"ask the writer", "The first question to the writer?", "The first question to the clerk?"} <= requests
    assert responses == {"Seven.", "It is short.", "One word."}


def test_a_failed_turn_is_seen_in_its_trace_and_at_its_channel(traces: list[Any]):
    failed = sorted(span["name"] for trace in traces for span in trace["spans"] if span["status"] == "ERROR")
    assert failed == ["chat", "invoke_agent clerk", "network.channel conversation", "network.turn_failed"]
    assert [trace["spans"][0]["name"] for trace in traces if trace["state"] == "ERROR"] == [
        "network.channel conversation"
    ]


def test_each_message_has_a_link_to_its_channel(traces: list[Any]):
    spans = [span for trace in traces for span in trace["spans"]]
    channels = {span["id"] for span in spans if span["name"].startswith("network.channel")}
    envelopes = [span for span in spans if span["name"].startswith("network.envelope")]
    assert len(envelopes) == 13
    assert all(channels & span["links"].keys() for span in envelopes)


def test_with_both_overlays_a_trace_has_a_question_and_its_answer_or_its_error(
    experiments: dict[str, list[Any]],
):
    traces = [trace for trace in experiments["ag2_joined,ag2_handled"] if "question" in (trace["request"] or "")]
    answers = Counter((trace["state"], json.loads(trace["response"] or "null")) for trace in traces)
    assert answers == {("OK", "Seven."): 2, ("OK", "It is short."): 2, ("OK", "One word."): 2, ("ERROR", None): 1}
