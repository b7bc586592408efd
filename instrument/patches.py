"""Patches: waiting for a module, putting wrappers in, taking them out exactly. The only importer of wrapt."""

from __future__ import annotations

import copy
import functools
import importlib
import importlib.util
import itertools
import logging
import sys
import threading
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import wrapt

from instrument.plan.model import CallPlan
from instrument.problems import Mark, Problem, closest
from instrument.wrappers import Runtime, Wrapper, make_wrapper

logger = logging.getLogger("instrument")

_ABSENT = object()


class PatchError(Exception):
    """A callable cannot be patched; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a callable hangs: its owner, the name there, and what the owner itself holds under it."""

    owner: Any
    name: str
    held: Any
    found: Any


#: Wrappers that are undone and that another still covers, by their id, with what they replaced. When the other goes
#: and is one of ours, from another spec, what it covered is not put back: what was there before all of them is.
_covered: dict[int, tuple[Any, Any]] = {}


def _put_back(place: _Place) -> None:
    held = place.held
    while id(held) in _covered:
        _, held = _covered.pop(id(held))
    if held is _ABSENT:
        delattr(place.owner, place.name)
    else:
        setattr(place.owner, place.name, held)


class Patches:
    """All patches of one spec. Safe to use from several threads: imports happen where they like."""

    def __init__(self, calls: Iterable[CallPlan], runtime: Runtime, report: Callable[[Problem], None]) -> None:
        self._calls = list(calls)
        self._runtime = runtime
        self._report = report
        self._active = False
        self._done: list[tuple[_Place, Any, Wrapper]] = []
        self._lock = threading.RLock()

    def wait(self) -> None:
        """Patch every module that is there; for each of the others wait until it has been imported."""
        self._active = True
        for module in dict.fromkeys(call.target.module for call in self._calls):
            when_imported(module, functools.partial(self._imported, module))
            *packages, _ = itertools.accumulate(module.split("."), "{}.{}".format)
            for package in packages:
                when_imported(package, functools.partial(self._package_imported, package, module))

    def undo(self) -> None:
        """Put back the very objects that were there. Where somebody has wrapped ours since, ours passes through."""
        with self._lock:
            self._active = False
            for place, ours, wrapper in reversed(self._done):
                wrapper.pass_through()
                if vars(place.owner).get(place.name) is ours:
                    _put_back(place)
                else:
                    _covered[id(ours)] = ours, place.held
            self._done.clear()

    @property
    def sources(self) -> dict[str, str]:
        """The generated source of every wrapper that is in place, by the callable it stands for."""
        return {str(wrapper.target): wrapper.source for _, _, wrapper in self._done}

    def _imported(self, name: str) -> None:
        with self._lock:
            if not self._active:
                return
            for call in self._calls:
                if call.target.module != name:
                    continue
                try:
                    self._patch(call)
                except PatchError as error:
                    self._report(error.problem)
                except Exception:
                    # Whatever it is, it may not break the import that the host is in the middle of.
                    logger.exception(
                        "%s: %s cannot be patched. The program runs on without it.", call.target.mark, call.target
                    )

    def _package_imported(self, package: str, module: str) -> None:
        """Say so where a package has nothing by which a module inside it could ever be imported."""
        name = module[len(package) + 1 :].partition(".")[0]
        inside = f"{package}.{name}"
        if not self._active or inside in sys.modules:
            return
        try:
            if _is_there(inside):
                return
            mark = next(call.target.mark for call in self._calls if call.target.module == module)
            release = _release(sys.modules[package])
            self._report(
                Problem(mark, "target-missing", f"{package} has no module {name}: {release}what hooks it stays off")
            )
        except Exception:  # a finder of somebody's: the host is in the middle of an import
            logger.exception("whether there is a module %s cannot be told. The program runs on.", inside)

    def _patch(self, call: CallPlan) -> None:
        module = sys.modules[call.target.module]
        place = self._tap_place(call) if call.tap else find(module, call)
        raw, rewrap = unwrap(place.found, call)
        wrapper = make_wrapper(call, raw, self._runtime)
        for problem in wrapper.problems:
            self._report(problem)
        if wrapper.function is None:
            return
        try:
            ours = rewrap(_Proxy(raw, wrapper.function) if wrapper.foreign else wrapper.function)
            setattr(place.owner, place.name, ours)
        except (TypeError, AttributeError) as error:
            raise PatchError(
                Problem(
                    call.target.mark,
                    "cannot-patch",
                    f"{call.target} cannot be patched: {error}",
                    "hook a Python callable that calls it",
                )
            ) from None
        self._done.append((place, vars(place.owner)[place.name], wrapper))
        if isinstance(place.owner, types.ModuleType):
            self._warn_of_copies(call, place)

    def _tap_place(self, call: CallPlan) -> _Place:
        """A tap's methods hang on our own subclass; what they pass to is the base's."""
        assert call.tap is not None
        tap = self._runtime.tap(call.tap)
        name = call.target.path.rsplit(".", 1)[1]
        found = find(sys.modules[call.target.module], call).found
        return _Place(tap, name, vars(tap).get(name, _ABSENT), found)

    def _warn_of_copies(self, call: CallPlan, place: _Place) -> None:
        """Say where `from module import function` has already carried the function to: there it stays unpatched."""
        holders = [
            name
            for name, module in list(sys.modules.items())
            if isinstance(module, types.ModuleType)
            and module is not place.owner
            and any(value is place.found for value in list(_contents(module).values()))
        ]
        if holders:
            logger.warning(
                "%s: %s was imported by name before it could be patched, in: %s. Calls from there are not seen: "
                "start the program under opentelemetry-instrument, or instrument before that import.",
                call.target.mark,
                call.target,
                ", ".join(sorted(holders)),
            )


