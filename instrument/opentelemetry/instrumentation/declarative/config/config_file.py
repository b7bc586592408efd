"""What OpenTelemetry's own configuration file, ``OTEL_CONFIG_FILE``, says of this instrumentor.

OpenTelemetry hands options on to instrumentors as plain values, and only where ``opentelemetry-configuration`` is
installed. The file is read here once more, and only this instrumentor's part of it: so what is wrong is told at its
line, ``enabled: false`` counts however the program is started, and a change can be taken up.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.config import environment

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.language.document import Document

#: Where the file speaks of us.
WAY = ("instrumentation/development", "python", "declarative")


@dataclass(init=False)
class FromConfiguration:
    """The type of options that OpenTelemetry makes of the file's: whatever they are, they arrive as they stand there.

    That something is misspelt is told by us, with its place; OpenTelemetry would leave all of it out.
    """

    configured: Mapping[str, Any] | None = None

    def __init__(self, **configured: Any) -> None:
        self.configured = configured


def file() -> str | None:
    """The configuration file that is in force."""
    return os.environ.get(environment.CONFIG_FILE) or None


def options(configured: Mapping[str, Any] | None = None) -> Document | None:
    """This instrumentor's options with their places; None where there is no configuration file, or it has none.

    ``configured``: those that OpenTelemetry has read, maybe from somewhere else. Raises SpecError.
    """
    path = file()
    if path is None and configured is None:
        return None
    # Only now: a process that has no configuration file has no need of YAML.
    from opentelemetry.instrumentation.declarative.language import document as source

    found = source.part(path, WAY) if path is not None else None
    if configured is None or (found is not None and _same(found.data, configured)):
        return found
    return source.inline(configured, "the configuration")


def unread(variables: list[str]) -> list[str]:
    """Those of these variables that are set and that the configuration file in force keeps from being read."""
    path, there = file(), [name for name in variables if os.environ.get(name)]
    if path is None or not there:
        return []
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
    except (OSError, ValueError):
        return there
    return [name for name in there if name not in text]


def _same(found: Mapping[str, Any], configured: Mapping[str, Any]) -> bool:
    """Whether OpenTelemetry has these from this very file. Single values it may read otherwise than we do."""
    return {*found} - {"enabled"} == {*configured} - {"enabled"} and _paths(found) == _paths(configured)


def _paths(options: Mapping[str, Any]) -> list[str]:
    specs = options.get("specs")
    return [str(each) if isinstance(each, str) else "" for each in (specs if isinstance(specs, list) else [specs])]
