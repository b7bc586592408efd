"""The specs that are shipped, known without reading them: a process that never imports their library pays nothing."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.language.resources import directory


class Packaged(NamedTuple):
    """A spec in ``configs/``: its name, the distribution it is for, and the packages whose import wakes it."""

    name: str
    distribution: str
    packages: tuple[str, ...]

    @property
    def path(self) -> Path:
        return directory("configs") / f"{self.name}.yaml"


#: Changes to shipped specs that are active only where they are listed, by this name.
OPTIONAL = ("ag2_metrics", "ag2_task_deadlines")

PACKAGED = (Packaged("ag2", "ag2", ("ag2", "autogen.beta")),)


def spec_file(listed: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """The file of a spec that is listed: by its path or, where it is shipped, by its name."""
    return directory("configs") / f"{listed}.yaml" if listed in OPTIONAL else listed


def packaged(name: str) -> Packaged | None:
    """The shipped spec with this name."""
    return next((spec for spec in PACKAGED if spec.name == name), None)


def installed_version(distribution: str) -> str | None:
    """The version of a distribution that is installed here."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
