"""The stages of a call at which something can happen, and the names that exist only at some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

Stage = Literal["enter", "return", "raise"]
STAGES: tuple[Stage, ...] = ("enter", "return", "raise")

#: The names for the outcome of a call.
OUTCOME_NAMES = frozenset({"result", "error"})
#: Which of them exist at each stage.
OUTCOME_NAMES_AT: Mapping[Stage, frozenset[str]] = {
    "enter": frozenset(),
    "return": frozenset({"result"}),
    "raise": frozenset({"error"}),
}


def is_readable(names: Iterable[str], stage: Stage) -> bool:
    """Whether an expression with these names is evaluated at a stage.

    If it reads ``result`` or ``error``, at least one of those it reads has to exist there.
    """
    outcome = OUTCOME_NAMES.intersection(names)
    return not outcome or bool(outcome & OUTCOME_NAMES_AT[stage])
