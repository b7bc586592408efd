"""The options of this instrumentor in OpenTelemetry's configuration file, ``OTEL_CONFIG_FILE``.

OpenTelemetry passes options to instrumentors as plain values, and only if ``opentelemetry-configuration`` is installed.
Therefore the section of this instrumentor is read here again: problems are reported at their line, ``enabled: false``
applies however the program is started, and inline specs can be reloaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.config import environment

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.language.document import Document

#: The keys that lead to the options of this instrumentor.
SECTION = ("instrumentation/development", "python", "declarative")


@dataclass(init=False)
class RawOptions:
    """The type to which OpenTelemetry converts the options of the file. It accepts any options, unchanged.

    OpenTelemetry would drop all options if one were misspelt. Here each problem is reported, and the others apply.
    """

    configured: Mapping[str, Any] | None = None

    def __init__(self, **configured: Any) -> None:
        self.configured = configured


def config_file() -> str | None:
    """The path of the configuration file, if there is one."""
    return os.environ.get(environment.CONFIG_FILE) or None


def read_file_options(configured: Mapping[str, Any] | None = None) -> Document | None:
    """The options of this instrumentor with their positions; None if there is no file, or it has no such section.

    ``configured``: the options that OpenTelemetry has read, possibly from another source. Raises SpecError.
    """
    path = config_file()
    if path is None and configured is None:
        return None
    # Not at the top: a process without a configuration file does not need YAML.
    from opentelemetry.instrumentation.declarative.language.document import inline_document, read_part

    section = read_part(path, SECTION) if path is not None else None
    if configured is None or (section is not None and _is_same(section.data, configured)):
        return section
    return inline_document(configured, "the configuration")


def ignored_variables(variables: Iterable[str]) -> list[str]:
    """The variables that are set but ignored, because there is a configuration file and it does not refer to them."""
    path, found = config_file(), [name for name in variables if os.environ.get(name)]
    if path is None or not found:
        return []
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
    except (OSError, ValueError):
        return found
    return [name for name in found if name not in text]


def _is_same(section: Mapping[str, Any], configured: Mapping[str, Any]) -> bool:
    """Whether OpenTelemetry has read these options from this file. It may parse single values differently."""
    same_keys = {*section} - {"enabled"} == {*configured} - {"enabled"}
    return same_keys and _spec_paths(section) == _spec_paths(configured)


def _spec_paths(options: Mapping[str, Any]) -> list[str]:
    specs = options.get("specs")
    return [each if isinstance(each, str) else "" for each in (specs if isinstance(specs, list) else [specs])]
