"""Keeps expressions from loading data: the functions of a library that load are refused to our own reading.

An attribute that an ORM loads lazily is missing while it is not loaded. Reading an attribute that is loaded costs
nothing more, because only the functions that load are replaced.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.patching.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.patching.targets import MISSING, static_attribute
from opentelemetry.instrumentation.declarative.runtime.own_reading import refusing


class Loader(NamedTuple):
    """A function that loads data: its module, and its names in several releases, of which one exists."""

    module: str
    paths: tuple[str, ...]


#: The functions that each read of unloaded data enters first, before the library has changed anything: an error in the
#: middle of a flush would roll back the transaction of the program. None of them is entered when data is written.
LOADERS = (
    # Attributes that are expired, deferred or lazy.
    Loader(
        "sqlalchemy.orm.attributes",
        ("AttributeImpl._fire_loader_callables", "_AttributeImpl._fire_loader_callables"),
    ),
    Loader("sqlalchemy.orm.session", ("Session._execute_internal", "Session.execute")),
    # Before a query; the program flushes itself.
    Loader("sqlalchemy.orm.session", ("Session.flush",)),
    # Evaluated by query sets, related managers, and descriptors of deferred fields and relations.
    *(
        Loader("django.db.models.query", (f"{name}.__iter__",))
        for name in ("ModelIterable", "ValuesIterable", "ValuesListIterable", "FlatValuesListIterable")
    ),
    Loader("django.db.models.sql.query", ("Query.get_aggregation",)),
    Loader("django.db.models.sql.query", ("Query.has_results",)),
    Loader("django.utils.functional", ("SimpleLazyObject._setup",)),
)


class LoaderGuards:
    """The guards of some loaders: installed when their modules are imported, and removed exactly."""

    def __init__(self, loaders: Iterable[Loader]) -> None:
        self._loaders = tuple(loaders)
        self._cancel_waits: list[Callable[[], None]] = []
        #: Where a guard was put: the class, the name, what it held, and the guard.
        self._guards: list[tuple[Any, str, Any, Any]] = []

    def install(self) -> None:
        """Guard the loaders of modules that are imported, and the others when they are imported."""
        if not self._cancel_waits:
            self._cancel_waits = [
                when_imported(loader.module, functools.partial(self._guard, loader)) for loader in self._loaders
            ]

    def remove(self) -> None:
        """Restore what was there before, unless another tool has replaced it in the meantime."""
        for cancel in self._cancel_waits:
            cancel()
        self._cancel_waits.clear()
        for owner, name, before, guard in reversed(self._guards):
            if vars(owner).get(name) is guard:
                setattr(owner, name, before)
        self._guards.clear()

    def _guard(self, loader: Loader) -> None:
        try:
            module = sys.modules[loader.module]
            for path in loader.paths:
                *steps, name = path.split(".")
                owner = functools.reduce(static_attribute, steps, module)
                before: Any = MISSING if owner is MISSING else vars(owner).get(name, MISSING)
                if before is MISSING:
                    continue
                if not any(before is guard for _, _, _, guard in self._guards):
                    guard: Any = refusing(before, f"{loader.module}:{path}")
                    setattr(owner, name, guard)
                    self._guards.append((owner, name, before, guard))
                return
            logger.debug("%s has none of %s", loader.module, ", ".join(loader.paths))
        except Exception:  # this runs inside an import of the application
            logger.exception("%s could not be guarded. The application is not affected.", loader.module)
