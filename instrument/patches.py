"""Patches: waiting for a module, putting wrappers in, taking them out exactly. The only importer of wrapt."""

from __future__ import annotations

import functools
import importlib
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

    def undo(self) -> None:
        """Put back the very objects that were there. Where somebody has wrapped ours since, ours passes through."""
        with self._lock:
            self._active = False
            for place, ours, wrapper in reversed(self._done):
                wrapper.pass_through()
                if vars(place.owner).get(place.name) is not ours:
                    continue
                if place.held is _ABSENT:
                    delattr(place.owner, place.name)
                else:
                    setattr(place.owner, place.name, place.held)
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

    def _patch(self, call: CallPlan) -> None:
        module = sys.modules[call.target.module]
        place = self._tap_place(call) if call.tap else find(module, call)
        raw, rewrap = unwrap(place.found, call)
        wrapper = make_wrapper(call, raw, self._runtime)
        for problem in wrapper.problems:
            self._report(problem)
        if wrapper.function is None:
            return
        ours = rewrap(_proxy(raw, wrapper.function) if wrapper.foreign else wrapper.function)
        try:
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
            module.__name__
            for module in list(sys.modules.values())
            if isinstance(module, types.ModuleType)
            and module is not place.owner
            and any(value is place.found for value in list(vars(module).values()))
        ]
        if holders:
            logger.warning(
                "%s: %s was imported by name before it could be patched, in: %s. Calls from there are not seen: "
                "start the program under opentelemetry-instrument, or instrument before that import.",
                call.target.mark,
                call.target,
                ", ".join(sorted(holders)),
            )


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
            near = closest(step, dir(owner))
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
    """What a class or module holds under a name, as it is held: no descriptor is asked."""
    for place in owner.__mro__ if isinstance(owner, type) else (owner,):
        if name in vars(place):
            return vars(place)[name]
    return _ABSENT


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
        return held.fget, lambda getter: type(held)(getter, held.fset, held.fdel, held.__doc__)
    if isinstance(held, type) or not callable(held):
        what = (
            "a class: hook its __init__"
            if isinstance(held, type)
            else f"a {type(held).__name__}, which cannot be called"
        )
        raise PatchError(Problem(call.target.mark, "not-callable", f"{call.target} is {what}"))
    return held, lambda function: function


def _proxy(original: Any, function: types.FunctionType) -> Any:
    """A builtin, or whatever else is no Python function, in a proxy that still looks like it."""
    return wrapt.FunctionWrapper(original, function)
