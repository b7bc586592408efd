"""References to environment variables in the values of a spec, as OpenTelemetry's configuration files have them.

Source: https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution
"""

import os
import re
from typing import NamedTuple

_REFERENCE = re.compile(r"\$\{(?:(?:env:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}\r\n]*))?|[^}\r\n]*)\}")


class BadReference(Exception):
    """Text between ``${`` and ``}`` that names no variable: where it begins, and the text."""

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(offset, text)
        self.offset = offset
        self.text = text


class Substituted(NamedTuple):
    """A value with its references replaced, and these as they were written, one after the other."""

    value: str
    references: str


def substituted(text: str) -> Substituted:
    """The text with each ``${NAME}`` replaced by the variable, or its default if that is empty, and ``$$`` by ``$``.

    What is put in is not looked at again. Raises BadReference.
    """
    references: list[str] = []
    offset = 0

    def replace(found: re.Match[str]) -> str:
        if found["name"] is None:
            raise BadReference(offset + found.start(), found[0])
        references.append(found[0])
        return os.environ.get(found["name"]) or found["default"] or ""

    parts: list[str] = []
    for part in text.split("$$"):
        parts.append(_REFERENCE.sub(replace, part))
        offset += len(part) + 2
    return Substituted("$".join(parts), " ".join(references))
