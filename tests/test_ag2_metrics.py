"""The metrics of an agent network, which the opt-in spec `ag2_metrics` adds."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.processes import PATIENCE

NETWORK = Path(__file__).parents[1] / "docs" / "demo" / "network.py"

PROGRAM = f"""
import json, runpy
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
reader = InMemoryMetricReader()
DeclarativeInstrumentor().instrument(meter_provider=MeterProvider([reader]))
runpy.run_path({str(NETWORK)!r}, run_name="__main__")
points = [
    [metric.name, metric.unit, dict(point.attributes), getattr(point, "value", None), getattr(point, "count", None)]
    for resource in reader.get_metrics_data().resource_metrics
    for scope in resource.scope_metrics
    for metric in scope.metrics
    for point in metric.data.data_points
]
print(json.dumps(points))
"""


def test_a_network_is_measured_if_its_metrics_are_listed():
    environment = {**os.environ, "OTEL_PYTHON_DECLARATIVE_SPECS": "ag2_metrics"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    points = sorted(json.loads(done.stdout.splitlines()[-1]), key=str)
    chat = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "demo"}
    small = {"gen_ai.request.model": "demo-small", "gen_ai.response.model": "demo-small"}
    kind, name, tool = "ag2.network.manifest_type", "gen_ai.agent.name", "gen_ai.tool.name"
    assert points == sorted(
        [
            ["ag2.agent.turn.duration", "s", {name: "coordinator"}, None, 1],
            ["ag2.agent.turn.duration", "s", {name: "researcher"}, None, 1],
            ["ag2.agent.turn.duration", "s", {name: "reviewer", "error.type": "TimeoutError"}, None, 1],
            ["ag2.network.agent.registered", "{agent}", {}, 0, None],
            ["ag2.network.channel.duration", "s", {kind: "consulting"}, None, 1],
            ["ag2.network.channel.duration", "s", {kind: "conversation"}, None, 1],
            ["ag2.network.channel.open", "{channel}", {kind: "consulting"}, 0, None],
            ["ag2.network.channel.open", "{channel}", {kind: "conversation"}, 0, None],
            ["ag2.network.envelope.duration", "s", {"ag2.network.event_type": "ag2.msg.text"}, None, 3],
            ["ag2.network.task.open", "{task}", {"ag2.network.capability": "search"}, 0, None],
            [
                "ag2.network.task.duration",
                "s",
                {"ag2.network.capability": "search", "ag2.network.outcome": "completed"},
                None,
                1,
            ],
            ["gen_ai.client.token.usage", "{token}", {**chat, **small, "gen_ai.token.type": "input"}, None, 4],
            ["gen_ai.client.token.usage", "{token}", {**chat, **small, "gen_ai.token.type": "output"}, None, 4],
            ["ag2.tool.duration", "s", {tool: "delegate"}, None, 1],
            ["ag2.tool.duration", "s", {tool: "search"}, None, 1],
            ["gen_ai.client.operation.duration", "s", {**chat, **small}, None, 4],
            [
                "gen_ai.client.operation.duration",
                "s",
                {"gen_ai.operation.name": "chat", "error.type": "TimeoutError"},
                None,
                1,
            ],
        ],
        key=str,
    )
