"""Other instrumentations in this process: which are active, and when that changes.

Every instrumentation of OpenTelemetry, and most others, has a subclass of ``BaseInstrumentor``. Its methods
``instrument`` and ``uninstrument`` are called by ``opentelemetry-instrument`` or by the program, at any time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

_METHODS = ("instrument", "uninstrument")


def active_instrumentation(modules: Iterable[str]) -> str | None:
    """The first of these modules with an instrumentor that is active, itself or in its package; None without one.

    No module is imported: an instrumentation that has not been imported is not active.
    """
    active = {type(each).__module__ for each in _active_instrumentors(BaseInstrumentor)}
    return next((name for name in modules if any(f"{one}.".startswith(f"{name}.") for one in active)), None)


def _active_instrumentors(base: type) -> Iterator[Any]:
    subclasses: list[type] = type.__subclasses__(base)
    for cls in subclasses:
        instance = vars(cls).get("_instance")
        if instance is not None and getattr(instance, "_is_instrumented_by_opentelemetry", False) is True:
            yield instance
        yield from _active_instrumentors(cls)


class InstrumentationWatch:
    """Calls a function after an instrumentor has been activated or deactivated."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._originals: dict[str, Any] = {}

    def start(self) -> None:
        """Watch, unless that has been started before."""
        if not self._originals:
            self._originals = {name: getattr(BaseInstrumentor, name) for name in _METHODS}
            for name, original in self._originals.items():
                setattr(BaseInstrumentor, name, self._watched(original))

    def stop(self) -> None:
        """Restore the methods, unless another tool has wrapped them since: then they only pass calls on."""
        self._changed = _nothing
        for name, original in self._originals.items():
            if getattr(getattr(BaseInstrumentor, name), "__wrapped__", None) is original:
                setattr(BaseInstrumentor, name, original)
        self._originals = {}

    def _watched(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def watched(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            try:
                self._changed()
            except Exception:
                logger.exception("specs could not give way to another instrumentation. The program is not affected.")
            return result

        return watched


def _nothing() -> None:
    pass
