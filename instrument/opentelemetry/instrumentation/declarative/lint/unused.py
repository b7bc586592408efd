"""Finds entries of a spec that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.lint.plan_parts import expressions_in, lint_warning, parts_of
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.span_plan import ContextSourcePlan


def unused(plan: Plan) -> Iterator[Problem]:
    used_hooks = {hook.hook.name for hook in plan.hooks}
    yield from _unused_entries(plan.spec, used_hooks)
    expressions = [*expressions_in((plan.spans, plan.hook_groups, plan.metrics))]
    called = {name for expression in expressions for name in expression.functions}
    yield from _unused_functions(plan.spec, called)
    read = {name for expression in expressions for name in expression.names}
    yield from _unused_names(plan.spec, used_hooks, read, plan.unused_names)
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
    used_owners = {span.owner.value for span in spec.spans.values() if span.owner is not None}
    for owner in spec.owners.values():
        if owner.name not in used_owners:
            message, help = f'no span has the owner "{owner.name}"', f"add owner: {owner.name} to its spans"
            yield lint_warning(owner.mark, "idle-owner", message, f"{help}, or remove it")
        elif not owner.closes and owner.sink is None:
            message = f'the owner "{owner.name}" has no effect: it has neither `closes` nor `sink`'
            yield lint_warning(owner.mark, "idle-owner", message, "add closes: with a moment, or remove it")


def _unused_functions(spec: Spec, called: set[str]) -> Iterator[Problem]:
    for name, function in spec.functions.items():
        if name not in called and not function.is_called_with_span:
            message = f'no expression calls the function "{name}"'
            yield lint_warning(function.call.mark, "idle-function", message, "remove it, or call it")


def _unused_names(spec: Spec, used_hooks: set[str], read: set[str], unused: frozenset[str]) -> Iterator[Problem]:
    for name in sorted(unused):
        message = f'no expression reads the name "{name}"'
        yield lint_warning(spec.names.key_marks[name], "idle-name", message, "remove it, or read it")
    for kind, name, mark in _defined_names(spec, used_hooks):
        if name not in read:
            message = f'no expression reads the {kind} "{name}"'
            yield lint_warning(mark, "idle-name", message, "remove it, or read it")


def _defined_names(spec: Spec, used_hooks: set[str]) -> Iterator[tuple[str, str, Mark]]:
    for entry in spec.context:
        if entry.value:
            yield "context value", entry.name, entry.mark
    for hook in spec.hooks.values():
        if hook.name in used_hooks:
            for collection in hook.collect.values():
                yield "collection", collection.name, collection.mark
            for names in (hook.names, hook.each):
                for name in names:
                    yield "name", name, names.key_marks[name]
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
        if span.lookup.keep_ended and span.name not in referenced:
            message = (
                f'the contexts of ended spans "{span.name}" are kept but never used: '
                "no parent, link or injection names the span"
            )
            help = "remove `keep_ended`, or name the span with span: and key:"
            yield lint_warning(span.mark, "idle-lookup", message, help)
        for source in span.parents:
            if source.required and any(other.where == "none" for other in span.parents):
                message = "`required` has no effect here: `none` always exists"
                help = "remove `none` from the list, or remove `required`"
                yield lint_warning(source.mark, "idle-required", message, help)
