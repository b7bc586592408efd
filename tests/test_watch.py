"""A spec that is saved while the program runs is reloaded. If it has problems they are reported, and it is not."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.process import watch

from tests.conftest import undone_exactly
from tests.processes import PATIENCE, replace, until

#: Seconds between two polls: less than by default.
FAST = 0.05

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
    ROUTES = {}
    def route(call): ROUTES[call.__name__] = call; return call
    def logged_in(call):
        def wrapper(a): return call(a)
        return wrapper
    @logged_in
    @route
    def pay(a): return a
    def make():
        def inner(a): return a
        return inner
"""
HOOKS = """
hooks: {begin: {call: "HOST:begin"}, end: {call: "HOST:end"}}
"""


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
def host(make_module, spec_file, tracing, logged, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr(watch, "POLL_INTERVAL", FAST)
    monkeypatch.setattr(watch, "PATIENCE", PATIENCE)
    module = make_module(HOST)
    with undone_exactly(module):
        made = Host(module, spec_file, tracing, logged)
        try:
            yield made
        finally:
            if made.instrumentor.is_instrumented_by_opentelemetry:
                made.instrumentor.uninstrument()
    assert watch.THREAD_NAME not in [thread.name for thread in threading.enumerate()]


def test_a_saved_spec_applies_to_every_name_of_a_function_and_is_undone_exactly(host: Host):
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


def test_a_saved_spec_applies_to_functions_within_others_that_exist(host: Host):
    host.start('spans: {f: {around: "HOST:make.<locals>.inner", attributes: {one: a}}}')
    inner = host.module.make()
    assert host.attributes(lambda: inner(1)) == [{"one": 1}]
    host.save('spans: {f: {around: "HOST:make.<locals>.inner", attributes: {two: a}}}')
    assert host.attributes(lambda: [inner(1), host.module.make()(2)]) == [{"two": 1}, {"two": 2}]
    host.save('spans: {f: {around: "HOST:f"}}')
    assert host.attributes(lambda: [inner(1), host.module.make()(2)]) == []


def test_a_saved_spec_applies_to_a_function_that_is_registered_below_a_decorator(host: Host):
    pay, registered = host.module.pay, host.module.ROUTES["pay"]
    host.start('spans: {pay: {around: "HOST:pay", attributes: {one: a}}}')
    assert host.attributes(lambda: [pay(1), registered(2)]) == [{"one": 1}, {"one": 2}]
    host.save('spans: {pay: {around: "HOST:pay", attributes: {two: a}}}')
    assert host.attributes(lambda: [pay(1), registered(2)]) == [{"two": 1}, {"two": 2}]
    host.save('spans: {f: {around: "HOST:f"}}')
    assert host.attributes(lambda: [pay(1), registered(2)]) == []
    host.save('spans: {pay: {around: "HOST:pay", attributes: {three: a}}}')
    assert host.attributes(lambda: [pay(1), registered(2)]) == [{"three": 1}, {"three": 2}]
    host.instrumentor.uninstrument()
    assert host.attributes(lambda: [pay(1), registered(2)]) == []


def test_an_invalid_save_is_reported_once_and_keeps_the_last_valid_one(host: Host):
    host.start('spans: {f: {around: "HOST:f", attributes: {one: a}}}')
    host.save('spans: {f: {around: "HOST:f", atributes: {two: a}}}')
    assert 'did you mean "attributes"?' in host.logged()[0]
    assert host.logged()[0].endswith(f"1 problem: {host.file} stays in effect as it was; the program is not affected.")
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


def test_a_spec_that_was_invalid_at_the_start_is_loaded_once_it_is_fixed(host: Host):
    host.start("spans: {f: {")
    assert host.logged()[0].endswith("this spec is left out; the program is not affected.")
    host.save('spans: {f: {around: "HOST:f"}}')
    assert host.attributes(lambda: host.module.f(1)) == [{}]


def test_two_polls_leave_half_of_the_two_seconds_for_the_reload():
    assert 2 * watch.POLL_INTERVAL <= 1


def test_a_file_that_is_written_piece_by_piece_or_replaced_takes_effect(host: Host):
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


def test_extended_files_are_watched_even_if_they_were_missing(host: Host, tmp_path: Path):
    host.start("extends: base.yaml\nspans: {f: {attributes: {own: a}}}")
    assert "there is no file" in host.logged()[0]
    base = 'instrument: 2\nname: base\nspans: {f: {around: "HOST:f", attributes: {X: a}}}'.replace(
        "HOST", host.module.__name__
    )
    for number, name in enumerate(("one", "two"), 1):
        replace(tmp_path / "base.yaml", base.replace("X", name))
        until(lambda number=number: len(host.logged()) > number)
        assert host.attributes(lambda: host.module.f(1)) == [{name: 1, "own": 1}]


# ── Calls in progress and open spans ──


def test_an_open_span_is_ended_by_the_new_rules_or_now_if_there_are_none(host: Host):
    span = "{start: begin.enter, end: %s, key: {value: key, max_open: %d}, attributes: {%s: result}}"
    host.start(HOOKS + f"spans: {{kept: {span % ('end.return', 9, 'old')}, gone: {span % ('end.return', 9, 'old')}}}")
    host.module.begin("a")
    host.module.begin("b")
    host.save(HOOKS + f"spans: {{kept: {span % ('end.return', 5, 'new')}}}")
    assert [(s.name, dict(s.attributes)) for s in host.tracing.spans] == [("gone", {"instrument.end": "changed"})] * 2
    assert host.attributes(lambda: host.module.end("a")) == [{"new": "a"}]
    host.save(HOOKS + f"spans: {{kept: {span.replace('value: key', 'value: str(key)') % ('end.return', 5, 'new')}}}")
    (left,) = host.tracing.spans[1:]
    assert (left.name, dict(left.attributes)) == ("kept", {"instrument.end": "changed"})


def test_calls_in_progress_finish_under_the_rules_with_which_they_started(host: Host):
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


def test_each_call_is_traced_by_exactly_one_version_while_specs_are_saved(host: Host):
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
        until(lambda: calls[0], "the first call")
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


def test_a_wrapper_that_another_tool_has_added_since_stays_outside(host: Host):
    host.start('spans: {f: {around: "HOST:f", attributes: {one: a}}}')
    ours = host.module.f
    theirs = lambda a: ours(a)  # noqa: E731
    host.module.f = theirs
    host.save('spans: {f: {around: "HOST:f", attributes: {two: a}}}')
    assert host.module.f is theirs
    assert host.attributes(lambda: host.module.f(1)) == [{"two": 1}]
    host.instrumentor.uninstrument()
    assert host.attributes(lambda: host.module.f(1)) == []
    host.module.f = ours
