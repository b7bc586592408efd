"""Words that this project does not use, with the ones it uses instead: ``python -m tests.vocabulary [PATH ...]``."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]

#: A pattern, matched at word boundaries and whatever the case, and what to write instead.
INSTEAD = {
    r"told": "reported, passed, notified",
    r"meant": "intended, expected",
    r"mend(s|ed|ing)?": "fix, help, suggestion",
    r"met": "matched",
    r"(?<!there )is no (?!longer|more|match|other|way|need|such|op\b)": "is not a",
    r"(cannot|can|could|to) be had": "is available",
    r"for ever": "without a limit",
    r"in vain": "without effect",
    r"anew": "again",
    r"whole numbers?": "integer",
    r"(put|puts|putting) to work": "activate, install",
    r"at work": "active",
    r"hangs (in|on|at|there|under)": "is an attribute of, is bound to",
    r"goes by unseen": "is not seen",
    r"of strangers": "untrusted",
    r"whoever": "the caller, the reader, anyone who",
    r"somebody('s)?": "the program, another tool, someone",
    r"laid (over|onto)": "merged onto, applied to",
    r"shall (?!ow)": "must, should",
}
_PATTERN = re.compile(rf"(?<![\w-])(?:{'|'.join(f'(?:{pattern})' for pattern in INSTEAD)})(?![\w-])", re.IGNORECASE)

#: In names of identifiers and files, a part between underscores counts as a word.
_NAMES = re.compile(r"(?<![a-z])(told|meant|mend|mends|mended|met|anew)(?![a-z])", re.IGNORECASE)

CHECKED = (".py", ".md", ".yaml", ".json", ".toml", ".txt", ".sh")
#: Data that is not prose of ours, and this list.
EXEMPT = ("tests/fuzz/corpus/", "tests/vocabulary.py", "tests/test_vocabulary.py", "LICENSE")


class Use(NamedTuple):
    """Where a word is used."""

    file: str
    line: int
    word: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.word!r}: write {_instead(self.word)}"


def uses(files: Iterable[Path], root: Path = ROOT) -> Iterator[Use]:
    """Every use of such a word in these files and in their names."""
    for file in files:
        name = file.relative_to(root).as_posix()
        if name.startswith(EXEMPT) or file.suffix not in CHECKED:
            continue
        if found := _NAMES.search(name):
            yield Use(name, 0, found[0])
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            for found in (*_PATTERN.finditer(line), *_NAMES.finditer(line)):
                yield Use(name, number, found[0].strip())


def tracked(paths: Iterable[str] = ()) -> list[Path]:
    """The files of the project, or those below some paths."""
    listed = subprocess.run(["git", "ls-files", *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def _instead(word: str) -> str:
    for pattern, words in INSTEAD.items():
        if re.match(pattern, f"{word} ", re.IGNORECASE):
            return words
    return "another word"


if __name__ == "__main__":
    found = list(dict.fromkeys(uses(tracked(sys.argv[1:]))))
    print(*found, f"{len(found)} uses", sep="\n")
    sys.exit(bool(found))
