"""Owners: their open spans end when they are closed, and a sink receives the ended ones."""

import asyncio
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.values import Entries, Target
from opentelemetry.instrumentation.declarative.plan.model import SinkPlan
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.sinks import Sinks

HOST = """
    import types

    class Session:
        def __init__(self, name):
            self.name, self.server = name, types.SimpleNamespace(session=self)
        def begin(self, number): pass
        def end(self, number): pass
        def ask(self, number): pass
        def logout(self): pass
        def close(self): pass
        async def aclose(self): pass

    def drop(session): pass
    def stop(server, kind): pass
"""
SPEC = """
hooks:
  begin: {call: "HOST:Session.begin"}
  end: {call: "HOST:Session.end"}
  ask: {call: "HOST:Session.ask"}
  logout: {call: "HOST:Session.logout"}
  close: {call: "HOST:Session.close"}
  aclose: {call: "HOST:Session.aclose"}
  drop: {call: "HOST:drop"}
  stop: {call: "HOST:stop"}
owners:
  session:
    object: self
    closes:
      - close.exit
      - aclose.exit
      - {at: drop.enter, object: session}
      - {at: stop.enter, object: server.session, when: kind == "all"}
    %s
  login: {object: self, closes: logout.exit}
spans:
  request: {key: self.name + str(number), start: begin.enter, end: end.exit, owner: session}
  question: {key: self.name + str(number), start: ask.enter, end: end.exit, owner: login}
"""
SINK = """
    created = []

    class Sink:
        def __init__(self, rule, path="default", size=1, raises=False):
            if raises is None or size == 0:
                raise ValueError("size is 0")
            self.path, self.size, self.raises, self.spans, self.flushed = path, size, raises, [], []
            created.append(self)

        def add(self, owner, span):
            if self.raises:
                raise OSError("no space")
            self.spans.append((owner.name, span.name))
            return True

        async def flush(self, owner):
            if self.raises:
                raise OSError("no space")
            self.flushed.append(owner.name)
"""


@pytest.fixture
def host(make_module) -> Any:
    return make_module(HOST)


@pytest.fixture
def sink(make_module) -> Any:
    return make_module(SINK)


def ends(tracing: Any) -> dict[str, str]:
    return {span.name: span.attributes.get("instrument.end") for span in tracing.spans}


@pytest.mark.parametrize("way", ["close", "drop", "stop"])
def test_the_open_spans_of_an_object_end_at_each_moment_at_which_it_is_closed(way: str, host, instrumented, tracing):
    with instrumented(SPEC % "", host):
        session, other = host.Session("a"), host.Session("b")
        session.begin(1)
        session.begin(2)
        other.begin(1)
        session.end(2)
        host.stop(session.server, "some")
        assert len(tracing.spans) == 1
        if way == "close":
            session.close()
        elif way == "drop":
            host.drop(session)
        else:
            host.stop(session.server, "all")
        found = [span.attributes.get("instrument.end") for span in tracing.spans]
        assert found == [None, "session_closed"]


def test_closing_an_owner_ends_only_the_spans_of_that_owner(host, instrumented, tracing):
    with instrumented(SPEC % "", host):
        session = host.Session("a")
        session.begin(1)
        session.ask(2)
        session.logout()
        assert ends(tracing) == {"question": "login_closed"}
        session.close()
        assert ends(tracing) == {"question": "login_closed", "request": "session_closed"}


def test_a_sink_receives_the_ended_spans_of_its_owner_and_is_flushed_when_it_closes(host, sink, instrumented):
    with instrumented(SPEC % f"sink: {{class: '{sink.__name__}:Sink', options: {{path: a, size: 3}}}}", host):
        session = host.Session("a")
        session.begin(1)
        session.begin(2)
        session.ask(3)
        session.end(1)
        asyncio.run(session.aclose())
        session.logout()
    (created,) = sink.created
    assert (created.path, created.size) == ("a", 3)
    assert (created.spans, created.flushed) == ([("a", "request"), ("a", "request")], ["a"])


def test_a_sink_without_options_can_be_named_by_its_class_alone(host, sink, instrumented):
    with instrumented(SPEC % f"sink: {sink.__name__}:Sink", host):
        session = host.Session("a")
        session.begin(1)
        session.end(1)
    (created,) = sink.created
    assert (created.path, created.spans) == ("default", [("a", "request")])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("{raises: true}", "OSError: no space"),
        ("{size: 0}", "ValueError: size is 0"),
        ("{sise: 1}", "unexpected keyword argument 'sise'"),
    ],
)
def test_a_sink_that_fails_is_reported_once_and_the_spans_are_exported(
    options: str, why: str, host, sink, instrumented, tracing, logged
):
    with instrumented(SPEC % f"sink: {{class: '{sink.__name__}:Sink', options: {options}}}", host):
        session = host.Session("a")
        for number in range(3):
            session.begin(number)
        session.end(0)
        asyncio.run(session.aclose())
    assert len(tracing.spans) == 3
    (message,) = logged()
    assert "sink session failed: " in message
    assert why in message


def test_a_sink_that_cannot_be_imported_is_reported_and_the_spans_are_exported(host, instrumented, tracing, logged):
    with instrumented(SPEC % f"sink: {host.__name__}:Missing", host):
        session = host.Session("a")
        session.begin(1)
        session.close()
    assert ends(tracing) == {"request": "session_closed"}
    assert any("has no attribute 'Missing'" in message for message in logged())


def test_a_sink_is_kept_when_a_spec_is_changed_and_its_class_and_options_are_not(sink):
    mark = Mark("spec.yaml", 1, 1)

    def sinks(previous: Sinks | None, **given: Any) -> Sinks:
        options: Entries[Any] = Entries()
        options.update(given)
        plan = SinkPlan("session", mark, Target(sink.__name__, "Sink", mark), options)
        return Sinks([plan], lambda _target: sink.Sink, lambda id, most: Rule(id, most=most), previous)

    first = sinks(None, size=3)
    second = sinks(first, size=3)
    assert len(sink.created) == 1
    sinks(second, size=4)
    assert [each.size for each in sink.created] == [3, 4]
