"""The problems of each invalid spec, or one without effect, in a folder under tests/specs/invalid."""

import os
import re
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, SpecError
from opentelemetry.instrumentation.declarative.lint.static_check import static_warnings
from opentelemetry.instrumentation.declarative.plan.validation import examine

CASES = Path(__file__).parent.parent / "specs" / "invalid"
NAMES = sorted(path.parent.name for path in CASES.glob("*/spec.yaml"))


def problems_of(path: Path) -> list[Problem]:
    """The errors of a spec; if there are none, its warnings."""
    found, problems = examine(path)
    if problems or found is None:
        return list(SpecError(problems).problems)
    return list(SpecError(static_warnings(found)).problems)


def lines_of(problems: list[Problem]) -> str:
    """One line for each problem, as in expected.txt. Problems of other files than spec.yaml start with their name."""
    lines = []
    for problem in problems:
        mark, file = problem.mark, Path(problem.mark.file).name
        position = f"{'' if file == 'spec.yaml' else f'{file}:'}{mark.line}:{mark.column}"
        code = problem.code if problem.severity == "error" else f"warning {problem.code}"
        lines.append(f"{position} {code} {problem.message} | {problem.help}\n")
    # Lines of the shipped spec may move.
    return re.sub(r"(ag2(?:_native|_conventions)?\.yaml):[0-9]+", r"\1:N", "".join(lines))


def test_there_are_cases():
    assert len(NAMES) >= 60
    assert sorted(path.name for path in CASES.iterdir() if path.is_dir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_problems_of_an_invalid_spec_are_reported(name: str):
    lines, expected = lines_of(problems_of(CASES / name / "spec.yaml")), CASES / name / "expected.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(lines, encoding="utf-8")
    assert lines
    assert lines == expected.read_text(encoding="utf-8")
