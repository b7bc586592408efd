"""Agents of AG2 that are served to clients of AG-UI."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("ag_ui")

from ag2 import Agent
from ag2.ag_ui import AGUIStream, RunAgentInput

from tests.oracle.compare import Recorder
from tests.oracle.ours import declarative_tracing
from tests.oracle.world import Script

REQUEST: dict[str, Any] = {
    "threadId": "t",
    "state": {},
    "messages": [{"id": "m", "role": "user", "content": "?"}],
    "tools": [],
    "context": [],
    "forwardedProps": {},
}


def test_a_run_belongs_to_the_thread_of_the_client_and_fails_with_its_turn():
    async def run() -> None:
        stream = AGUIStream(Agent("ann", config=Script("Yes.", TimeoutError("late"))))
        for run_id in ("one", "two"):
            async for _ in stream.dispatch(RunAgentInput.model_validate({**REQUEST, "runId": run_id})):
                pass

    recorder = Recorder()
    with declarative_tracing(recorder.provider, specs=["ag2_details"]):
        asyncio.run(run())
    runs = sorted(recorder.trees(), key=lambda span: str(span.attributes["ag2.ag_ui.run_id"]))
    assert [(span.name, span.status[0]) for span in runs] == [("ag_ui run", "UNSET"), ("ag_ui run", "ERROR")]
    for each in runs:
        assert {span.attributes["gen_ai.conversation.id"] for span in each.walk()} == {"t"}
        assert [span.name for span in each.children] == ["invoke_agent ann"]
