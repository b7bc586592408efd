"""The stages of a call at which something can happen, and the names that exist only at some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

Stage = Literal["enter", "item", "return", "raise"]
STAGES: tuple[Stage, ...] = ("enter", "item", "return", "raise")
#: Those at which a call ends.
ENDS: tuple[Stage, ...] = ("return", "raise")

#: The names for what a result such as a stream has given: the last item, and the number of items.
ITEM_NAMES = frozenset({"last_item", "item_count"})
#: The names for the outcome of a call.
OUTCOME_NAMES = frozenset({"result", "error"}) | ITEM_NAMES
#: Which of them exist at each stage.
OUTCOME_NAMES_AT: Mapping[Stage, frozenset[str]] = {
    "enter": frozenset(),
    "item": ITEM_NAMES,
    "return": frozenset({"result"}) | ITEM_NAMES,
    "raise": frozenset({"error"}) | ITEM_NAMES,
}


def is_readable(names: Iterable[str], stage: Stage) -> bool:
    """Whether an expression with these names is evaluated at a stage.

    If it reads names for the outcome, at least one of those it reads has to exist there.
    """
    outcome = OUTCOME_NAMES.intersection(names)
    return not outcome or bool(outcome & OUTCOME_NAMES_AT[stage])
