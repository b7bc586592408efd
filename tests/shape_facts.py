"""What `inspect`, `typing`, `copy` and `pickle` return for a callable."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import re
import sys
import typing
import weakref
from collections.abc import Callable
from typing import Any

from .shape_table import READ, Case

_NAMED = ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__", "__annotations__")
_ATTRIBUTES = (*_NAMED, "__type_params__", "__isabstractmethod__", "__self__")
_INSPECT = [name for name in dir(inspect) if name.startswith("is") and name != "iskeyword"]

#: Callables that are not Python functions are behind a proxy of wrapt, which does not hide these facts.
_OF_A_PROXY = ("ismethoddescriptor", "isroutine", "call arguments", "__isabstractmethod__")
_PROXIED = ("callable object", "partial", "partial method", "single dispatch method")


def _same(copied: Any, original: Any) -> Any:
    """Whether a copy is the original, or equal to it; otherwise its type."""
    return "the same" if copied is original else "equal" if copied == original else type(copied)


def _comparable(value: Any) -> Any:
    """A function itself, and the representation of anything else, which may be a new object for each access."""
    return value if inspect.isfunction(value) else _representation(value)


def _representation(value: Any) -> str:
    return re.sub(r"0x\w+", "0x", repr(value))


_QUESTIONS: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(inspect, name) for name in _INSPECT},
    "signature": inspect.signature,
    "source": inspect.getsource,
    "source lines": inspect.getsourcelines,
    "comments": inspect.getcomments,
    "documentation": inspect.getdoc,
    "module": inspect.getmodule,
    "call arguments": lambda target: str(inspect.getfullargspec(target)),
    "hints": typing.get_type_hints,
    "callable": callable,
    "class": lambda target: target.__class__,
    "representation": _representation,
    "equal to itself": lambda target: target == target and hash(target) == hash(target),
    "supports weak references": lambda target: weakref.ref(target)() is target,
    "names": lambda target: sorted(set(dir(target)) - {"__wrapped__", "__slotnames__"}),
    "copied": lambda target: _same(copy.copy(target), target),
    "copied deeply": lambda target: _same(copy.deepcopy([target])[0], target),
    "pickled": lambda target: [pickle.dumps(target, protocol) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)],
    "unpickled": lambda target: _same(pickle.loads(pickle.dumps(target)), target),
    "pickled in a partial": lambda target: len(pickle.dumps(functools.partial(target, 1))),
}
if sys.version_info < (3, 14):
    import asyncio

    _QUESTIONS["asyncio calls it a coroutine function"] = asyncio.iscoroutinefunction


def answer(question: Callable[[Any], Any], target: Any) -> Any:
    try:
        return question(target)
    except (pickle.PicklingError, TypeError):
        return "refused"
    except Exception as error:
        return type(error)


def of_callable(target: Any) -> dict[str, Any]:
    raw = getattr(target, "__func__", target)
    found: dict[str, Any] = {name: _comparable(getattr(raw, name, None)) for name in _ATTRIBUTES}
    found["globals"] = id(getattr(raw, "__globals__", None))
    found.update((name, answer(question, target)) for name, question in _QUESTIONS.items())
    found["unwrapped"] = _comparable(inspect.unwrap(raw))
    found["own attributes"] = {
        name: _comparable(value) for name, value in getattr(raw, "__dict__", {}).items() if name != "__wrapped__"
    }
    return found


def facts(module: Any, case: Case) -> dict[str, Any]:
    """All results of introspection, copying and pickling."""
    owner = getattr(module, "Host", module)
    found: dict[str, Any] = {"abstract": inspect.isabstract(getattr(module, "Base", owner))}
    if case.shape not in READ:
        found |= of_callable(eval(case.inspected, vars(module)))
        return {name: found[name] for name in found if case.shape not in _PROXIED or name not in _OF_A_PROXY}
    held = inspect.getattr_static(owner, "target")
    function = held.fget if isinstance(held, property) else held.func
    found["property"] = (type(held), held.__doc__, [name for name in _INSPECT if getattr(inspect, name)(held)])
    return found | of_callable(function)
