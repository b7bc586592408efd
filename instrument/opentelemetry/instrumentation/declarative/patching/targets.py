"""Where a callable hangs, what of it is the raw callable, and what hangs there instead. The only importer of wrapt."""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import wrapt
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, closest
from opentelemetry.instrumentation.declarative.language.spec_model import Target
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, TapPlan

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


def load(target: Target) -> Any:
    """The object that a target names; imports its module. Raises PatchError where there is none."""
    found: Any = imported(target.module, target.mark)
    for step in target.path.split("."):
        try:
            found = getattr(found, step)
        except AttributeError as error:
            near = closest(step, dir(found))
            message = f"{target} cannot be found: {error}"
            mend = f'did you mean "{near}"?' if near else None
            raise PatchError(Problem(target.mark, "target-missing", message, mend)) from None
    return found


def load_function(target: Target) -> Callable[..., Any]:
    """The function that expressions call by a name of the spec's. Raises PatchError where there is none."""
    found = load(target)
    if callable(found):
        return found  # type: ignore[no-any-return]
    message = f"{target} is a {type(found).__name__}, which cannot be called"
    raise PatchError(Problem(target.mark, "not-callable", message, "name a function"))


def load_functions(
    functions: Mapping[str, Target], report: Callable[[Problem], object]
) -> dict[str, Callable[..., Any]]:
    """The functions of a spec; ``nothing`` in the place of one that cannot be found, which is reported."""
    found: dict[str, Callable[..., Any]] = {}
    for name, target in functions.items():
        try:
            found[name] = load_function(target)
        except PatchError as error:
            report(error.problem)
            found[name] = nothing
    return found


def nothing(*_values: Any) -> None:
    """In the place of a function that cannot be found: what it gives is missing."""


def imported(module: str, mark: Mark) -> types.ModuleType:
    """The module with this name. Raises PatchError where it cannot be imported, whatever the reason."""
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            raise PatchError(no_module(str(error.name), mark)) from None
        if isinstance(error, ModuleNotFoundError) and error.name and _top(error.name) != _top(module):
            message = f"{module} needs {_top(error.name)}, which is not installed here: what hooks it stays off"
            raise PatchError(Problem(mark, "not-installed", message, "install it and check again")) from None
        said = "it ends the program" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
        message = f"{module} cannot be imported: {said}"
        raise PatchError(Problem(mark, "cannot-import", message, "import it by itself to see where it fails")) from None


def _top(module: str) -> str:
    return module.partition(".")[0]


def no_module(module: str, mark: Mark) -> Problem:
    """The problem that there is no module with this name, though its package may be there."""
    package, _, name = module.rpartition(".")
    there = sys.modules.get(package)
    if there is None:
        message = f"there is no module {name or module}: nothing that is installed here has it"
        return Problem(mark, "target-missing", message, "install what has it, or mend the name")
    from pkgutil import iter_modules

    near = closest(name, (each.name for each in iter_modules(getattr(there, "__path__", []))))
    return Problem(
        mark,
        "target-missing",
        f"{package} has no module {name}: {release(there)}what hooks it stays off",
        f'did you mean "{near}"?' if near else None,
    )


def pass_through(spec: str, tap: TapPlan) -> type:
    """The pass-through of a tap: a subclass of the library's own class, on which only our hooks hang."""
    base = load(tap.base)
    why = f"it is a {type(base).__name__}"
    if isinstance(base, type):
        try:
            named = {"__module__": __name__, "__doc__": "A pass-through of instrument."}
            return type(f"{spec}_{tap.name}", (base,), named)
        except TypeError as error:
            why = str(error)
    message = f"{tap.base} is no class that can be extended: {why}"
    raise PatchError(Problem(tap.base.mark, "not-a-class", message, "name the class to extend"))


def place_of(call: CallPlan, tap: Callable[[str], type]) -> Place:
    """Where the callable of a plan hangs; its module has been imported. Raises PatchError where there is none.

    A tap's methods hang on our own subclass, which ``tap`` gives; what they pass to is the base's.
    """
    owner = tap(call.tap) if call.tap else None
    place = find(sys.modules[call.target.module], call)
    if owner is None:
        return place
    return Place(owner, place.name, vars(owner).get(place.name, ABSENT), place.found)


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


def cannot_patch(call: CallPlan, error: BaseException) -> PatchError:
    """What is raised where nothing else can be put into the place of a callable."""
    message = f"{call.target} cannot be patched: {error}"
    return PatchError(Problem(call.target.mark, "cannot-patch", message, "hook a Python callable that calls it"))


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
