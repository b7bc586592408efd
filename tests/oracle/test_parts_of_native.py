"""If an application activates parts of AG2's own tracing, each operation is traced once, by AG2 or by us."""

import asyncio
from collections import Counter
from collections.abc import Iterable

import pytest

from .compare import Recorder
from .deviations import DEVIATIONS
from .native import PARTS, native_tracing
from .ours import declarative_tracing
from .runs import in_one_worker, needs_native, needs_ours, ours
from .scenarios import SCENARIOS
from .world import Result

pytestmark = [needs_native, needs_ours, in_one_worker]

SCENARIOS_OF_ALL_TYPES = [
    "checkpoints",
    "consulting_with_a_tool_call",
    "hub_restarted",
    "human_in_the_loop",
    "human_who_hangs_up",
    "identity_changes",
    "recipient_away",
    "registered_inside_an_ask",
    "tasks_of_a_turn",
    "tasks_without_a_turn",
    "usage",
]
"""Scenarios that together contain every span type."""


def types_of(recorder: Recorder) -> Counter[str]:
    """The number of spans by type."""
    spans = [*recorder.finished, *recorder.unfinished]
    return Counter(str((span.attributes or {})["ag2.span.type"]) for span in spans)


def run_beside(scenario: str, parts: Iterable[str]) -> tuple[Result, Counter[str]]:
    """The result for the user, and the number of spans by type, with these parts of native tracing beside ours."""
    recorder = Recorder()
    with declarative_tracing(recorder.provider), native_tracing(recorder.provider, parts=frozenset(parts)):
        result = asyncio.run(SCENARIOS[scenario].run())
    return result, types_of(recorder)


@pytest.mark.parametrize(
    "parts", [*({part} for part in sorted(PARTS)), PARTS], ids=lambda parts: "-".join(sorted(parts))
)
@pytest.mark.parametrize("scenario", SCENARIOS_OF_ALL_TYPES)
def test_each_operation_has_one_span_whichever_parts_of_native_tracing_are_active(scenario: str, parts: Iterable[str]):
    counts = types_of(ours(scenario).recorder)
    if "middleware" in parts and DEVIATIONS["usage-spans"].holds:
        del counts["usage"]
    assert run_beside(scenario, parts) == (ours(scenario).result, counts)


def test_every_type_of_span_occurs():
    found: Counter[str] = Counter()
    for scenario in SCENARIOS_OF_ALL_TYPES:
        found += types_of(ours(scenario).recorder)
    assert set(found) == {
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
