"""Callables that look at the frame of their caller: while they are hooked, that frame is one of ours.

A function in C that does so would do something else, so that it cannot be hooked. A Python function gets the code of a
wrapper, whose frame is in the file and module of the function; ``check`` notes that it sees one frame more.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import MISSING
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import uninstrumented

#: By module: the functions in C that use the names, the globals or the position of their caller.
_IN_C: Mapping[str, tuple[str, ...]] = {
    "builtins": ("breakpoint", "dir", "eval", "exec", "globals", "locals", "vars"),
    "sys": ("_getframe", "_getframemodulename"),
    "_warnings": ("warn",),
}
_STACKLEVEL = "stacklevel"
#: The names in the code of a Python function that say how it looks at frames, with what else has to be among them.
_IN_PYTHON: Mapping[str, tuple[str, str | None]] = {
    "_getframe": ("sys._getframe", None),
    "_getframemodulename": ("sys._getframemodulename", None),
    "currentframe": ("inspect.currentframe", "f_back"),
    "stack": ("inspect.stack", "inspect"),
}


def needs_callers_frame(value: Any) -> bool:
    """Whether an object is one of the functions in C that use the frame of their caller."""
    return any(
        vars(sys.modules[module]).get(name, MISSING) is value
        for module, names in _IN_C.items()
        if module in sys.modules
        for name in names
    )


def caller_frame_note(call: CallPlan, raw: Any) -> Iterator[Problem]:
    """A note if a Python function looks at the frames of its callers, itself or with a function of its module."""
    way = next(_ways(raw), None)
    if way is not None:
        message = f"{call.target} uses {way}: it finds one frame more, which has its own file and module"
        help = "if that makes a difference, hook a function that calls it"
        yield Problem(call.target.mark, "caller-frame", message, help, "note")


def left_out_of_pattern(hook: str, target: Target, value: Any) -> Problem | None:
    """The note that a pattern leaves out a function, because it could do something else with a frame more.

    None if it does not. A wrong line in a warning is no reason.
    """
    raw = value.__func__ if type(value) in (staticmethod, classmethod) else value
    way = next((each for each in _ways(raw) if each != _STACKLEVEL), None)
    if way is None:
        return None
    message = f"the hook {hook} leaves out {target}: it uses {way}, and would find one frame more"
    return Problem(target.mark, "caller-frame", message, "name it to hook it nevertheless", "note")


def _ways(function: Any) -> Iterator[str]:
    if type(function) is not types.FunctionType:
        return
    function = uninstrumented(function)
    used = (function.__globals__.get(name) for name in function.__code__.co_names)
    called = [each for each in used if type(each) is types.FunctionType and each.__globals__ is function.__globals__]
    for each in (function, *called):
        names = each.__code__.co_names
        for name, (way, other) in _IN_PYTHON.items():
            if name in names and (other is None or other in names):
                yield way
        if any(type(constant) is tuple and "stacklevel" in constant for constant in each.__code__.co_consts):
            yield _STACKLEVEL
