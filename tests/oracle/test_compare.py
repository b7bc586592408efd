"""The comparison finds every difference that matters and ignores all others."""

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from .compare import NormalSpan, Recorder, difference

Draw = Callable[[Tracer], Any]


def drawn(draw: Draw, **scope: Any) -> list[NormalSpan]:
    """The normal form of spans created by ``draw``."""
    recorder = Recorder()
    draw(recorder.provider.get_tracer("scope", **scope))
    return recorder.trees()


def span(name: str = "span", **options: Any) -> Draw:
    """One span."""
    return lambda tracer: tracer.start_span(name, **options).end()


def with_events(*names: str) -> Draw:
    """One span with events."""

    def draw(tracer: Tracer) -> None:
        one = tracer.start_span("span")
        for name in names:
            one.add_event(name)
        one.end()

    return draw


def with_status(status: Status) -> Draw:
    """One span with a status."""

    def draw(tracer: Tracer) -> None:
        one = tracer.start_span("span")
        one.set_status(status)
        one.end()

    return draw


def linked(first: str, second: str) -> Draw:
    """Two spans, and a third with a link to each."""

    def draw(tracer: Tracer) -> None:
        ends = {name: tracer.start_span(name) for name in ("a", "b")}
        links = [Link(ends[name].get_span_context()) for name in (first, second)]
        tracer.start_span("span", links=links).end()
        for one in ends.values():
            one.end()

    return draw


def nested(parent_of: str) -> Draw:
    """Two roots, one of which has a child."""

    def draw(tracer: Tracer) -> None:
        roots = {name: tracer.start_span(name) for name in ("a", "b")}
        tracer.start_span("child", context=set_span_in_context(roots[parent_of])).end()
        for one in roots.values():
            one.end()

    return draw


DIFFERENT: dict[str, tuple[Draw, Draw]] = {
    "name": (span("one"), span("two")),
    "kind": (span(), span(kind=SpanKind.CLIENT)),
    "value": (span(attributes={"a": 1}), span(attributes={"a": 2})),
    "type of a value": (span(attributes={"a": 1}), span(attributes={"a": 1.0})),
    "truth is no number": (span(attributes={"a": 1}), span(attributes={"a": True})),
    "text is no list": (span(attributes={"a": "b"}), span(attributes={"a": ["b"]})),
    "missing is not empty": (span(), span(attributes={"a": []})),
    "order of events": (with_events("a", "b"), with_events("b", "a")),
    "number of events": (with_events("a"), with_events("a", "a")),
    "status": (with_status(Status(StatusCode.ERROR, "a")), with_status(Status(StatusCode.ERROR, "b"))),
    "ok is not unset": (with_status(Status(StatusCode.OK)), span()),
    "order of links": (linked("a", "b"), linked("b", "a")),
    "target of a link": (linked("a", "b"), linked("a", "a")),
    "parent": (nested("a"), nested("b")),
    "number of spans": (span(), lambda tracer: (span()(tracer), span()(tracer))),
    "never ended": (span(), lambda tracer: tracer.start_span("span")),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_a_difference_is_found(what: str):
    first, second = (drawn(draw) for draw in DIFFERENT[what])
    assert difference(first, second)
    assert not difference(first, drawn(DIFFERENT[what][0]))


def test_the_version_and_schema_of_the_scope_are_compared():
    plain = drawn(span())
    assert difference(plain, drawn(span(), instrumenting_library_version="1"))
    assert difference(plain, drawn(span(), schema_url="https://example.test"))


def test_ids_times_and_addresses_are_ignored_if_they_are_consistent():
    def draw(one: str, other: str, time: str) -> Draw:
        return lambda tracer: [
            span(f"a {one}", attributes={"other": other, "at": time})(tracer),
            span(f"b {other}", attributes={"text": f'{{"id": "{one}"}}'})(tracer),
        ]

    first = drawn(draw("a" * 32, "b" * 32, "2025-01-02T03:04:05.678+00:00 0x7f00deadbeef"))
    assert not difference(first, drawn(draw("d" * 32, "c" * 32, "2026-01-02T03:04:05Z 0x7f00feedbeef")))
    assert difference(first, drawn(draw("c" * 32, "c" * 32, "2026-01-02T03:04:05Z 0x7f00feedbeef")))


def test_a_span_exported_twice_is_an_error():
    recorder = Recorder()
    one = recorder.provider.get_tracer("scope").start_span("span")
    one.end()
    recorder._exporter.export(recorder.finished)
    with pytest.raises(AssertionError, match="exported twice"):
        recorder.trees()
