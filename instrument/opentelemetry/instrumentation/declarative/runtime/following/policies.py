"""Which results are followed: by default, and for a spec that asks for it; and how each is followed."""

from __future__ import annotations

import itertools
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.context.own_reading import readings
from opentelemetry.instrumentation.declarative.runtime.following.awaitables import (
    follow_asyncio_future,
    follow_coroutine,
    follow_deferred,
    follow_thread_future,
    follow_unknown_future,
)
from opentelemetry.instrumentation.declarative.runtime.following.blocks import follow_asynchronous_block, follow_block
from opentelemetry.instrumentation.declarative.runtime.following.followed_call import (
    Finish,
    FollowedCall,
    OnItem,
    Values,
)
from opentelemetry.instrumentation.declarative.runtime.following.held_results import is_held
from opentelemetry.instrumentation.declarative.runtime.following.iterators import (
    follow_asynchronous_generator,
    follow_generator,
)
from opentelemetry.instrumentation.declarative.runtime.following.proxies import make_proxy, proxied_class
from opentelemetry.instrumentation.declarative.runtime.following.special_methods import defined, has_methods
from opentelemetry.instrumentation.declarative.runtime.span_ending import CallSpan, SpanEnding

#: Returns what the program gets instead of the result: the result itself if it could be changed, otherwise an object
#: that stands for it. None if it cannot be followed.
Follower = Callable[[Any, FollowedCall], Any]

#: An ordinary class is kept alive by being in the set of a policy, so the set has a limit.
_MOST_CLASSES = 10_000


class FollowPolicy:
    """A policy. ``unfollowed`` holds classes whose objects it does not follow, for a fast answer."""

    def __init__(self, find: Callable[[type], Follower | None], *, is_requested: bool) -> None:
        """``is_requested``: it also follows what the program holds already, and what an awaitable gives."""
        self.unfollowed: set[type] = set()
        self._find = find
        self._is_requested = is_requested
        self._then = self._follow_awaited if is_requested else None
        self._followers: weakref.WeakKeyDictionary[type, Follower | None] = weakref.WeakKeyDictionary()

    def follows_class(self, cls: type) -> bool:
        """Whether the objects of a class are followed."""
        return self._find(cls) is not None

    def follows(self, result: Any) -> bool:
        """Whether a result is followed. For wrappers, in which only one local may hold the result."""
        references = sys.getrefcount(result)
        follower = self._follower(result)
        if follower is None or self._is_requested or follower in _KEEPING_THE_OBJECT:
            return follower is not None
        return not is_held(result, references)

    def _follower(self, result: Any) -> Follower | None:
        """How a result is followed; None if it is not."""
        cls = type(result)
        # No rule applies to what finding it calls, such as the methods of the dictionary.
        readings.append(None)
        instrument_is_reading = True  # noqa: F841  see own_reading.READING
        try:
            return self._found(cls)
        finally:
            readings.pop()

    def _found(self, cls: type) -> Follower | None:
        try:
            return self._followers[cls]
        except KeyError:
            follower = self._followers[cls] = self._find(proxied_class(cls))
        if follower is None and _is_permanent(cls):
            if len(self.unfollowed) >= _MOST_CLASSES:
                self.unfollowed.clear()
            self.unfollowed.add(cls)
        return follower

    def follow(
        self,
        result: Any,
        finish: Finish,
        calls: Iterable[tuple[SpanEnding, CallSpan | None]],
        failed: Callable[[Exception], None],
        keeps_items: bool = False,
        on_item: OnItem | None = None,
        added: Mapping[str, Any] | None = None,
        values: Values = (),
        keeps_times: bool = False,
    ) -> Any:
        """Return what the program gets instead of the result. The rest as for ``FollowedCall``."""
        call = FollowedCall(finish, calls, failed, self._then, keeps_items, on_item, added, values, keeps_times)
        try:
            follower = self._follower(result)
            followed = None if follower is None else follower(result, call)
        except Exception as failure:
            failed(failure)
            followed = None
        if followed is None:
            call.finished(result)
            return result
        return followed

    def _follow_awaited(self, result: Any, call: FollowedCall) -> Any:
        follower = None if type(result) in self.unfollowed else self._follower(result)
        return None if follower is None else follower(result, call)


