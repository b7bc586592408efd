"""Context managers that decorate functions: each call of such a function gets one from the hooked function.

A context manager of ``contextlib`` can only be entered once. For each call of a function that it decorates, it makes
another one, and does not call the function that has made it. It may have been made before that function was hooked.
"""

from __future__ import annotations

import contextlib
import types
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import value_at
from opentelemetry.instrumentation.declarative.runtime.following.blocks import add_factory, hooked_factory, is_factory
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer
from opentelemetry.instrumentation.declarative.wrappers.compilation import CodeLabels, compile_template

_PATH = "_GeneratorContextManagerBase._recreate_cm"
_BODY = """\
    _factory = _hooked_factory(self)
    return _original(self) if _factory is None else _factory(*self.args, **self.kwds)
"""


class RecreatedBlocks:
    """While active, context managers are recreated by the functions of one spec that make them."""

    def __init__(self) -> None:
        self._layer: CodeLayer | None = None

    def add(self, function: types.FunctionType) -> None:
        """Take note of a hooked function. It matters if it is that of ``contextmanager``."""
        if not is_factory(function):
            return
        try:
            add_factory(function)
            if self._layer is not None:
                return
            recreate: Any = value_at(contextlib, _PATH.split("."))
            if type(recreate) is types.FunctionType and recreate.__code__.co_varnames == ("self",):
                self._layer = CodeLayer(recreate, _recreating_code)
        except Exception:
            logger.exception("contextlib:%s could not be patched. The program is not affected.", _PATH)

    def stop(self) -> None:
        if self._layer is not None:
            self._layer.remove()
            self._layer = None


def _recreating_code(function: types.FunctionType, original: types.FunctionType) -> types.CodeType:
    objects = {"_original": original, "_hooked_factory": hooked_factory}
    code = function.__code__
    return compile_template("def {}(self):", _BODY, objects, len(code.co_freevars)).bind(
        objects, CodeLabels.of(code), code
    )
