"""What is wrong with a spec: a place, a code, a sentence and a mend; and the error that carries all of them."""

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

#: An error makes a spec, or a rule of it, unusable. A warning tells of what can be used and hardly does what was meant.
Severity = Literal["error", "warning", "note"]

# The line breaks that editors know; the reader of specs refuses the others that YAML knows, so that all count alike.
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_EXCERPT_WIDTH = 160
_MESSAGE_WIDTH = 1_000

#: Nobody mends more in one go, and to look for everything in a file that is all wrong takes long.
MOST_PROBLEMS = 100
#: The code, the message and the mend of the last problem where there are more.
MORE = ("more-problems", f"{MOST_PROBLEMS} problems are told; what is wrong here and beyond is not", "mend these first")
#: More than any spec has: a problem also is told of a file that is refused because it is too large.
_MOST_TEXT = 2 * 1024 * 1024
_CANDIDATES = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of text in a file: 1-based line and column, and the length of what is underlined."""

    file: str
    line: int
    column: int
    length: int = 1
    quoted: bool = False
    """The column is that of a quote; the text begins after it."""
    verbatim: bool = True
    """The text stands in the file, in one line, character by character as it was read: no escapes, no folding."""
    references: str = ""
    """The environment variables that the value comes from, as they are written in the file: it is not to be shown."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def at(self, offset: int, length: int) -> "Mark":
        """The mark of the piece `offset` characters into this text; the whole where the piece cannot be placed."""
        start = offset + (1 if self.quoted else 0)
        end = self.length - (1 if self.quoted else 0)
        if not self.verbatim or offset < 0 or start > end:
            return self
        length = max(1, min(length, end - start))
        return replace(self, column=self.column + start, length=length, quoted=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in a spec: its location, a stable code to look up, a one-sentence message, and help to fix it.

    ``subject`` and ``suggestion`` are data for code that would otherwise have to parse the texts. They are not part of
    a problem's identity.
    """

    mark: Mark
    code: str
    message: str
    help: str | None = None
    severity: Severity = "error"
    #: The name that the problem is about, without quotes: an unknown hook, a missing key, a span that lacks a key.
    subject: str | None = field(default=None, compare=False)
    #: The name that was probably intended instead.
    suggestion: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        # The spec may come from someone who must not see the environment of the process that checks it.
        if self.mark.references:
            words = shown(self.mark.references)
            object.__setattr__(self, "message", f"what {words} stands for is wrong here; it is not shown")
            object.__setattr__(self, "help", "set the variable to what may stand here, or write ${NAME:-default}")
            object.__setattr__(self, "subject", None)
            object.__setattr__(self, "suggestion", None)

    def render(self, source: str | None = None) -> str:
        """The problem as text for a terminal, with the line it stands in if `source` or the file itself has it."""
        return self._rendered(_lines(_text_of(self.mark.file) if source is None else source))

    def _rendered(self, source: list[str]) -> str:
        lines = [f"{self.mark}: {self.severity}[{self.code}]: {_printable(self.message)}"]
        lines += _excerpt(self.mark, source)
        if self.help:
            lines.append(f"  help: {_printable(self.help)}")
        return "\n".join(lines)


class SpecError(Exception):
    """A spec cannot be used: every problem that could be found in one run, in the order of the file."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem], sources: Mapping[str, str] | None = None) -> None:
        """`sources` gives the text of files that cannot be read again, by the name in the marks."""
        self.problems = tuple(sorted(problems, key=lambda p: (p.mark.file, p.mark.line, p.mark.column)))
        self._sources = dict(sources or {})
        super().__init__(self.problems)

    def __str__(self) -> str:
        sources = {file: _lines(source) for file, source in self._sources.items()}
        for problem in self.problems:
            if problem.mark.file not in sources:
                sources[problem.mark.file] = _lines(_text_of(problem.mark.file))
        return "\n".join(problem._rendered(sources[problem.mark.file]) for problem in self.problems)


def cut(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once and, where there are too many, the first of them with a word on the rest."""
    found = list(dict.fromkeys(problems))
    if len(found) <= MOST_PROBLEMS or any(problem.code == MORE[0] for problem in found[: MOST_PROBLEMS + 1]):
        return found[: MOST_PROBLEMS + 1]
    last = found[MOST_PROBLEMS]
    return [*found[:MOST_PROBLEMS], Problem(last.mark, *MORE, severity=last.severity)]


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None if none is near."""
    if len(word) > 100:  # the comparison is quadratic, and nobody meant a word by this
        return None
    candidates = list(known)
    for candidate in candidates:
        if candidate.lower() == word.lower():
            return candidate
    return next(iter(difflib.get_close_matches(word, candidates[:_CANDIDATES], n=1)), None)


def did_you_mean(suggestion: str | None) -> str | None:
    """The help of a problem for a name that is probably misspelt; None if there is no suggestion."""
    return f'did you mean "{suggestion}"?' if suggestion else None


def shown(text: str, width: int = 60) -> str:
    """Text from a spec as it stands in a message: in quotes, on one line, not endless."""
    text = _printable(text[: width + 1])  # a giant is not walked through: no character becomes less than one
    return f'"{text}"' if len(text) <= width else f'"{text[: width - 1]}…"'


def _printable(text: str) -> str:
    """Text on one line in which no character of a spec moves the cursor or begins a line of a log."""
    text = text if len(text) <= _MESSAGE_WIDTH else f"{text[:_MESSAGE_WIDTH]}…"
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _lines(source: str) -> list[str]:
    return _LINE_BREAK.split(source) if source else []


def _text_of(file: str) -> str:
    """The file's text, or nothing: a missing excerpt must never hide the problem that it belongs to."""
    try:
        if not os.path.isfile(file):  # a pipe would block, and was consumed by the first reading anyway
            return ""
        with open(file, encoding="utf-8-sig", errors="replace", newline="") as stream:
            return stream.read(_MOST_TEXT)
    except (OSError, ValueError):
        return ""


def _excerpt(mark: Mark, lines: list[str]) -> list[str]:
    if not 1 <= mark.line <= len(lines) or not 1 <= mark.column <= len(lines[mark.line - 1]) + 1:
        return []
    line = lines[mark.line - 1].rstrip()
    start, end = mark.column - 1, max(mark.column, min(mark.column - 1 + mark.length, len(line)))
    if len(line) > _EXCERPT_WIDTH:  # a window that begins a little before the underlined piece
        cut = max(0, start - _EXCERPT_WIDTH // 4)
        line, start, end = line[cut : cut + _EXCERPT_WIDTH], start - cut, min(end - cut, _EXCERPT_WIDTH)
    line = "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)
    number = str(mark.line)
    # Padding as wide as the text above the carets, which is not one column a character.
    padding = "".join("\t" if c == "\t" else " " * _columns(c) for c in line[:start].ljust(start))
    carets = "^" * max(1, sum(_columns(c) for c in line[start:end]))
    return [f"  {number} | {line}", f"  {' ' * len(number)} | {padding}{carets}"]


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
