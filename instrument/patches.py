"""Patches: putting wrappers in, when their modules are there, and taking them out exactly."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import sys
import threading
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from instrument.elsewhere import copied, copies_of, renamed
from instrument.imports import is_run_as_main, when_any_imported, when_imported
from instrument.log import logger
from instrument.places import ABSENT, PatchError, Place, Proxy, cannot_patch, no_module, place_of, unwrap
from instrument.plan.model import CallPlan, Plan
from instrument.problems import Problem
from instrument.reach import Reached
from instrument.runtime.forks import forget_in_children
from instrument.wrappers import Runtime, Wrapper, make_wrapper


@dataclass(frozen=True, slots=True)
class _Done:
    """A patch that is in place: for what call of the plan, where, and the object of ours that hangs there."""

    call: CallPlan
    place: Place
    ours: Any
    wrapper: Wrapper

    def covers(self, owner: Any, name: str) -> bool:
        return self.place.owner is owner and self.place.name == name

    @property
    def hangs(self) -> bool:
        """Whether nobody has put anything else there since."""
        return vars(self.place.owner).get(self.place.name) is self.ours


_LOOK = types.ModuleType.__getattribute__

#: Wrappers that are undone and that another still covers, by their id, with what they replaced. When the other goes
#: and is one of ours, from another spec, what it covered is not put back: what was there before all of them is.
_covered: dict[int, tuple[Any, Any]] = {}


def _put_back(place: Place) -> None:
    held = place.held
    while id(held) in _covered:
        _, held = _covered.pop(id(held))
    if held is ABSENT:
        delattr(place.owner, place.name)
    else:
        setattr(place.owner, place.name, held)


class Patches:
    """All patches of one spec. Safe to use from several threads: imports happen where they like."""

    def __init__(
        self, plan: Plan, runtime: Runtime, report: Callable[[Problem], None], *, copies: bool = False
    ) -> None:
        self._calls = plan.calls
        self._reached = Reached(plan, report)
        self._runtime = runtime
        self._report = report
        self._copies = copies
        self._active = False
        self._done: list[_Done] = []
        #: Wrappers of what a reload has replaced; whoever took one of them by name still calls it.
        self._outdated: list[Wrapper] = []
        self._waits: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        forget_in_children(self)

    def forget(self) -> None:
        """In a child process: who held the lock is not there."""
        self._lock = threading.RLock()

    def wait(self) -> None:
        """Patch every module that is there; for each of the others wait until it has been imported."""
        self._active = True
        first = {call.target.module: call.target.mark for call in reversed(self._calls)}
        for module in dict.fromkeys(call.target.module for call in self._calls):
            if is_run_as_main(module):
                logger.warning(
                    "%s: %s is run by python -m, under the name __main__: what hooks it is not seen. "
                    "Start the program from a module of its own, which imports %s.",
                    first[module],
                    module,
                    module,
                )
            self._waits.append(when_imported(module, functools.partial(self._imported, module)))
            *packages, _ = itertools.accumulate(module.split("."), "{}.{}".format)
            for package in packages:
                act = functools.partial(self._package_imported, package, module)
                self._waits.append(when_imported(package, act))
        for meant in self._reached.awaited:
            self._waits.append(when_any_imported(meant, self._imported))
        for module in self._reached.above:
            self._waits.append(when_imported(module, self._look_again))

    def undo(self) -> None:
        """Put back the very objects that were there. Where somebody has wrapped ours since, ours passes through."""
        with self._lock:
            self._active = False
            for stop in self._waits:
                stop()
            self._waits.clear()
            for wrapper in self._outdated:
                wrapper.pass_through()
            self._outdated.clear()
            for done in reversed(self._done):
                done.wrapper.pass_through()
                if done.hangs:
                    _put_back(done.place)
                else:
                    _covered[id(done.ours)] = done.ours, done.place.held
            self._done.clear()

    @property
    def sources(self) -> dict[str, str]:
        """The generated source of every wrapper that is in place, by the callable it stands for."""
        return {str(done.wrapper.target): done.wrapper.source for done in self._done}

    def _imported(self, name: str) -> None:
        with self._lock:
            if not self._active:
                return
            for call in self._calls_in(name):
                try:
                    self._patch(call)
                except PatchError as error:
                    self._report(error.problem)
                except Exception:
                    # Whatever it is, it may not break the import that the host is in the middle of.
                    logger.exception(
                        "%s: %s cannot be patched. The program runs on without it.", call.target.mark, call.target
                    )

    def _calls_in(self, name: str) -> list[CallPlan]:
        """The callables of a module that are hooked, by name or because they are among several."""
        named = [call for call in self._calls if call.target.module == name]
        try:
            return self._reached.joined(named, name)
        except Exception:
            logger.exception("what is met in %s cannot be told. The program runs on without it.", name)
            return named

    def _look_again(self) -> None:
        """A class has come that those which are met have to be below: some of them may be there already."""
        for name in list(sys.modules):
            if any(meant(name) for meant in self._reached.awaited):
                self._imported(name)

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
            self._report(no_module(inside, mark))
        except Exception:  # a finder of somebody's: the host is in the middle of an import
            logger.exception("whether there is a module %s cannot be told. The program runs on.", inside)

    def _patch(self, call: CallPlan) -> None:
        place = place_of(call, self._runtime.tap)
        before = next((done for done in self._done if done.covers(place.owner, place.name)), None)
        if before is not None and before.ours is place.held:
            if before.call is call:
                return  # the module has been loaded anew and has kept this
            place = before.place  # another hook has come to it
        raw, rewrap = unwrap(place.found, call)
        wrapper = make_wrapper(call, raw, self._runtime)
        for problem in wrapper.problems:
            self._report(problem)
        if wrapper.function is None:
            return
        try:
            ours = rewrap(Proxy(raw, wrapper.function) if wrapper.foreign else wrapper.function)
            setattr(place.owner, place.name, ours)
        except (TypeError, AttributeError) as error:
            raise cannot_patch(call, error) from None
        if before is not None:
            self._done.remove(before)
            self._outdated.append(before.wrapper)
        self._done.append(_Done(call, place, vars(place.owner)[place.name], wrapper))
        if self._copies:
            self._patch_copies(place, self._done[-1])
        for elsewhere in (copied(call, place), renamed(call, place, self._calls)):
            if elsewhere is not None:
                self._report(elsewhere)

    def _patch_copies(self, place: Place, done: _Done) -> None:
        """Patch the function where `from module import function` has carried it to before; undone like any other."""
        for _, module, name in list(copies_of(place)):
            # One with a way of its own to be looked at is left as it is, and said aloud.
            if type(module).__getattribute__ is _LOOK:
                setattr(module, name, done.ours)
                held = Place(module, name, place.found, place.found)
                self._done.append(_Done(done.call, held, done.ours, done.wrapper))


def _is_there(module: str) -> bool:
    """Whether a module can be imported whose package has been. What was a package may be a module now."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
