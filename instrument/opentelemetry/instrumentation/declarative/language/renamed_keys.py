"""The keys of version 1 of the language, with what version 2 has instead."""

from __future__ import annotations

from collections.abc import Mapping

#: By the definition of the node and the old key: the help for who uses it.
RENAMED_KEYS: Mapping[tuple[str, str], str] = {
    ("spec", "carried"): "it is called `context` in version 2",
}
