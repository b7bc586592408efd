"""Lines that are not valid YAML for a common reason: a value that needs quotes, or a colon without a space."""

from __future__ import annotations

import re
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.language.flow_slips import UnquotedValue, unquoted_values
from opentelemetry.instrumentation.declarative.language.spellings import quoted_value

_KEY = r"""[\w.*-]+|"[^"]*"|'[^']*'"""
_MISSING_SPACE = re.compile(r"(?P<start>\s*(?:-\s+)?)(?P<key>[A-Za-z_][\w.-]*):(?P<value>[^\s:/][^\s].*)$")
_EQUALS = re.compile(r"(?P<start>\s*(?:-\s+)?)(?P<key>[A-Za-z_][\w.-]*)\s*=\s*(?P<value>[^=\s].*)$")
_FIRST = re.compile(r"(?P<start>)(?P<key>instrument)\s+(?P<value>\d+)\s*$")
#: Quotes twice, as in ``''text''``.
_TWICE = re.compile(r"""(['"])\1(.+)\1\1$""")
_TAB_AFTER_KEY = re.compile(rf"\s*(?:-\s+)?(?:{_KEY})\s*: *\t")
_ENTRY_OR_KEY = re.compile(rf"(?:-\s+)?(?:{_KEY})\s*:(\s|$)")
_ENTRY = re.compile(rf"(?P<start>\s*(?:-\s+)?(?P<key>{_KEY})\s*:\s+)(?P<value>\S.*?)\s*$")
#: ``condition ? value : other``
_CHOICE = re.compile(r"(.+?)\s*\?\s*(.+?)\s+:\s+(.+)$")
#: A variable of a shell, or the property of an object in another language.
_MARKED = re.compile(r"[@%`]([A-Za-z_][\w.]*)[%`]?")
_TEXT = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'""")
#: A template that starts with a value, and a version range.
_BRACES_AND_TEXT = re.compile(r"\{[^{}:,]+\}[^,}\]]")
_COMPARISON = re.compile(r">=?\s*[\d.]")
#: Words of a parser's message about a line that may be indented wrongly.
INDENTATION = ("<block end>", "expected key", "mapping values")
_LONGEST = 300
_LONGEST_IN_BRACES = 2_000


class Slip(NamedTuple):
    """A mistake in a line, from a column on, and the line as it was probably intended."""

    line: int
    column: int
    length: int
    message: str
    help: str
    intended: str
    #: The columns, lengths and helps of further values in the line with the same mistake.
    others: tuple[tuple[int, int, str], ...] = ()


def slip_in(lines: list[str], number: int, *, in_braces: bool = False) -> Slip | None:
    """The slip in a line, by its number from 1; None if it has none of the common ones.

    ``in_braces``: whether the line may be in braces that another one opens.
    """
    line = lines[number - 1].rstrip("\r\n") if 1 <= number <= len(lines) else ""
    if len(line) <= _LONGEST_IN_BRACES and (found_values := unquoted_values(line, in_braces=in_braces)):
        return _slip_in_braces(line, number, found_values)
    if len(line) > _LONGEST:
        return None
    if found := _EQUALS.match(line) or _FIRST.match(line):
        intended = f"{found['key']}: {found['value']}"
        column, length = found.start("key") + 1, len(line) - found.start("key")
        return Slip(
            number,
            column,
            length,
            'this is not a key: a ":" is missing',
            f"write {intended}",
            found["start"] + intended,
        )
    if found := _MISSING_SPACE.match(line):
        intended = f"{found['key']}: {found['value']}"
        column, length = found.start("key") + 1, len(found["key"]) + 1
        message = 'a space is missing after ":", so that this is text and not a key'
        return Slip(number, column, length, message, f"write {intended}", found["start"] + intended)
    if line.lstrip(" ").startswith("\t"):
        return _slip_in_indentation(lines, number, "this line is indented with a tab")
    if found := _TAB_AFTER_KEY.match(line):
        intended = f"{found[0].rstrip()} {line[found.end() :].lstrip()}"
        message = "a tab cannot stand between a key and its value"
        return Slip(number, found.end(), 1, message, f"write {intended.strip()}", intended)
    found = _ENTRY.match(line)
    value = found["value"] if found else ""
    why = _why(value) if value else None
    if found is None or why is None:
        return None
    marked, twice = _MARKED.fullmatch(value), _TWICE.match(value)
    intended = marked[1] if marked else twice[2] if twice else _choice(value) or quoted_value(value)
    column = found.start("value") + 1
    return Slip(number, column, len(value), why, f"write {intended}", found["start"] + intended)


def _slip_in_indentation(lines: list[str], number: int, message: str) -> Slip | None:
    """A line that is indented wrongly, and as it should be: like the line before, or below it if that has no value."""
    line = lines[number - 1].rstrip()
    entry = line.lstrip()
    before = next((each for each in reversed(lines[: number - 1]) if each.strip() and each.strip()[0] != "#"), "\t")
    if "\t" in before or not _ENTRY_OR_KEY.match(entry):
        return None
    column = len(before) - len(before.lstrip(" ")) + (2 if before.rstrip().endswith(":") else 0)
    intended = " " * column + entry
    help = f"indent it with {column} spaces" if column else "do not indent it"
    return None if line == intended else Slip(number, 1, max(1, len(line) - len(entry)), message, help, intended)


def indentation_slip(lines: list[str], number: int) -> Slip | None:
    """The slip of a line with a key that does not belong to the block around it."""
    return _slip_in_indentation(lines, number, "this line is not indented like those around it")


def _slip_in_braces(line: str, number: int, values: list[UnquotedValue]) -> Slip:
    places = [(each.start + 1, each.end - each.start, _written(line, each)) for each in values]
    intended = line
    for each in reversed(values):
        intended = f"{intended[: each.start]}{quoted_value(line[each.start : each.end])}{intended[each.end :]}"
    message = 'in braces, text with brackets, braces, commas or ": " needs quotes'
    return Slip(number, *places[0][:2], message, places[0][2], intended, tuple(places[1:]))


def _written(line: str, value: UnquotedValue) -> str:
    return f"write {value.key}: {quoted_value(line[value.start : value.end])}"


def _why(value: str) -> str | None:
    """Why a value that is not in quotes is not valid; None if it may be."""
    if value[0] in "@%`":
        return f'no value can start with "{value[0]}", which YAML reserves'
    if text := _TEXT.match(value):
        rest = value[text.end() :].lstrip()
        return "text continues after a closing quote" if rest and not rest.startswith(("#", ",", "}", "]")) else None
    if _BRACES_AND_TEXT.match(value):
        return "text continues after a closing brace"
    if _COMPARISON.match(value):
        return '">" and "|" start a block of text'
    if value[0] not in "[{&*!|>" and re.search(r":\s", _TEXT.sub("", value)):
        return '":" with a space after it starts a value, also within text'
    return None


def _choice(value: str) -> str | None:
    found = _CHOICE.match(value)
    if found is None:
        return None
    condition, yes, no = found.groups()
    text = f"{yes} if {condition} else {no}"
    return quoted_value(text) if text[0] in "\"'[{" or ": " in text else text
