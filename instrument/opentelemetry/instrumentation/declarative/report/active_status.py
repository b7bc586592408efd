"""Determines the state of an active spec from its plan, its patches and its counters."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from opentelemetry.instrumentation.declarative.diagnostics.problems import counted
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.patching.imports.script_names import is_script
from opentelemetry.instrumentation.declarative.patching.patches import Patches
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, Plan
from opentelemetry.instrumentation.declarative.plan.stages import Stage
from opentelemetry.instrumentation.declarative.report.status import ReadStatus, RuleState, RuleStatus, SpecStatus
from opentelemetry.instrumentation.declarative.runtime.rule_stats import RuleStats, SpecStats


def active_status(plan: Plan, patches: Patches, stats: SpecStats) -> SpecStatus:
    """The state of a spec that is active."""
    rules = sorted(_StatusReader(plan, patches, stats).rules(), key=lambda rule: (rule.id.mark.file, rule.id.mark.line))
    ended_early: dict[str, dict[str, int]] = {}
    for name, counters in list(stats.early_ends.items()):
        for reason, counter in list(counters.items()):
            if counter.value:
                ended_early.setdefault(name, {})[reason] = counter.value
    return SpecStatus(plan.spec.name, plan.spec.file, "active", None, rules, ended_early)


@dataclass(slots=True)
class _PlannedRule:
    """A rule of the plan, and where it acts: on which callables, for which hook, at which stage."""

    id: RuleId
    within_span: bool
    at: list[tuple[CallPlan, HookPlan, Stage]] = field(default_factory=list)


class _StatusReader:
    def __init__(self, plan: Plan, patches: Patches, stats: SpecStats) -> None:
        self._plan = plan
        self._patches = patches
        self._stats = stats
        self._installed = patches.installed

    def rules(self) -> Iterator[RuleStatus]:
        planned = self._planned_rules()
        # A hook that a span names directly is not a rule to the user.
        direct = {hook.rule for hook in self._plan.hooks if hook.hook.direct}
        for rule in planned.values():
            if rule.id not in direct:
                yield self._status(rule)
        sinks = dict.fromkeys(sink.rule for sink in self._plan.sinks)
        for sink in sinks:
            yield self._status_without_callables(self._stats.of(sink))
        for stats in self._stats.all():
            if stats.rule not in planned and stats.rule not in sinks and (stats.failures.value or stats.problems):
                yield self._status_without_callables(stats)
        used = {hook.hook.name for hook in self._plan.hooks}
        for name, hook in self._plan.spec.hooks.items():
            if name not in used and not hook.direct:
                yield RuleStatus(RuleId("hook", name, hook.mark), [], "unused", ["no rule uses it"])

    def _planned_rules(self) -> dict[RuleId, _PlannedRule]:
        """Each rule of the plan once, with all its callables."""
        rules: dict[RuleId, _PlannedRule] = {}
        for call in (*self._patches.calls, *self._unmatched_patterns()):
            for hook in call.hooks:
                for rule, stage, within_span in hook.rules():
                    rules.setdefault(rule, _PlannedRule(rule, within_span)).at.append((call, hook, stage))
        return rules

    def _unmatched_patterns(self) -> Iterator[CallPlan]:
        """A call for each hook with patterns that has not matched any callable yet."""
        matched = {hook.hook.name for call in self._patches.calls for hook in call.hooks}
        for hook in self._plan.patterns:
            if hook.hook.name not in matched and hook.hook.calls is not None:
                yield CallPlan(hook.hook.calls.named[0], None, [hook])

    def _status(self, rule: _PlannedRule) -> RuleStatus:
        stats = self._stats.of(rule.id)
        callables = list(dict.fromkeys(str(call.target) for call, _, _ in rule.at))
        status = RuleStatus(rule.id, callables, self._state(rule, stats))
        _add_counts(status, stats)
        not_patched = self._why_not_patched(rule)
        if status.state != "installed":
            status.why = not_patched or _problems(stats) or self._problems_of_hook(rule)
        elif not status.matched:
            status.why = [*not_patched, *self._why_not_matched(rule, stats)]
        else:
            status.why = [*not_patched, *_problems(stats)]
        return status

    def _status_without_callables(self, stats: RuleStats) -> RuleStatus:
        """The status of a sink, or of a part of a rule that has failed."""
        status = RuleStatus(stats.rule, [], "installed", _problems(stats))
        _add_counts(status, stats)
        if not status.reached and stats.rule.kind == "sink":
            status.why = ["no span of the owner has ended"]
        return status

    def _state(self, rule: _PlannedRule, stats: RuleStats) -> RuleState:
        if any(id(call) in self._installed for call, _, _ in rule.at):
            return "installed" if stats.is_generated else "refused"
        on_callables = [call for call, _, _ in rule.at if call.value is None]
        if any(id(call) in self._patches.refused or call.target.module in sys.modules for call in on_callables):
            return "refused"
        return "waiting"

    def _why_not_patched(self, rule: _PlannedRule) -> list[str]:
        """Why callables of the rule are not patched."""
        why: dict[str, None] = {}
        for call, _, _ in rule.at:
            if id(call) in self._installed:
                continue
            module = call.target.module
            if call.value is not None:
                method = f" with a method {call.method}" if call.method else " that can be called"
                why[f"there has been no {call.value}{method}"] = None
                continue
            patterns = next((hook.hook.calls for hook in call.hooks if hook.hook.calls is not None), None)
            if patterns is not None:
                why[f"no imported callable matches {', '.join(map(str, patterns.named))}"] = None
            elif id(call) in self._patches.refused:
                why[self._patches.refused[id(call)]] = None
            elif is_script(module):
                why[f"{module} is the script, and it has not defined {call.target.path}"] = None
            elif module not in sys.modules:
                why[f"{module} was not imported"] = None
            else:
                why[f"{module} was added to sys.modules without an import, after this spec became active"] = None
        return list(why)

    def _problems_of_hook(self, rule: _PlannedRule) -> list[str]:
        messages = [message for _, hook, _ in rule.at for message in _problems(self._stats.of(hook.rule))]
        return list(dict.fromkeys(messages)) or ["it has no effect there"]

    def _why_not_matched(self, rule: _PlannedRule, stats: RuleStats) -> list[str]:
        """The likely reasons why an installed rule has never matched."""
        if stats.reached.value and rule.id.kind != "hook":
            return [f"its moment occurred {counted(stats.reached.value, 'time')}, but its `when` was never true"]
        why: dict[str, None] = {}
        for call, hook, stage in rule.at:
            if id(call) in self._installed:
                why[self._why_not_reached(rule, call, hook, stage)] = None
        return list(why)

    def _why_not_reached(self, rule: _PlannedRule, call: CallPlan, hook: HookPlan, stage: Stage) -> str:
        hook_stats = self._stats.of(hook.rule)
        calls, target = hook_stats.reached.value, str(call.target)
        if not calls:
            hint = self._patches.hint(call)
            return f"{target} was not called{f': {hint}' if hint else ''}"
        if not hook_stats.matched.value:
            mark = hook.hook.mark
            return (
                f"{target} was called {counted(calls, 'time')}, but the `when` of the hook {hook.hook.name} "
                f"({mark.file.rpartition('/')[2]}:{mark.line}) was never true"
            )
        if rule.within_span:
            return "its span never started, or its call is still running"
        verb = {"enter": "got that far", "item": "gave an item", "return": "returned", "raise": "raised"}[stage]
        return f"{target} never {verb}, in {counted(calls, 'call')}"


def _problems(stats: RuleStats) -> list[str]:
    return list(dict.fromkeys(problem.message for problem in stats.problems))


def _add_counts(status: RuleStatus, stats: RuleStats) -> None:
    status.reached, status.matched, status.emitted = stats.reached.value, stats.matched.value, stats.emitted.value
    status.not_emitted = {reason: each.value for reason, each in list(stats.not_emitted.items()) if each.value}
    status.failures = stats.failures.value
    status.disabled = list(stats.disabled)
    status.first_failure = stats.first_failure
    for read in list(stats.reads.values()):
        present, missing = read.present.value, read.missing.value
        if present + missing or status.matched:
            status.reads.append(ReadStatus(read.kind, read.name, read.mark, present, present + missing))
