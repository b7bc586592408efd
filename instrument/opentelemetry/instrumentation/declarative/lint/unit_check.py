"""Warns about units of metrics that contradict what is measured."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, quoted
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.nodes.metric import Metric
from opentelemetry.instrumentation.declarative.lint.plan_parts import lint_warning
from opentelemetry.instrumentation.declarative.plan.call_actions import RecordMetric
from opentelemetry.instrumentation.declarative.plan.metric_names import is_unit, suggested_unit
from opentelemetry.instrumentation.declarative.plan.metric_planner import SECONDS
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.stages import STAGES


class Quantity(NamedTuple):
    """A unit of a dimension. ``scale`` of it make one basic unit: 1000 milliseconds are a second."""

    dimension: str
    scale: float


_UNITS: Mapping[str, Quantity] = {
    **{unit: Quantity("time", scale) for unit, scale in SECONDS.items()},
    "d": Quantity("time", 1 / 86400),
    "By": Quantity("size", 1),
    "kBy": Quantity("size", 1e-3),
    "MBy": Quantity("size", 1e-6),
    "GBy": Quantity("size", 1e-9),
    "KiBy": Quantity("size", 1 / 2**10),
    "MiBy": Quantity("size", 1 / 2**20),
    "GiBy": Quantity("size", 1 / 2**30),
    "bit": Quantity("size", 8),
}
#: The unit of a value, by the end of its name.
_NAMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(^|_)(s|secs?|seconds?)$", re.I), "s"),
    (re.compile(r"(^|_)(ms|msecs?|millis|milliseconds?)$|Ms$|Millis$", re.I), "ms"),
    (re.compile(r"(^|_)(us|usecs?|micros|microseconds?)$", re.I), "us"),
    (re.compile(r"(^|_)(ns|nsecs?|nanos|nanoseconds?)$", re.I), "ns"),
    (re.compile(r"(^|_)minutes$", re.I), "min"),
    (re.compile(r"(^|_)hours$", re.I), "h"),
    (re.compile(r"(^|_)n?bytes$", re.I), "By"),
    (re.compile(r"(^|_)(kb|kib)$", re.I), "KiBy"),
)
_CALLS: Mapping[str, str] = {"clock": "s", "now": "ns"}
#: Functions whose result has the unit of their first argument.
_KEEP = frozenset({"abs", "float", "int", "max", "min", "round", "sum"})


def unit_warnings(plan: Plan) -> Iterator[Problem]:
    values = {
        (action.name, action.value.mark): action.value
        for hook in plan.hooks
        for stage in STAGES
        for action in hook.actions[stage]
        if isinstance(action, RecordMetric) and action.value is not None
    }
    for metric in plan.spec.metrics:
        if metric.unit is None:
            continue
        yield from _of_notation(metric)
        yield from _of_metric_name(metric)
        if metric.spans:
            yield from _of_spans(metric)
        for (name, _), value in values.items():
            if name == metric.name:
                yield from _of_value(metric, value)


def _of_notation(metric: Metric) -> Iterator[Problem]:
    """Units that are words, which backends do not know."""
    assert metric.unit is not None
    unit, notation = metric.unit.value, suggested_unit(metric.unit.value)
    if unit not in _UNITS and notation != unit and is_unit(unit) and (metric.at or metric.instrument != "histogram"):
        message = f"{quoted(unit)} is not the notation of a unit in UCUM, which OpenTelemetry uses"
        yield lint_warning(metric.unit.mark, "unit-mismatch", message, f"did you mean {quoted(notation or unit)}?")


def _of_metric_name(metric: Metric) -> Iterator[Problem]:
    """A unit in the name of a metric that is not its unit."""
    assert metric.unit is not None
    last = metric.name.rpartition(".")[2]
    declared, named = _UNITS.get(metric.unit.value), _of_name(last) if last not in ("s", "h") else None
    if declared is not None and named is not None and not _agree(declared, named):
        message = f"the name {quoted(metric.name)} contradicts the unit {metric.unit.value}"
        help = "leave the unit out of the name, as the semantic conventions do, or write the same unit in both"
        yield lint_warning(metric.unit.mark, "unit-mismatch", message, help)


def _of_spans(metric: Metric) -> Iterator[Problem]:
    assert metric.unit is not None
    unit = metric.unit.value
    if metric.instrument in ("counter", "up_down_counter") and unit in _UNITS:
        message = f'the metric "{metric.name}" counts spans, and {quoted(unit)} is a unit of {_UNITS[unit].dimension}'
        help = f'write unit: "{{{metric.spans[0].value}}}", or make it a histogram for the duration'
        yield lint_warning(metric.unit.mark, "unit-mismatch", message, help)
    elif metric.instrument == "histogram" and unit in SECONDS and unit != "s":
        message = f'the metric "{metric.name}" is converted to {unit}: by convention, durations are in seconds'
        yield Problem(
            metric.unit.mark, "unit-mismatch", message, "write unit: s, unless the backend needs another", "note"
        )


def _of_value(metric: Metric, value: Expression) -> Iterator[Problem]:
    assert metric.unit is not None
    declared, found = _UNITS.get(metric.unit.value), _quantity(value.tree)
    if found is None or declared is None or _agree(declared, found):
        return
    unit = next((name for name, each in _UNITS.items() if _agree(each, found)), None)
    if unit is None:
        return
    message = f"the value {quoted(value.text)} is in {unit}, and the unit of the metric is {metric.unit.value}"
    help = f"write unit: {unit}"
    if declared.dimension == found.dimension:
        help += f", or convert the value: ({value.text}) {_conversion(declared.scale / found.scale)}"
    yield lint_warning(metric.unit.mark, "unit-mismatch", message, help)


def _agree(one: Quantity, other: Quantity) -> bool:
    return one.dimension == other.dimension and math.isclose(one.scale, other.scale)


def _conversion(factor: float) -> str:
    return f"* {round(factor, 3):.12g}" if factor >= 1 else f"/ {round(1 / factor, 3):.12g}"


def _quantity(tree: ast.expr) -> Quantity | None:
    """The quantity that an expression measures; None if it is not known."""
    if isinstance(tree, (ast.Name, ast.Attribute)):
        return _of_name(tree.id if isinstance(tree, ast.Name) else tree.attr)
    if isinstance(tree, ast.Subscript):
        key = tree.slice
        return _of_name(key.value) if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        name = tree.func.id
        if name in _CALLS:
            return _UNITS[_CALLS[name]]
        return _quantity(tree.args[0]) if name in _KEEP and tree.args else None
    if isinstance(tree, ast.BinOp):
        return _of_operation(tree)
    if isinstance(tree, ast.BoolOp):
        return _quantity(tree.values[0])
    return None


def _of_operation(tree: ast.BinOp) -> Quantity | None:
    left, right = _quantity(tree.left), _quantity(tree.right)
    if isinstance(tree.op, (ast.Add, ast.Sub)):
        return left or right
    factor = _number(tree.right)
    if left is not None and factor and isinstance(tree.op, (ast.Mult, ast.Div)):
        return left._replace(scale=left.scale * factor if isinstance(tree.op, ast.Mult) else left.scale / factor)
    factor = _number(tree.left)
    if right is not None and factor and isinstance(tree.op, ast.Mult):
        return right._replace(scale=right.scale * factor)
    return None


def _number(tree: ast.expr) -> float | None:
    value = tree.value if isinstance(tree, ast.Constant) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _of_name(name: str) -> Quantity | None:
    found = next((unit for pattern, unit in _NAMES if pattern.search(name)), None)
    return None if found is None else _UNITS[found]
