"""Lines that are not valid YAML for a common reason: a value that needs quotes, or a colon without a space."""

from __future__ import annotations

import re
from typing import NamedTuple

_KEY = r"""[\w.*-]+|"[^"]*"|'[^']*'"""
_MISSING_SPACE = re.compile(r"(?P<start>\s*(?:-\s+)?)(?P<key>[A-Za-z_][\w.-]*):(?P<value>[^\s:/][^\s].*)$")
_EQUALS = re.compile(r"(?P<start>\s*(?:-\s+)?)(?P<key>[A-Za-z_][\w.-]*)\s*=\s*(?P<value>[^=\s].*)$")
_FIRST = re.compile(r"(?P<start>)(?P<key>instrument)\s+(?P<value>\d+)\s*$")
#: Quotes twice, as in ``''text''``.
_TWICE = re.compile(r"""(['"])\1(.+)\1\1$""")
_ENTRY = re.compile(rf"(?P<start>\s*(?:-\s+)?(?P<key>{_KEY})\s*:\s+)(?P<value>\S.*?)\s*$")
#: A call with several arguments as a value in braces.
_CALL_IN_BRACES = re.compile(
    rf"""[{{,]\s*(?P<key>{_KEY})\s*:\s+(?P<value>[A-Za-z_][\w.]*\([^(){{}}]*,[^(){{}}]*\)[^,{{}}\[\]]*?)\s*[,}}]"""
)
#: ``condition ? value : other``
_CHOICE = re.compile(r"(.+?)\s*\?\s*(.+?)\s+:\s+(.+)$")
#: A variable of a shell, or the property of an object in another language.
_MARKED = re.compile(r"[@%`]([A-Za-z_][\w.]*)[%`]?")
_TEXT = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'""")
_LONGEST = 300


class Slip(NamedTuple):
    """A mistake in a line, from a column on, and the line as it was probably intended."""

    line: int
    column: int
    length: int
    message: str
    help: str
    intended: str


def slip_in(lines: list[str], number: int) -> Slip | None:
    """The slip in a line, by its number from 1; None if it has none of the common ones."""
    line = lines[number - 1].rstrip("\r\n") if 1 <= number <= len(lines) else ""
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
    if found := _CALL_IN_BRACES.search(line):
        intended = quoted_value(found["value"])
        start, end = found.span("value")
        message = "a comma ends a value in braces that is not in quotes"
        help = f"write {found['key']}: {intended}"
        return Slip(number, start + 1, end - start, message, help, line[:start] + intended + line[end:])
    found = _ENTRY.match(line)
    value = found["value"] if found else ""
    why = _why(value) if value else None
    if found is None or why is None:
        return None
    marked, twice = _MARKED.fullmatch(value), _TWICE.match(value)
    intended = marked[1] if marked else twice[2] if twice else _choice(value) or quoted_value(value)
    column = found.start("value") + 1
    return Slip(number, column, len(value), why, f"write {intended}", found["start"] + intended)


def quoted_value(text: str) -> str:
    """Text in quotes of YAML."""
    return "'{}'".format(text.replace("'", "''")) if '"' in text or "\\" in text else f'"{text}"'


def _why(value: str) -> str | None:
    """Why a value that is not in quotes is not valid; None if it may be."""
    if value[0] in "@%`":
        return f'no value can start with "{value[0]}", which YAML reserves'
    if text := _TEXT.match(value):
        rest = value[text.end() :].lstrip()
        return "text continues after a closing quote" if rest and not rest.startswith(("#", ",", "}", "]")) else None
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
