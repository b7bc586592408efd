"""The table of ``make bench``: which rows make it fail."""

from pathlib import Path

import pytest

from tests.bench import results
from tests.bench.explained import EXPLAINED
from tests.bench.results import Result

COST = Path(__file__).parents[1] / "docs" / "cost.md"


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.5, ""), (0.504, ""), (0.6, "  exceeded, explained"), (0.71, "  exceeded")]
)
def test_a_row_fails_if_it_exceeds_its_target_by_more_than_is_explained(
    value: float, verdict: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(results, "EXPLAINED", {("One span", "sync"): 0.7})
    row = Result("One span", "sync", value=value, target=0.5)
    assert (row.verdict, row.fails) == (verdict, verdict == "  exceeded")
    assert Result("One span", "async", value=value, target=0.5).fails == row.exceeds


def test_each_row_that_exceeds_its_target_on_the_page_about_the_cost_has_a_limit():
    shown, section = set(), ""
    for line in COST.read_text(encoding="utf-8").splitlines():
        if line.endswith("exceeded") or "exceeded, explained" in line:
            shown.add((section, line.strip().split("  ")[0]))
        elif line and not line.startswith(" "):
            section = line
    assert shown <= {*EXPLAINED}
