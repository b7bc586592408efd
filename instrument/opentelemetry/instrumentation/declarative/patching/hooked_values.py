"""Hooks on values: a proxy stands for what a hooked call returns or is given, and sees how it is called."""

from __future__ import annotations

import functools
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.hooked_coroutines import HookedCoroutines
from opentelemetry.instrumentation.declarative.patching.lookup.callable_shapes import (
    receiver_and_raw,
    shape_of,
    similar,
)
from opentelemetry.instrumentation.declarative.patching.lookup.targets import CallableProxy, make_proxy
from opentelemetry.instrumentation.declarative.patching.object_proxies import OnCall, isinstance_of_proxy, object_proxy
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan, ValueOfCall
from opentelemetry.instrumentation.declarative.runtime.following.special_methods import defined
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import copy_function
from opentelemetry.instrumentation.declarative.wrappers import SpecRuntime, make_caller, make_wrapper

#: The number of different callables for which the generated code is kept.
_MOST_FUNCTIONS = 256


class HookedValues:
    """The values that the hooks of one spec are on. Proxies outlive a change of the plan, and use the current one."""

    def __init__(self, report: Callable[[Problem], None]) -> None:
        self._report = report
        self._runtime: SpecRuntime | None = None
        self._calls: dict[tuple[ValueOfCall, str | None], CallPlan] = {}
        self._methods: dict[ValueOfCall, dict[str, OnCall]] = {}
        #: The generated functions, the latest last. None if no rule can be applied to a callable.
        self._functions: OrderedDict[Hashable, types.FunctionType | None] = OrderedDict()
        self._coroutines = HookedCoroutines(report)
        self._reported: set[tuple[ValueOfCall, str | None, type]] = set()
        #: The ids of the call plans of which there has been a value.
        self.seen: set[int] = set()
        self._lock = threading.RLock()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self._lock = threading.RLock()

    def use(self, plan: Plan, runtime: SpecRuntime) -> None:
        """Apply the hooks of a plan, also to the values that have proxies already."""
        with self._lock:
            self.stop()
            self._runtime = runtime
            runtime.value_hook = lambda value: functools.partial(self._hook, value)
            for call in plan.values:
                if call.value is not None:
                    self._calls[call.value, call.method] = call
                    methods = self._methods.setdefault(call.value, {})
                    if call.method is not None:
                        methods[call.method] = functools.partial(self._call_method, (call.value, call.method))

    def stop(self) -> None:
        """Let all proxies only pass calls on."""
        with self._lock:
            self._calls, self._methods = {}, {}
            self._functions.clear()
            self._coroutines.clear()

    def _hook(self, value: ValueOfCall, found: Any) -> Any:
        """Return what stands for a value that has been found."""
        if type(found) is types.CoroutineType and (call := self._calls.get((value, None))) is not None:
            return self._hook_coroutine(found, call)
        methods = self._methods.get(value)
        if methods is None or found is None:
            return found
        hooked = {name: on_call for name, on_call in methods.items() if self._has(value, name, found)}
        if (value, None) in self._calls and self._is_callable(value, found):
            self.seen.add(id(self._calls[value, None]))
            if not hooked:
                return _with_calls_hooked(value, found, functools.partial(self._call_value, value))
            hooked["__call__"] = functools.partial(self._call_method, (value, None))
        return object_proxy(found, hooked) if hooked else found

    def _hook_coroutine(self, found: types.CoroutineType[Any, Any, Any], call: CallPlan) -> Any:
        self.seen.add(id(call))
        try:
            return found if self._runtime is None else self._coroutines.hooked(found, call, self._runtime)
        except Exception:
            target = call.target
            logger.exception("%s: %s could not be hooked. The program is not affected.", target.mark, target)
            return found

    def _has(self, value: ValueOfCall, method: str, found: Any) -> bool:
        call = self._calls[value, method]
        if defined(type(found), method) is None and not callable(getattr(found, method, None)):
            self._report_once(value, method, found, f"has no method {method}")
            return False
        self.seen.add(id(call))
        return True

    def _is_callable(self, value: ValueOfCall, found: Any) -> bool:
        if isinstance(found, type):
            self._report_once(value, None, found, "is a class, whose calls are not hooked")
            return False
        if not callable(found):
            self._report_once(value, None, found, "can be neither called nor awaited as a coroutine")
            return False
        return True

    def _report_once(self, value: ValueOfCall, method: str | None, found: Any, why: str) -> None:
        if (value, method, type(found)) not in self._reported:
            self._reported.add((value, method, type(found)))
            call = self._calls[value, method]
            message = f"{value}, a {type(found).__name__}, {why}: the hook {call.hooks[0].hook.name} is not on it"
            self._report(Problem(call.target.mark, "value-not-hooked", message, "name another value or method"))

    def _call_value(
        self, value: ValueOfCall, wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        return self._call((value, None), wrapped, *receiver_and_raw(wrapped), args, kwargs)

    def _call_method(
        self,
        hooked: tuple[ValueOfCall, str | None],
        method: Any,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        found = defined(type(target), hooked[1] or "__call__")
        raw = None if found is None else found.value
        if not hasattr(raw, "__get__") or isinstance(raw, (staticmethod, classmethod, property)) or not callable(raw):
            return self._call(hooked, method, *receiver_and_raw(method), args, kwargs)
        return self._call(hooked, method, target, raw, args, kwargs)

    def _call(
        self,
        hooked: tuple[ValueOfCall, str | None],
        wrapped: Any,
        instance: Any,
        raw: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        call = self._calls.get(hooked)
        function = None if call is None else self._function(call, raw)
        return wrapped(*args, **kwargs) if function is None else function(wrapped, instance, args, kwargs)

    def _function(self, call: CallPlan, raw: Any) -> types.FunctionType | None:
        """Return the generated function for a callable, which is called with what a wrapt proxy passes."""
        shape = shape_of(raw)
        key = id(call), shape
        try:
            return self._functions[key]
        except KeyError:
            pass
        with self._lock:
            if self._runtime is None:
                return None
            try:
                function = self._made(call, similar(raw), self._runtime)
            except Exception:
                target = call.target
                logger.exception("%s: %s could not be hooked. The program is not affected.", target.mark, target)
                function = None
            if call in self._calls.values():
                self._functions[key] = function
            while len(self._functions) > _MOST_FUNCTIONS:
                self._functions.popitem(last=False)
            return function

    def _made(self, call: CallPlan, original: Any, runtime: SpecRuntime) -> types.FunctionType | None:
        if call.method is None:  # a callback has a name of its own, which `hooked` reads
            call = _named(call, original)
        wrapper = make_wrapper(call, original, runtime)
        for problem in wrapper.problems:
            self._report(problem)
        if wrapper.template is None:
            return None
        caller = make_caller(original, call.target)
        caller.__code__ = wrapper.code_for(caller, copy_function(caller))
        return caller


def _named(call: CallPlan, original: Any) -> CallPlan:
    """Return the plan of a value that is called, under the name of the callable that it is."""
    while isinstance(original, functools.partial):
        original = original.func
    module, path = getattr(original, "__module__", None), getattr(original, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(path, str):
        return call
    return replace(call, target=Target(module, path, call.target.mark))


def _with_calls_hooked(value: ValueOfCall, found: Any, on_call: OnCall) -> Any:
    """Return the proxy of a callable, whose calls are hooked."""
    if isinstance_of_proxy(found):
        return object_proxy(found, {"__call__": on_call})
    if CallableProxy in type(found).__mro__ and getattr(found, "_self_value", None) == value:
        return found
    proxy: Any = make_proxy(found, on_call)
    proxy._self_value = value
    return proxy
