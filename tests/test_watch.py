"""A spec that is saved while the program runs is reloaded. If it has problems they are reported, and it is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.process import watch

from tests.conftest import undone_exactly
from tests.processes import COMMAND, ROOT, SOURCE

#: Seconds that a test waits for a save to take effect. Two are promised, on an idle machine.
PATIENCE = 20.0
#: Seconds between two polls in most tests.
FAST = 0.05
MAKE_FAST = f"from opentelemetry.instrumentation.declarative.process import watch\nwatch.POLL_INTERVAL = {FAST}\n"

HOST = """
    import types
    @types.coroutine
    def pause(): yield
    def f(a): return a
    def begin(key): return key
    def end(key): return key
    async def wait(key): await pause(); return key
    def steps(): yield 1; yield 2
    class Cart:
        def checkout(self, lines): return len(lines)
        @property
        def size(self): return 3
"""
HOOKS = """
hooks: {begin: {call: "HOST:begin"}, end: {call: "HOST:end"}}
"""


def until(condition: Callable[[], Any], what: str = "it") -> None:
    """Wait for a condition."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.005)


class Host:
    """A module and the spec that is active on it."""

    def __init__(self, module: Any, write: Callable[..., Path], tracing: Any, logged: Any) -> None:
        self.module, self._write, self.tracing, self.logged = module, write, tracing, logged
        self.instrumentor = DeclarativeInstrumentor()

    def start(self, spec: str, **more: Any) -> None:
        self.file = self.write(spec)
        self.instrumentor.instrument(tracer_provider=self.tracing.provider, specs=[self.file], watch=True, **more)

    def write(self, spec: str, file: str = "spec.yaml") -> Path:
        return self._write(spec, self.module, file)

    def save(self, spec: str) -> None:
        """Save a spec, and wait until the result is logged."""
        before = len(self.logged())
        os.replace(self.write(spec, "saved"), self.file)
        until(lambda: len(self.logged()) > before, "a message on the save")

    def attributes(self, act: Callable[[], Any]) -> list[dict[str, Any]]:
        self.tracing.exporter.clear()
        act()
        return [dict(span.attributes) for span in self.tracing.spans]


@pytest.fixture
def host(
    make_module: Any, spec_file: Any, tracing: Any, logged: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Host]:
    monkeypatch.setattr(watch, "POLL_INTERVAL", FAST)
    module = make_module(HOST)
    with undone_exactly(module):
        made = Host(module, spec_file, tracing, logged)
        try:
            yield made
        finally:
            if made.instrumentor.is_instrumented_by_opentelemetry:
                made.instrumentor.uninstrument()
    assert watch.THREAD_NAME not in [thread.name for thread in threading.enumerate()]


def test_a_saved_spec_applies_to_every_name_of_a_function_and_is_undone_exactly(host: Host) -> None:
    host.start('spans: {f: {around: "HOST:f", attributes: {one: a}}}')
    first = host.module.f
    assert host.attributes(lambda: host.module.f(1)) == [{"one": 1}]
    host.save('spans: {f: {around: "HOST:f", attributes: {two: a}}}')
    second = host.module.f
    for function in (first, second, host.module.f):
        assert host.attributes(lambda function=function: function(2)) == [{"two": 2}]
    host.save('spans: {size: {around: "HOST:Cart.size", attributes: {s: result}}}')
    assert host.attributes(lambda: [first(3), second(3), host.module.f(3)]) == []
    assert host.attributes(lambda: host.module.Cart().size) == [{"s": 3}]
    host.save('spans: {f: {around: "HOST:f", attributes: {three: a}}}')
    for function in (first, second, host.module.f):
        assert host.attributes(lambda function=function: function(4)) == [{"three": 4}]
    assert host.attributes(lambda: host.module.Cart().size) == []
    host.instrumentor.uninstrument()
    assert host.attributes(lambda: [first(5), second(5), host.module.f(5)]) == []
    assert host.logged() == [f"{host.file} has changed and is now in effect."] * 3


