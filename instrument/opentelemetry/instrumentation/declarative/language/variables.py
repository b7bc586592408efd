"""References to environment variables in the values of a spec, as in OpenTelemetry's configuration files.

Source: https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution
"""

import os
import re
from typing import NamedTuple

_REFERENCE = re.compile(r"\$\{(?:(?:env:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}\r\n]*))?|[^}\r\n]*)\}")


class BadReference(Exception):
    """A ``${…}`` that does not name a variable: its offset in the value, and its text."""

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(offset, text)
        self.offset = offset
        self.text = text


class Substitution(NamedTuple):
    """A value with its references replaced, and the references as they were written, separated by spaces."""

    value: str
    references: str


def substitute_variables(text: str) -> Substitution:
    """Replace each ``${NAME}`` with the variable, or with its default if the variable is empty, and ``$$`` with ``$``.

    The values of variables are not substituted again. Raises BadReference.
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
    return Substitution("$".join(parts), " ".join(references))
