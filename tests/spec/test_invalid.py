"""Golden folders: what is told about each wrong or idle spec under tests/specs/invalid, one folder a case."""

import re
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, SpecError
from opentelemetry.instrumentation.declarative.lint.static_check import idle_rules
from opentelemetry.instrumentation.declarative.plan.validation import read_spec

CASES = Path(__file__).parent.parent / "specs" / "invalid"
NAMES = sorted(path.parent.name for path in CASES.glob("*/spec.yaml"))


def problems_of(path: Path) -> list[Problem]:
    """The errors; where there are none, the warnings, which do not keep a spec from being used."""
    try:
        found = read_spec(path)
    except SpecError as error:
        return list(error.problems)
    return list(SpecError(idle_rules(found)).problems)


def told(problems: list[Problem]) -> str:
    """One line a problem, as expected.txt has them; what stands in another file than spec.yaml begins with its name."""
    files = [Path(p.mark.file).name for p in problems]
    places = [
        f"{'' if f == 'spec.yaml' else f'{f}:'}{p.mark.line}:{p.mark.column}"
        for f, p in zip(files, problems, strict=True)
    ]
    codes = [p.code if p.severity == "error" else f"warning {p.code}" for p in problems]
    told = zip(places, codes, problems, strict=True)
    lines = "".join(f"{place} {code} {p.message} | {p.help}\n" for place, code, p in told)
    return re.sub(r"(?<=ag2\.yaml:)[0-9]+", "N", lines)  # what ships may grow


def test_there_are_cases():
    assert len(NAMES) >= 60
    assert sorted(path.name for path in CASES.iterdir() if path.is_dir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_spec_is_told_what_is_wrong_where_and_what_to_do(name: str):
    expected = (CASES / name / "expected.txt").read_text(encoding="utf-8")
    assert expected
    assert told(problems_of(CASES / name / "spec.yaml")) == expected
