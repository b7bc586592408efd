"""Trees that are kept in files next to the tests."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

FOLDER = "__snapshots__"
_MAX_NAME = 120


class SnapshotFolder:
    """The paths of the snapshots of one test: ``__snapshots__/test_file/test_name.tree``."""

    def __init__(self, test_file: Path, test: str, update: bool) -> None:
        self._folder = test_file.parent / FOLDER / test_file.stem
        self._test = test
        self._used: set[Path] = set()
        self.update = update

    def path(self, name: str | None) -> Path:
        """The path of the snapshot of this name. Raises ValueError if the test has already used it."""
        path = self._folder / f"{_file_name(self._test if name is None else f'{self._test}.{name}')}.tree"
        if path in self._used:
            raise ValueError(
                f"{path.name} has already been compared in this test: one snapshot holds one tree. "
                'Give each a name: matches_snapshot("paid").'
            )
        self._used.add(path)
        return path


def read_snapshot(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def write_snapshot(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n", encoding="utf-8", newline="\n")


def _file_name(text: str) -> str:
    """A name that is valid on every file system and unique."""
    name = re.sub(r"[^\w.\-\[\]]+", "_", text)[:_MAX_NAME]
    return name if name == text else f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
