"""Problems as they are shown: as text for a person, as JSON for a program, as annotations for GitHub."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, Severity, SpecError

#: What was found in each file, in the order of the command line; nothing where nothing is wrong.
Found = Mapping[str, Sequence[Problem]]


def as_text(found: Found) -> str:
    """Each problem with its excerpt and its mend, and how many there are."""
    lines = []
    for file, problems in found.items():
        lines += [str(SpecError(problems))] if problems else []
        if all(problem.severity == "note" for problem in problems):
            lines.append(f"{file}: no problem")
    count = Counter(problem.severity for problems in found.values() for problem in problems)
    words: dict[Severity, str] = {"error": "problem", "warning": "warning"}
    told = [f"{count[of]} {word}{'' if count[of] == 1 else 's'}" for of, word in words.items() if count[of]]
    return "\n".join([*lines, *([", ".join(told)] if told else [])])


def as_json(found: Found) -> str:
    """A list of objects; lines and columns count from 1, ``length`` is that of what is underlined."""
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
            for problems in found.values()
            for problem in problems
        ],
        indent=2,
        ensure_ascii=False,
    )


def as_github(found: Found) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request.

    Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    return "\n".join(_annotation(problem) for problems in found.values() for problem in problems)


def _annotation(problem: Problem) -> str:
    mark = problem.mark
    place = f"file={_property(mark.file)},line={mark.line},col={mark.column},title={_property(problem.code)}"
    mend = f" ({problem.help})" if problem.help else ""
    level = "notice" if problem.severity == "note" else problem.severity
    return f"::{level} {place}::{_data(problem.message + mend)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Mapping[str, Callable[[Found], str]] = {"text": as_text, "json": as_json, "github": as_github}
