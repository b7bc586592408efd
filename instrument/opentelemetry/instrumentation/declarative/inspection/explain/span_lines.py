"""The lines about the start and the end of a span: its name, attributes and status."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from opentelemetry.instrumentation.declarative.expressions import (
    CONTENT_DESCRIPTION,
    CUT_CONTENT,
    HASHED_CONTENT,
    MAPPING_ENTRIES,
    Expression,
    HelperCall,
)
from opentelemetry.instrumentation.declarative.inspection.explain.output import OutputLine
from opentelemetry.instrumentation.declarative.inspection.wording import condition_words, injected_part, sources_phrase
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan, SpanPlan, StatusPlan
from opentelemetry.instrumentation.declarative.plan.stages import Stage


def span_start_lines(span: SpanPlan) -> tuple[OutputLine, ...]:
    """Return what a span gets when it starts."""
    lines = []
    if span.is_read_at_start(span.template.names):
        lines.append(OutputLine(f"name: {span.template.text}", span.template.mark))
    if span.key is not None:
        lines.append(OutputLine(f"key: {span.key.text}", span.key.mark))
    lines += [OutputLine(f"also found by {key.text} after it ends", key.mark) for key in span.also]
    lines.append(OutputLine(f"parent: {sources_phrase(span.parents)}", span.parents[0].mark))
    for link in span.links:
        lines.append(OutputLine(f"link {link.kind}: {sources_phrase(link.sources)}", link.sources[0].mark))
    if span.owner is not None:
        lines.append(OutputLine(f"owner: {span.owner.text}", span.owner.mark))
    lines += attribute_lines(each for each in span.attributes if span.is_read_at_start(each.expression.names))
    lines += [
        OutputLine(f"{injected_part(part, 'its')} is written to {field.text}", field.mark)
        for part, field in span.inject.items()
    ]
    return tuple(lines)


def span_end_lines(
    span: SpanPlan, stage: Stage, more: Iterable[AttributePlan] = (), statuses: Iterable[StatusPlan] = ()
) -> tuple[OutputLine, ...]:
    """Return what a span gets when it ends at a stage, with more attributes and statuses of this end."""
    lines = []
    if not span.is_read_at_start(span.template.names) and all(
        span.is_readable_at_end(part, stage) for part in span.template.parts if isinstance(part, Expression)
    ):
        lines.append(OutputLine(f"name: {span.template.text}", span.template.mark))
    late = [each for each in span.attributes if not span.is_read_at_start(each.expression.names)]
    lines += attribute_lines(each for each in (*late, *more) if span.is_readable_at_end(each.expression, stage))
    for status in (*statuses, *span.statuses):
        lines += status_lines(status, lambda expression: span.is_readable_at_end(expression, stage))
    if span.exception is not None and span.is_readable_at_end(span.exception, stage):
        lines.append(OutputLine(f"exception: {span.exception.text}", span.exception.mark))
    return tuple(lines)


def status_lines(status: StatusPlan, exists: Callable[[Expression], bool] = lambda _: True) -> Iterable[OutputLine]:
    """The rules of a status, without those that cannot be read. The first rule that applies and has a value counts."""
    if status.when is not None and not exists(status.when):
        return
    when = "" if status.when is None else f"if {condition_words(status.when)}: "
    if status.unset and status.when is not None:
        yield OutputLine(f"{when}status UNSET", status.when.mark)
    if status.error is not None and exists(status.error):
        text = f"{when}status ERROR, described by {value_text(status.error)}, if that has a value"
        yield OutputLine(text, status.error.mark)
    if status.ok is not None and exists(status.ok):
        yield OutputLine(f"{when}status OK, if {status.ok.text}", status.ok.mark)


def attribute_lines(attributes: Iterable[AttributePlan]) -> tuple[OutputLine, ...]:
    """Return attributes with the expressions of their values."""
    return tuple(
        OutputLine(
            f"{each.key} = {value_text(each.value)}{_conditions(each)}",
            each.value.mark,
            subject=("attributes", each.key),
        )
        for each in attributes
    )


def _conditions(attribute: AttributePlan) -> str:
    texts = [condition_words(each) for each in (attribute.when, attribute.once) if each is not None]
    empty = ", unless empty" if attribute.omits_empty else ""
    return empty + (f", if {' and '.join(texts)}" if texts else "")


#: What is done to a value that is content.
_HELPERS = {
    CONTENT_DESCRIPTION: " (content)",
    CUT_CONTENT: " (truncated)",
    HASHED_CONTENT: " (hashed)",
}


def value_text(expression: Expression) -> str:
    """Return an expression, and what is done to its value if it is content."""
    tree = expression.tree
    helper = tree.func.id if isinstance(tree, HelperCall) and isinstance(tree.func, ast.Name) else ""
    if isinstance(tree, HelperCall) and helper == MAPPING_ENTRIES:
        return f"{expression.text} (each entry that matches {_selected(tree)})"
    return expression.text + _HELPERS.get(helper, "")


def _selected(entries: HelperCall) -> str:
    """Return the patterns for the names of the entries that are recorded."""
    only = entries.args[2]
    return " or ".join(str(only.value).split("\n")) if isinstance(only, ast.Constant) else ""