def test_an_invalid_save_is_reported_once_and_keeps_the_last_valid_one(host: Host) -> None:
    host.start('spans: {f: {around: "HOST:f", attributes: {one: a}}}')
    host.save('spans: {f: {around: "HOST:f", atributes: {two: a}}}')
    assert 'did you mean "attributes"?' in host.logged()[0]
    assert host.logged()[0].endswith(
        f"1 problem: {host.file} stays in effect as it was; the application is not affected."
    )
    assert host.attributes(lambda: host.module.f(1)) == [{"one": 1}]
    host.file.unlink()
    until(lambda: len(host.logged()) > 1)
    assert "the file cannot be read" in host.logged()[1]
    assert host.attributes(lambda: host.module.f(1)) == [{"one": 1}]
    host.save('spans: {f: {around: "HOST:f", attributes: {one: a}}}')
    assert host.logged()[2:] == [f"{host.file} is valid again. The version in effect has not changed."]
    host.save('spans: {f: {around: "HOST:f", attributes: {two: a}}}')
    assert host.attributes(lambda: host.module.f(1)) == [{"two": 1}]
    assert len(host.logged()) == 4


def test_a_spec_that_was_invalid_at_the_start_is_loaded_once_it_is_fixed(host: Host) -> None:
    host.start("spans: {f: {")
    assert host.logged()[0].endswith("this spec is left out; the application is not affected.")
    host.save('spans: {f: {around: "HOST:f"}}')
    assert host.attributes(lambda: host.module.f(1)) == [{}]


def test_two_polls_leave_half_of_the_two_seconds_for_the_reload() -> None:
    assert 2 * watch.POLL_INTERVAL <= 1


def test_a_file_that_is_written_piece_by_piece_or_replaced_takes_effect(host: Host) -> None:
    host.start('spans: {f: {around: "HOST:f", attributes: {one: a}}}')
    whole = host.write('spans: {f: {around: "HOST:f", attributes: {two: a}}}', "other").read_text()
    half = len(whole) // 2
    with open(host.file, "w") as stream:
        for _ in range(4):  # never unchanged for a whole interval
            stream.seek(0)
            stream.truncate()
            stream.write(whole[:half] + " ")
            stream.flush()
            threading.Event().wait(FAST / 4)
        stream.seek(0)
        stream.truncate()
        stream.write(whole)
    until(lambda: host.attributes(lambda: host.module.f(1)) == [{"two": 1}])
    other = host.write('spans: {f: {around: "HOST:f", attributes: {three: a}}}', "other")
    os.replace(other, host.file)
    until(lambda: host.attributes(lambda: host.module.f(1)) == [{"three": 1}])
    until(lambda: host.logged()[-1:] == [f"{host.file} has changed and is now in effect."])


def test_extended_files_are_watched_even_if_they_were_missing(host: Host, tmp_path: Path) -> None:
    host.start("extends: base.yaml\nspans: {f: {attributes: {own: a}}}")
    assert "there is no file" in host.logged()[0]
    base = 'instrument: 1\nname: base\nspans: {f: {around: "HOST:f", attributes: {X: a}}}'.replace(
        "HOST", host.module.__name__
    )
    for number, name in enumerate(("one", "two"), 1):
        (tmp_path / "base.yaml").write_text(base.replace("X", name))
        until(lambda number=number: len(host.logged()) > number)
        assert host.attributes(lambda: host.module.f(1)) == [{name: 1, "own": 1}]


# ── Calls in progress and open spans ──


