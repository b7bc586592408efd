"""The output formats of ``instrument check``: text, JSON, and annotations for GitHub."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, Severity, SpecError, counted

#: The problems of each file, in the order of the command line.
ProblemsByFile = Mapping[str, Sequence[Problem]]


def problems_as_text(files: ProblemsByFile) -> str:
    """Return each problem with its excerpt and its help, followed by the number of errors and warnings."""
    lines = []
    for file, problems in files.items():
        lines += [str(SpecError(problems))] if problems else []
        if all(problem.severity == "note" for problem in problems):
            lines.append(f"{file}: no problems")
    count = Counter(problem.severity for problems in files.values() for problem in problems)
    nouns: dict[Severity, str] = {"error": "problem", "warning": "warning"}
    totals = [counted(count[of], noun) for of, noun in nouns.items() if count[of]]
    return "\n".join([*lines, *([", ".join(totals)] if totals else [])])


def problems_as_json(files: ProblemsByFile) -> str:
    """Return a list of objects. Lines and columns count from 1; ``length`` is that of the underlined text."""
    return json.dumps(
        [
            {
                "file": problem.mark.file,
                "line": problem.mark.line,
                "column": problem.mark.column,
                "length": problem.mark.length,
                "severity": problem.severity,
                "code": problem.code,
                "message": problem.message,
                "help": problem.help,
            }
            for problems in files.values()
            for problem in problems
        ],
        indent=2,
        ensure_ascii=False,
    )


def problems_as_github(files: ProblemsByFile) -> str:
    """Return workflow commands, which GitHub shows next to the lines of a pull request.

    Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    return "\n".join(_workflow_command(problem) for problems in files.values() for problem in problems)


def _workflow_command(problem: Problem) -> str:
    mark = problem.mark
    location = f"file={_property(mark.file)},line={mark.line},col={mark.column},title={_property(problem.code)}"
    help = f" ({problem.help})" if problem.help else ""
    level = "notice" if problem.severity == "note" else problem.severity
    return f"::{level} {location}::{_data(problem.message + help)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Mapping[str, Callable[[ProblemsByFile], str]] = {
    "text": problems_as_text,
    "json": problems_as_json,
    "github": problems_as_github,
}
