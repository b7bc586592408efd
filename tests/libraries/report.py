"""The report in ``docs/libraries.md``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "libraries.md"
_TOP = """\
<!-- Written by `make test-libraries`: do not edit. -->

# Other libraries

Each of these libraries has an instrumentation of OpenTelemetry, written in Python. `tests/libraries` has a spec for
each that takes its place. This page compares them:

- **tests**: the tests of OpenTelemetry's instrumentation that pass with the spec in its place. Tests that pass without
  any instrumentation are not counted. Where a test instruments a single object, such as a client, the spec is active
  for all of them. An option that a test passes to `instrument()` becomes an overlay of the spec.
- **lines**: the lines of YAML and of helper functions in Python, and those of the instrumentation, without comments.
- **cost**: the processor time that the spec adds to a call, over that which the instrumentation adds.

In a program that uses the library, every fact of every span is the same, with OpenTelemetry's old conventions and with
the new ones, except for those that are listed below.

| library | tests | YAML | helpers | Python of OpenTelemetry | cost |
|---|---|---|---|---|---|
"""


def write_report(results: Sequence[Any]) -> None:
    """Write the results into the page, which keeps those of other libraries."""
    top, *sections = PAGE.read_text("utf-8").split("\n## ")
    notes = {section.partition("\n")[0]: f"\n## {section.strip()}\n" for section in sections}
    rows = {row[3 : row.index("]")]: row for row in top.splitlines() if row.startswith("| [")}
    for result in results:
        rows[result.library.name] = _row(result)
        notes[result.library.name] = _notes(result)
    body = "".join(f"{rows[name]}\n" for name in sorted(rows)) + f"{_total(rows.values())}\n"
    PAGE.write_text(_TOP + body + "".join(notes.get(name, "") for name in sorted(rows)), "utf-8")


def _total(rows: Iterable[str]) -> str:
    cells = [row.split("|")[2:6] for row in rows]
    passed, counted = (sum(int(tests.split()[place]) for tests, *_ in cells) for place in (0, 2))
    lines = (sum(int(row[column].strip() or 0) for row in cells) for column in (1, 2, 3))
    return f"| all | {passed} of {counted} | {' | '.join(map(str, lines))} | |"


def _row(result: Any) -> str:
    library = result.library
    spec = f"[{library.name}](../tests/libraries/{library.name}/spec.yaml)"
    tests = f"{sum(result.tests.values())} of {len(result.tests)}"
    lines = f"{result.yaml_lines} | {result.helper_lines or ''} | {result.python_lines}"
    return f"| {spec} | {tests} | {lines} | {result.cost:.2f} |"


def _notes(result: Any) -> str:
    library = result.library
    differences = [f"- `{fact}`: {reason}" for fact, reason in library.differences.items()]
    reasons: dict[str | None, int] = {}
    for _, reason in result.failures:
        reasons[reason] = reasons.get(reason, 0) + 1
    failures = [f"- {count} {'test' if count == 1 else 'tests'}: {reason}" for reason, count in reasons.items()]
    if not differences and not failures:
        return ""
    return "\n".join(["", f"## {library.name}", "", *differences, *failures, ""])
