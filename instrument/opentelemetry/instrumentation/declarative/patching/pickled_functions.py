"""Functions that are pickled by value, as cloudpickle and dill do, are pickled with the code they had before ours.

Those libraries copy the code of a function that cannot be imported where it is unpickled. Our code is of use only in
this process: it holds objects of this process in its constants.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Mapping

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.patching.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.patching.static_lookup import value_at
from opentelemetry.instrumentation.declarative.patching.subclasses import without_notification
from opentelemetry.instrumentation.declarative.runtime.code_layers import CodeLayer, copy_function, uninstrumented
from opentelemetry.instrumentation.declarative.wrappers.compilation import CodeLabels, compile_template

#: The functions that pickle a function by value, and the parameter that is the function. Some libraries contain a copy
#: of cloudpickle.
_PICKLERS: Mapping[str, tuple[str, str]] = {
    f"{package}{module}": (f"{pickler}._dynamic_function_reduce", "func")
    for package in ("", "joblib.externals.", "ray.", "pyspark.")
    for module, pickler in (
        ("cloudpickle.cloudpickle", "Pickler"),
        ("cloudpickle.cloudpickle_fast", "CloudPickler"),  # before cloudpickle 3
    )
} | {"dill._dill": ("save_function", "obj")}


class PickledFunctions:
    """While active, libraries that pickle functions by value pickle them without our code."""

    def __init__(self) -> None:
        self._layers: list[CodeLayer] = []
        self._cancel: list[Callable[[], None]] = []

    def start(self) -> None:
        if self._cancel:
            return
        for module in _PICKLERS:
            self._cancel.append(when_imported(module, functools.partial(self._patch, module)))

    def stop(self) -> None:
        for cancel in self._cancel:
            cancel()
        for layer in reversed(self._layers):
            layer.remove()
        self._cancel.clear()
        self._layers.clear()

    def _patch(self, module: str) -> None:
        path, parameter = _PICKLERS[module]
        try:
            function = value_at(sys.modules.get(module), path.split("."))
            is_known = type(function) is types.FunctionType and parameter in _parameters(function)
            if is_known and all(layer.function is not function for layer in self._layers):
                self._layers.append(CodeLayer(function, functools.partial(_pickling_code, parameter)))
        except Exception:
            logger.exception("%s:%s could not be patched. The application is not affected.", module, path)


def _pickling_code(parameter: str, function: types.FunctionType, original: types.FunctionType) -> types.CodeType:
    """Code that pickles the function as it was before our code was put into it."""
    objects = {"_original": original, "_without_our_code": _without_our_code}
    parameters = ", ".join(_parameters(function))
    body = f"    {parameter} = _without_our_code({parameter})\n    return _original({parameters})\n"
    template = compile_template(f"def {{}}({parameters}):", body, objects, len(function.__code__.co_freevars))
    return template.bind(objects, CodeLabels.of(function.__code__), function.__code__)


def _parameters(function: types.FunctionType) -> tuple[str, ...]:
    return function.__code__.co_varnames[: function.__code__.co_argcount]


def _without_our_code(function: types.FunctionType) -> types.FunctionType:
    plain = uninstrumented(function)
    if plain is function:
        return without_notification(function)
    copy = copy_function(function)
    copy.__code__ = plain.__code__
    copy.__doc__, copy.__annotations__ = function.__doc__, function.__annotations__
    vars(copy).update(vars(function))
    return copy
