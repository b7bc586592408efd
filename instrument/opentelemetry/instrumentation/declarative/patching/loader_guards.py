"""Keeps expressions from loading data: the functions of a library that load are refused to our own reading.

An attribute that an ORM loads lazily is missing while it is not loaded. Reading an attribute that is loaded costs
nothing more, because only the functions that load are replaced.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import PatchError
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import MISSING
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint, find_patch_point, unwrap
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import UNKNOWN, answering, refusing

#: The functions that each read of unloaded data enters first, before the library has changed anything: an error in the
#: middle of a flush would roll back the transaction of the program. None of them is entered when data is written. A
#: release has one of those that differ in their names only.
_LOADERS = {
    # Attributes that are expired, deferred or lazy.
    "sqlalchemy.orm.attributes": (
        "AttributeImpl._fire_loader_callables",
        "_AttributeImpl._fire_loader_callables",
    ),
    # Queries, and the flush before some of them.
    "sqlalchemy.orm.session": ("Session.execute", "Session._execute_internal", "Session.flush"),
    # Evaluated by query sets, related managers, and descriptors of deferred fields and relations.
    "django.db.models.query": (
        "ModelIterable.__iter__",
        "ValuesIterable.__iter__",
        "ValuesListIterable.__iter__",
        "FlatValuesListIterable.__iter__",
    ),
    "django.db.models.sql.query": ("Query.get_aggregation", "Query.has_results"),
    "django.utils.functional": ("SimpleLazyObject._setup",),
}


def _sqlalchemy_key(attribute: Any, state: Any, dict_: Any, *_passive: Any, **_more: Any) -> Any:
    """The value of an expired attribute of SQLAlchemy that is a part of the primary key, from the object's identity.

    The attribute remains expired. ``attribute`` is SQLAlchemy's implementation of it.
    """
    name = attribute.key
    if name in dict_ or state.key is None or name not in state.expired_attributes:
        return UNKNOWN
    mapper = state.manager.mapper
    columns = getattr(mapper.attrs.get(name), "columns", ())  # a relationship has none
    for column, value in zip(mapper.primary_key, state.key[1], strict=False):
        if any(column is each for each in columns):
            return value
    return UNKNOWN


#: The functions that get a value that is not loaded, and what is known of it without loading.
_KNOWN: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("sqlalchemy.orm.attributes", "AttributeImpl.get"): _sqlalchemy_key,
    ("sqlalchemy.orm.attributes", "_AttributeImpl.get"): _sqlalchemy_key,
}
LOADERS = tuple(
    Target(module, path, Mark(__file__, 1, 1))
    for module, path in (*((module, path) for module, paths in _LOADERS.items() for path in paths), *_KNOWN)
)


def ignore(_problem: Problem) -> None:
    """Do not report that a release lacks a loader."""


class LoaderGuards:
    """The guards of some loaders: installed when their modules are imported, and removed exactly.

    ``report`` receives the problem of a loader that does not exist or cannot be replaced.
    """

    def __init__(self, loaders: Iterable[Target], report: Callable[[Problem], None] = ignore) -> None:
        self._loaders = tuple(loaders)
        self._report = report
        self._cancel_waits: list[Callable[[], None]] = []
        #: Where a guard was put, and the guard.
        self._guards: list[tuple[PatchPoint, Any]] = []

    def install(self) -> None:
        """Guard the loaders of modules that are imported, and the others when they are imported."""
        if not self._cancel_waits:
            self._cancel_waits = [
                when_imported(loader.module, functools.partial(self._guard, loader)) for loader in self._loaders
            ]

    def change(self, loaders: Iterable[Target]) -> None:
        """Guard other loaders instead."""
        self.remove()
        self._loaders = tuple(loaders)
        self.install()

    def remove(self) -> None:
        """Restore what was there before, unless another tool has replaced it in the meantime."""
        for cancel in self._cancel_waits:
            cancel()
        self._cancel_waits.clear()
        for point, guard in reversed(self._guards):
            if vars(point.owner).get(point.name) is not guard:
                continue
            if point.own_value is MISSING:
                delattr(point.owner, point.name)
            else:
                setattr(point.owner, point.name, point.own_value)
        self._guards.clear()

    def _guard(self, loader: Target) -> None:
        try:
            call = CallPlan(loader)
            point = find_patch_point(sys.modules[loader.module], call)
            if any(point.own_value is guard for _, guard in self._guards):
                return
            raw, rewrap = unwrap(point.value, call)
            known = _KNOWN.get((loader.module, loader.path))
            guard = rewrap(refusing(raw, str(loader)) if known is None else answering(raw, known))
            setattr(point.owner, point.name, guard)
            self._guards.append((point, guard))
        except PatchError as error:
            self._report(error.problem)
        except Exception:  # this runs inside an import of the program
            logger.exception("%s could not be guarded. The program is not affected.", loader)
