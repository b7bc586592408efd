"""The queries of docs/how-to/viewers.md find the conversations of five agents in Grafana Tempo.

No registry of Python has Tempo. TEMPO is the URL of one that runs, and TEMPO_OTLP where it receives spans over HTTP:

    TEMPO=http://localhost:3200 TEMPO_OTLP=http://localhost:4318 make test-viewers
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main

from tests.processes import until

from .servers import run_program

TEMPO = os.environ.get("TEMPO", "")
OTLP = os.environ.get("TEMPO_OTLP", "http://localhost:4318")
pytestmark = pytest.mark.skipif(not TEMPO, reason="TEMPO is not the URL of Tempo")

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "viewers.md"
CONVERSATION, FAILED, LONG = re.findall(r"^\{ .* \}$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
CONVERSATION_ID = re.compile(r'"gen_ai.conversation.id","value":\{"stringValue":"(\w+)"')


def _found(query: str, service: str) -> list[dict[str, Any]]:
    """The traces of a service that a query finds."""
    query = query.replace("{", f'{{ resource.service.name = "{service}" &&', 1)
    now = int(time.time())
    parameters = urllib.parse.urlencode({"q": query, "start": now - 3600, "end": now + 60, "limit": 100})
    with urllib.request.urlopen(f"{TEMPO}/api/search?{parameters}", timeout=60) as response:
        traces: list[dict[str, Any]] = json.load(response)["traces"]
    return traces


def test_the_documented_queries_find_failed_turns_their_conversation_and_long_messages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    service = f"five-{uuid.uuid4()}"
    run_program(f"{OTLP}/v1/traces", OTEL_SERVICE_NAME=service)
    # Tempo finds spans some time after it has received them.
    until(lambda: len(_found("{ true }", service)) == 24, "all traces")
    (failed,) = _found(FAILED, service)
    assert failed["rootTraceName"] == "network.envelope ag2.msg.text"
    with urllib.request.urlopen(f"{TEMPO}/api/traces/{failed['traceID']}", timeout=60) as response:
        answer = response.read()
    (conversation,) = set(CONVERSATION_ID.findall(answer.decode()))
    names = [trace["rootTraceName"] for trace in _found(re.sub('"(.*)"', f'"{conversation}"', CONVERSATION), service)]
    assert sorted(names) == ["network.channel conversation", "network.envelope ag2.msg.text"]
    # A second is long for this program.
    assert len(_found(LONG.replace("1s", "0s"), service)) > 6
    (tmp_path / "trace.json").write_bytes(answer)
    assert main(["view", str(tmp_path / "trace.json"), "--show", "failures"]) == 0
    assert "clerk: chat TimeoutError: the model is late" in capsys.readouterr().out
