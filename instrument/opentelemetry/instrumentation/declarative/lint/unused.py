"""Finds entries of a spec that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.expressions import parse
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.lint.plan_parts import expressions_in, lint_warning, parts_of
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.span_plan import ContextSourcePlan


def unused(plan: Plan) -> Iterator[Problem]:
    used_hooks = {hook.hook.name for hook in plan.hooks}
    yield from _unused_entries(plan.spec, used_hooks)
    expressions = [*expressions_in((plan.spans, plan.hook_groups, plan.mirrors))]
    called = {name for expression in expressions for name in expression.functions}
    yield from _unused_functions(plan.spec, called)
    read = {name for expression in expressions for name in expression.names}
    yield from _unused_names(plan.spec, used_hooks, read)
    yield from _unused_options(plan)


def _unused_entries(spec: Spec, used_hooks: set[str]) -> Iterator[Problem]:
    for hook in spec.hooks.values():
        if hook.name not in used_hooks:
            message = f'no rule uses the hook "{hook.name}": its callable is not patched'
            help = "use it in a span, an event or another rule, or remove it"
            yield lint_warning(hook.mark, "idle-hook", message, help)
    hooked_extensions = {hook.extension.value for hook in spec.hooks.values() if hook.extension is not None}
    for extension in spec.extensions.values():
        if extension.name not in hooked_extensions:
            message = f'no hook is on the extension "{extension.name}": it has no effect'
            yield lint_warning(
                extension.mark, "idle-extension", message, "add a hook with extension and method, or remove it"
            )
    used_mirrors = {span.mirror.value for span in spec.spans.values() if span.mirror is not None}
    for mirror in spec.mirrors:
        if mirror.enabled and mirror.name not in used_mirrors:
            message = f'no span is written to the mirror "{mirror.name}"'
            yield lint_warning(
                mirror.mark, "idle-mirror", message, f"add mirror: {mirror.name} to a span, or remove it"
            )
    for closing in spec.closings:
        if not any(span.owner is not None for span in spec.spans.values()):
            message = f'the closing "{closing.name}" ends nothing: no span has an `owner`'
            yield lint_warning(closing.at.mark, "idle-closing", message, "add owner: to the spans that it should end")


def _unused_functions(spec: Spec, called: set[str]) -> Iterator[Problem]:
    # Mirrors that are not enabled are not in the plan.
    disabled = (mirror.store for mirror in spec.mirrors if not mirror.enabled)
    stores = (parse(store.value, store.mark, spec.functions) for store in disabled)
    called = called.union(*(store.functions for store in stores))
    for name, function in spec.functions.items():
        if name not in called:
            yield lint_warning(
                function.mark, "idle-function", f'no expression calls the function "{name}"', "remove it, or call it"
            )


def _unused_names(spec: Spec, used_hooks: set[str], read: set[str]) -> Iterator[Problem]:
    for kind, name, mark in _defined_names(spec, used_hooks):
        if name not in read:
            message = f'no expression reads the {kind} "{name}"'
            yield lint_warning(mark, "idle-name", message, "remove it, or read it")


def _defined_names(spec: Spec, used_hooks: set[str]) -> Iterator[tuple[str, str, Mark]]:
    for value in spec.context_values:
        yield "context value", value.name, value.mark
    for hook in spec.hooks.values():
        if hook.name in used_hooks:
            for name in hook.names:
                yield "name", name, hook.names.key_marks[name]
    for span in spec.spans.values():
        for count in span.counts:
            yield "count", count.name, count.mark
        for start in span.starts:
            for name in start.names:
                yield "name", name, start.names.key_marks[name]


def _unused_options(plan: Plan) -> Iterator[Problem]:
    """Options of spans that have no effect."""
    sources = (part for part in parts_of((plan.spans, plan.hook_groups)) if isinstance(part, ContextSourcePlan))
    referenced = {source.span for source in sources}
    for span in plan.spec.spans.values():
        if span.remember and span.name not in referenced:
            message = (
                f'the contexts of ended spans "{span.name}" are kept but never used: '
                "no parent, link or write names the span"
            )
            help = "remove `remember`, or name the span with span: and key:"
            yield lint_warning(span.mark, "idle-remember", message, help)
        if span.owner is not None and span.mirror is None and not plan.spec.closings:
            message = (
                f'the owner of the span "{span.name}" is not used: there is no closing, and the span has no mirror'
            )
            yield lint_warning(span.owner.mark, "idle-owner", message, "add a closing, or remove `owner`")
        for source in span.parents:
            if source.required and any(other.where == "none" for other in span.parents):
                message = "`required` has no effect here: `none` always exists"
                help = "remove `none` from the list, or remove `required`"
                yield lint_warning(source.mark, "idle-required", message, help)
