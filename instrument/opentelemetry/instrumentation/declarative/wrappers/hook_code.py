"""Generates the code of one hook on one callable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.call_actions import (
    ExtractContext,
    HookValue,
    SetContextValue,
    SuppressInstrumentation,
)
from opentelemetry.instrumentation.declarative.plan.model import CollectionPlan, HookPlan
from opentelemetry.instrumentation.declarative.plan.span_actions import TraceCall
from opentelemetry.instrumentation.declarative.plan.stages import ENDS, Stage
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.values.collected import collected_value, new_collected
from opentelemetry.instrumentation.declarative.runtime.values.listed_items import listed_items
from opentelemetry.instrumentation.declarative.wrappers.action_code import emit_action, emit_context_reset
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup, conditional
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope, HookedCallable
from opentelemetry.instrumentation.declarative.wrappers.own_reading_code import in_turn
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature
from opentelemetry.instrumentation.declarative.wrappers.span_ends import emit_call_span_end
from opentelemetry.instrumentation.declarative.wrappers.value_code import value_lines


def unpacked(names: Iterable[str]) -> str:
    """The left side of an assignment that unpacks a sequence into these names."""
    left = ", ".join(names)
    return left if "," in left else f"{left},"


class HookCode:
    """The code of a hook: ``first`` and ``head`` evaluate its condition and names, ``at`` has a stage's actions."""

    def __init__(self, plan: HookPlan, emitter: Emitter, signature: Signature, hooked: HookedCallable) -> None:
        self.plan = plan
        self.first: Lines = []
        self.head: Lines = []
        #: The locals of the contexts that are current during the call, each after that of its token.
        self.contexts: list[tuple[str, str]] = []
        #: The same for the context values of the call.
        self.carried: list[tuple[str, str]] = []
        self._emitter = emitter
        self._signature = signature
        runtime = emitter.runtime
        # A method that is implemented in C may not say what its parameters are called.
        receiver = (
            {"self": "instance"} if plan.hook.values and plan.hook.methods and signature.mode == "foreign" else {}
        )
        self._scope = ExpressionScope(
            emitter.names,
            runtime.functions,
            runtime.context_values,
            {**receiver, **emitter.parameters},
            hooked,
            one_of_many=plan.is_on_several,
            read=emitter.read,
        ).at("enter", {"result": "None", "error": "None"})
        emitter.hook = plan.hook.name
        #: The local that says whether the hook applies to the current call. None if it always does.
        self.flag: str | None = None
        self.is_usable = emitter.can_read(self._scope, f'the hook "{plan.hook.name}"', [plan.when])
        self.is_usable = self.is_usable and (emitter.reports_all or not self._scope.is_never_true(plan.when))
        if self.is_usable and (plan.when is not None or plan.unpack):
            self.flag = emitter.names.local(f"in_{plan.hook.name}")
        #: The local for what is collected over the items of the result. None if nothing is.
        self._collected = emitter.names.local("collected") if plan.collections and self.is_usable else None
        if self.is_usable:
            self._emit_head(signature)

    def at(self, stage: Stage, outcome: Mapping[str, str]) -> Lines:
        """The lines of a stage. Spans around the call end last, in reverse order of their start."""
        if not self.is_usable:
            return []
        scope = self._scope.at(stage, outcome)
        self._emitter.hook = self.plan.hook.name
        lines: Lines = []
        if self._collected is not None:
            lines, scope = self._collection(self._collected, scope, stage)
        rules = self._each_item([*self.plan.each.items()], scope, stage)
        if stage in ENDS:
            for action in reversed(self.plan.actions["enter"]):
                if isinstance(action, TraceCall):
                    rules.append(emit_call_span_end(action, self._emitter, scope, stage))
        return self._flagged([*lines, *in_turn(self._emitter.names, rules)])

    def _each_item(self, lists: Sequence[tuple[str, Expression]], scope: ExpressionScope, stage: Stage) -> list[Lines]:
        """The lines of each action of a stage, or all of them within a loop over each of these lists."""
        emitter = self._emitter
        if not lists:
            actions = self.plan.actions[stage]
            around = SetContextValue | ExtractContext | SuppressInstrumentation | HookValue
            return [emit_action(action, emitter, scope, stage) for action in actions if not isinstance(action, around)]
        (name, expression), *others = lists
        item, items = emitter.names.local(name), emitter.names.local(f"{name}_list")
        emitter.read_at_end.update((item, items))

        def read(rule: Rule) -> Lines:
            subject = f'the hook "{self.plan.hook.name}"'
            if not emitter.is_due(scope, expression) or not emitter.can_read(scope, subject, [expression]):
                return []
            group = ExpressionGroup(scope, rule)
            value = group.value("list", expression)
            listed = emitter.names.constant("listed_items", partial(listed_items, rule.failed))
            return [*group.lines(), f"{items} = {listed}({value})"]

        inner = in_turn(emitter.names, self._each_item(others, scope.with_locals(**{name: item}), stage))
        reading = emitter.guarded(self.plan.rule_for("each"), read) if inner else []
        if not reading:
            return []
        return [[f"{items} = ()", *reading, f"for {item} in {items}:", *indented(inner)]]

    def context_values(self, outcome: Mapping[str, str]) -> tuple[Lines, Lines]:
        """The lines that set the context values of the call, and those that reset them.

        They come directly around the call, within the other lines of all hooks: the hooks do not see these values.
        """
        return self._around((SetContextValue, SuppressInstrumentation), outcome)

    def extracted_contexts(self, outcome: Mapping[str, str]) -> tuple[Lines, Lines]:
        """The lines that make extracted contexts current, and those that restore what was current before.

        They come outside of the other lines of all hooks, which see these contexts.
        """
        return self._around((ExtractContext,), outcome)

    def _around(self, kinds: tuple[type[Action], ...], outcome: Mapping[str, str]) -> tuple[Lines, Lines]:
        if not self.is_usable:
            return [], []
        scope = self._scope.at("enter", outcome)
        actions = [action for action in self.plan.actions["enter"] if isinstance(action, kinds)]
        set_lines = [line for action in actions for line in emit_action(action, self._emitter, scope, "enter")]
        titles = [action.rule.title for action in actions if action.rule.title in self._emitter.contexts]
        tokens = self._emitter.context_tokens
        self.contexts += [(tokens[title], self._emitter.contexts[title]) for title in titles]
        names = [action.subject for action in actions if isinstance(action, SetContextValue)]
        known = self._emitter.carried
        self.carried += [(tokens[name], known[name]) for name in names if name in known]
        reset_lines = [line for action in reversed(actions) for line in emit_context_reset(action, self._emitter)]
        return self._flagged(set_lines), self._flagged(reset_lines)

    def _collection(self, collected: str, scope: ExpressionScope, stage: Stage) -> tuple[Lines, ExpressionScope]:
        """Lines that add an item to what is collected, or that read it at the end, and the scope with its names."""
        emitter, collections = self._emitter, self.plan.collections
        if stage == "enter":
            return [], scope
        lines: Lines = []
        if stage == "item":
            for index, each in enumerate(collections):
                lines += emitter.guarded(each.rule, partial(self._add_item, scope, each, f"{collected}[{index}]"))
            return lines, scope
        value = emitter.names.constant("collected_value", collected_value)
        locals_ = {each.name: emitter.names.local(each.name) for each in collections}
        emitter.read_at_end.update(locals_.values())
        lines = [f"{local} = {value}({collected}, {index})" for index, local in enumerate(locals_.values())]
        return lines, scope.with_locals(**locals_)

    def _add_item(self, scope: ExpressionScope, each: CollectionPlan, collector: str, rule: Rule) -> Lines:
        if not self._emitter.can_read(scope, f'the collection "{each.name}"', [each.value]):
            return []
        group = ExpressionGroup(scope, rule)
        value = group.value("value", each.value)
        return [*group.lines(), f"{collector}.add({value})", *self._emitter.count_emitted()]

    def values(self, stage: Stage, result: str) -> Lines:
        """The lines that hook values of the call, after all hooks have read them."""
        if not self.is_usable:
            return []
        return self._flagged(value_lines(self.plan, stage, self._emitter, self._signature, result))

    def _emit_head(self, signature: Signature) -> None:
        plan, emitter = self.plan, self._emitter
        # Callables that are not written in Python may not say what their parameters are.
        unpacks_all = bool(plan.hook.values) and signature.mode == "foreign"
        if plan.unpack and signature.var_positional is None and not unpacks_all:
            message = f'{emitter.callable_title} has no *args to name: the hook "{plan.hook.name}" is left out'
            emitter.problems.append(Problem(plan.hook.unpack[0].mark, "no-args", message, "remove `unpack`"))
            self.is_usable = emitter.reports_all
            if not self.is_usable:
                return
        args = {name: emitter.names.local(name) for name in plan.unpack}
        scope_with_args = self._scope.with_locals(**args)
        lines: Lines = []
        if args and unpacks_all:
            rest = emitter.names.local("rest")
            lines.append(f"{', '.join(args.values())}, *{rest} = (*args, {', '.join(['None'] * len(args))})")
        elif args and signature.var_positional is not None:
            star = emitter.parameters[signature.var_positional]
            emitter.read.add(star)
            lines.append(f"{unpacked(args.values())} = {star}")

        def emit(rule: Rule) -> Lines:
            names, scope = emitter.named(plan.names, scope_with_args, rule, keep=True)
            lines.extend(names)
            outer, self._scope = self._scope, scope
            if self.flag:
                lines.append(f"{self.flag} = True")
            lines.extend(emitter.count_matched())
            return lines if plan.when is None else conditional(plan.when, outer, rule, lines)

        self.head = emitter.guarded(plan.rule, emit)
        if self._collected is not None:
            new = emitter.names.constant("new_collected", new_collected([each.kind for each in plan.collections]))
            self.first.append(f"{self._collected} = {new}()")
        if self.flag:
            self.first.append(f"{self.flag} = False")

    def _flagged(self, lines: Lines) -> Lines:
        return [f"if {self.flag}:", *indented(lines)] if self.flag and lines else lines
