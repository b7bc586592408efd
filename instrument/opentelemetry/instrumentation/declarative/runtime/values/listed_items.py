"""The items of a list, for each of which something happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS
from opentelemetry.instrumentation.declarative.expressions.sequences import first_items


def listed_items(failed: Callable[[Exception], None], value: Any) -> Sequence[Any]:
    """Return the items of a list; none if the value is None. That a list is cut goes to ``failed``.

    Raises TypeError if the value is not a list or another collection that can be read again.
    """
    if value is None:
        return ()
    found, has_more = first_items(value)
    if has_more:
        failed(ValueError(f"the list has more than {MAX_ITEMS} items: the others are left out"))
    return found
