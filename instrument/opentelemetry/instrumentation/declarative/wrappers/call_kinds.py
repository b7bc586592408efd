"""Generates the call of the original, for each kind of callable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.runtime.following.generators import (
    enter_step,
    hide_from_event_loop,
    leave_step,
    without_own_frame,
)
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.names import NameAllocator
from opentelemetry.instrumentation.declarative.wrappers.signatures import CallKind, Signature


def original_call(signature: Signature, original: str) -> str:
    """The source of a call of the original with the arguments of the current call."""
    return f"{'wrapped' if signature.mode == 'foreign' else original}({signature.passed_on})"


class Items(NamedTuple):
    """The locals for the last item that a generator has given, the number of items and the time of the item before,
    None if they are not read; and the lines for each item.
    """

    last_item: str | None = None
    item_count: str | None = None
    previous_item_time: str | None = None
    lines: Lines | None = None


def items_head(kind: CallKind, items: Items) -> Lines:
    """The lines that set the locals for items before the call."""
    first = "0" if kind in ("generator", "asynchronous generator") else "None"
    values = {items.last_item: "None", items.item_count: first, items.previous_item_time: "None"}
    return [f"{local} = {value}" for local, value in values.items() if local is not None]


def call_lines(
    kind: CallKind, names: NameAllocator, result: str, call: str, call_spans: list[str], items: Items
) -> Lines:
    """The lines that make a call and assign its outcome to a local.

    ``call_spans`` are the locals of the spans that are current during the call.
    """
    return _CALLS[kind](names, result, call, call_spans, items)


def return_lines(kind: CallKind, names: NameAllocator, call: str) -> Lines:
    """The lines that make a call and return its outcome."""
    if kind == "asynchronous generator":
        return _asynchronous_generator_call(names, names.local("result"), call, [], Items())
    if kind == "generator":
        return [f"return (yield from {call})"]
    return [f"return await {call}" if kind == "coroutine" else f"return {call}"]


def _plain_call(_names: NameAllocator, result: str, call: str, _call_spans: list[str], _items: Items) -> Lines:
    return [f"{result} = {call}"]


def _awaited_call(_names: NameAllocator, result: str, call: str, _call_spans: list[str], _items: Items) -> Lines:
    return [f"{result} = await {call}"]


def _generator_call(names: NameAllocator, result: str, call: str, call_spans: list[str], items: Items) -> Lines:
    """Like `yield from`, but the span is current only while the original generator runs, not while it is suspended."""
    if not call_spans and not any(items):
        return [f"{result} = yield from {call}"]
    generator, stop = names.local("generator"), names.local("stop")
    return [
        f"{generator} = {call}",
        *_steps(names, generator, call_spans, f"{generator}.send", "{}", "send", "throw", stop, items),
        f"except {names.builtin('StopIteration')} as {stop}:",
        f"    {result} = {stop}.value",
    ]


def _asynchronous_generator_call(
    names: NameAllocator, result: str, call: str, call_spans: list[str], items: Items
) -> Lines:
    generator, stop = names.local("generator"), names.local("stop")
    first = f"{names.constant('hide_from_event_loop', hide_from_event_loop)}({generator})"
    return [
        f"{generator} = {call}",
        *_steps(names, generator, call_spans, first, "await {}", "asend", "athrow", stop, items),
        f"except {names.builtin('StopAsyncIteration')}:",
        f"    {result} = None",
    ]


def _steps(
    names: NameAllocator,
    generator: str,
    call_spans: list[str],
    first: str,
    wait: str,
    send: str,
    throw: str,
    stop: str,
    given: Items,
) -> Lines:
    # `yield from` spelled out, because a context attached across a `yield` would leak into the caller of the next step.
    # Every exception is thrown into the original generator, including GeneratorExit: it decides what closing means,
    # and which value it returns. The items are passed on through a list, so that this frame keeps none of them alive.
    advance, value, items = map(names.local, ("advance", "value", "items"))
    step = [f"{items}.append({wait.format(f'{advance}({value})')})"]
    if given.last_item:
        step.append(f"{given.last_item} = {items}[0]")
    if given.item_count:
        step.append(f"{given.item_count} += 1")
    if given.previous_item_time:
        time = names.local("item_time")
        step.append(f"{time} = {names.constant('monotonic', monotonic)}()")
    step += given.lines or []
    if given.previous_item_time:
        step.append(f"{given.previous_item_time} = {time}")
    head: Lines = []
    if call_spans:
        token, kept = names.local("token"), names.local("kept")
        head = [f"{kept} = None"]
        step = [
            f"{token} = {names.constant('enter_step', enter_step)}({call_spans[-1]}, {kept})",
            "try:",
            *indented(step),
            "finally:",
            f"    {kept} = {names.constant('leave_step', leave_step)}({call_spans[-1]}, {kept}, {token})",
            f"    {advance} = {value} = None",
        ]
    thrown = f"{names.constant('without_own_frame', without_own_frame)}({stop})"
    return [
        *head,
        f"{items} = []",
        f"{advance}, {value} = {first}, None",
        "try:",
        "    while True:",
        *indented(indented(step)),
        "        try:",
        f"            {advance}, {value} = {generator}.{send}, (yield {items}.pop())",
        f"        except {names.builtin('BaseException')} as {stop}:",
        f"            {advance}, {value} = {generator}.{throw}, {thrown}",
    ]


_CALLS: Mapping[CallKind, Callable[[NameAllocator, str, str, list[str], Items], Lines]] = {
    "function": _plain_call,
    "coroutine": _awaited_call,
    "generator": _generator_call,
    "asynchronous generator": _asynchronous_generator_call,
}
