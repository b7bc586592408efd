"""Golden folders: what is told about each wrong spec under tests/specs/invalid, one folder a case."""

import re
from pathlib import Path

import pytest

from instrument.prepare import read_spec
from instrument.problems import Problem, SpecError

CASES = Path(__file__).parent.parent / "specs" / "invalid"
NAMES = sorted(path.parent.name for path in CASES.glob("*/spec.yaml"))


def problems_of(path: Path) -> list[Problem]:
    with pytest.raises(SpecError) as caught:
        read_spec(path)
    return list(caught.value.problems)


def told(problems: list[Problem]) -> str:
    """One line a problem, as expected.txt has them; what stands in another file than spec.yaml begins with its name."""
    files = [Path(p.mark.file).name for p in problems]
    places = [
        f"{'' if f == 'spec.yaml' else f'{f}:'}{p.mark.line}:{p.mark.column}"
        for f, p in zip(files, problems, strict=True)
    ]
    lines = "".join(f"{place} {p.code} {p.message} | {p.help}\n" for place, p in zip(places, problems, strict=True))
    return re.sub(r"(?<=ag2\.yaml:)[0-9]+", "N", lines)  # what ships may grow


def test_there_are_cases():
    assert len(NAMES) >= 50
    assert sorted(path.name for path in CASES.iterdir() if path.is_dir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_spec_is_told_what_is_wrong_where_and_what_to_do(name: str):
    expected = (CASES / name / "expected.txt").read_text(encoding="utf-8")
    assert expected
    assert told(problems_of(CASES / name / "spec.yaml")) == expected
