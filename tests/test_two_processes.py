"""A hub and its clients in two processes: how a trace is continued over AG2's WebSocket transport.

The programs are in ``two_processes``. They run untraced and under ``opentelemetry-instrument``.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.runtime.sampling.attribute_ratio import hashed

from .oracle.ours import without_spec

pytest.importorskip("websockets", reason="AG2's transport between processes needs the package websockets")
pytestmark = pytest.mark.skipif(bool(without_spec()), reason=without_spec())

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "tests" / "two_processes"
COMMAND = Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"
PATIENCE = 120.0
"""Seconds after which a program must have exited."""

_SPAN = re.compile(r'\{\n    "name": ')


@dataclass(frozen=True)
class Program:
    """The result of one process."""

    code: int
    output: str
    errors: str
    spans: list[dict[str, Any]]

    def find(self, name: str, **attributes: str) -> dict[str, Any]:
        """The only span with this name and these attributes; two underscores stand for a dot."""
        wanted = {key.replace("__", "."): value for key, value in attributes.items()}
        (span,) = (s for s in self.spans if s["name"] == name and wanted.items() <= s["attributes"].items())
        return span

    def below(self, span: dict[str, Any]) -> list[str]:
        """The names of the children of a span, in order of start."""
        here = context(span)
        found = [s for s in self.spans if (s["context"]["trace_id"], s["parent_id"]) == here]
        return [s["name"] for s in sorted(found, key=lambda s: s["start_time"])]


@dataclass(frozen=True)
class Run:
    """The results of both processes."""

    hub: Program
    clients: Program

    def envelope_to(self, turn: dict[str, Any]) -> dict[str, Any]:
        """The span of the envelope in the hub process whose child a turn in the client process is."""
        (span,) = (s for s in self.hub.spans if context(s) == (turn["context"]["trace_id"], turn["parent_id"]))
        return span

    def sender(self, envelope: dict[str, Any]) -> list[str]:
        """The process and name of each span to which an envelope has a link as its trigger."""
        labels = {context(s): f"{n}: {s['name']}" for n in ("hub", "clients") for s in getattr(self, n).spans}
        links = [one for one in envelope["links"] if one["attributes"]["ag2.link.kind"] == "triggered_by"]
        return [labels.get(_context(one["context"]), "unknown") for one in links]


def context(span: dict[str, Any]) -> tuple[str, str]:
    return _context(span["context"])


def _context(context: dict[str, str]) -> tuple[str, str]:
    return context["trace_id"], context["span_id"]


def _program(code: int, output: str, errors: str) -> Program:
    """Separate the output of the program and the spans of the console exporter, each of which is in one piece."""
    spans, decoder = [], json.JSONDecoder()
    while found := _SPAN.search(output):
        span, end = decoder.raw_decode(output, found.start())
        spans.append(span)
        output = output[: found.start()] + output[end + 1 :]
    return Program(code, output, errors, spans)


@contextmanager
def _started(
    traced: bool, errors: Path, specs: list[Path | str], more: dict[str, str], *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    settings = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    settings |= more
    settings["OTEL_PYTHON_DECLARATIVE_SPECS"] = ",".join(map(str, specs))
    with (
        errors.open("w", encoding="utf-8") as stderr,
        subprocess.Popen(
            [*([str(COMMAND)] if traced else []), sys.executable, "-m", "tests.two_processes", *arguments],
            cwd=ROOT,
            env=kept | (settings if traced else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def _run(folder: Path, *, traced: bool, serving: bool = False, joined: bool = False, **settings: str) -> Run:
    """Start the hub, run the clients, and stop the hub. ``settings`` are environment variables of both."""
    both: list[Path | str] = ["ag2_joined"] if joined else []
    hub_errors, client_errors = folder / "hub.txt", folder / "clients.txt"
    specs = [*both, PROGRAMS / "serving.yaml"] if serving else both
    with ThreadPoolExecutor() as readers, _started(traced, hub_errors, specs, settings, "hub") as hub:
        assert hub.stdin and hub.stdout
        line = readers.submit(hub.stdout.readline).result(PATIENCE)
        assert line.startswith("port "), line + hub_errors.read_text(encoding="utf-8")
        # Read continuously: otherwise the hub would block once the pipe is full.
        rest = readers.submit(hub.stdout.read)
        errands = [*both, PROGRAMS / "errands.yaml"]
        with _started(traced, client_errors, errands, settings, "clients", line.split()[1]) as clients:
            output, _ = clients.communicate(timeout=PATIENCE)
        hub.stdin.close()
        code = hub.wait(PATIENCE)
        return Run(
            _program(code, rest.result(), hub_errors.read_text(encoding="utf-8")),
            _program(clients.returncode, output, client_errors.read_text(encoding="utf-8")),
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Both programs under ``opentelemetry-instrument``."""
    return _run(tmp_path_factory.mktemp("traced"), traced=True)