def test_an_open_span_is_ended_by_the_new_rules_or_now_if_there_are_none(host: Host) -> None:
    span = "{start: begin.enter, end: %s, key: key, limit: %d, attributes: {%s: result}}"
    host.start(HOOKS + f"spans: {{kept: {span % ('end.return', 9, 'old')}, gone: {span % ('end.return', 9, 'old')}}}")
    host.module.begin("a")
    host.module.begin("b")
    host.save(HOOKS + f"spans: {{kept: {span % ('end.return', 5, 'new')}}}")
    assert [(s.name, dict(s.attributes)) for s in host.tracing.spans] == [("gone", {"instrument.end": "changed"})] * 2
    assert host.attributes(lambda: host.module.end("a")) == [{"new": "a"}]
    host.save(HOOKS + f"spans: {{kept: {span.replace('key: key', 'key: str(key)') % ('end.return', 5, 'new')}}}")
    (left,) = host.tracing.spans[1:]
    assert (left.name, dict(left.attributes)) == ("kept", {"instrument.end": "changed"})


def test_calls_in_progress_finish_under_the_rules_with_which_they_started(host: Host) -> None:
    wait = 'wait: {around: "HOST:wait", key: key, attributes: {X: result}}'
    spans = f'spans: {{{wait}, steps: {{around: "HOST:steps", attributes: {{X: "1"}}}}}}'
    host.start(spans.replace("X", "old"))
    waiting, steps = host.module.wait("k"), host.module.steps()
    waiting.send(None)
    next(steps)
    host.save(spans.replace("X", "new"))
    assert list(host.module.steps()) == [1, 2]
    host.save('spans: {f: {around: "HOST:f"}}')
    assert [(span.name, dict(span.attributes)) for span in host.tracing.spans] == [("steps", {"new": 1})]
    with pytest.raises(StopIteration, match="k"):
        waiting.send(None)
    assert list(steps) == [2]
    assert [(span.name, dict(span.attributes)) for span in host.tracing.spans[1:]] == [
        ("wait", {"old": "k"}),
        ("steps", {"old": 1}),
    ]


def test_each_call_is_traced_by_exactly_one_version_while_specs_are_saved(host: Host) -> None:
    spec = 'spans: {f: {around: "HOST:f", attributes: {a: a, "X": a}}}'
    host.start(spec.replace("X", "x0"))
    function, stop, calls = host.module.f, threading.Event(), [0]

    def call() -> None:
        while not stop.is_set():
            function(calls[0])
            host.module.f(calls[0])
            calls[0] += 1

    thread = threading.Thread(target=call)
    thread.start()
    try:
        for number in range(1, 4):
            host.save(spec.replace("X", f"x{number}"))
            called = calls[0]
            until(lambda called=called: calls[0] > called + 1, "a call after the save")  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()
    seen = [span.attributes["a"] for span in host.tracing.spans]
    assert seen == [number for number in range(calls[0]) for _ in range(2)]
    assert {key for span in host.tracing.spans for key in span.attributes} == {"a", "x0", "x1", "x2", "x3"}


def test_a_wrapper_that_another_tool_has_added_since_stays_outside(host: Host) -> None:
    host.start('spans: {f: {around: "HOST:f", attributes: {one: a}}}')
    ours = host.module.f
    theirs = lambda a: ours(a)  # noqa: E731
    host.module.f = theirs
    host.save('spans: {f: {around: "HOST:f", attributes: {two: a}}}')
    assert host.module.f is theirs
    assert host.attributes(lambda: host.module.f(1)) == [{"two": 1}]
    host.instrumentor.uninstrument()
    assert host.attributes(lambda: host.module.f(1)) == []
    host.module.f = ours.__wrapped__


# ── Whole processes ──

APP = """
import os, shop, sys, time
from shop import checkout
while not os.path.exists("stop"):
    print(os.getpid(), checkout(["tea"]), flush=True)
    time.sleep(0.05)
{end}
"""
SPEC = "instrument: 1\nname: shop\nspans:\n  checkout:\n    around: shop:checkout\n    attributes: {%s: len(lines)}\n"


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


