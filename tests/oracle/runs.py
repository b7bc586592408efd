"""Runs of scenarios: untraced, traced natively and traced by us. The first run of each kind is cached."""

from __future__ import annotations

import asyncio
import copy
import functools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import pytest
from opentelemetry.sdk.trace import TracerProvider

from .api import RELEASE, TRACES_ITSELF
from .compare import NormalSpan, Recorder, in_order
from .deviations import DEVIATIONS
from .native import native_tracing
from .ours import declarative_tracing, without_spec
from .rewrites import Rewrite
from .scenarios import SCENARIOS
from .world import Result

Tracing = Callable[[TracerProvider, bool], AbstractContextManager[None]]

RUNNABLE = sorted(name for name, one in SCENARIOS.items() if not one.missing)
WITHOUT_CONTENT = [
    "cancelled_turn",
    "consulting_with_a_tool_call",
    "conversation_both_ways",
    "dispatch_failures",
    "dispatch_that_raises",
    "envelopes_rejected",
    "failing_ask",
    "failing_turn",
    "human_in_the_loop",
    "human_who_cannot_be_asked",
    "tasks_of_a_turn",
    "tool_results_of_many_kinds",
    "tool_that_raises",
    "usage",
]


def _param(name: str, *more: object, id: str) -> object:
    missing = SCENARIOS[name].missing
    return pytest.param(name, *more, id=id, marks=[pytest.mark.skip(reason=missing)] if missing else [])


every_scenario = pytest.mark.parametrize("name", [_param(name, id=name) for name in sorted(SCENARIOS)])
every_scenario_of_the_newest = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, id=name, marks=[pytest.mark.skip(reason=reason)] if reason else [])
        for name, reason in sorted((name, one.missing or one.other) for name, one in SCENARIOS.items())
    ],
)
with_and_without_content = pytest.mark.parametrize(
    ("name", "content"),
    [_param(name, True, id=name) for name in sorted(SCENARIOS)]
    + [_param(name, False, id=f"{name}-without_content") for name in WITHOUT_CONTENT],
)

in_one_worker = pytest.mark.xdist_group("scenarios")
"""For the modules that share the cached runs."""

needs_native = pytest.mark.skipif(not TRACES_ITSELF, reason=f"ag2 {RELEASE} does not trace its network itself")
needs_ours = pytest.mark.skipif(bool(without_spec()), reason=without_spec())


@dataclass(frozen=True)
class Run:
    """One run of a scenario: the result for its user and the recorded spans."""

    result: Result
    recorder: Recorder
    trees: list[NormalSpan]


def run(name: str, tracing: Tracing, content: bool = True) -> Run:
    """Run a scenario."""
    recorder = Recorder()
    with tracing(recorder.provider, content):
        result = asyncio.run(SCENARIOS[name].run())
    return Run(result, recorder, recorder.trees())


_first_run = functools.cache(run)


def _no_tracing(provider: TracerProvider, content: bool) -> AbstractContextManager[None]:
    return nullcontext()


def untraced(name: str) -> Run:
    """A run without any tracing."""
    return _first_run(name, _no_tracing, True)


def native(name: str, content: bool = True) -> Run:
    """The first natively traced run of a scenario. It is shared: modify a copy only."""
    return _first_run(name, native_tracing, content)


def ours(name: str, content: bool = True) -> Run:
    """The first run of a scenario traced by us. It is shared: modify a copy only."""
    return _first_run(name, declarative_tracing, content)


def _in_native_form(provider: TracerProvider, content: bool) -> AbstractContextManager[None]:
    return declarative_tracing(provider, content, ["ag2_native_form"])


def ours_in_native_form(name: str, content: bool = True) -> Run:
    """The first run of a scenario traced by us in the form of native tracing. It is shared: modify a copy only."""
    return _first_run(name, _in_native_form, content)


def native_as_expected(name: str, content: bool = True) -> list[NormalSpan]:
    """The spans of native tracing, with every deviation of the table applied."""
    holding = [one for one in DEVIATIONS.values() if one.holds]
    rewrites = [one.native for one in holding] + [one.without_content for one in holding if not content]
    return rewritten(name, native(name, content).trees, rewrites)


def ours_as_compared(name: str, content: bool = True) -> list[NormalSpan]:
    """Our spans in the native form, without what native tracing of the installed release does not record."""
    trees = ours_in_native_form(name, content).trees
    return rewritten(name, trees, [one.ours for one in DEVIATIONS.values() if one.holds])


def ours_without_form(name: str, content: bool = True) -> list[NormalSpan]:
    """Our spans, with every deviation of form undone."""
    return rewritten(name, ours(name, content).trees, [one.form for one in DEVIATIONS.values() if one.holds])


def rewritten(name: str, trees: list[NormalSpan], rewrites: list[Rewrite | None]) -> list[NormalSpan]:
    """A rewritten copy of the trees of a scenario."""
    trees = copy.deepcopy(trees)
    for rewrite in rewrites:
        if rewrite is not None:
            rewrite(name, trees)
    return in_order(trees)
