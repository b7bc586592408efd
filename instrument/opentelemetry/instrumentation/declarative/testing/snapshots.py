"""Trees that are kept in files beside the tests."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

FOLDER = "__snapshots__"
_LONGEST = 120


class Snapshots:
    """Where the snapshots of one test lie: ``__snapshots__/test_file/test_name.tree``."""

    def __init__(self, test_file: Path, test: str, update: bool) -> None:
        self._folder = test_file.parent / FOLDER / test_file.stem
        self._test = test
        self._used: set[Path] = set()
        self.update = update

    def place(self, name: str | None) -> Path:
        """The file of the snapshot with this name. Raises ValueError where the test has compared with it before."""
        place = self._folder / f"{_file_name(self._test if name is None else f'{self._test}.{name}')}.tree"
        if place in self._used:
            raise ValueError(
                f"{place.name} has been compared in this test already: one snapshot holds one tree. "
                'Give each a name: matches_snapshot("paid").'
            )
        self._used.add(place)
        return place


def read(place: Path) -> str | None:
    try:
        return place.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"{text}\n", encoding="utf-8", newline="\n")


def _file_name(text: str) -> str:
    """A name that every file system takes, and that no other test has."""
    name = re.sub(r"[^\w.\-\[\]]+", "_", text)[:_LONGEST]
    return name if name == text else f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