def _is_permanent(cls: type) -> bool:
    """Whether a class exists as long as the process: a built-in one, or one that its module has."""
    if not cls.__flags__ & _HEAP_TYPE:
        return True
    try:
        found: Any = sys.modules.get(cls.__module__)
        for name in cls.__qualname__.split("."):
            found = found.__dict__[name]
        return found is cls
    except Exception:
        return False


_HEAP_TYPE = 1 << 9


# ── How the objects of a class are followed ──


def _followed_by_default(cls: type) -> Follower | None:
    """Objects that only begin to work when they are awaited, iterated over or entered, or that are a future."""
    bases = cls.__mro__
    for base in bases:
        if base in _FOLLOWERS:
            return _FOLLOWERS[base]
        if (name := (base.__module__, base.__name__)) in _FOLLOWERS_BY_NAME:
            return _FOLLOWERS_BY_NAME[name]
    if all(defined(cls, name) for name in ("_asyncio_future_blocking", "_result", "_exception")):
        return follow_asyncio_future
    is_awaitable = has_methods(cls, "__await__")
    if has_methods(cls, "add_done_callback") and (is_awaitable or has_methods(cls, "done")):
        return follow_unknown_future
    # The proxy of another tool claims to have methods that its object may not have.
    return make_proxy if is_awaitable and "__class__" not in _namespace(bases[:-1]) else None


def _followed_on_request(cls: type) -> Follower | None:
    """Also objects that are used for other things, or as long as the program runs: files, connections, streams."""
    follower = _followed_by_default(cls)
    if follower is not None:
        return follower
    return make_proxy if any(has_methods(cls, *methods) for methods in _PROTOCOLS) else None


def _namespace(bases: Iterable[type]) -> set[str]:
    return {name for base in bases for name in vars(base)}


#: An object that has only ``__iter__`` is a collection, or a model with fields, unless it can be closed.
_PROTOCOLS = (
    ("__next__",),
    ("__anext__",),
    ("__aiter__",),
    ("__iter__", "close"),
    ("__enter__", "__exit__"),
    ("__aenter__", "__aexit__"),
)

#: Those of ``itertools`` that end.
_ITERTOOLS = (
    each
    for name, each in vars(itertools).items()
    if isinstance(each, type) and name not in ("count", "cycle", "repeat", "_grouper", "_tee_dataobject")
)
_FOLLOWERS: Mapping[type, Follower] = {
    types.CoroutineType: follow_coroutine,
    types.GeneratorType: follow_generator,
    types.AsyncGeneratorType: follow_asynchronous_generator,
    **dict.fromkeys((map, filter, zip, enumerate, reversed, type(iter(int, 1)), *_ITERTOOLS), make_proxy),
}
#: By name, so that a program that does not use these modules does not import them.
_FOLLOWERS_BY_NAME: Mapping[tuple[str, str], Follower] = {
    ("contextlib", "_GeneratorContextManager"): follow_block,
    ("contextlib", "_AsyncGeneratorContextManager"): follow_asynchronous_block,
    ("concurrent.futures._base", "Future"): follow_thread_future,
    ("twisted.internet.defer", "Deferred"): follow_deferred,
}
#: Those that change the object. All others return another one.
_KEEPING_THE_OBJECT: frozenset[Follower] = frozenset(
    [follow_asyncio_future, follow_unknown_future, *_FOLLOWERS_BY_NAME.values()]
)

#: What a spec follows that does not say anything about it.
BY_DEFAULT = FollowPolicy(_followed_by_default, is_requested=False)
#: With ``follow_result: true``.
ON_REQUEST = FollowPolicy(_followed_on_request, is_requested=True)
