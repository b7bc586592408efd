"""Span processors that are added to tracer providers while a program runs."""

from __future__ import annotations

import weakref
from typing import Any


class AddedProcessor:
    """A span processor, as the SDK calls it. It is added to a provider only once, and cannot be removed from it."""

    def __init__(self) -> None:
        self._providers: weakref.WeakSet[Any] = weakref.WeakSet()

    def is_added_to(self, provider: Any) -> bool:
        return provider in self._providers

    def add_to(self, provider: Any) -> None:
        """See the spans that this provider starts from now on. Providers of the API alone have no processors."""
        add = getattr(provider, "add_span_processor", None)
        if add is not None and provider not in self._providers:
            self._providers.add(provider)
            add(self)

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Called in the thread that starts a recorded span."""

    def on_end(self, span: Any) -> None:
        """Called in the thread that ends a recorded span."""

    def _on_ending(self, span: Any) -> None:
        """Called by newer releases of the SDK."""

    def shutdown(self) -> None:
        """Nothing to do."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True
