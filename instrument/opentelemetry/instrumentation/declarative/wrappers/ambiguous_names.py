"""The note about a name in an expression that is both an outcome of the call and a parameter of the callable."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem

#: The outcomes of a call by name: each with a moment at which it can be read.
_OUTCOMES: Mapping[str, tuple[str, str]] = {
    "result": ("the call's return value", "return"),
    "error": ("the call's exception", "raise"),
    "last_item": ("the last item of the result", "item"),
    "item_count": ("the number of items of the result", "item"),
    "previous_item_time": ("the time of the item before", "item"),
}


def ambiguous_name(name: str, mark: Mark, callable_title: str, is_parameter: bool) -> Problem:
    """Say which of both a name is at a stage of a call, and how to read the other one."""
    outcome, moment = _OUTCOMES[name]
    parameter = f"the parameter of {callable_title}"
    if is_parameter:
        message = f'"{name}" is {parameter} here, not {outcome}'
        help = f"read {outcome} at {moment} or exit, for example in an attribute with `at`"
    else:
        message = f'"{name}" is {outcome} here, not {parameter}'
        help = "to read the parameter, give it another name with `names` of the hook"
    return Problem(mark, "ambiguous-name", message, help, "note")
