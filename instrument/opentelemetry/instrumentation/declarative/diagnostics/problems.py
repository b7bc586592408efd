"""Problems of specs: a location, a code, a message and help; and the exception that carries them."""

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Literal, NamedTuple

from opentelemetry.instrumentation.declarative.records import record

#: An error makes a spec, or a rule of it, unusable. With a warning it can be used but probably does not do what was
#: intended. A note is information.
Severity = Literal["error", "warning", "note"]

# The line breaks of editors. YAML has more, but specs with those are rejected, so that line numbers agree.
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_EXCERPT_WIDTH = 160
#: A reference to an environment variable.
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_MESSAGE_WIDTH = 1_000

#: The most problems reported at once. Finding all problems of a file in which everything is wrong would take long.
MAX_PROBLEMS = 100
#: The code, message and help of the last problem if there are more.
MORE_PROBLEMS = ("more-problems", f"only the first {MAX_PROBLEMS} problems are reported", "fix these first")
#: How much of a file is read for an excerpt, in characters. Files that are too large for a spec have problems as well.
_MAX_SOURCE = 2 * 1024 * 1024
#: How similar a misspelt word is, from 0 to 1.
_MISSPELT = 0.8
#: The most known words that a word is compared with.
_MAX_CANDIDATES = 500


class Mark(NamedTuple):
    """A piece of text in a file: its line and column, which start at 1, and its length."""

    file: str
    line: int
    column: int
    length: int = 1
    quoted: bool = False
    """The column is that of a quote; the text begins after it."""
    verbatim: bool = True
    """The text is in the file exactly as it was read, on one line, without escapes or folding."""
    references: str = ""
    """The references to environment variables in the text, as written; the value must then not be shown."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def at(self, offset: int, length: int) -> "Mark":
        """The mark of a piece of this text; the mark of the whole text if the piece cannot be located."""
        start = offset + (1 if self.quoted else 0)
        end = self.length - (1 if self.quoted else 0)
        if not self.verbatim or offset < 0 or start > end:
            return self
        length = max(1, min(length, end - start))
        return self._replace(column=self.column + start, length=length, quoted=False)

    def contains(self, other: "Mark") -> bool:
        """Whether another piece of text begins in this one."""
        is_on_line = (self.file, self.line) == (other.file, other.line)
        return is_on_line and self.column <= other.column < self.column + self.length


@record(frozen=True)
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
    #: Whether it is a problem only if the callable has no parameter with the name ``subject``.
    presumed: bool = field(default=False, compare=False)
    #: Whether only the entry with the problem is left out at run time, and the rest of the spec is used.
    is_local: bool = field(default=False, compare=False)

    @property
    def is_fatal(self) -> bool:
        """Whether the spec cannot be used."""
        return not self.presumed and not self.is_local

    def __post_init__(self) -> None:
        if not self.mark.references:
            return
        if self._is_about_written_name():
            # Help that is not a suggestion may quote the whole text.
            vars(self).update(help=did_you_mean(self.suggestion) or "correct the name, or remove it")
            return
        # The spec may come from someone who must not see the environment of the process that checks it.
        vars(self).update(
            message=f"the value of {quoted(self.mark.references)} is not valid here; it is not shown",
            help="set the variable to a valid value, or write ${NAME:-default}; in quotes, it can be empty",
            subject=None,
            suggestion=None,
        )

    def _is_about_written_name(self) -> bool:
        """Whether it is about a name in the file, beside the references: it shows nothing of their values."""
        if self.code != "unknown-name" or self.subject is None:
            return False
        line = "".join(_lines(_text_of(self.mark.file))[self.mark.line - 1 : self.mark.line])
        return self.subject in re.findall(r"\w+", _REFERENCE.sub(" ", line))

    def render(self, source: str | None = None) -> str:
        """The problem as text for a terminal, with the line that it is on, taken from ``source`` or the file."""
        return self._rendered(_lines(_text_of(self.mark.file) if source is None else source))

    def _rendered(self, source: list[str]) -> str:
        lines = [f"{self.mark}: {self.severity}[{self.code}]: {_message(self.message)}"]
        lines += _excerpt(self.mark, source)
        if self.help:
            lines.append(f"  help: {_message(self.help)}")
        return "\n".join(lines)


class SpecError(Exception):
    """A spec cannot be used. Carries every problem that could be found, in the order of the file."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem], sources: Mapping[str, str] | None = None) -> None:
        """``sources``: the texts of files that cannot be read again, by their names in the marks."""
        self.problems = tuple(sorted(problems, key=lambda p: (p.mark.file, p.mark.line, p.mark.column)))
        self._sources = dict(sources or {})
        super().__init__(self.problems)

    def __str__(self) -> str:
        sources = {file: _lines(source) for file, source in self._sources.items()}
        for problem in self.problems:
            if problem.mark.file not in sources:
                sources[problem.mark.file] = _lines(_text_of(problem.mark.file))
        return "\n".join(problem._rendered(sources[problem.mark.file]) for problem in self.problems)


