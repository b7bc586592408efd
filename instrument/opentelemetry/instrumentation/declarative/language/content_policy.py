"""The policy for attributes that are marked as content: not recorded, recorded in full, truncated, or hashed."""

from __future__ import annotations

import re
from typing import NamedTuple

_TRUNCATE = re.compile(r"truncate:([1-9][0-9]{0,8})")


class ContentPolicy(NamedTuple):
    """How content is recorded. ``max_length`` is in characters; None means no limit."""

    recorded: bool
    max_length: int | None = None
    hashed: bool = False


NO_CONTENT = ContentPolicy(recorded=False)
FULL_CONTENT = ContentPolicy(recorded=True)


def parse_content_policy(value: str) -> ContentPolicy | None:
    """The policy that ``full``, ``truncate:N`` or ``sha256`` stands for; None for any other text."""
    if value == "full":
        return FULL_CONTENT
    if value == "sha256":
        return ContentPolicy(True, hashed=True)
    found = _TRUNCATE.fullmatch(value)
    return ContentPolicy(True, int(found[1])) if found else None
