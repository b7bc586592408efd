"""Patches of a method of a class and all its subclasses, in the functions of these classes."""

from __future__ import annotations

import functools
import types
import weakref
from collections.abc import Callable
from dataclasses import field, replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.import_waits import ImportWaits
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import PatchError
from opentelemetry.instrumentation.declarative.patching.lookup.subclass_methods import (
    Definition,
    base_classes,
    definition_for,
    owner_of,
)
from opentelemetry.instrumentation.declarative.patching.lookup.subclasses import subclasses_of, when_subclassed
from opentelemetry.instrumentation.declarative.patching.lookup.targets import unwrap
from opentelemetry.instrumentation.declarative.patching.script.script_waits import ScriptWait
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, Plan, Receiver
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.function_code.shared_code import SharedCodeLayer
from opentelemetry.instrumentation.declarative.wrappers import Wrapper

#: Makes the wrapper of a function, for its receiver; None if no rule can be applied to it.
MakeWrapper = Callable[[CallPlan, types.FunctionType, "Receiver | None"], "Wrapper | None"]


class _Classes:
    """Classes by identity, each for as long as it exists, and what they held as the method when they were added."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[weakref.ref[type], int]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, cls: type) -> bool:
        return id(cls) in self._held

    def holds(self, cls: type, value: object) -> bool:
        """Whether a class has been added, and has held the same object since then."""
        return id(cls) in self._held and self._held[id(cls)][1] == id(value)

    def add(self, cls: type, value: object) -> None:
        key = id(cls)
        self._held[key] = weakref.ref(cls, lambda _: self._held.pop(key, None)), id(value)


@record
class _SubclassPatch:
    """The code in one function, and the classes that have the function as the method."""

    call: CallPlan
    receiver: Receiver | None
    classes: _Classes
    layer: SharedCodeLayer


@record(eq=False)
class _WatchedClass:
    """A class of which subclasses are hooked."""

    hook: HookPlan
    base: type
    seen: _Classes = field(default_factory=_Classes)
    patches: weakref.WeakKeyDictionary[types.FunctionType, _SubclassPatch] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    is_full: bool = False
    cancel: Callable[[], None] = lambda: None


class SubclassPatches:
    """The patches of one spec by its hooks on subclasses. Nothing here keeps a class or function alive."""

    def __init__(self, make: MakeWrapper, report: Callable[[Problem], None], guard: Callable[..., Any]) -> None:
        self._make, self._report, self._guard = make, report, guard
        self._watched: list[_WatchedClass] = []
        self._is_waiting = False

    @property
    def calls(self) -> list[CallPlan]:
        return [patch.call for watched in self._watched for patch in list(watched.patches.values())]

    def install(self, plan: Plan, waits: ImportWaits) -> None:
        """Hook the subclasses of each class that is imported already, and of the others once they are imported."""
        hooks = [hook for hook in plan.patterns if hook.hook.calls is not None and hook.hook.calls.method is not None]
        for hook in hooks:
            base = hook.hook.calls.subclass_of if hook.hook.calls else None
            if base is not None:
                waits.add_base_class(base.module, functools.partial(self._guard, self._watch, hook))
                defined = functools.partial(self._guard, self._defined_in_script, hook)
                names = frozenset([base.path.partition(".")[0]])
                waits.add_script(ScriptWait(functools.partial(str.__eq__, base.module), names, defined, str(base.mark)))
        if hooks:
            self._is_waiting = False
            waits.add_pattern(lambda _: True, functools.partial(self._guard, self._scan_all))
            self._is_waiting = True

    def _watch(self, hook: HookPlan, module: types.ModuleType | None = None) -> None:
        try:
            self.watch(hook, module)
        except PatchError as error:
            self._report(error.problem)

    def _defined_in_script(self, hook: HookPlan, _name: str, script: types.ModuleType, _names: frozenset[str]) -> None:
        self._watch(hook, script)

    def watch(self, hook: HookPlan, module: types.ModuleType | None = None) -> None:
        """Hook the method in all subclasses, now and later: of the class in a given module, or in all of its name.

        Raises PatchError if there is no such class.
        """
        assert hook.hook.calls is not None
        for base in base_classes(hook.hook.calls, module):
            if not any(each.hook is hook and each.base is base for each in self._watched):
                watched = _WatchedClass(hook, base)
                self._watched.append(watched)
                watched.cancel = when_subclassed(base, functools.partial(self._guard, self._consider, watched))
                self._scan(watched)

    def _scan_all(self, _module: str) -> None:
        """Hook subclasses of which there was no notification."""
        if not self._is_waiting:  # the modules that are imported already
            return
        for watched in self._watched:
            self._scan(watched)

    def change(self, plan: Plan) -> None:
        """Use the hooks of another plan. Those on the same method get other code; the others are removed."""
        for watched in list(self._watched):
            hook = next((each for each in plan.patterns if _is_same(each, watched.hook)), None)
            if hook is None:
                self._stop(watched)
                continue
            watched.hook = hook
            for function, patch in list(watched.patches.items()):
                patch.call = replace(patch.call, hooks=[hook])
                wrapper = self._make(patch.call, function, patch.receiver)
                if wrapper is None:
                    patch.layer.remove()
                    del watched.patches[function]
                else:
                    patch.layer.replace(wrapper.code_around)

    def undo(self) -> None:
        for watched in reversed(list(self._watched)):
            self._stop(watched)

    def _stop(self, watched: _WatchedClass) -> None:
        watched.cancel()
        for patch in list(watched.patches.values()):
            patch.layer.remove()
        self._watched.remove(watched)

    def _scan(self, watched: _WatchedClass) -> None:
        for cls in (watched.base, *subclasses_of(watched.base)):
            self._consider(watched, cls)

    def _consider(self, watched: _WatchedClass, cls: type) -> None:
        """Hook the method that instances of a class have, unless it is hooked."""
        calls = watched.hook.hook.calls
        assert calls is not None and calls.method is not None
        owner = owner_of(cls, calls.method.value)
        if owner is None or watched.is_full or watched.seen.holds(owner, vars(owner)[calls.method.value]):
            return
        found = definition_for(watched.hook, cls)
        if found is None:
            return
        if len(watched.seen) >= calls.limit:
            watched.is_full = True
            message = f"more than {calls.limit} subclasses define {calls.named[0]}: the others are not hooked"
            self._report(Problem(found.call.target.mark, "too-many-callables", message, "raise `limit`"))
            return
        watched.seen.add(found.owner, found.value)
        try:
            self._patch(watched, found)
        except PatchError as error:
            self._report(error.problem)

    def _patch(self, watched: _WatchedClass, found: Definition) -> None:
        function, _ = unwrap(found.value, found.call)
        target = found.call.target
        if type(function) is not types.FunctionType:
            message = f"{target} is not a function in Python: its calls are not hooked as those of a subclass"
            help = f"hook it by its name: {target}"
            self._report(Problem(target.mark, "cannot-patch", message, help, "warning"))
            return
        patch = watched.patches.get(function)
        if patch is not None:
            patch.classes.add(found.owner, found.value)
            return
        classes = _Classes()
        classes.add(found.owner, found.value)
        receiver = _receiver(watched.base, found, classes)
        wrapper = self._make(found.call, function, receiver)
        if wrapper is not None:
            layer = SharedCodeLayer(function, None, wrapper.code_around)
            watched.patches[function] = _SubclassPatch(found.call, receiver, classes, layer)


def _receiver(base: type, found: Definition, classes: _Classes) -> Receiver | None:
    """The objects for which a definition is the one that they have, and not one that theirs calls through ``super``."""
    name = found.call.target.path.rpartition(".")[2]
    is_new = name == "__new__"
    if type(found.value) is staticmethod and not is_new:
        return None

    def includes(cls: type) -> bool:
        for each in cls.__mro__:
            if name in each.__dict__:
                return each in classes and base in cls.__mro__
        return False

    return Receiver(base, is_new or type(found.value) is classmethod, includes)


def _is_same(one: HookPlan, other: HookPlan) -> bool:
    calls, others = one.hook.calls, other.hook.calls
    if calls is None or others is None or calls.method is None or others.method is None:
        return False
    return one.hook.name == other.hook.name and list(map(str, calls.named)) == list(map(str, others.named))
