"""Decides the instrumentation scope of a spec."""

from __future__ import annotations

from pathlib import Path

from opentelemetry.instrumentation.declarative.expressions.constants import constant
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.plan.expression_reader import EXIT, ExpressionReader
from opentelemetry.instrumentation.declarative.plan.model import ScopePlan
from opentelemetry.instrumentation.declarative.version import __version__


def scope_plan(spec: Spec, reader: ExpressionReader) -> ScopePlan:
    """The first scope of a spec whose condition is true."""
    applicable = [each for each in spec.scopes if _applies(each.when, reader)]
    if not applicable:
        return ScopePlan(f"instrument.{spec.name}")
    scope = applicable[0]
    is_shipped = Path(scope.mark.file).parent == directory("configs")
    version = scope.version or (__version__ if is_shipped else None)
    return ScopePlan(scope.name_of_scope, version, scope.schema_url, scope.link_kind)


def _applies(when: Text | None, reader: ExpressionReader) -> bool:
    if when is None:
        return True
    expression = reader.expression(when, EXIT)
    if expression is None:
        return False
    known, value = constant(expression.tree)
    if not known:
        reader.problem(
            when.mark,
            "wrong-value",
            f'the condition of a scope cannot be "{when.value}": it is decided once, before any call',
            "use fixed values and functions, such as the text of an environment variable: "
            """'"http" in "${OTEL_SEMCONV_STABILITY_OPT_IN}"'""",
        )
    return bool(value)
