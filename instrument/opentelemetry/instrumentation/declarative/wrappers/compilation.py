"""Compiles generated source to functions, and registers it for tracebacks."""

from __future__ import annotations

import inspect
import itertools
import linecache
import types
from typing import Any

from opentelemetry.instrumentation.declarative.language.spec_model import Target
from opentelemetry.instrumentation.declarative.wrappers.code_lines import indented
from opentelemetry.instrumentation.declarative.wrappers.names import NameAllocator


def compile_function(name: str, source: str, filename: str, names: NameAllocator, original: Any) -> types.FunctionType:
    """Compile the definition of a function. It has the globals of the original, and our objects in its closure."""
    cells = list(names.cells)
    lines = [f"def make({', '.join(cells)}):", *indented(source.splitlines()), f"    return {name}"]
    namespace: dict[str, Any] = {}
    # One line more than the registered source, so the code starts a line earlier.
    exec(compile("\n".join(lines), filename, "exec"), namespace)
    made: types.FunctionType = namespace["make"](*names.cells.values())
    code = made.__code__.replace(co_firstlineno=1)
    globals_ = made.__globals__
    if type(original) is types.FunctionType:
        globals_ = original.__globals__
        # A generator that `types.coroutine` has made awaitable: the wrapper has to be awaitable as well.
        code = code.replace(co_flags=code.co_flags | original.__code__.co_flags & inspect.CO_ITERABLE_COROUTINE)
    return types.FunctionType(code, globals_, made.__name__, made.__defaults__, made.__closure__)


def register_source(target: Target, source: str) -> str:
    """Make the source of a wrapper available to tracebacks; return the unique file name for its code.

    Several specs can hook one callable: the name of the second wrapper ends in a number.
    """
    lines = source.splitlines(keepends=True)
    for number in itertools.count(1):
        filename = f"<instrument {target}>" if number == 1 else f"<instrument {target} {number}>"
        entry = (len(source), None, lines, filename)
        if linecache.cache.setdefault(filename, entry) is entry:
            return filename
    raise AssertionError


def unregister_source(filename: str) -> None:
    linecache.cache.pop(filename, None)


def inactive_filename(target: Target) -> str:
    """The file name for code that only calls the original. Tracebacks show no source for it."""
    return f"<instrument {target}, inactive>"
