"""How each shape of callable calls the original, leaving its outcome in a local."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.runtime.generators import step, step_over, thrown, unseen
from opentelemetry.instrumentation.declarative.wrappers.code import Lines, Names, indented
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature


def original_call(signature: Signature, original: str) -> str:
    return f"{'wrapped' if signature.mode == 'foreign' else original}({signature.passed_on})"


def _plain_call(names: Names, result: str, call: str, entered: list[str]) -> Lines:
    return [f"{result} = {call}"]


def _awaited_call(names: Names, result: str, call: str, entered: list[str]) -> Lines:
    return [f"{result} = await {call}"]


def _generator_call(names: Names, result: str, call: str, entered: list[str]) -> Lines:
    """As `yield from`, but with the span current only while the host's generator runs, never while it waits."""
    if not entered:
        return [f"{result} = yield from {call}"]
    generator, stop = names.local("generator"), names.local("stop")
    return [
        f"{generator} = {call}",
        *_steps(names, generator, entered, f"{generator}.send", "{}", "send", "throw", stop),
        f"except {names.builtin('StopIteration')} as {stop}:",
        f"    {result} = {stop}.value",
    ]


def _asynchronous_generator_call(names: Names, result: str, call: str, entered: list[str]) -> Lines:
    generator, stop = names.local("generator"), names.local("stop")
    first = f"{names.cell('unseen', unseen)}({generator})"
    return [
        f"{generator} = {call}",
        *_steps(names, generator, entered, first, "await {}", "asend", "athrow", stop),
        f"except {names.builtin('StopAsyncIteration')}:",
        f"    {result} = None",
    ]


def _steps(
    names: Names, generator: str, entered: list[str], first: str, wait: str, send: str, throw: str, stop: str
) -> Lines:
    # `yield from` written out, because a context attached across a `yield` would leak into whoever takes the next step.
    # Whatever is thrown in is thrown on, GeneratorExit too: then the host's generator decides what closing it means,
    # down to the value that it returns. The items are handed on through a list, so that this frame keeps none alive.
    advance, value, items = map(names.local, ("advance", "value", "items"))
    taken = [f"{items}.append({wait.format(f'{advance}({value})')})"]
    if entered:
        token = names.local("token")
        taken = [
            f"{token} = {names.cell('step', step)}({entered[-1]})",
            "try:",
            *indented(taken),
            "finally:",
            f"    {names.cell('step_over', step_over)}({token})",
            f"    {advance} = {value} = None",
        ]
    return [
        f"{items} = []",
        f"{advance}, {value} = {first}, None",
        "try:",
        "    while True:",
        *indented(indented(taken)),
        "        try:",
        f"            {advance}, {value} = {generator}.{send}, (yield {items}.pop())",
        f"        except {names.builtin('BaseException')} as {stop}:",
        f"            {advance}, {value} = {generator}.{throw}, {names.cell('thrown', thrown)}({stop})",
    ]


CALLS = {
    "function": _plain_call,
    "coroutine": _awaited_call,
    "generator": _generator_call,
    "asynchronous generator": _asynchronous_generator_call,
}


def passive_body(signature: Signature, names: Names, call: str, cells: tuple[str, ...]) -> Lines:
    """A body that only makes this call; it names the cells of the active one, which code that replaces it must."""
    lines = [f"if False: ({', '.join(cells)},)"] if cells else []
    if signature.shape == "asynchronous generator":
        return [*lines, *_asynchronous_generator_call(names, names.local("result"), call, [])]
    word = {"function": "return ", "coroutine": "return await ", "generator": "return (yield from "}[signature.shape]
    return [*lines, f"{word}{call}{')' if signature.shape == 'generator' else ''}"]
