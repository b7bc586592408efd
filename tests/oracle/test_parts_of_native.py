"""An application that has switched parts of AG2's own tracing on: each thing is told once, by AG2 or by ours."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import nullcontext

import pytest

from .compare import Recorder
from .deviations import DEVIATIONS
from .native import PARTS, native_tracing
from .ours import declarative_tracing
from .runs import needs_native, needs_ours
from .scenarios import SCENARIOS
from .world import Result

pytestmark = [needs_native, needs_ours]

TELLING = [
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
"""Scenarios in which every type of span occurs."""


def told(scenario: str, parts: frozenset[str]) -> tuple[Result, Counter[str]]:
    """What the user saw, and how often each type of span was started with these parts of native beside ours."""
    recorder = Recorder()
    with declarative_tracing(recorder.provider):
        with native_tracing(recorder.provider, parts=parts) if parts else nullcontext():
            result = asyncio.run(SCENARIOS[scenario].run())
    spans = [*recorder.finished, *recorder.unfinished]
    return result, Counter(str((span.attributes or {})["ag2.span.type"]) for span in spans)


@pytest.mark.parametrize(
    "parts", [*({part} for part in sorted(PARTS)), PARTS], ids=lambda parts: "-".join(sorted(parts))
)
@pytest.mark.parametrize("scenario", TELLING)
def test_whichever_parts_of_native_are_on_each_thing_has_one_span(scenario: str, parts: frozenset[str]) -> None:
    expected, counts = told(scenario, frozenset())
    if "middleware" in parts and DEVIATIONS["usage-spans"].holds:
        del counts["usage"]
    assert told(scenario, frozenset(parts)) == (expected, counts)


def test_every_type_of_span_occurs() -> None:
    found: Counter[str] = Counter()
    for scenario in TELLING:
        found += told(scenario, frozenset())[1]
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
