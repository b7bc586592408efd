"""How each shape of callable calls the original, leaving its outcome in a local."""

from __future__ import annotations

from instrument.runtime.spans import step, step_over
from instrument.wrappers.code import Lines, Names
from instrument.wrappers.signatures import Signature


def original_call(signature: Signature, original: str) -> str:
    return f"wrapped({signature.passed_on})" if signature.mode == "foreign" else f"{original}({signature.passed_on})"


def _plain_call(names: Names, result: str, call: str, entered: list[str]) -> Lines:
    return [f"{result} = {call}"]


def _awaited_call(names: Names, result: str, call: str, entered: list[str]) -> Lines:
    return [f"{result} = await {call}"]


def _generator_call(names: Names, result: str, call: str, entered: list[str]) -> Lines:
    """As `yield from`, but with the span current only while the host's generator runs, never while it waits."""
    if not entered:
        return [f"{result} = yield from {call}"]
    return _steps(names, call, entered, "", "send", "throw", "close", "StopIteration", [f"{result} = {{stop}}.value"])


def _asynchronous_generator_call(names: Names, result: str, call: str, entered: list[str]) -> Lines:
    return _steps(
        names, call, entered, "await ", "asend", "athrow", "aclose", "StopAsyncIteration", [f"{result} = None"]
    )


def _steps(
    names: Names, call: str, entered: list[str], wait: str, send: str, throw: str, close: str, end: str, after: Lines
) -> Lines:
    # The protocol of PEP 380 (and PEP 525 for the asynchronous one), written out, because a context attached across a
    # `yield` would leak into whoever takes the next step.
    generator, sent, thrown, item, token, stop = map(
        names.local, ("generator", "sent", "thrown", "item", "token", "stop")
    )
    builtin = names.builtin
    step_on = f"{names.cell('step', step)}({entered[-1]})" if entered else "None"
    return [
        f"{generator} = {call}",
        f"{sent} = {thrown} = None",
        "try:",
        "    while True:",
        f"        {token} = {step_on}",
        "        try:",
        f"            if {thrown} is None:",
        f"                {item} = {wait}{generator}.{send}({sent})",
        "            else:",
        f"                {item} = {wait}{generator}.{throw}({thrown})",
        "        finally:",
        f"            {names.cell('step_over', step_over)}({token})",
        f"        {sent} = {thrown} = None",
        "        try:",
        f"            {sent} = yield {item}",
        f"        except {builtin('GeneratorExit')}:",
        f"            {wait}{generator}.{close}()",
        "            raise",
        f"        except {builtin('BaseException')} as {stop}:",
        f"            {thrown} = {stop}",
        f"except {builtin(end)} as {stop}:",
        *(f"    {line.format(stop=stop)}" for line in after),
    ]


CALLS = {
    "function": _plain_call,
    "coroutine": _awaited_call,
    "generator": _generator_call,
    "asynchronous generator": _asynchronous_generator_call,
}


def passive_body(signature: Signature, names: Names, cells: tuple[str, ...]) -> Lines:
    """A body that only calls the original; it names the cells of the active one, which code that replaces it must."""
    lines = [f"if False: ({', '.join(cells)},)"] if cells else []
    call = original_call(signature, next((name for name in cells if name.startswith("original")), ""))
    if signature.shape == "asynchronous generator":
        return [*lines, *_asynchronous_generator_call(names, names.local("result"), call, [])]
    word = {"function": "return ", "coroutine": "return await ", "generator": "return (yield from "}[signature.shape]
    return [*lines, f"{word}{call}{')' if signature.shape == 'generator' else ''}"]
