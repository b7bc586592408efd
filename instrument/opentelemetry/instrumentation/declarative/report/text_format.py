"""Formats a report as text: first what may need attention, then a table of all rules."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.report.status import Occasion, ReadStatus, RuleStatus, SpecStatus

_UNKNOWN_REASON = "its moment never occurred"


def as_text(occasion: Occasion, specs: Iterable[SpecStatus]) -> str:
    """The report, with a line break at its end."""
    head = f"instrument report · {occasion.program} · process {occasion.pid} · {occasion.why} · {occasion.time}"
    known = list(specs)
    parts = [[head], *([*_spec(spec)] for spec in known if spec.requested)]
    if occasion.not_loaded:
        libraries = ", ".join(f"{name} ({_times(number)})" for name, number in occasion.not_loaded.items())
        parts.append([f"values that were missing because reading them would have loaded them: {libraries}"])
    # A process has more libraries than it uses: those that nobody asked for are one line.
    if unused := [spec.name for spec in known if not spec.requested]:
        parts.append([f"shipped specs of libraries that were not imported: {', '.join(unused)}"])
    elif not known:
        parts.append(["No spec is active: none is listed, and no library with a shipped spec is installed."])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _spec(spec: SpecStatus) -> Iterator[str]:
    if spec.state != "active":
        yield f"{spec.name} ({_relative(spec.file)}): {spec.state}"
        for line in (spec.why or "").splitlines():
            yield f"  {line}"
        return
    rules = [rule for rule in spec.rules if not rule.is_hook]
    matched = sum(1 for rule in rules if rule.matched)
    emitted = sum(1 for rule in rules if rule.emitted)
    yield f"{spec.name} ({_relative(spec.file)}): {len(rules)} rules · {matched} matched · {emitted} emitted"
    locations = _Locations(spec)
    for title, lines in (
        ("cannot be installed", _by_reason(locations, [rule for rule in rules if rule.state == "refused"])),
        ("never matched", _by_reason(locations, _never_matched(rules))),
        ("matched, but without effect", _without_effect(locations, rules)),
        ("never present", _never_present(locations, rules)),
        ("failed", _failed(locations, spec.rules)),
        ("ended early", _ended_early(spec)),
        ("unused hooks", [locations.line(rule) for rule in spec.rules if rule.state == "unused"]),
        ("not on every callable", _not_everywhere(locations, rules)),
    ):
        section = list(lines)
        if section:
            yield ""
            yield f"  {title}"
            yield from (f"    {line}" for line in section)
    yield ""
    yield "  all rules"
    yield from (f"    {line}" for line in _table(locations, spec.rules))


def _relative(file: str) -> str:
    """A file by its path from the working directory, if it is in there."""
    try:
        directory = os.path.join(os.getcwd(), "")
    except OSError:  # it has been removed
        return file
    return file.removeprefix(directory)


def _never_matched(rules: Sequence[RuleStatus]) -> list[RuleStatus]:
    """The rules that have never matched. The end of a span around a call is left out if its start is among them."""
    found = [rule for rule in rules if rule.state in ("waiting", "installed") and not rule.matched]
    ids = {rule.id for rule in found}
    return [rule for rule in found if rule.id.part != "end" or rule.id._replace(part="start") not in ids]


def _by_reason(locations: _Locations, rules: Iterable[RuleStatus]) -> Iterator[str]:
    reasons: dict[str, list[RuleStatus]] = {}
    for rule in rules:
        reasons.setdefault("; ".join(rule.why) or _UNKNOWN_REASON, []).append(rule)
    for reason, those in reasons.items():
        yield reason
        yield from (f"  {locations.line(rule)}" for rule in those)


def _without_effect(locations: _Locations, rules: Iterable[RuleStatus]) -> Iterator[str]:
    for rule in rules:
        if rule.matched and not rule.emitted:
            yield f"{locations.line(rule)}: matched {_times(rule.matched)}: {_why_not_emitted(rule)}"


def _why_not_emitted(rule: RuleStatus) -> str:
    reasons = [f"{reason} ({number:,})" for reason, number in rule.not_emitted.items()]
    if rule.failures:
        reasons.append(f"it failed ({rule.failures:,})")
    return ", ".join(reasons) or "there was nothing to act on"


def _never_present(locations: _Locations, rules: Iterable[RuleStatus]) -> Iterator[str]:
    for rule in rules:
        for read in rule.reads:
            if not read.present:
                times = f"read {_times(read.read)}" if read.read else "never read, because its moment never occurred"
                of = "" if rule.id.title == _name(read) else f" of {rule.id.title}"
                yield f"{locations.of(read.mark)}  {_name(read)}{of}: {times}"


def _failed(locations: _Locations, rules: Iterable[RuleStatus]) -> Iterator[str]:
    for rule in rules:
        if rule.failures:
            off = f", disabled: {', '.join(map(locations.of, rule.disabled))}" if rule.disabled else ""
            yield f"{locations.line(rule)}: {_times(rule.failures)}{off}"
            if rule.first_failure is not None:
                mark, error = rule.first_failure
                yield f"  first: {locations.of(mark)}: {error}"


def _ended_early(spec: SpecStatus) -> Iterator[str]:
    for name, reasons in spec.ended_early.items():
        yield f"span {name}: " + ", ".join(f"{reason} ({number:,})" for reason, number in reasons.items())


def _not_everywhere(locations: _Locations, rules: Iterable[RuleStatus]) -> Iterator[str]:
    for rule in rules:
        if rule.state == "installed" and rule.matched and rule.why:
            yield f"{locations.line(rule)}: {'; '.join(rule.why)}"


def _name(read: ReadStatus) -> str:
    return f"{read.kind} {read.name}"


def _table(locations: _Locations, rules: Iterable[RuleStatus]) -> Iterator[str]:
    rows = [("", "", "state", "matched", "emitted", "failed")]
    details: list[list[str]] = [[]]
    for rule in rules:
        emitted = "" if rule.is_hook else f"{rule.emitted:,}"
        failures = f"{rule.failures:,}" if rule.failures else ""
        location = locations.of(rule.id.mark)
        rows.append((location, rule.id.title, rule.state, f"{rule.matched:,}", emitted, failures))
        below = [f"not emitted: {reason} ({number:,})" for reason, number in rule.not_emitted.items()]
        incomplete = (read for read in rule.reads if read.present < read.read)
        below += [f"{_name(read)}: {read.present:,} of {read.read:,}" for read in incomplete]
        details.append(below)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row, below in zip(rows, details, strict=True):
        left = [f"{cell:<{width}}" for cell, width in zip(row[:3], widths[:3], strict=True)]
        right = [f"{cell:>{width}}" for cell, width in zip(row[3:], widths[3:], strict=True)]
        yield "  ".join([*left, *right]).rstrip()
        yield from (f"{'':{widths[0]}}    {line}" for line in below)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


class _Locations:
    """Formats locations with the name of the file, or its path if several files of the spec have that name."""

    def __init__(self, spec: SpecStatus) -> None:
        marks = [mark for rule in spec.rules for mark in (rule.id.mark, *(read.mark for read in rule.reads))]
        files = {mark.file for mark in marks}
        names = [os.path.basename(file) for file in files]
        self._short = {file: os.path.basename(file) for file in files if names.count(os.path.basename(file)) == 1}

    def of(self, mark: Mark) -> str:
        return f"{self._short.get(mark.file, mark.file)}:{mark.line}"

    def line(self, rule: RuleStatus) -> str:
        return f"{self.of(rule.id.mark)}  {rule.id.title}"
