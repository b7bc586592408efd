"""What rewrites of spans have in common."""

from __future__ import annotations

from collections.abc import Callable

from .compare import NormalSpan

Rewrite = Callable[[str, list[NormalSpan]], None]
"""Changes the spans of a scenario, whose name it receives."""


def all_spans(trees: list[NormalSpan]) -> list[NormalSpan]:
    """The spans of all traces."""
    return [span for tree in trees for span in tree.walk()]