def test_both_programs_print_the_same_as_untraced_and_exit_normally(run: Run, tmp_path: Path):
    untraced = _run(tmp_path, traced=False)
    assert untraced.hub.output
    assert untraced.clients.output
    assert (run.hub.output, run.clients.output) == (untraced.hub.output, untraced.clients.output)
    assert (run.hub.code, run.clients.code, untraced.hub.code, untraced.clients.code) == (0, 0, 0, 0)
    assert (untraced.hub.errors, untraced.clients.errors) == ("", "")
    assert (run.hub.errors, run.clients.errors) == ("", "")


def test_each_process_traces_only_its_own_side(run: Run):
    hub = {span["name"].split(" ")[0] for span in run.hub.spans}
    clients = {span["name"].split(" ")[0] for span in run.clients.spans}
    assert hub == {"network.envelope", "network.channel", "network.turn_failed", "agent.lifetime"}
    assert {"invoke_agent", "chat", "execute_tool", "ask"} <= clients
    assert not hub & clients


def test_a_turn_in_the_clients_process_is_the_child_of_the_envelope_in_the_hubs(run: Run):
    turn = run.clients.find("invoke_agent bob")
    envelope = run.envelope_to(turn)
    assert envelope["name"] == "network.envelope ag2.msg.text"
    assert envelope["parent_id"] is None
    kinds = [name.split(" ")[0] for name in run.clients.below(turn) if not name.startswith("record_usage")]
    assert kinds == ["chat", "execute_tool", "chat"]


def test_the_envelope_of_an_answer_is_the_parent_of_the_turn_that_receives_it(run: Run):
    turn = run.clients.find("invoke_agent alice")
    answer = run.envelope_to(turn)
    question = run.envelope_to(run.clients.find("invoke_agent bob"))
    assert answer["attributes"]["ag2.network.causation_id"] == question["attributes"]["ag2.network.envelope_id"]
    assert answer["attributes"]["ag2.network.channel_id"] == question["attributes"]["ag2.network.channel_id"]
    assert [name.split(" ")[0] for name in run.clients.below(turn)] == ["chat"]


def test_an_envelope_is_in_its_channel_across_all_processes(run: Run):
    for member in ("bob", "alice", "carol", "dora"):
        envelope = run.envelope_to(run.clients.find(f"invoke_agent {member}"))
        (link,) = (one for one in envelope["links"] if one["attributes"]["ag2.link.kind"] == "in_channel")
        (channel,) = (s for s in run.hub.spans if context(s) == _context(link["context"]))
        assert channel["attributes"]["ag2.network.channel_id"] == envelope["attributes"]["ag2.network.channel_id"]


def test_an_envelope_is_triggered_by_the_function_that_sends_it_in_another_process(run: Run):
    envelope = run.envelope_to(run.clients.find("invoke_agent bob"))
    assert run.sender(envelope) == ["clients: ask How often are tides?"]