def _contents(module: types.ModuleType) -> dict[str, Any]:
    """What a module holds; a lazy one, which any ordinary look would import, is left asleep."""
    found: dict[str, Any] = object.__getattribute__(module, "__dict__")
    return found


def when_imported(module: str, act: Callable[[], None]) -> None:
    """Act once the module has been imported; now if it is there already. ``act`` must not raise."""
    wrapt.register_post_import_hook(lambda _module: act(), module)


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


def find(module: types.ModuleType, call: CallPlan) -> _Place:
    """Where the callable of a plan hangs in its module. Raises PatchError where the module has no such name."""
    owner: Any = module
    *way, name = call.target.path.split(".")
    for index, step in enumerate((*way, name)):
        found = _static(owner, step)
        if found is _ABSENT:
            where = ".".join([module.__name__, *way[:index]])
            near = closest(step, (name for name in dir(owner) if _static(owner, name) is not _ABSENT))
            raise PatchError(
                Problem(
                    call.target.mark,
                    "target-missing",
                    f"{where} has no {step}: {_release(module)}what hooks it stays off",
                    f'did you mean "{near}"?' if near else None,
                )
            )
        if index < len(way):
            owner = found
    return _Place(owner, name, vars(owner).get(name, _ABSENT), found)


def _static(owner: Any, name: str) -> Any:
    """What a class or module holds under a name, as it is held: no descriptor is asked.

    What only ``object`` holds does not count: its ``__init__`` and ``__new__`` refuse the arguments that they let pass
    in a class which has just the other of the two, as soon as that class has a wrapper of them.
    """
    for place in owner.__mro__ if isinstance(owner, type) else (owner,):
        if place is not object and name in vars(place):
            return vars(place)[name]
    return _ABSENT


def _is_there(module: str) -> bool:
    """Whether a module can be imported whose package has been. What was a package may be a module now."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _release(module: types.ModuleType) -> str:
    """The installed release that the module comes from, as words for a message."""
    from importlib import metadata

    top = module.__name__.partition(".")[0]
    for name in metadata.packages_distributions().get(top, ()):
        return f"{name} {metadata.version(name)} is installed; "
    return ""


def unwrap(held: Any, call: CallPlan) -> tuple[Any, Callable[[Any], Any]]:
    """The raw callable in what an owner holds, and how to put another into its place. Raises PatchError."""
    if isinstance(held, (staticmethod, classmethod)):
        return held.__func__, type(held)
    if isinstance(held, property) and held.fget is not None:
        return held.fget, functools.partial(_with_getter, held)
    if isinstance(held, functools.cached_property):
        return held.func, functools.partial(_with_function, held)
    if isinstance(held, type) or not callable(held):
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
    """How a proxy is copied and pickled: as that which it stands for, or by its name where it hangs there itself."""

    __slots__ = ()

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


class _Proxy(_AsWrapped, wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """A builtin, or whatever else is no Python function, in a proxy that still looks like it."""

    __bound_function_wrapper__ = _BoundProxy
