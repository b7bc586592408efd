"""Patches: putting wrappers in, when their modules are there, and taking them out exactly."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import itertools
import sys
import threading
from collections.abc import Callable, Container, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.bypasses import copied, copies_of, renamed
from opentelemetry.instrumentation.declarative.patching.import_hooks import (
    imported,
    is_asleep,
    is_run_as_main,
    when_any_imported,
    when_imported,
)
from opentelemetry.instrumentation.declarative.patching.matching import Reached
from opentelemetry.instrumentation.declarative.patching.patch import Done, still_held
from opentelemetry.instrumentation.declarative.patching.targets import (
    PatchError,
    Place,
    Proxy,
    cannot_patch,
    no_module,
    place_of,
    unwrap,
)
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan
from opentelemetry.instrumentation.declarative.runtime.forks import forget_in_children
from opentelemetry.instrumentation.declarative.wrappers import Former, Runtime, Wrapper, make_wrapper


@contextlib.contextmanager
def _refusing(call: CallPlan) -> Iterator[None]:
    """What a class or module has against a patch is a problem of the spec."""
    try:
        yield
    except (TypeError, AttributeError) as error:
        raise cannot_patch(call, error) from None


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
        self._done: list[Done] = []
        #: Wrappers of what a reload has replaced; whoever took one of them by name still calls it.
        self._outdated: list[Done] = []
        #: Functions of earlier plans that pass through, and what they stood for: a later plan may hook it again.
        self._passing: list[tuple[Place, tuple[Former, ...]]] = []
        #: How to stop waiting, by the module that is waited for, and the modules that were there.
        self._waits: dict[str, list[Callable[[], None]]] = {}
        #: The same for hooks on several callables, which wait for whatever comes.
        self._waits_for_any: list[Callable[[], None]] = []
        self._seen: set[str] = set()
        #: By the id of a callable's plan: why it cannot be patched, and why calls of it may not be seen.
        self.refused: dict[int, str] = {}
        self.hints: dict[int, str] = {}
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
            if module in self._waits:  # an earlier plan has waited for it
                if module in self._seen:
                    self._patch_all(module, {id(done.call) for done in self._done})
                continue
            if is_run_as_main(module):
                logger.warning(
                    "%s: %s is run by python -m, under the name __main__: what hooks it is not seen. "
                    "Start the program from a module of its own, which imports %s.",
                    first[module],
                    module,
                    module,
                )
            waits = self._waits[module] = []
            waits.append(when_imported(module, functools.partial(self._imported, module)))
            *packages, _ = itertools.accumulate(module.split("."), "{}.{}".format)
            for package in packages:
                act = functools.partial(self._package_imported, package, module)
                waits.append(when_imported(package, act))
        for meant in self._reached.awaited:
            self._waits_for_any.append(when_any_imported(meant, self._imported))
        for module in self._reached.above:
            self._waits_for_any.append(when_imported(module, self._look_again))

    def change(self, plan: Plan, runtime: Runtime) -> None:
        """Put the wrappers of another plan in the place of these.

        What both plans hook is never without one of the two, and no call comes through both: ours hand on to the new
        ones from one call to the next, and only then the new ones hang where ours did.
        """
        with self._lock:
            if not self._active:
                return
            for stop in self._waits_for_any:
                stop()
            self._waits_for_any.clear()
            self._calls, self._reached, self._runtime = plan.calls, Reached(plan, self._report), runtime
            self._passing = [(place, held) for place, formers in self._passing if (held := still_held(formers))]
            self._done = [new for done in self._done if (new := self._changed(done)) is not None]
            self._outdated = [new for done in self._outdated if (new := self._changed(done, hangs=False)) is not None]
            for module in {*self._waits} - {call.target.module for call in self._calls}:
                for stop in self._waits.pop(module):
                    stop()
                self._seen.discard(module)
            self.wait()

    def _changed(self, done: Done, *, hangs: bool = True) -> Done | None:
        """The patch with the wrapper of the new plan; None where that has none, and what was there is put back."""
        try:
            for call in self._calls_in(done.call.target.module):
                same = str(call.target) == str(done.call.target) and call.tap == done.call.tap
                if same and (call.tap is None or self._runtime.tap(call.tap) is done.place.owner):
                    return self._rewrapped(done, call, hangs)
        except PatchError as error:
            self._report(error.problem)
        except Exception:
            logger.exception("%s cannot be patched anew. The program runs on without it.", done.call.target)
        if hangs:
            self._take_out(done)
        else:
            done.pass_through()
        return None

    def _rewrapped(self, done: Done, call: CallPlan, hangs: bool) -> Done | None:
        made = self._made(call, done.place.found)
        if made is None:
            if hangs:
                self._take_out(done)
            return None
        wrapper, ours = made
        assert wrapper.function is not None
        for former in done.outlived:
            former.hand_on(wrapper.function)
        if not hangs:
            ours = done.ours
        elif done.hangs:
            setattr(done.place.owner, done.place.name, ours)
            ours = vars(done.place.owner)[done.place.name]
        else:  # somebody has wrapped ours: it stays below, and hands on
            ours = done.ours
        return Done(call, done.place, ours, wrapper, done.outlived)

    def _take_out(self, done: Done) -> None:
        done.take_out()
        self._passing.append((done.place, done.outlived))

    def undo(self) -> None:
        """Put back the very objects that were there. Where somebody has wrapped ours since, ours passes through."""
        with self._lock:
            self._active = False
            for stop in itertools.chain(self._waits_for_any, *self._waits.values()):
                stop()
            self._waits.clear()
            self._waits_for_any.clear()
            for done in self._outdated:
                done.pass_through()
            self._outdated.clear()
            for done in reversed(self._done):
                self._take_out(done)
            self._done.clear()
            self._passing.clear()

    @property
    def calls(self) -> list[CallPlan]:
        """Every callable that is hooked or waited for, with all its hooks."""
        done = list({id(each.call): each.call for each in list(self._done)}.values())
        joined = {(call.target.module, call.target.path, call.tap) for call in done}
        return [*done, *(c for c in self._calls if (c.target.module, c.target.path, c.tap) not in joined)]

    @property
    def installed(self) -> set[int]:
        """The callables that are patched, by the ids of their plans."""
        return {id(done.call) for done in list(self._done)}

    @property
    def sources(self) -> dict[str, str]:
        """The generated source of every wrapper that is in place, by the callable it stands for."""
        return {str(done.wrapper.target): done.wrapper.source for done in self._done}

    def _imported(self, name: str) -> None:
        with self._lock:
            if not self._active:
                return
            self._seen.add(name)
            self._patch_all(name)

    def _patch_all(self, module: str, but: Container[int] = ()) -> None:
        for call in self._calls_in(module):
            if id(call) in but:
                continue
            try:
                self._patch(call)
            except PatchError as error:
                self.refused[id(call)] = error.problem.message
                self._report(error.problem)
            except Exception as error:
                self.refused[id(call)] = f"{call.target} cannot be patched: {type(error).__name__}"
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
        for meant in self._reached.awaited:
            for name in imported(meant):
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
            calls = [call for call in self._calls if call.target.module == module]
            problem = no_module(inside, calls[0].target.mark)
            self.refused.update(dict.fromkeys(map(id, calls), problem.message))
            self._report(problem)
        except Exception:  # a finder of somebody's: the host is in the middle of an import
            logger.exception("whether there is a module %s cannot be told. The program runs on.", inside)

    def _patch(self, call: CallPlan) -> None:
        place = place_of(call, self._runtime.tap)
        before = next((done for done in self._done if done.covers(place.owner, place.name)), None)
        if before is not None and before.ours is place.held:
            if before.call is call:
                return  # the module has been loaded anew and has kept this
            place = before.place  # another hook has come to it
        made = self._made(call, place.found)
        if made is None:
            return
        wrapper, ours = made
        with _refusing(call):
            setattr(place.owner, place.name, ours)
        if before is not None:
            self._done.remove(before)
            self._outdated.append(before)
        assert wrapper.function is not None
        formers = self._taken_up(place)
        for former in formers:
            former.hand_on(wrapper.function)
        self._done.append(Done(call, place, vars(place.owner)[place.name], wrapper, formers))
        if self._copies:
            self._patch_copies(place, self._done[-1])
        for elsewhere in (copied(call, place), renamed(call, place, self._calls)):
            if elsewhere is not None:
                where = elsewhere.message.removeprefix(f"{call.target} ").partition(". ")[0]
                self.hints[id(call)] = f"it {where}"
                self._report(elsewhere)

    def _patch_copies(self, place: Place, done: Done) -> None:
        """Patch the function where `from module import function` has carried it to before; undone like any other."""
        for _, module, name in list(copies_of(place)):
            if not is_asleep(module):  # else that is said aloud
                setattr(module, name, done.ours)
                held = Place(module, name, place.found, place.found)
                self._done.append(Done(done.call, held, done.ours, done.wrapper))

    def _made(self, call: CallPlan, found: Any) -> tuple[Wrapper, Any] | None:
        """The wrapper of a callable, and what is to hang in its place; None where nothing of the plan could be kept."""
        raw, rewrap = unwrap(found, call)
        wrapper = make_wrapper(call, raw, self._runtime)
        for problem in wrapper.problems:
            self._report(problem)
        if wrapper.function is None:
            return None
        with _refusing(call):
            return wrapper, rewrap(Proxy(raw, wrapper.function) if wrapper.foreign else wrapper.function)

    def _taken_up(self, place: Place) -> tuple[Former, ...]:
        """The functions of earlier plans that stood for what hangs here."""
        formers: tuple[Former, ...] = ()
        for each in [*self._passing]:
            there, passing = each
            if (there.owner, there.name) == (place.owner, place.name) and there.found is place.found:
                self._passing.remove(each)
                formers += passing
        return still_held(formers)


def _is_there(module: str) -> bool:
    """Whether a module can be imported whose package has been. What was a package may be a module now."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
