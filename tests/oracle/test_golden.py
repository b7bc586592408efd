"""Every release has the same spans as the newest one, on which they are compared with AG2's own tracing."""

import difflib

import pytest

from .api import NEWEST, RELEASE
from .deviations import DEVIATIONS
from .golden import FOLDER, file_of, golden_form, golden_text, seen
from .runs import every_scenario, every_scenario_of_the_newest, in_one_worker, needs_ours, ours, untraced
from .scenarios import SCENARIOS

pytestmark = in_one_worker

on_the_newest = pytest.mark.skipif(
    RELEASE != NEWEST, reason=f"golden forms are written on ag2 {NEWEST}, and this is {RELEASE}"
)


def golden(name: str) -> str:
    """The golden form of a scenario, with the deviations of the installed release."""
    text = golden_text(name)
    for each in DEVIATIONS.values():
        if each.holds and each.golden is not None:
            text = each.golden(name, text)
    return text


def differing(expected: str, actual: str, *names: str) -> str:
    lines = (expected.splitlines(keepends=True), actual.splitlines(keepends=True))
    return "".join(difflib.unified_diff(*lines, *names, n=12))


@on_the_newest
@every_scenario
def test_the_golden_form_is_current(name: str, request: pytest.FixtureRequest):
    current = golden_form(ours(name).result, ours(name).trees)
    if request.config.getoption("--update-golden", default=False):
        FOLDER.mkdir(exist_ok=True)
        file_of(name).write_text(current, encoding="utf-8")
    assert file_of(name).exists(), "write it: pytest tests/oracle --update-golden"
    found = differing(golden_text(name), current, "golden", "ours")
    assert not found, f"\n{found}\nif this is intended: pytest tests/oracle --update-golden"


def test_every_scenario_has_a_golden_form_and_there_is_no_other_file():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(f"{name}.txt" for name in SCENARIOS)


@every_scenario_of_the_newest
def test_the_application_sees_the_same_on_every_release(name: str):
    assert seen(untraced(name).result) == golden(name).splitlines(keepends=True)[0]


@needs_ours
@every_scenario
def test_the_application_sees_the_same_untraced_and_traced_by_us(name: str):
    assert untraced(name).result == ours(name).result


@needs_ours
@every_scenario_of_the_newest
def test_ours_equals_the_golden_form(name: str):
    found = differing(golden(name), golden_form(ours(name).result, ours(name).trees), "golden", "ours")
    assert not found, f"\n{found}"
