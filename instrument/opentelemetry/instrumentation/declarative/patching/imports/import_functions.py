"""Observes the functions of Python's import system through which every module passes that is loaded or reloaded.

The code of the functions is replaced, not the functions: calls by code that has imported one by name are observed too.
`sys.meta_path` does not change, so that no finder of another tool finds one of ours there.
"""

from __future__ import annotations

import _frozen_importlib
import functools
import types
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer

# The code of an observed function is that of one of these. The texts stand for objects, which become constants of the
# code: the namespace of the import system, in which the code runs, does not change.


def _observed_creation(spec: Any) -> Any:
    original: Any = "original"
    created: Any = "created"
    module = original(spec)
    created(spec, module)
    return module


def _observed_execution(spec: Any, module: Any) -> Any:
    original: Any = "original"
    started: Any = "started"
    ended: Any = "ended"
    started(spec)
    succeeded = False
    try:
        result = original(spec, module)
        succeeded = True
    finally:
        ended(spec, succeeded)
    return result


def _observed_load(spec: Any) -> Any:
    original: Any = "original"
    started: Any = "started"
    ended: Any = "ended"
    started(spec)
    succeeded = False
    try:
        result = original(spec)
        succeeded = True
    finally:
        ended(spec, succeeded)
    return result


_TEMPLATES: dict[str, Any] = {
    "module_from_spec": _observed_creation,
    "_exec": _observed_execution,
    "_load_backward_compatible": _observed_load,
}


class ImportFunctions:
    """The observed functions of the import system, between ``observe`` and ``restore``.

    ``created`` receives each spec of which a module has just been created, and the module. ``started`` and ``ended``
    are called around a reload, and around a load by a loader that only has the old method ``load_module``; ``ended``
    also receives whether it succeeded. They must not raise.
    """

    def __init__(
        self, created: Callable[[Any, Any], None], started: Callable[[Any], None], ended: Callable[[Any, bool], None]
    ) -> None:
        self._observers: dict[str, Any] = {"created": created, "started": started, "ended": ended}
        self._layers: list[CodeLayer] = []

    def observe(self) -> None:
        """Observe the functions, if they are not observed."""
        if self._layers:
            return
        for name, template in _TEMPLATES.items():
            function = vars(_frozen_importlib).get(name)
            if isinstance(function, types.FunctionType):  # Python may remove the private ones
                self._layers.append(CodeLayer(function, functools.partial(observing_code, template, self._observers)))

    def restore(self) -> None:
        """Give the functions their own code back, except one whose code another tool has replaced since."""
        for layer in self._layers:
            layer.remove()
        self._layers.clear()


def observing_code(
    template: types.FunctionType, observers: dict[str, Any], function: types.FunctionType, original: types.FunctionType
) -> types.CodeType:
    """Return the code of a template for a function, with its names, so that tracebacks of imports look as before."""
    own = function.__code__
    objects = {**observers, "original": original}
    code = template.__code__
    names: dict[str, Any] = {"co_qualname": own.co_qualname} if hasattr(own, "co_qualname") else {}
    return code.replace(
        co_name=own.co_name,
        co_filename=own.co_filename,
        co_firstlineno=own.co_firstlineno,
        co_consts=tuple(objects.get(each, each) if isinstance(each, str) else each for each in code.co_consts),
        **names,
    )