def test_a_save_takes_effect_in_a_running_program(tmp_path: Path, program: Any) -> None:
    (tmp_path / "my.yaml").write_text(SPEC % "one")
    process = program(APP.format(end=""), fast=False)
    until(lambda: ["checkout", {"one": 1}] in spans(tmp_path), "the first span")
    for name in ("two", "three", "four"):
        (tmp_path / "my.yaml").write_text(SPEC % name)
        until(lambda name=name: ["checkout", {name: 1}] in spans(tmp_path), f"the attribute {name}")
    (tmp_path / "stop").touch()
    assert process.wait(PATIENCE) == 0
    assert (tmp_path / "errors").read_text() == "my.yaml has changed and is now in effect.\n" * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_reloads_specs_itself(tmp_path: Path, program: Any) -> None:
    (tmp_path / "my.yaml").write_text(SPEC % "one")
    app = "import os\npid = os.fork()\nimport warnings\n" + APP.format(end="if pid: sys.exit(os.waitpid(pid, 0)[1])")
    process = program(app)
    until(lambda: len(set((tmp_path / "output").read_text().split("\n"))) > 2, "both")
    (tmp_path / "my.yaml").write_text(SPEC % "two")
    until(lambda: (tmp_path / "errors").read_text().count("is now in effect") == 2, "a message of both")
    (tmp_path / "stop").touch()
    assert process.wait(PATIENCE) == 0


def test_an_inline_spec_of_the_configuration_file_is_watched(tmp_path: Path, program: Any) -> None:
    config = (
        'file_format: "1.0"\ntracer_provider: {processors: [{simple: {exporter: {console: {}}}}]}\n'
        "instrumentation/development:\n  python:\n"
        "    declarative:\n      watch: true\n      specs:\n        - instrument: 1\n          name: shop\n"
        '          spans: {checkout: {around: "shop:checkout", attributes: {%s: len(lines)}}}\n'
    )
    (tmp_path / "otel.yaml").write_text(config % "one")
    process = program(APP.format(end=""), OTEL_CONFIG_FILE="otel.yaml", OTEL_PYTHON_DECLARATIVE_SPECS="")
    until(lambda: ["checkout", {"one": 1}] in spans(tmp_path), "the first span")
    (tmp_path / "otel.yaml").write_text(config % "two")
    until(lambda: ["checkout", {"two": 1}] in spans(tmp_path), "the second")
    (tmp_path / "otel.yaml").write_text(config.replace("attributes", "atributes") % "two")
    place = f"otel.yaml:10:{config.splitlines()[9].index('attributes') + 1}: error[unknown-key]"
    until(lambda: place in (tmp_path / "errors").read_text(), "the problem")
    (tmp_path / "stop").touch()
    assert process.wait(PATIENCE) == 0


def test_a_change_to_the_spec_of_ag2_takes_effect_in_a_running_network(tmp_path: Path, program: Any) -> None:
    network = (ROOT / "docs" / "demo" / "app.py").read_text()
    overlay = "instrument: 1\nextends: ag2\nspans: {agent: {attributes: {app.%s: agent.name}}}\n"
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
    (tmp_path / "my.yaml").write_text(overlay % "two")
    until(lambda: agents("app.two"), "the second")
    assert not any("app.one" in s[1] for s in agents("app.two"))
    (tmp_path / "my.yaml").write_text("instrument: 1\nextends: ag2\nspans: {envelope: {key: null}}\n")
    until(lambda: "stays in effect as it was" in (tmp_path / "errors").read_text(), "the problem")
    count = len(agents("app.two"))
    until(lambda: len(agents("app.two")) > count, "one more by the last valid spec")
    (tmp_path / "stop").touch()
    assert process.wait(PATIENCE) == 0
    assert "Traceback" not in (tmp_path / "errors").read_text()


def test_without_watching_there_is_no_thread_and_its_code_is_not_imported(tmp_path: Path, program: Any) -> None:
    (tmp_path / "my.yaml").write_text(SPEC % "one")
    watching = "'opentelemetry.instrumentation.declarative.process.watch' in sys.modules, threading.active_count()"
    app = f"import sys, threading, shop\nshop.checkout([])\nprint({watching})\n"
    assert program(app, fast=False, OTEL_PYTHON_DECLARATIVE_WATCH="0").wait(PATIENCE) == 0
    assert (tmp_path / "output").read_text() == "False 1\n"
