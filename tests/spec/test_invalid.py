"""Golden folders: what is told about each wrong spec under tests/specs/invalid, one folder a case."""

from pathlib import Path

import pytest

from instrument.problems import Problem, SpecError
from instrument.spec.schema import check
from instrument.spec.source import read

CASES = Path(__file__).parent.parent / "specs" / "invalid"
NAMES = sorted(path.parent.name for path in CASES.glob("*/spec.yaml"))


def problems_of(path: Path) -> list[Problem]:
    try:
        return check(read(path))
    except SpecError as error:
        return list(error.problems)


def told(problems: list[Problem]) -> str:
    """One line a problem, as expected.txt has them."""
    return "".join(f"{p.mark.line}:{p.mark.column} {p.code} {p.message} | {p.help}\n" for p in problems)


def test_there_are_cases():
    assert len(NAMES) >= 20
    assert sorted(path.name for path in CASES.iterdir() if path.is_dir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_spec_is_told_what_is_wrong_where_and_what_to_do(name: str):
    expected = (CASES / name / "expected.txt").read_text(encoding="utf-8")
    assert expected
    assert told(problems_of(CASES / name / "spec.yaml")) == expected
