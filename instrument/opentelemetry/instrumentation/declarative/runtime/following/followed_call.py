"""A call that has returned an unfinished object: what ends with that object, and what is current while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar, Token
from time import monotonic
from typing import Any

from opentelemetry.context import Context, get_current
from opentelemetry.instrumentation.declarative.runtime.context.current import (
    Block,
    attach,
    current_span,
    detach,
    with_added,
    with_added_for_rules,
    with_span,
)
from opentelemetry.instrumentation.declarative.runtime.end_reasons import DROPPED
from opentelemetry.instrumentation.declarative.runtime.span_ending import CallSpan, SpanEnding

#: Called with the result and the exception of the call, one of which is None, with its last item, their number, and the
#: time of the last one.
Finish = Callable[[Any, BaseException | None, Any, "int | None", "float | None"], None]
#: Called with each item, the number of items so far, and the time of the item before.
OnItem = Callable[[Any, int, "float | None"], None]
#: Follows the value that an awaitable gives; returns None if there is nothing to follow.
Then = Callable[[Any, "FollowedCall"], Any]
#: Values of context variables while the object runs.
Values = tuple[tuple[ContextVar[Any], Any], ...]
#: What ``enter`` returns for ``leave``.
Entered = tuple[Any, Context, "list[Token[Any]]"] | None


class FollowedCall:
    """A call that lasts until the object that it has returned has finished, fails, or is dropped.

    ``calls`` are the spans around the call, the outermost first. ``failed`` is called with an exception in ``finish``
    or in our own code: none of them affects the program. ``keeps_items``: the last item is read at the
    end. ``added``: entries of the context while the object runs. ``values``: the same for context variables.
    ``keeps_times``: the time of the item before is read.
    """

    __slots__ = (
        "_added",
        "_block",
        "_block_values",
        "_calls",
        "_failed",
        "_finish",
        "_inner",
        "_item_count",
        "_item_time",
        "_keeps_items",
        "_keeps_times",
        "_last_item",
        "_on_item",
        "_span",
        "_then",
        "_values",
        "given",
        "has_block",
        "subject",
        "unstarted",
    )

    def __init__(
        self,
        finish: Finish,
        calls: Iterable[tuple[SpanEnding, CallSpan | None]],
        failed: Callable[[Exception], None],
        then: Then | None,
        keeps_items: bool = False,
        on_item: OnItem | None = None,
        added: Mapping[str, Any] | None = None,
        values: Values = (),
        keeps_times: bool = False,
    ) -> None:
        # A list, because `pop` is atomic: the call ends once, whichever thread ends it.
        self._finish = [finish]
        self._calls = [(spans, call) for spans, call in calls if call is not None]
        self._failed = failed
        self._then = then
        self._keeps_items = keeps_items
        self._keeps_times = keeps_times
        self._on_item = on_item
        self._added = added or {}
        self._values = values
        self._last_item: Any = None
        self._item_time: float | None = None
        #: None if the object has not been iterated over.
        self._item_count: int | None = None
        #: The object whose end is that of the call, if a proxy stands for it.
        self.subject: Any = None
        current = [call.span for spans, call in self._calls if spans.is_current]
        self._span = current[-1] if current else None
        self._inner: Context | None = None
        #: Whether the program has entered a `with` block of the object: the call then lasts until the end of the block.
        self.has_block = False
        self._block: Block | None = None
        self._block_values: list[Token[Any]] = []
        #: What the block has been given.
        self.given: Any = None
        #: The coroutine that nothing has awaited so far.
        self.unstarted: Any = None

    @property
    def has_ended(self) -> bool:
        return not self._finish

    def enter(self) -> Entered:
        """Make the span and the added entries current for a step of the object; return what ``leave`` needs.

        A step that has left another span current, because it is within a block of its own, continues in that one.
        """
        if not self._finish or (self._span is None and not self._added and not self._values):
            return None
        context = self._inner or with_added(self._added, self._span)
        return attach(context), context, self._set_values()

    def _set_values(self) -> list[Token[Any]]:
        return [variable.set(value) for variable, value in self._values]

    def leave(self, entered: Entered) -> None:
        """Restore what was current before the step."""
        if entered is not None:
            token, context, values = entered
            now = get_current()
            self._inner = None if now is context else now
            detach(token)
            for each in reversed(values):
                detach(each)
            if self.has_ended:
                self.leave_block()

    def gave(self, item: Any) -> None:
        """The object has given an item."""
        self._item_count = count = (self._item_count or 0) + 1
        if self._keeps_items:
            self._last_item = item
        before = self._item_time
        if self._keeps_times:
            self._item_time = monotonic()
        if self._on_item is not None and self._finish:
            token = attach(with_added_for_rules(self._added, self._span)) if self._added else None
            try:
                self._on_item(item, count, before)
            except Exception as failure:
                self._failed(failure)
            finally:
                if token is not None:
                    detach(token)

    def enter_block(self, given: Any = None) -> None:
        """The program enters a `with` block, which is ``given`` a value: the span is current until the call ends."""
        if self._finish and not self.has_block:
            if self._span is not None or self._added:
                self._block = Block(self._inner or with_added(self._added, self._span))
            self._block_values = self._set_values()
        self.has_block, self.given = True, given

    def leave_block(self) -> None:
        """Restore what was current before the block."""
        block, self._block = self._block, None
        if block is not None:
            block.leave()
        while self._block_values:
            detach(self._block_values.pop())

    def settled(self, result: Any) -> Any:
        """An awaitable has given its result, which is followed in turn or ends the call. Return what is passed on."""
        try:
            followed = None if self._then is None else self._then(result, self)
        except Exception as failure:
            self._failed(failure)
            followed = None
        if followed is None:
            self.finished(result)
            return result
        return followed

    def exhausted(self, result: Any, is_block: bool = False) -> None:
        """The object has no more items. In a `with` block of its own, the end of the block ends the call."""
        if self._item_count is None and not is_block:
            self._item_count = 0
        if is_block:
            self.finished(self.given)
        elif not self.has_block:
            self.finished(result)

    def closed(self) -> None:
        """The object has been closed. In a `with` block, the end of the block ends the call."""
        if not self.has_block:
            self.finished(self.subject)

    def finished(self, result: Any) -> None:
        """The object has finished, and the call with it."""
        self._end(result, None)

    def failed(self, error: BaseException) -> None:
        """The object has raised an exception, which ends the call."""
        self._end(None, error)

    def report(self, failure: Exception) -> None:
        """Report why something that the rules of the call name is not recorded."""
        self._failed(failure)

    def dropped(self) -> None:
        """The program no longer uses the object, which has not finished."""
        if self._take_finish() is None:
            return
        self.leave_block()
        for spans, call in reversed(self._calls):
            spans.drop(call, DROPPED)
        # Python warns about the coroutine that stands for it. A second warning would be about the same call.
        if self.unstarted is not None and sys.getrefcount(self.unstarted) <= _ONLY_OURS:
            self.unstarted.close()

    def _end(self, result: Any, error: BaseException | None) -> None:
        finish = self._take_finish()
        if finish is None:
            return
        token: Any = None
        if self._added:
            token = attach(with_added_for_rules(self._added, self._span))
        elif self._span is not None and current_span() is not self._span:
            token = attach(with_span(self._span))
        try:
            finish(result, error, self._last_item, self._item_count, self._item_time)
        except Exception as failure:
            self._failed(failure)
        finally:
            if token is not None:
                detach(token)
            self._calls.clear()
            self._last_item = self.subject = self._on_item = None

    def _take_finish(self) -> Finish | None:
        try:
            return self._finish.pop()
        except IndexError:
            return None

    def __del__(self) -> None:
        try:
            self.dropped()
        except Exception as failure:
            self._failed(failure)


#: References to an object of which only one attribute has one: the attribute, and the argument of `getrefcount`.
_ONLY_OURS = 2
