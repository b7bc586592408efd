"""The shipped specs, known without reading them: a process that never imports their library pays nothing."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.language.resources import directory


class ShippedSpec(NamedTuple):
    """A spec in ``configs/``: its name, its distribution, and the packages whose import activates it.

    ``overlays`` are other files there, which are always merged onto it.
    """

    name: str
    distribution: str
    packages: tuple[str, ...]
    overlays: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return directory("configs") / f"{self.name}.yaml"

    @property
    def overlay_paths(self) -> list[Path]:
        return [directory("configs") / f"{name}.yaml" for name in self.overlays]


SHIPPED_SPECS = (
    ShippedSpec("ag2", "ag2", ("ag2", "autogen.beta"), ("ag2_conventions", "ag2_native")),
    ShippedSpec("openai", "openai", ("openai",)),
    ShippedSpec("mcp", "mcp", ("mcp",)),
    ShippedSpec("a2a", "a2a-sdk", ("a2a",)),
)

#: Shipped specs that extend others and are active only if they are listed by name.
OPT_IN_SPECS = ("ag2_details", "ag2_handled", "ag2_joined", "ag2_metrics", "ag2_native_form", "ag2_task_deadlines")


def find_shipped(name: str) -> ShippedSpec | None:
    """The shipped spec with this name."""
    return next((spec for spec in SHIPPED_SPECS if spec.name == name), None)


def spec_file(listed: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """The file of a listed spec, which is a path or the name of an opt-in spec."""
    return directory("configs") / f"{listed}.yaml" if listed in OPT_IN_SPECS else listed


def installed_version(distribution: str) -> str | None:
    """The installed version of a distribution; None if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
