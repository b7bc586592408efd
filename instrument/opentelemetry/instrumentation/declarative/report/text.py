"""A report as text, for a person: what needs an eye first, the table of all rules last."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.report.status import RuleStatus, SeenStatus, SpecStatus

Lines = Iterator[str]
_NO_WHY = "its moment never came"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Which process the report is of, and when and why it is written."""

    program: str
    pid: int
    why: str
    time: str


def as_text(occasion: Occasion, specs: Iterable[SpecStatus]) -> str:
    """The report, ending with a line break."""
    head = f"instrument report · {occasion.program} · process {occasion.pid} · {occasion.why} · {occasion.time}"
    parts = [[head], *([*_spec(spec)] for spec in specs)]
    if len(parts) == 1:
        parts.append(["No spec is active: none is listed, and nothing is installed that a shipped one is for."])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _spec(spec: SpecStatus) -> Lines:
    if spec.state != "at work":
        yield f"{spec.name} ({_near(spec.file)}): {spec.state}"
        for line in (spec.why or "").splitlines():
            yield f"  {line}"
        return
    rules = [rule for rule in spec.rules if not rule.is_hook]
    matched = sum(1 for rule in rules if rule.matched)
    emitted = sum(1 for rule in rules if rule.emitted)
    yield f"{spec.name} ({_near(spec.file)}): {len(rules)} rules · {matched} matched · {emitted} emitted"
    places = _Places(spec)
    for title, lines in (
        ("cannot be installed", _by_reason(places, [rule for rule in rules if rule.state == "refused"])),
        ("never matched", _by_reason(places, _unmatched(rules))),
        ("matched, and nothing came of it", _idle(places, rules)),
        ("never there", _never_there(places, rules)),
        ("failed", _failed(places, spec.rules)),
        ("ended without their end", _cut(spec)),
        ("hooks that no rule uses", [places.line(rule) for rule in spec.rules if rule.state == "unused"]),
        ("not everywhere", _partly(places, rules)),
    ):
        shown = list(lines)
        if shown:
            yield ""
            yield f"  {title}"
            yield from (f"    {line}" for line in shown)
    yield ""
    yield "  all rules"
    yield from (f"    {line}" for line in _table(places, spec.rules))


def _near(file: str) -> str:
    """A file by its path from the working folder, where it lies in that."""
    try:
        here = os.path.join(os.getcwd(), "")
    except OSError:  # it has been removed
        return file
    return file.removeprefix(here)


def _unmatched(rules: Sequence[RuleStatus]) -> list[RuleStatus]:
    """The rules that have never matched; of a span around a call that never began, the beginning says it all."""
    found = [rule for rule in rules if rule.state in ("waiting", "installed") and not rule.matched]
    begins = {(rule.rule, rule.file, rule.line) for rule in found}
    return [
        rule
        for rule in found
        if (f"{rule.rule.removesuffix(' ends')} starts", rule.file, rule.line) not in begins
        or not rule.rule.endswith(" ends")
    ]


def _by_reason(places: _Places, rules: Iterable[RuleStatus]) -> Lines:
    reasons: dict[str, list[RuleStatus]] = {}
    for rule in rules:
        reasons.setdefault("; ".join(rule.why) or _NO_WHY, []).append(rule)
    for reason, those in reasons.items():
        yield reason
        yield from (f"  {places.line(rule)}" for rule in those)


def _idle(places: _Places, rules: Iterable[RuleStatus]) -> Lines:
    for rule in rules:
        if rule.matched and not rule.emitted:
            yield f"{places.line(rule)}: matched {_times(rule.matched)}: {_missed(rule)}"


def _missed(rule: RuleStatus) -> str:
    reasons = [f"{why} ({number:,})" for why, number in rule.not_emitted.items()]
    if rule.failures:
        reasons.append(f"it failed ({rule.failures:,})")
    return ", ".join(reasons) or "there was nothing for it to act on"


def _never_there(places: _Places, rules: Iterable[RuleStatus]) -> Lines:
    for rule in rules:
        for seen in rule.reads:
            if not seen.there:
                read = f"read {_times(seen.read)}" if seen.read else "never read, its moment never came"
                yield f"{places.place(seen.file, seen.line)}  {_name(seen)} of {rule.rule}: {read}"


def _failed(places: _Places, rules: Iterable[RuleStatus]) -> Lines:
    for rule in rules:
        if rule.failures:
            off = f", switched off: {', '.join(map(places.shortened, rule.switched_off))}" if rule.switched_off else ""
            yield f"{places.line(rule)}: {_times(rule.failures)}{off}"
            yield f"  first: {places.shortened(rule.first_failure or '')}"


def _cut(spec: SpecStatus) -> Lines:
    for name, reasons in spec.cut.items():
        yield f"span {name}: " + ", ".join(f"{why} ({number:,})" for why, number in reasons.items())


def _partly(places: _Places, rules: Iterable[RuleStatus]) -> Lines:
    for rule in rules:
        if rule.state == "installed" and rule.matched and rule.why:
            yield f"{places.line(rule)}: {'; '.join(rule.why)}"


def _name(seen: SeenStatus) -> str:
    return f"{seen.kind} {seen.name}"


def _table(places: _Places, rules: Iterable[RuleStatus]) -> Lines:
    rows = [("", "", "state", "matched", "emitted", "failed")]
    below: list[list[str]] = [[]]
    for rule in rules:
        place = places.place(rule.file, rule.line)
        emitted = "" if rule.is_hook else f"{rule.emitted:,}"
        rows.append(
            (
                place,
                rule.rule,
                rule.state,
                f"{rule.matched:,}",
                emitted,
                f"{rule.failures or '':,}" if rule.failures else "",
            )
        )
        more = [f"not emitted: {why} ({number:,})" for why, number in rule.not_emitted.items()]
        more += [f"{_name(seen)}: {seen.there:,} of {seen.read:,}" for seen in rule.reads if seen.there < seen.read]
        below.append(more)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row, more in zip(rows, below, strict=True):
        left = [f"{cell:<{width}}" for cell, width in zip(row[:3], widths[:3], strict=True)]
        right = [f"{cell:>{width}}" for cell, width in zip(row[3:], widths[3:], strict=True)]
        yield "  ".join([*left, *right]).rstrip()
        yield from (f"{'':{widths[0]}}    {line}" for line in more)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


class _Places:
    """Places in files, as short as they are clear."""

    def __init__(self, spec: SpecStatus) -> None:
        files = {rule.file for rule in spec.rules} | {seen.file for rule in spec.rules for seen in rule.reads}
        names = [os.path.basename(file) for file in files]
        #: By its path, the name of a file that no other has.
        self._short = {file: os.path.basename(file) for file in files if names.count(os.path.basename(file)) == 1}

    def place(self, file: str, line: int) -> str:
        return f"{self._short.get(file, file)}:{line}"

    def line(self, rule: RuleStatus) -> str:
        return f"{self.place(rule.file, rule.line)}  {rule.rule}"

    def shortened(self, text: str) -> str:
        for file, name in self._short.items():
            if text.startswith(f"{file}:"):
                return name + text[len(file) :]
        return text
