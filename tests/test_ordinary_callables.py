"""Ordinary Python callables behave the same with rules on them, and their calls are recorded."""

import re
import types
from collections import Counter
from typing import Any

import pytest

from .callable_cases import NAMED, NESTED, Case


def outcome(module: types.ModuleType, expression: str) -> Any:
    """What an expression gives or raises, without addresses and the name of the module."""
    try:
        found: Any = repr(eval(expression, vars(module)))
    except Exception as error:
        found = repr(error)
    return re.sub(r"0x[0-9a-f]+", "0x", found.replace(module.__name__, "host"))


@pytest.mark.parametrize("cases", [NAMED, NESTED], ids=["by their names", "within functions"])
def test_ordinary_callables_behave_the_same_and_their_calls_are_recorded(
    cases: dict[str, Case], make_module, instrumented, tracing, logged
):
    expected = {}
    for name, (source, _, expression, counts) in cases.items():
        expected[name] = outcome(make_module(source), expression), counts
    modules = {name: make_module(source) for name, (source, *_) in cases.items()}
    spans = [
        f'  span{number}_{key}: {{around: "{modules[name].__name__}:{path}"}}'
        for number, (name, (_, targets, _, _)) in enumerate(cases.items())
        for key, path in targets.items()
    ]
    found = {}
    with instrumented("spans:\n" + "\n".join(spans), *modules.values()):
        for name, (_, targets, expression, _) in cases.items():
            tracing.exporter.clear()
            result = outcome(modules[name], expression)
            recorded = Counter(span.partition("_")[2] for span in tracing.names)
            found[name] = result, {key: recorded[key] for key in targets if recorded[key]}
    assert found == expected
    assert logged() == []
