"""What keeps expressions of all specs from loading data and from changing the objects that they read."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.patching.cached_properties import CachedProperties
from opentelemetry.instrumentation.declarative.patching.loader_guards import LOADERS, LoaderGuards


class ReadingGuards:
    """The guards of the libraries that this package knows."""

    def __init__(self) -> None:
        self._guards = (LoaderGuards(LOADERS), CachedProperties())  # a missing loader is not the user's concern

    def install(self) -> None:
        """Install those that are not installed."""
        for guard in self._guards:
            guard.install()

    def remove(self) -> None:
        """Restore what was there before."""
        for guard in reversed(self._guards):
            guard.remove()
