"""Generates the call of the original, for each kind of callable."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry.instrumentation.declarative.runtime.generators import (
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


def call_lines(kind: CallKind, names: NameAllocator, result: str, call: str, call_spans: list[str]) -> Lines:
    """The lines that make a call and assign its outcome to a local. ``call_spans`` are the locals of its spans."""
    return _CALLS[kind](names, result, call, call_spans)


def return_lines(kind: CallKind, names: NameAllocator, call: str) -> Lines:
    """The lines that make a call and return its outcome."""
    if kind == "asynchronous generator":
        return _asynchronous_generator_call(names, names.local("result"), call, [])
    if kind == "generator":
        return [f"return (yield from {call})"]
    return [f"return await {call}" if kind == "coroutine" else f"return {call}"]


def _plain_call(_names: NameAllocator, result: str, call: str, _call_spans: list[str]) -> Lines:
    return [f"{result} = {call}"]


def _awaited_call(_names: NameAllocator, result: str, call: str, _call_spans: list[str]) -> Lines:
    return [f"{result} = await {call}"]


def _generator_call(names: NameAllocator, result: str, call: str, call_spans: list[str]) -> Lines:
    """Like `yield from`, but the span is current only while the original generator runs, not while it is suspended."""
    if not call_spans:
        return [f"{result} = yield from {call}"]
    generator, stop = names.local("generator"), names.local("stop")
    return [
        f"{generator} = {call}",
        *_steps(names, generator, call_spans, f"{generator}.send", "{}", "send", "throw", stop),
        f"except {names.builtin('StopIteration')} as {stop}:",
        f"    {result} = {stop}.value",
    ]


def _asynchronous_generator_call(names: NameAllocator, result: str, call: str, call_spans: list[str]) -> Lines:
    generator, stop = names.local("generator"), names.local("stop")
    first = f"{names.cell('hide_from_event_loop', hide_from_event_loop)}({generator})"
    return [
        f"{generator} = {call}",
        *_steps(names, generator, call_spans, first, "await {}", "asend", "athrow", stop),
        f"except {names.builtin('StopAsyncIteration')}:",
        f"    {result} = None",
    ]


def _steps(
    names: NameAllocator, generator: str, call_spans: list[str], first: str, wait: str, send: str, throw: str, stop: str
) -> Lines:
    # `yield from` spelled out, because a context attached across a `yield` would leak into the caller of the next step.
    # Every exception is thrown into the original generator, including GeneratorExit: it decides what closing means,
    # and which value it returns. The items are passed on through a list, so that this frame keeps none of them alive.
    advance, value, items = map(names.local, ("advance", "value", "items"))
    step = [f"{items}.append({wait.format(f'{advance}({value})')})"]
    if call_spans:
        token = names.local("token")
        step = [
            f"{token} = {names.cell('enter_step', enter_step)}({call_spans[-1]})",
            "try:",
            *indented(step),
            "finally:",
            f"    {names.cell('leave_step', leave_step)}({token})",
            f"    {advance} = {value} = None",
        ]
    thrown = f"{names.cell('without_own_frame', without_own_frame)}({stop})"
    return [
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


_CALLS: Mapping[CallKind, Callable[[NameAllocator, str, str, list[str]], Lines]] = {
    "function": _plain_call,
    "coroutine": _awaited_call,
    "generator": _generator_call,
    "asynchronous generator": _asynchronous_generator_call,
}
