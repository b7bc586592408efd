"""Parents and links with several sources."""

import asyncio
from typing import Any

import pytest
from opentelemetry import trace

TRACEPARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
REMOTE, OPEN, CURRENT = "remote", "open", "current"

HOST = """
class Bus:
    def send(self, id): return id
    def work(self, id=None, trace=None): return id
"""

SPEC = """
hooks: {send: {call: "HOST:Bus.send"}, work: {call: "HOST:Bus.work"}}
spans:
  sent: {name: open, key: id, start: send.enter, end: send.raise}
  work:
    at: work.enter
    %s
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


@pytest.fixture
def work(module, instrumented, tracing) -> Any:
    """Call ``work`` with the sources that exist; return the parent and the links of its span, each by a name."""

    def work(rule: str, there: list[str]) -> tuple[str | None, list[str]] | None:
        with instrumented(SPEC % rule, module):
            bus = module.Bus()
            bus.send(1)
            values = (1 if OPEN in there else 2, TRACEPARENT if REMOTE in there else None)
            if CURRENT in there:
                with tracing.provider.get_tracer("test").start_as_current_span(CURRENT):
                    bus.work(*values)
            else:
                bus.work(*values)
        words = {int(TRACEPARENT[36:52], 16): REMOTE, **{span.context.span_id: span.name for span in tracing.spans}}
        found = [span for span in tracing.spans if span.name == "work"]
        if not found:
            return None
        (span,) = found
        return span.parent and words[span.parent.span_id], [words[link.context.span_id] for link in span.links]

    return work


SPAN, CARRIED = "{span: sent, key: id}", "{traceparent: trace}"


@pytest.mark.parametrize(
    ("parent", "there", "expected"),
    [
        (f"[{SPAN}, {CARRIED}]", [OPEN, REMOTE, CURRENT], OPEN),
        (f"[{SPAN}, {CARRIED}]", [REMOTE, CURRENT], REMOTE),
        (f"[{SPAN}, {CARRIED}]", [CURRENT], CURRENT),  # if none exists, it is as without `parent`
        (f"[{SPAN}, {CARRIED}]", [], None),
        (f"[{CARRIED}, {SPAN}]", [OPEN, REMOTE], REMOTE),
        (f"[{CARRIED}, current]", [CURRENT], CURRENT),
        (f"[{CARRIED}, current]", [REMOTE, CURRENT], REMOTE),
        (f"[current, {CARRIED}]", [REMOTE, CURRENT], CURRENT),
        (f"[current, {CARRIED}]", [REMOTE], REMOTE),
        (f"[current, {CARRIED}]", [], None),
        (f"[{SPAN}, current, {CARRIED}]", [REMOTE, CURRENT], CURRENT),
        (f"[{SPAN}, current, {CARRIED}]", [OPEN, REMOTE, CURRENT], OPEN),
        (f"[{CARRIED}, none]", [CURRENT], None),
        (f"[{CARRIED}, none]", [REMOTE, CURRENT], REMOTE),
        ("[current, none]", [CURRENT], CURRENT),
        ("[current, none]", [], None),
        ("[none]", [CURRENT], None),
        ("[current]", [CURRENT], CURRENT),
        (f"[{CARRIED}]", [CURRENT], CURRENT),
    ],
)
def test_the_parent_is_the_first_source_that_exists(parent: str, there: list[str], expected: str | None, work, logged):
    assert work(f"parent: {parent}", there) == (expected, [])
    assert logged() == []


@pytest.mark.parametrize(
    ("parent", "there", "expected"),
    [
        ("[{span: sent, key: id, required: true}]", [CURRENT], None),
        ("[{span: sent, key: id, required: true}]", [OPEN], OPEN),
        ("[{span: sent, key: id, required: true}, {traceparent: trace}]", [CURRENT], None),
        ("[{span: sent, key: id, required: true}, {traceparent: trace}]", [REMOTE], REMOTE),
        ("[{traceparent: trace}, {span: sent, key: id, required: true}]", [], None),
        ("[current, {span: sent, key: id, required: true}]", [CURRENT], CURRENT),
        ("[current, {span: sent, key: id, required: true}]", [], None),
    ],
)
def test_without_a_required_parent_no_span_starts(parent: str, there: list[str], expected: str | None, work):
    assert work(f"parent: {parent}", there) == (None if expected is None else (expected, []))


@pytest.mark.parametrize(
    ("link", "there", "expected"),
    [
        (f"[{SPAN}, {CARRIED}, current]", [OPEN, REMOTE, CURRENT], [OPEN]),
        (f"[{SPAN}, {CARRIED}, current]", [REMOTE, CURRENT], [REMOTE]),
        (f"[{SPAN}, {CARRIED}, current]", [CURRENT], [CURRENT]),
        (f"[{SPAN}, {CARRIED}, current]", [], []),
        (f"[current, {CARRIED}]", [REMOTE, CURRENT], [CURRENT]),
        (f"[current, {CARRIED}]", [REMOTE], [REMOTE]),
        (f"[{CARRIED}, none]", [CURRENT], []),
        (f"[{CARRIED}, none]", [REMOTE], [REMOTE]),
        ("[none]", [CURRENT], []),
    ],
)
def test_a_link_leads_to_the_first_of_its_sources_that_exists(
    link: str, there: list[str], expected: list[str], work, logged
):
    assert work(f"parent: none\n    links: {{about: {link}}}", there) == (None, expected)
    assert logged() == []


@pytest.mark.parametrize(("there", "failures"), [([CURRENT, OPEN], 0), ([OPEN], 1)])
def test_a_source_is_not_read_if_one_before_it_exists(there: list[str], failures: int, work, logged):
    rule = "links: {about: [current, {traceparent: len(self)}], open: {span: sent, key: id}}"
    assert work(f"parent: none\n    {rule}", there) == (None, there)
    assert len(logged()) == failures


def test_a_source_with_an_invalid_key_is_logged_with_its_rule(work, logged):
    rule = "parent: [{span: sent, key: '[id]'}, {traceparent: trace}]"
    assert work(rule, [OPEN, REMOTE]) is None
    (line,) = logged()
    assert "span work failed: TypeError: unhashable type: 'list'" in line


def test_a_current_span_that_has_ended_does_not_count(module, instrumented, tracing):
    """It is left in the context of a task that it has started and that outlives it."""
    spec = (
        SPEC % "links: {by: current}"
        + f"""
  listed:
    at: work.enter
    parent: [current, {CARRIED}]
    links: {{by: [current, {CARRIED}]}}
"""
    )

    async def run() -> None:
        over = asyncio.Event()

        async def later() -> None:
            await over.wait()
            assert not trace.get_current_span().is_recording()
            module.Bus().work(trace=TRACEPARENT)

        with tracing.provider.get_tracer("test").start_as_current_span("outer"):
            task = asyncio.ensure_future(later())
            await asyncio.sleep(0)
            module.Bus().work()
        over.set()
        await task

    with instrumented(spec, module):
        asyncio.run(run())
    outer = tracing.named("outer").context.span_id
    first, listed_first, second, listed_second = (span for span in tracing.spans if span.name in ("work", "listed"))
    assert [link.context.span_id for link in (*first.links, *listed_first.links)] == [outer, outer]
    assert listed_first.parent.span_id == outer
    assert second.links == ()
    assert [format(link.context.span_id, "016x") for link in listed_second.links] == [TRACEPARENT[36:52]]
    assert format(listed_second.parent.span_id, "016x") == TRACEPARENT[36:52]
    assert second.parent.span_id == outer  # a single `current` is not checked: a trace stays one trace
