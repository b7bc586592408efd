"""Watching specs in whole processes under ``opentelemetry-instrument``."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import COMMAND, PATIENCE, ROOT, SOURCE, replace, until

#: Lets a program poll more often than by default.
MAKE_FAST = "from opentelemetry.instrumentation.declarative.process import watch\nwatch.POLL_INTERVAL = 0.05\n"

APP = """
import os, shop, sys, time
from shop import checkout
while not os.path.exists("stop"):
    print(os.getpid(), checkout(["tea"]), flush=True)
    time.sleep(0.05)
{end}
"""
SPEC = "instrument: 2\nname: shop\nspans:\n  checkout:\n    around: shop:checkout\n    attributes: {%s: len(lines)}\n"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a program that calls a function repeatedly until the file `stop` exists."""
    (tmp_path / "shop.py").write_text("def checkout(lines): return len(lines)\n")
    (tmp_path / "sink.py").write_text(
        "import json\n"
        "from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult\n"
        "class Sink(SpanExporter):\n"
        "    def export(self, spans):\n"
        "        with open('spans', 'a') as file:\n"
        "            for span in spans: file.write(json.dumps([span.name, dict(span.attributes)]) + '\\n')\n"
        "        return SpanExportResult.SUCCESS\n"
    )
    started: list[subprocess.Popen[bytes]] = []

    def start(app: str, *, fast: bool = True, **environment: str) -> subprocess.Popen[bytes]:
        (tmp_path / "app.py").write_text(
            "import sink\nfrom opentelemetry import trace\n"
            "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
            "trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(sink.Sink()))\n"
            + (MAKE_FAST if fast else "")
            + app
        )
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
        settings = {
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(SOURCE)]),
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_PYTHON_DECLARATIVE_SPECS": "my.yaml",
            "OTEL_PYTHON_DECLARATIVE_WATCH": "1",
        }
        command = [str(COMMAND), sys.executable, "app.py"]
        with (tmp_path / "output").open("w") as output, (tmp_path / "errors").open("w") as errors:
            started.append(
                subprocess.Popen(
                    command, cwd=tmp_path, env={**kept, **settings, **environment}, stdout=output, stderr=errors
                )
            )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def spans(folder: Path) -> list[Any]:
    file = folder / "spans"
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def test_a_save_takes_effect_in_a_running_program(tmp_path: Path, program):
    (tmp_path / "my.yaml").write_text(SPEC % "one")
    process = program(APP.format(end=""), fast=False)
    until(lambda: ["checkout", {"one": 1}] in spans(tmp_path), "the first span")
    for name in ("two", "three", "four"):
        replace(tmp_path / "my.yaml", SPEC % name)
        until(lambda name=name: ["checkout", {name: 1}] in spans(tmp_path), f"the attribute {name}")
    messages = "my.yaml has changed and is now in effect.\n" * 3
    until(lambda: (tmp_path / "errors").read_text() == messages, "the messages")
    (tmp_path / "stop").touch()
    assert process.wait(PATIENCE) == 0
    assert (tmp_path / "errors").read_text() == messages


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_reloads_specs_itself(tmp_path: Path, program):
    (tmp_path / "my.yaml").write_text(SPEC % "one")
    app = "import os\npid = os.fork()\nimport warnings\n" + APP.format(end="if pid: sys.exit(os.waitpid(pid, 0)[1])")
    process = program(app)
    until(lambda: len(set((tmp_path / "output").read_text().split("\n"))) > 2, "both")
    replace(tmp_path / "my.yaml", SPEC % "two")
    until(lambda: (tmp_path / "errors").read_text().count("is now in effect") == 2, "a message of both")
    (tmp_path / "stop").touch()
    assert process.wait(PATIENCE) == 0


def test_an_inline_spec_of_the_configuration_file_is_watched(tmp_path: Path, program):
    config = (
        'file_format: "1.0"\ntracer_provider: {processors: [{simple: {exporter: {console: {}}}}]}\n'
        "instrumentation/development:\n  python:\n"
        "    declarative:\n      watch: true\n      specs:\n        - instrument: 2\n          name: shop\n"
        '          spans: {checkout: {around: "shop:checkout", attributes: {%s: len(lines)}}}\n'
    )
    (tmp_path / "otel.yaml").write_text(config % "one")
    process = program(APP.format(end=""), OTEL_CONFIG_FILE="otel.yaml", OTEL_PYTHON_DECLARATIVE_SPECS="")
    until(lambda: ["checkout", {"one": 1}] in spans(tmp_path), "the first span")
    replace(tmp_path / "otel.yaml", config % "two")
    until(lambda: ["checkout", {"two": 1}] in spans(tmp_path), "the second")
    replace(tmp_path / "otel.yaml", config.replace("attributes", "atributes") % "two")
    place = f"otel.yaml:10:{config.splitlines()[9].index('attributes') + 1}: error[unknown-key]"
    until(lambda: place in (tmp_path / "errors").read_text(), "the problem")
    (tmp_path / "stop").touch()
    assert process.wait(PATIENCE) == 0


def test_a_change_to_the_spec_of_ag2_takes_effect_in_a_running_network(tmp_path: Path, program):
    network = (ROOT / "docs" / "demo" / "app.py").read_text()
    overlay = "instrument: 2\nextends: ag2\nspans: {agent: {attributes: {app.%s: agent.name}}}\n"
    (tmp_path / "my.yaml").write_text(overlay % "one")
    app = (
        "import os, runpy\nnumber = 0\nwhile not os.path.exists('stop'):\n"
        "    runpy.run_path('network.py', run_name='__main__')\n"
    )
    (tmp_path / "network.py").write_text(network)
    process = program(app)

    def agents(key: str) -> list[Any]:
        return [s for s in spans(tmp_path) if s[0].startswith("invoke_agent") and s[1].get(key) == "bob"]

    until(lambda: agents("app.one"), "the first agent")
    replace(tmp_path / "my.yaml", overlay % "two")
    until(lambda: agents("app.two"), "the second")
    assert not any("app.one" in s[1] for s in agents("app.two"))
    replace(tmp_path / "my.yaml", "instrument: 2\nextends: ag2\nspans: {envelope: {key: null}}\n")
    until(lambda: "stays in effect as it was" in (tmp_path / "errors").read_text(), "the problem")
    count = len(agents("app.two"))
    until(lambda: len(agents("app.two")) > count, "one more by the last valid spec")
    (tmp_path / "stop").touch()
    assert process.wait(PATIENCE) == 0
    assert "Traceback" not in (tmp_path / "errors").read_text()


def test_without_watching_there_is_no_thread_and_its_code_is_not_imported(tmp_path: Path, program):
    (tmp_path / "my.yaml").write_text(SPEC % "one")
    watching = "'opentelemetry.instrumentation.declarative.process.watch' in sys.modules, threading.active_count()"
    app = f"import sys, threading, shop\nshop.checkout([])\nprint({watching})\n"
    assert program(app, fast=False, OTEL_PYTHON_DECLARATIVE_WATCH="0").wait(PATIENCE) == 0
    assert (tmp_path / "output").read_text() == "False 1\n"
