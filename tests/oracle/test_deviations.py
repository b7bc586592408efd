"""The documented table of deviations matches the code, and each deviation occurs."""

import re
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from .api import RELEASES
from .compare import difference
from .deviations import DEVIATIONS
from .golden import golden_text
from .runs import RUNNABLE, in_one_worker, native, needs_native, needs_ours, ours, ours_in_native_form, rewritten

pytestmark = in_one_worker

TABLE = Path(__file__).parents[2] / "docs" / "deviations.md"


def test_the_documented_table_has_the_rows_of_the_code():
    rows = re.findall(r"^\| `([a-z-]+)` \| `?([^|`]+)`? \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(name, deviation.releases) for name, deviation in DEVIATIONS.items()]


def test_every_deviation_applies_to_a_release_that_the_oracle_runs_on():
    for name, deviation in DEVIATIONS.items():
        if deviation.releases != "all":
            assert list(SpecifierSet(deviation.releases).filter(RELEASES)), name


def test_the_releases_are_listed_newest_first():
    assert sorted(set(RELEASES), reverse=True) == RELEASES


@pytest.mark.parametrize(
    "deviation", [name for name, one in DEVIATIONS.items() if one.form or one.native or one.ours or one.without_content]
)
@needs_native
@needs_ours
def test_every_deviation_from_native_tracing_occurs_in_a_scenario(deviation: str):
    row = DEVIATIONS[deviation]
    if not row.holds:
        pytest.skip(f"{deviation} is about ag2 {row.releases}")
    for name in RUNNABLE:
        rewrite = row.form or row.native or row.without_content or row.ours
        traced = ours if row.form else ours_in_native_form if row.ours else native
        trees = traced(name).trees
        if difference(trees, rewritten(name, trees, [rewrite])):
            return
    pytest.fail(f"no scenario shows {deviation}: remove it, or add one that does")


@pytest.mark.parametrize("deviation", [name for name, one in DEVIATIONS.items() if one.test])
def test_a_deviation_that_no_scenario_shows_has_its_own_test(deviation: str):
    file, _, name = DEVIATIONS[deviation].test.partition("::")
    text = (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_every_deviation_has_exactly_one_kind_of_evidence():
    kinds = [
        (one.form, one.native or one.ours, one.without_content, one.golden, one.test) for one in DEVIATIONS.values()
    ]
    assert all(sum(map(bool, each)) == 1 for each in kinds)


@pytest.mark.parametrize("deviation", [name for name, one in DEVIATIONS.items() if one.golden is not None])
def test_every_deviation_from_a_golden_form_occurs_in_a_scenario(deviation: str):
    rewrite = DEVIATIONS[deviation].golden
    assert rewrite is not None
    texts = {name: golden_text(name) for name in RUNNABLE}
    assert any(rewrite(name, text) != text for name, text in texts.items())