def test_an_envelope_is_triggered_by_the_tool_that_sends_it_in_another_process(run: Run):
    envelope = run.envelope_to(run.clients.find("invoke_agent carol"))
    assert run.sender(envelope) == ["clients: execute_tool look_up"]
    # A link back to the tool; the tool itself can only name the message.
    (sent,) = run.clients.find("execute_tool look_up")["events"]
    assert sent["name"] == "message_sent"
    assert sent["attributes"]["ag2.network.envelope_id"] == envelope["attributes"]["ag2.network.envelope_id"]


def test_joined_an_envelope_is_a_child_of_the_tool_that_sends_it_in_another_process(tmp_path: Path):
    run = _run(tmp_path, traced=True, joined=True)
    tool, turn = run.clients.find("execute_tool look_up"), run.clients.find("invoke_agent carol")
    envelope = run.envelope_to(turn)
    assert (envelope["context"]["trace_id"], envelope["parent_id"]) == context(tool)
    assert turn["context"]["trace_id"] == tool["context"]["trace_id"]


def test_an_envelope_that_is_sent_without_a_current_span_has_no_trigger(run: Run):
    envelope = run.envelope_to(run.clients.find("invoke_agent dora"))
    assert run.sender(envelope) == []


def test_the_current_span_of_the_serving_task_is_not_taken_for_a_sender(tmp_path: Path):
    run = _run(tmp_path, traced=True, serving=True)
    assert run.hub.find("serve")
    senders = {
        member: run.sender(run.envelope_to(run.clients.find(f"invoke_agent {member}"))) for member in ("bob", "carol")
    }
    assert senders == {"bob": ["clients: ask How often are tides?"], "carol": ["clients: execute_tool look_up"]}


def test_the_error_type_of_a_turn_in_the_client_process_is_kept_in_the_hub_process(run: Run):
    turn = run.clients.find("invoke_agent dora")
    assert turn["status"] == {"status_code": "ERROR", "description": "ValueError"}
    envelope = run.envelope_to(turn)["attributes"]
    channel = run.hub.find("network.channel consulting", ag2__network__channel_id=envelope["ag2.network.channel_id"])
    (failed,) = (event for event in channel["events"] if event["name"] == "turn_failed")
    assert failed["attributes"]["ag2.network.envelope_id"] == envelope["ag2.network.envelope_id"]
    assert "ag2.error.message" not in failed["attributes"]  # it is content
    assert failed["attributes"]["ag2.error.type"] == "ValueError"


CHANNEL = "ag2.network.channel_id"


def _channels(program: Program, beginning: str) -> dict[str, int]:
    """The number of spans with such a name in each channel."""
    return dict(Counter(s["attributes"][CHANNEL] for s in program.spans if s["name"].startswith(beginning)))


def test_a_sampler_keeps_or_drops_a_conversation_in_both_processes(run: Run, tmp_path: Path):
    sampler = {"OTEL_TRACES_SAMPLER": "attributeratio", "OTEL_TRACES_SAMPLER_ARG": f"0.5,{CHANNEL}"}
    sampled = _run(tmp_path, traced=True, **sampler)
    assert (sampled.hub.output, sampled.hub.errors, sampled.clients.errors) == (run.hub.output, "", "")
    for each in (run, sampled):
        # Every channel has messages, and a turn that answers.
        channels = _channels(each.hub, "network.channel")
        assert channels.keys() == _channels(each.hub, "network.envelope").keys()
        assert channels.keys() == _channels(each.clients, "invoke_agent").keys()
    assert all(hashed(channel) < 1 << 63 for channel in channels)
    turns = [span for span in sampled.clients.spans if span["name"].startswith("invoke_agent")]
    for turn in turns:
        assert sampled.envelope_to(turn)["attributes"][CHANNEL] == turn["attributes"][CHANNEL]
    known = {context(span) for span in sampled.clients.spans}
    inner = [s for s in sampled.clients.spans if s["name"].split(" ")[0] in ("chat", "execute_tool")]
    assert bool(inner) == bool(turns)
    assert all((span["context"]["trace_id"], span["parent_id"]) in known for span in inner)
