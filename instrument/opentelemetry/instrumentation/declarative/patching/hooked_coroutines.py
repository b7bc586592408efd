"""Hooks on coroutines that a hooked call is given or returns: another coroutine stands for each, and awaits it."""

from __future__ import annotations

import sys
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import copy_function
from opentelemetry.instrumentation.declarative.wrappers import SpecRuntime, Wrapper, make_wrapper
from opentelemetry.instrumentation.declarative.wrappers.code_locations import on_first_line

#: The number of different coroutine functions for which the generated code is kept.
_MOST_FUNCTIONS = 1024
#: References to an object that only one attribute holds: the attribute, and the argument of `getrefcount`.
_ONLY_OURS = 2


class Unstarted:
    """A coroutine that nothing has awaited so far."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.coroutine: Coroutine[Any, Any, Any] | None = coroutine

    def take(self) -> Any:
        """Return the coroutine, which is awaited now."""
        coroutine, self.coroutine = self.coroutine, None
        return coroutine

    def __del__(self) -> None:
        # Python warns about the coroutine that stands for it. A second warning would be about the same call.
        if self.coroutine is not None and sys.getrefcount(self.coroutine) <= _ONLY_OURS:
            self.coroutine.close()


async def _awaiting(unstarted: Unstarted) -> Any:
    return await unstarted.take()


class _Made(NamedTuple):
    """A function that makes coroutines with hooks. ``code`` is that of the coroutines for which they stand."""

    owner: HookedCoroutines
    hooks: frozenset[str]
    function: types.FunctionType | None
    code: types.CodeType


#: By the id of the code of the coroutines that are made.
_made: dict[int, _Made] = {}


class HookedCoroutines:
    """The coroutines with the hooks of one spec. ``report`` receives what is wrong with a hook."""

    def __init__(self, report: Callable[[Problem], None]) -> None:
        self._report = report
        #: By the call and what it has in common with other coroutines of the same function, the latest last.
        self._functions: OrderedDict[Hashable, _Made] = OrderedDict()
        self._wrappers: dict[Hashable, Wrapper] = {}
        self._lock = threading.RLock()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self._lock = threading.RLock()

    def clear(self) -> None:
        """Forget the generated code, which is that of another plan."""
        with self._lock:
            while self._functions:
                self._remove_oldest()
            self._wrappers.clear()

    def hooked(self, found: types.CoroutineType[Any, Any, Any], call: CallPlan, runtime: SpecRuntime) -> Any:
        """Return the coroutine that stands for one that has been found, or that one if it has these hooks already."""
        code = found.cr_code
        if id(code) in _made and any(self._is_hooked(layer, call) for layer in _layers(found)):
            return found
        key = id(call), id(code), found.__name__, found.__qualname__
        made = self._functions.get(key) or self._make(key, found, call, runtime)
        return found if made.function is None else made.function(Unstarted(found))

    def _is_hooked(self, layer: _Made, call: CallPlan) -> bool:
        return layer.owner is self and layer.hooks >= {hook.hook.name for hook in call.hooks}

    def _make(
        self, key: Hashable, found: types.CoroutineType[Any, Any, Any], call: CallPlan, runtime: SpecRuntime
    ) -> _Made:
        function = _like(found)
        call = replace(call, target=Target(function.__module__, found.__qualname__, call.target.mark))
        with self._lock:
            wrapper = make_wrapper(call, function, runtime, made=self._wrappers)
            for problem in wrapper.problems:
                self._report(problem)
            hooks = frozenset(hook.hook.name for hook in call.hooks)
            if wrapper.template is None:
                made = _Made(self, hooks, None, found.cr_code)
            else:
                function.__code__ = wrapper.code_for(function, copy_function(function))
                made = _Made(self, hooks, function, found.cr_code)
                _made[id(function.__code__)] = made
            self._functions[key] = made
            while len(self._functions) > _MOST_FUNCTIONS:
                self._remove_oldest()
        return made

    def _remove_oldest(self) -> None:
        _, made = self._functions.popitem(last=False)
        if made.function is not None:
            _made.pop(id(made.function.__code__), None)


def _like(found: types.CoroutineType[Any, Any, Any]) -> types.FunctionType:
    """Return a function whose coroutines await another one, and describe themselves like this one."""
    described, frame = found.cr_code, found.cr_frame
    code = on_first_line(_awaiting.__code__).replace(
        co_name=found.__name__, co_filename=described.co_filename, co_firstlineno=described.co_firstlineno
    )
    if sys.version_info >= (3, 11):
        code = code.replace(co_qualname=found.__qualname__)
    function = types.FunctionType(code, globals(), found.__name__)
    function.__qualname__ = found.__qualname__
    module = None if frame is None else frame.f_globals.get("__name__")
    function.__module__ = module if isinstance(module, str) else __name__
    return function


def _layers(found: Any) -> Iterator[_Made]:
    """What has made a coroutine, and the one for which it stands, and so on, as long as they are not started."""
    while found is not None and (made := _made.get(id(found.cr_code))) is not None:
        yield made
        locals_ = () if found.cr_frame is None else found.cr_frame.f_locals.values()
        found = next((each.coroutine for each in locals_ if type(each) is Unstarted), None)
