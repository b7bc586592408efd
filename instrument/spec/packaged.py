"""The specs that are shipped, known without reading them: a process that never imports their library pays nothing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from instrument.resources import directory


class Packaged(NamedTuple):
    """A spec in ``configs/``: its name, the distribution it is for, and the packages whose import wakes it."""

    name: str
    distribution: str
    packages: tuple[str, ...]

    @property
    def path(self) -> Path:
        return directory("configs") / f"{self.name}.yaml"


PACKAGED = (Packaged("ag2", "ag2", ("ag2",)),)


def packaged(name: str) -> Packaged | None:
    """The shipped spec with this name."""
    return next((spec for spec in PACKAGED if spec.name == name), None)
