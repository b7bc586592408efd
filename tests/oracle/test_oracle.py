"""One application, traced by AG2 itself and by ours: everything that is not an id or a clock is the same."""

from __future__ import annotations

import asyncio
import copy
import functools
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider

from .compare import NormalSpan, Recorder, difference, normal_form, text_of
from .deviations import DEVIATIONS
from .native import native_tracing
from .ours import declarative_tracing
from .scenarios import SCENARIOS
from .world import Result

Tracing = Callable[[TracerProvider, bool], AbstractContextManager[None]]
TABLE = Path(__file__).parents[2] / "docs" / "deviations.md"

ALL = sorted(SCENARIOS)
WITHOUT_CONTENT = ["consulting_with_a_tool_call", "human_in_the_loop", "tool_results_of_many_kinds", "usage"]

every_scenario = pytest.mark.parametrize("name", ALL)
with_and_without_content = pytest.mark.parametrize(
    ("name", "content"),
    [pytest.param(name, True, id=name) for name in ALL]
    + [pytest.param(name, False, id=f"{name}-without_content") for name in WITHOUT_CONTENT],
)


@dataclass(frozen=True)
class Run:
    """One run of a scenario: what its user saw and what was recorded."""

    result: Result
    recorder: Recorder
    trees: list[NormalSpan]


def run(name: str, tracing: Tracing, content: bool = True) -> Run:
    """Run a scenario."""
    recorder = Recorder()
    with tracing(recorder.provider, content):
        result = asyncio.run(SCENARIOS[name].run())
    return Run(result, recorder, recorder.trees())


@functools.cache
def untraced(name: str) -> Run:
    """A run without any tracing."""
    return run(name, lambda provider, content: nullcontext())


@functools.cache
def native(name: str, content: bool = True) -> Run:
    """The first native run of a scenario. It is shared: change a copy."""
    return run(name, native_tracing, content)


@functools.cache
def ours(name: str, content: bool = True) -> Run:
    """The first run of a scenario with ours."""
    return run(name, declarative_tracing, content)


def rewritten(name: str, content: bool = True) -> list[NormalSpan]:
    """What native recorded, with every deviation of the table."""
    trees = copy.deepcopy(native(name, content).trees)
    for rewrite in DEVIATIONS.values():
        rewrite(name, trees)
    return trees


@with_and_without_content
def test_native_equals_native(name: str, content: bool) -> None:
    again = run(name, native_tracing, content).trees
    assert not difference(native(name, content).trees, again, ("native", "native again"))


@with_and_without_content
def test_ours_equals_native(name: str, content: bool) -> None:
    found = difference(rewritten(name, content), ours(name, content).trees, ("native", "ours"))
    assert not found, f"\n{found}"


@every_scenario
def test_the_order_in_which_spans_arrive_does_not_matter(name: str) -> None:
    recorder = native(name).recorder
    assert not difference(native(name).trees, normal_form(recorder.finished[::-1], recorder.unfinished[::-1]))


@every_scenario
def test_the_application_sees_the_same_untraced_and_native(name: str) -> None:
    assert untraced(name).result == native(name).result


@every_scenario
def test_the_application_sees_the_same_untraced_and_ours(name: str) -> None:
    assert untraced(name).result == ours(name).result


def test_every_native_span_type_occurs() -> None:
    found = {span.type for name in ALL for tree in native(name).trees for span in tree.walk()}
    assert found == {
        "agent",
        "agent_event",
        "agent_lifetime",
        "channel",
        "envelope",
        "human_input",
        "llm",
        "task",
        "tool",
        "usage",
    }


def test_no_id_is_left_in_the_normal_form() -> None:
    for name in ALL:
        left = re.findall(r"[0-9a-f]{16,}", text_of(native(name).trees))
        assert not left, f"{name}: {left}"


def test_native_tracing_is_taken_away_again() -> None:
    from ag2 import Agent
    from ag2.network import Hub

    before = Hub.__dict__["__init__"], Agent.__dict__["__init__"]
    with native_tracing(Recorder().provider):
        assert Agent.__dict__["__init__"] is not before[1]
    assert (Hub.__dict__["__init__"], Agent.__dict__["__init__"]) == before


def test_the_table_of_deviations_has_the_rows_that_the_code_has() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == list(DEVIATIONS)


@pytest.mark.parametrize("deviation", DEVIATIONS)
def test_every_deviation_is_met_by_a_scenario(deviation: str) -> None:
    for name in ALL:
        trees = copy.deepcopy(native(name).trees)
        DEVIATIONS[deviation](name, trees)
        if difference(native(name).trees, trees):
            return
    pytest.fail(f"no scenario shows {deviation}: remove it, or add one that does")