def limit_problems(problems: Iterable[Problem]) -> list[Problem]:
    """The problems without duplicates. If there are too many, the first ones, and a last one that says so."""
    found = list(dict.fromkeys(problems))
    if len(found) <= MAX_PROBLEMS or any(problem.code == MORE_PROBLEMS[0] for problem in found[: MAX_PROBLEMS + 1]):
        return found[: MAX_PROBLEMS + 1]
    last = found[MAX_PROBLEMS]
    return [*found[:MAX_PROBLEMS], Problem(last.mark, *MORE_PROBLEMS, severity=last.severity)]


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably intended; None if none is similar."""
    if len(word) > 100:  # the comparison is quadratic
        return None
    candidates = list(known)
    for candidate in candidates:
        if candidate.lower() == word.lower():
            return candidate
    return next(iter(difflib.get_close_matches(word, candidates[:_MAX_CANDIDATES], n=1)), None)


def is_misspelling(word: str, known: str) -> bool:
    """Whether a word is so similar to a known one that it stands for it."""
    return difflib.SequenceMatcher(None, word.lower(), known.lower()).ratio() >= _MISSPELT


def did_you_mean(suggestion: str | None) -> str | None:
    """The help of a problem for a name that is probably misspelt; None if there is no suggestion."""
    return f'did you mean "{suggestion}"?' if suggestion else None


def quoted(text: str, width: int = 60) -> str:
    """Text of a spec for a message: in quotes, on one line, and shortened."""
    text = printable(text[: width + 1])  # no character becomes shorter
    return f'"{text}"' if len(text) <= width else f'"{text[: width - 1]}…"'


def counted(number: int, noun: str) -> str:
    """A number of things in words: ``1 span``, ``1,200 spans``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Escape characters that could move the cursor, colour a terminal, start a line of a log or not be encoded."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _message(text: str) -> str:
    """The text of a message, shortened if it is very long."""
    return printable(text if len(text) <= _MESSAGE_WIDTH else f"{text[:_MESSAGE_WIDTH]}…")


def _lines(source: str) -> list[str]:
    return _LINE_BREAK.split(source) if source else []


def file_lines(file: str) -> list[str]:
    """The lines of a file; none if it cannot be read."""
    return _lines(_text_of(file))


def _text_of(file: str) -> str:
    """The text of a file; empty if it cannot be read, as a missing excerpt must not hide the problem."""
    try:
        if not os.path.isfile(file):  # reading a pipe would block, and its content is gone
            return ""
        with open(file, encoding="utf-8-sig", errors="replace", newline="") as stream:
            return stream.read(_MAX_SOURCE)
    except (OSError, ValueError):
        return ""


def _excerpt(mark: Mark, lines: list[str]) -> list[str]:
    if not 1 <= mark.line <= len(lines) or not 1 <= mark.column <= len(lines[mark.line - 1]) + 1:
        return []
    line = lines[mark.line - 1].rstrip()
    start, end = mark.column - 1, max(mark.column, min(mark.column - 1 + mark.length, len(line)))
    if len(line) > _EXCERPT_WIDTH:  # a window that starts shortly before the underlined piece
        left = max(0, start - _EXCERPT_WIDTH // 4)
        line, start, end = line[left : left + _EXCERPT_WIDTH], start - left, min(end - left, _EXCERPT_WIDTH)
    line = "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)
    number = str(mark.line)
    # The carets are below text in which a character can be two columns wide, or none.
    padding = "".join("\t" if c == "\t" else " " * _columns(c) for c in line[:start].ljust(start))
    carets = "^" * max(1, sum(_columns(c) for c in line[start:end]))
    return [f"  {number} | {line}", f"  {' ' * len(number)} | {padding}{carets}"]


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
