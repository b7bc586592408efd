"""Libraries that read the code of a function, to pickle it by value or to compile it, get the code it had before ours.

Our code is of use only in this process, as Python runs it: it holds objects of this process in its constants. Those
libraries would pickle these objects, as cloudpickle does, or refuse the code, as numba does.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import value_at
from opentelemetry.instrumentation.declarative.patching.lookup.subclasses import without_notification
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import (
    CodeLayer,
    copy_function,
    uninstrumented,
)
from opentelemetry.instrumentation.declarative.wrappers.compilation import CodeLabels, compile_template


class _Reader(NamedTuple):
    """A function of a library that is called with a function and reads its code: by its path, and the parameter."""

    path: str
    parameter: str
    #: The library, if it compiles the function: calls of compiled code cannot be seen.
    compiler: str | None = None


#: By module. Some libraries contain a copy of cloudpickle.
_READERS: Mapping[str, _Reader] = {
    f"{package}{module}": _Reader(f"{pickler}._dynamic_function_reduce", "func")
    for package in ("", "joblib.externals.", "ray.", "pyspark.")
    for module, pickler in (
        ("cloudpickle.cloudpickle", "Pickler"),
        ("cloudpickle.cloudpickle_fast", "CloudPickler"),  # before cloudpickle 3
    )
} | {
    "dill._dill": _Reader("save_function", "obj"),
    "numba.core.bytecode": _Reader("get_function_object", "obj", compiler="numba"),
}


class CodeReaders:
    """While active, libraries that read the code of functions read it without ours.

    ``report`` is called with a function that a library compiles, and with the name of the library.
    """

    def __init__(self, report: Callable[[types.FunctionType, str], None]) -> None:
        self._report = report
        self._layers: list[CodeLayer] = []
        self._cancel: list[Callable[[], None]] = []

    def start(self) -> None:
        if self._cancel:
            return
        for module in _READERS:
            self._cancel.append(when_imported(module, functools.partial(self._patch, module)))

    def stop(self) -> None:
        for cancel in self._cancel:
            cancel()
        for layer in reversed(self._layers):
            layer.remove()
        self._cancel.clear()
        self._layers.clear()

    def _patch(self, module: str) -> None:
        reader = _READERS[module]
        try:
            function = value_at(sys.modules.get(module), reader.path.split("."))
            is_known = type(function) is types.FunctionType and reader.parameter in _parameters(function)
            if is_known and all(layer.function is not function for layer in self._layers):
                self._layers.append(CodeLayer(function, functools.partial(self._reading_code, reader)))
        except Exception:
            logger.exception("%s:%s could not be patched. The program is not affected.", module, reader.path)

    def _reading_code(
        self, reader: _Reader, function: types.FunctionType, original: types.FunctionType
    ) -> types.CodeType:
        """Code that calls the original with the function as it was before our code was put into it."""
        objects = {"_original": original, "_as_before": functools.partial(self._as_before, reader.compiler)}
        parameters = ", ".join(_parameters(function))
        body = f"    {reader.parameter} = _as_before({reader.parameter})\n    return _original({parameters})\n"
        template = compile_template(f"def {{}}({parameters}):", body, objects, len(function.__code__.co_freevars))
        return template.bind(objects, CodeLabels.of(function.__code__), function.__code__)

    def _as_before(self, compiler: str | None, function: Any) -> Any:
        if type(function) is not types.FunctionType:
            return function
        before = _without_our_code(function)
        if before is not function and compiler is not None:
            try:
                self._report(function, compiler)
            except Exception:
                logger.exception("a compiled function could not be reported. The program is not affected.")
        return before


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
