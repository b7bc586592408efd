"""The limits of what is recorded of one value."""

from __future__ import annotations

#: The most items of a collection, and the most values in all collections together.
MAX_ITEMS = 1_000
MAX_VALUES = 10_000
