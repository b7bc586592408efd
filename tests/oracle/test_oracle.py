"""An application traced by AG2 itself and by us: the spans are equal except for ids and times."""

import re

from .api import Agent, Hub
from .compare import Recorder, difference, normal_form, text_of
from .deviations import DEVIATIONS
from .native import native_tracing
from .runs import (
    RUNNABLE,
    every_scenario,
    in_one_worker,
    native,
    native_as_expected,
    needs_native,
    needs_ours,
    ours_as_compared,
    ours_in_native_form,
    ours_without_form,
    run,
    untraced,
    with_and_without_content,
)

pytestmark = [needs_native, in_one_worker]


@with_and_without_content
def test_native_equals_native(name: str, content: bool):
    again = run(name, native_tracing, content).trees
    assert not difference(native(name, content).trees, again, ("native", "native again"))


@needs_ours
@with_and_without_content
def test_ours_equals_native(name: str, content: bool):
    found = difference(native_as_expected(name, content), ours_as_compared(name, content), ("native", "ours"))
    assert not found, f"\n{found}"


@needs_ours
@with_and_without_content
def test_the_form_of_ours_differs_from_the_native_form_as_documented(name: str, content: bool):
    found = difference(ours_in_native_form(name, content).trees, ours_without_form(name, content), ("overlay", "ours"))
    assert not found, f"\n{found}"


@every_scenario
def test_the_order_in_which_spans_arrive_does_not_matter(name: str):
    recorder = native(name).recorder
    assert not difference(native(name).trees, normal_form(recorder.finished[::-1], recorder.unfinished[::-1]))


@every_scenario
def test_the_application_sees_the_same_untraced_and_native(name: str):
    assert untraced(name).result == native(name).result


def test_every_native_span_type_occurs():
    found = {span.type for name in RUNNABLE for tree in native(name).trees for span in tree.walk()}
    expected = {"agent", "agent_event", "agent_lifetime", "channel", "envelope", "human_input", "llm", "task", "tool"}
    assert found == expected | (set() if DEVIATIONS["usage-spans"].holds else {"usage"})


def test_no_id_is_left_in_the_normal_form():
    for name in RUNNABLE:
        left = re.findall(r"[0-9a-f]{16,}", text_of(native(name).trees))
        assert not left, f"{name}: {left}"


def test_native_tracing_is_removed_after_a_run():
    before = Hub.__dict__["__init__"], Agent.__dict__["__init__"]
    with native_tracing(Recorder().provider):
        assert Agent.__dict__["__init__"] is not before[1]
    assert (Hub.__dict__["__init__"], Agent.__dict__["__init__"]) == before
