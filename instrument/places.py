"""Where a callable hangs, what of it is the raw callable, and what hangs there instead. The only importer of wrapt."""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import wrapt

from instrument.plan.model import CallPlan
from instrument.problems import Mark, Problem, closest

ABSENT: Any = object()

#: Not to be called themselves, but what they give when they are looked up on a class or an instance is.
_MADE_OF_METHODS = (functools.partialmethod, functools.singledispatchmethod)


class PatchError(Exception):
    """A callable cannot be patched; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Place:
    """Where a callable hangs: its owner, the name there, and what the owner itself holds under it."""

    owner: Any
    name: str
    held: Any
    found: Any


def load(path: str, mark: Mark) -> Any:
    """The object that ``module:name`` names; imports the module. Raises PatchError where there is none."""
    module, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for step in name.split("."):
            found = getattr(found, step)
    except (ImportError, AttributeError) as error:
        raise PatchError(Problem(mark, "target-missing", f"{path} cannot be found: {error}")) from None
    return found


def find(module: types.ModuleType, call: CallPlan) -> Place:
    """Where the callable of a plan hangs in its module. Raises PatchError where the module has no such name."""
    owner: Any = module
    *way, name = call.target.path.split(".")
    for index, step in enumerate((*way, name)):
        found = static(owner, step)
        if found is ABSENT:
            where = ".".join([module.__name__, *way[:index]])
            near = closest(step, (name for name in dir(owner) if static(owner, name) is not ABSENT))
            raise PatchError(
                Problem(
                    call.target.mark,
                    "target-missing",
                    f"{where} has no {step}: {release(module)}what hooks it stays off",
                    f'did you mean "{near}"?' if near else None,
                )
            )
        if index < len(way):
            owner = found
    return Place(owner, name, vars(owner).get(name, ABSENT), found)


def static(owner: Any, name: str) -> Any:
    """What a class or module holds under a name, as it is held: no descriptor is asked.

    What only ``object`` holds does not count: its ``__init__`` and ``__new__`` refuse the arguments that they let pass
    in a class which has just the other of the two, as soon as that class has a wrapper of them.
    """
    for place in owner.__mro__ if isinstance(owner, type) else (owner,):
        if place is not object and name in vars(place):
            return vars(place)[name]
    return ABSENT


def release(module: types.ModuleType) -> str:
    """The installed release that the module comes from, as words for a message."""
    from importlib import metadata

    top = module.__name__.partition(".")[0]
    # Python 3.10 knows this only of distributions that say so themselves: then the one of the same name is meant.
    for name in metadata.packages_distributions().get(top, (top,)):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return f"{name} {metadata.version(name)} is installed; "
    return ""


def unwrap(held: Any, call: CallPlan) -> tuple[Any, Callable[[Any], Any]]:
    """The raw callable in what an owner holds, and how to put another into its place. Raises PatchError."""
    kind = type(held)  # a proxy of somebody else's calls itself what it stands for
    if issubclass(kind, (staticmethod, classmethod)):
        return held.__func__, kind
    if issubclass(kind, property) and held.fget is not None:
        return held.fget, functools.partial(_with_getter, held)
    if issubclass(kind, functools.cached_property):
        return held.func, functools.partial(_with_function, held)
    if isinstance(held, type) or not (callable(held) or isinstance(held, _MADE_OF_METHODS)):
        what = (
            "a class: hook its __init__"
            if isinstance(held, type)
            else f"a {type(held).__name__}, which cannot be called"
        )
        raise PatchError(Problem(call.target.mark, "not-callable", f"{call.target} is {what}"))
    return held, lambda function: function


def _with_getter(held: property, getter: Any) -> property:
    """The property with another getter. One of a subclass keeps what it holds besides."""
    changed = held.getter(getter)
    if hasattr(held, "__dict__"):
        vars(changed).update(vars(held))
    return changed


def _with_function(held: functools.cached_property[Any], function: Any) -> functools.cached_property[Any]:
    changed = copy.copy(held)
    changed.func = function
    return changed


class _AsWrapped:
    """How a proxy is shown, copied and pickled: as what it stands for, or by its name where it hangs there itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(self.__wrapped__)  # type: ignore[attr-defined]

    def __reduce_ex__(self, protocol: Any) -> Any:
        wrapped: Any = self.__wrapped__  # type: ignore[attr-defined]
        found = wrapped.__reduce_ex__(protocol)
        if not isinstance(found, str):
            return found
        there: Any = sys.modules.get(wrapped.__module__)
        for step in found.split("."):
            there = getattr(there, step, None)
        return found if there is self else (copy.copy, (wrapped,))

    def __copy__(self) -> Any:
        wrapped: Any = self.__wrapped__  # type: ignore[attr-defined]
        copied = copy.copy(wrapped)
        return self if copied is wrapped else copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        wrapped: Any = self.__wrapped__  # type: ignore[attr-defined]
        copied = copy.deepcopy(wrapped, memo)
        return self if copied is wrapped else copied


class _BoundProxy(_AsWrapped, wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]
    pass


class Proxy(_AsWrapped, wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """A builtin, or whatever else is no Python function, in a proxy that still looks like it."""

    __bound_function_wrapper__ = _BoundProxy
