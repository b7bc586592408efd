"""What `inspect`, `typing`, `copy` and `pickle` tell of a host's callable."""

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

#: What is no Python function hangs under a proxy of wrapt's, and this is what wrapt's proxies do not hide.
_OF_A_PROXY = ("ismethoddescriptor", "isroutine", "call arguments", "__isabstractmethod__")
_PROXIED = ("callable object", "partial", "partial method", "single dispatch method")


def _same(copied: Any, original: Any) -> Any:
    """Whether a copy is the very thing, or equal to it, or else what sort of thing it is."""
    return "the same" if copied is original else "equal" if copied == original else type(copied)


def _known(value: Any) -> Any:
    """A function as it is; of what is another object each time it is asked for, how it is shown."""
    return value if inspect.isfunction(value) else _shown(value)


def _shown(value: Any) -> str:
    return re.sub(r"0x\w+", "0x", repr(value))


_QUESTIONS: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(inspect, name) for name in _INSPECT},
    "signature": inspect.signature,
    "source": inspect.getsource,
    "source lines": inspect.getsourcelines,
    "comments": inspect.getcomments,
    "documentation": inspect.getdoc,
    "module": inspect.getmodule,
    "call arguments": lambda reached: str(inspect.getfullargspec(reached)),
    "hints": typing.get_type_hints,
    "callable": callable,
    "class": lambda reached: reached.__class__,
    "shown": _shown,
    "equal to itself": lambda reached: reached == reached and hash(reached) == hash(reached),
    "can be referred to weakly": lambda reached: weakref.ref(reached)() is reached,
    "names": lambda reached: sorted(set(dir(reached)) - {"__wrapped__", "__slotnames__"}),
    "copied": lambda reached: _same(copy.copy(reached), reached),
    "copied deeply": lambda reached: _same(copy.deepcopy([reached])[0], reached),
    "pickled": lambda reached: [pickle.dumps(reached, protocol) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)],
    "unpickled": lambda reached: _same(pickle.loads(pickle.dumps(reached)), reached),
    "pickled in a partial": lambda reached: len(pickle.dumps(functools.partial(reached, 1))),
}
if sys.version_info < (3, 14):
    import asyncio

    _QUESTIONS["asyncio calls it a coroutine function"] = asyncio.iscoroutinefunction


def answer(question: Callable[[Any], Any], asked: Any) -> Any:
    try:
        return question(asked)
    except (pickle.PicklingError, TypeError):
        return "refused"
    except Exception as error:
        return type(error)


def of_callable(reached: Any) -> dict[str, Any]:
    raw = getattr(reached, "__func__", reached)
    told: dict[str, Any] = {name: _known(getattr(raw, name, None)) for name in _ATTRIBUTES}
    told["globals"] = id(getattr(raw, "__globals__", None))
    told.update((question, answer(ask, reached)) for question, ask in _QUESTIONS.items())
    told["unwrapped"] = _known(inspect.unwrap(raw))
    told["attributes of its own"] = {
        name: _known(value) for name, value in getattr(raw, "__dict__", {}).items() if name != "__wrapped__"
    }
    return told


def facts(module: Any, case: Case) -> dict[str, Any]:
    """All that introspection, copying and pickling tell."""
    owner = getattr(module, "Host", module)
    told: dict[str, Any] = {"abstract": inspect.isabstract(getattr(module, "Base", owner))}
    if case.shape not in READ:
        told |= of_callable(eval(case.told, vars(module)))
        return {name: told[name] for name in told if case.shape not in _PROXIED or name not in _OF_A_PROXY}
    held = inspect.getattr_static(owner, "target")
    function = held.fget if isinstance(held, property) else held.func
    told["property"] = (type(held), held.__doc__, [name for name in _INSPECT if getattr(inspect, name)(held)])
    return told | of_callable(function)
