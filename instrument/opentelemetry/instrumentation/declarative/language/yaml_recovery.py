"""Reads the rest of a text in which lines are not valid YAML, so that one mistake does not hide the others."""

from __future__ import annotations

import re
from dataclasses import field
from difflib import Match, SequenceMatcher

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.yaml_node import YamlNode
from opentelemetry.instrumentation.declarative.language.yaml_reader import YamlReader
from opentelemetry.instrumentation.declarative.records import record

#: The most lines that are taken out: the text may not be YAML at all.
_MOST_LINES = 10
#: Longer texts are not recovered, in characters: each attempt reads the text again.
_MOST_CHARACTERS = 50_000

_KEY = re.compile(r"""(\s*(?:-\s+)?(?:[\w.-]+|"[^"]*"|'[^']*')\s*:)\s""")
_ITEM = re.compile(r"(\s*-)\s")


@record
class RecoveredText:
    """The root of a text; None if it cannot be read. Lines are counted from 1.

    ``lines``: those whose values are not known. ``corrected``: those that are read as they were probably intended, with
    the places of the text that they have in common with the lines in the file.
    """

    root: YamlNode | None
    problems: list[Problem]
    lines: set[int] = field(default_factory=set)
    corrected: dict[int, list[Match]] = field(default_factory=dict)

    def mark_in_file(self, mark: Mark) -> Mark:
        """The mark of a value in a corrected line, with its column in the file."""
        start, end = (self._offset_in_file(mark.line, mark.column - 1 + length) for length in (0, mark.length))
        return mark._replace(column=start + 1, length=max(1, end - start), verbatim=False)

    def _offset_in_file(self, line: int, offset: int) -> int:
        places = self.corrected[line]
        before = next((each for each in reversed(places) if each.a <= offset), places[0])
        return before.b + max(0, min(offset - before.a, before.size))


def read_with_recovery(text: str, file: str) -> RecoveredText:
    """Read a text. Lines that are not valid YAML are corrected, or their values taken out, one after another."""
    reader = YamlReader(text, file)
    root = reader.root()
    if root is not None or not reader.broken_lines or len(text) > _MOST_CHARACTERS:
        return RecoveredText(root, reader.problems)
    first = RecoveredText(None, reader.problems)
    broken = [problem for problem in reader.problems if problem.code == "yaml-syntax"]
    lines: set[int] = set()
    original = text.splitlines()
    tried: dict[int, list[Match]] = {}
    while root is None and reader.broken_lines and len({*lines, *tried}) < _MOST_LINES:
        attempts = [(line, _without_value(text, line)) for line in reader.broken_lines if line not in lines]
        if (slip := reader.slip) is not None and slip.line not in tried:
            line_in_file = original[slip.line - 1]
            tried[slip.line] = SequenceMatcher(None, slip.intended, line_in_file, False).get_matching_blocks()
            attempts.insert(0, (0, _with_line(text, slip.line, slip.intended)))
        readers = [(line, shorter, YamlReader(shorter, file)) for line, shorter in attempts]
        results = [(each.root(), line, shorter, each) for line, shorter, each in readers]
        if not results:
            return first
        root, line, text, reader = max(results, key=lambda each: (each[0] is not None, each[3].last_broken_line))
        if line:
            lines.add(line)
        broken += [each for each in reader.problems if each.code == "yaml-syntax" and each.mark.line not in tried]
    if root is None:
        return first
    others = [problem for problem in reader.problems if problem.mark.line not in {*lines, *tried}]
    return RecoveredText(root, list(dict.fromkeys([*broken, *others])), lines, tried)


def _without_value(text: str, number: int) -> str:
    """The text without the value on a line; without the line if it has no key and is no item of a list."""
    lines = text.splitlines()
    line = f"{lines[number - 1]}\n" if number <= len(lines) else ""
    key = _KEY.match(line) or _ITEM.match(line)
    return _with_line(text, number, f'{key[1]} ""' if key else "")


def _with_line(text: str, number: int, line: str) -> str:
    lines = text.splitlines(keepends=True)
    lines[number - 1 : number] = [f"{line}\n"]
    return "".join(lines)
