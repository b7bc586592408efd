"""What is known of each rule of a spec: its state, how often it matched, what came of it, and why nothing did."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.patching.import_hooks import is_run_as_main
from opentelemetry.instrumentation.declarative.patching.patches import Patches
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, Plan, Stage
from opentelemetry.instrumentation.declarative.runtime.rule_stats import RuleTally, Tallies
from opentelemetry.instrumentation.declarative.wrappers.action_code import rules_of

State = Literal["installed", "waiting", "refused", "unused"]


@dataclass(frozen=True, slots=True)
class SeenStatus:
    """What a rule reads: an attribute, a link or a parent; ``there`` in so many of ``read`` readings."""

    kind: str
    name: str
    file: str
    line: int
    there: int
    read: int


@dataclass(slots=True)
class RuleStatus:
    """One rule. ``why``: why it is not installed, or not at each of its callables, or has never matched."""

    rule: str
    file: str
    line: int
    callables: list[str]
    state: State
    why: list[str] = field(default_factory=list)
    reached: int = 0
    matched: int = 0
    emitted: int = 0
    not_emitted: dict[str, int] = field(default_factory=dict)
    reads: list[SeenStatus] = field(default_factory=list)
    failures: int = 0
    first_failure: str | None = None
    switched_off: list[str] = field(default_factory=list)

    @property
    def is_hook(self) -> bool:
        return self.rule.startswith("hook ")


@dataclass(slots=True)
class SpecStatus:
    """One spec. ``why``: why it is not at work; ``cut``: by span and reason, how many did not end as the spec says."""

    name: str
    file: str
    state: Literal["at work", "waiting", "left out"]
    why: str | None = None
    rules: list[RuleStatus] = field(default_factory=list)
    cut: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Placed:
    """A rule of the plan, and where it stands: the callable, the hook, the stage."""

    what: str
    mark: Mark
    at: list[tuple[CallPlan, HookPlan, Stage]] = field(default_factory=list)


def status_of(plan: Plan, patches: Patches, tallies: Tallies) -> SpecStatus:
    """The state of a spec that is at work."""
    reader = _Reader(plan, patches, tallies)
    rules = sorted(reader.rules(), key=lambda rule: (rule.file, rule.line))
    cut = {name: {why: n.value for why, n in list(by.items()) if n.value} for name, by in list(tallies.cut.items())}
    return SpecStatus(
        plan.spec.name, plan.spec.file, "at work", None, rules, {name: by for name, by in cut.items() if by}
    )


class _Reader:
    def __init__(self, plan: Plan, patches: Patches, tallies: Tallies) -> None:
        self._plan = plan
        self._patches = patches
        self._tallies = tallies
        self._installed = patches.installed

    def rules(self) -> Iterator[RuleStatus]:
        placed = self._placed()
        direct = {(_title_of(hook.name), hook.mark) for hook in self._plan.spec.hooks.values() if hook.direct}
        for rule in placed.values():
            if (rule.what, rule.mark) not in direct:
                yield self._rule(rule)
        for mirror in self._plan.mirrors:
            yield self._unplaced(self._tallies.of(f"mirror {mirror.name}", mirror.mark))
        known = {*placed, *((f"mirror {mirror.name}", mirror.mark) for mirror in self._plan.mirrors)}
        for tally in self._tallies.all():
            if (tally.what, tally.mark) not in known and (tally.failures.value or tally.problems):
                yield self._unplaced(tally)
        used = {hook.hook.name for hooks in self._plan.joined for hook in hooks}
        for name, hook in self._plan.spec.hooks.items():
            if name not in used and not hook.direct:
                yield RuleStatus(f"hook {name}", hook.mark.file, hook.mark.line, [], "unused", ["no rule uses it"])

    def _placed(self) -> dict[tuple[str, Mark], _Placed]:
        """Every rule of the plan once, wherever it stands."""
        found: dict[tuple[str, Mark], _Placed] = {}
        for call in (*self._patches.calls, *self._unmet()):
            for hook in call.hooks:
                here: Iterable[tuple[str, Mark, Stage]] = [(_title(hook), hook.hook.mark, "enter"), *rules_of(hook)]
                for what, mark, stage in here:
                    found.setdefault((what, mark), _Placed(what, mark)).at.append((call, hook, stage))
        return found

    def _unmet(self) -> Iterator[CallPlan]:
        """For each hook on several callables that has met none yet, one that stands for them."""
        met = {hook.hook.name for call in self._patches.calls for hook in call.hooks}
        for hook in self._plan.patterns:
            if hook.hook.name not in met and hook.hook.calls is not None:
                yield CallPlan(hook.hook.calls.include[0], None, [hook])

    def _rule(self, rule: _Placed) -> RuleStatus:
        tally = self._tallies.of(rule.what, rule.mark)
        callables = list(dict.fromkeys(str(call.target) for call, _, _ in rule.at))
        status = RuleStatus(rule.what, rule.mark.file, rule.mark.line, callables, self._state(rule, tally))
        _counted(status, tally)
        if status.state != "installed":
            status.why = self._absent(rule) or _left_out(tally) or self._hook_left_out(rule)
        elif not status.matched:
            status.why = [*self._absent(rule), *self._never(rule, tally)]
        else:
            status.why = [*self._absent(rule), *_left_out(tally)]
        return status

    def _unplaced(self, tally: RuleTally) -> RuleStatus:
        """A rule that stands on no callable: a mirror, or a part of one that has failed."""
        status = RuleStatus(tally.what, tally.mark.file, tally.mark.line, [], "installed", _left_out(tally))
        _counted(status, tally)
        if not status.reached and tally.what.startswith("mirror "):
            status.why = ["no span that is mirrored has ended with an owner"]
        return status

    def _state(self, rule: _Placed, tally: RuleTally) -> State:
        if any(id(call) in self._installed for call, _, _ in rule.at):
            return "installed" if tally.written else "refused"
        if any(id(call) in self._patches.refused or call.target.module in sys.modules for call, _, _ in rule.at):
            return "refused"
        return "waiting"

    def _absent(self, rule: _Placed) -> list[str]:
        """Why some of the rule's callables, or all, are not patched."""
        why: dict[str, None] = {}
        for call, _, _ in rule.at:
            if id(call) in self._installed:
                continue
            module = call.target.module
            several = next((hook.hook.calls for hook in call.hooks if hook.hook.calls is not None), None)
            if several is not None:
                why[f"nothing that was imported is met by {', '.join(map(str, several.include))}"] = None
            elif id(call) in self._patches.refused:
                why[self._patches.refused[id(call)]] = None
            elif is_run_as_main(module):
                why[f"{module} is run by python -m, under the name __main__: import it from another module"] = None
            elif module not in sys.modules:
                why[f"{module} was not imported"] = None
        return list(why)

    def _hook_left_out(self, rule: _Placed) -> list[str]:
        found = [message for _, hook, _ in rule.at for message in _left_out(self._hook_tally(hook))]
        return list(dict.fromkeys(found)) or ["it has nothing to do there"]

    def _hook_tally(self, hook: HookPlan) -> RuleTally:
        return self._tallies.of(_title(hook), hook.hook.mark)

    def _never(self, rule: _Placed, tally: RuleTally) -> list[str]:
        """The likely reasons why a rule that is installed has never matched."""
        is_hook = rule.what == _title(rule.at[0][1])
        if tally.came.value and not is_hook:
            return [f"its moment came {_times(tally.came.value)}, its `when` was never true"]
        why: dict[str, None] = {}
        for call, hook, stage in rule.at:
            if id(call) not in self._installed:
                continue
            counted = self._hook_tally(hook)
            called, target = counted.came.value, str(call.target)
            if not called:
                hint = self._patches.hints.get(id(call))
                why[f"{target} was not called{f': {hint}' if hint else ''}"] = None
            elif not counted.matched.value:
                mark = hook.hook.mark
                why[
                    f"{target} was called {_times(called)}, the `when` of the hook {hook.hook.name} "
                    f"({mark.file.rpartition('/')[2]}:{mark.line}) was never true"
                ] = None
            elif self._within_a_span(rule):
                why["its span never began, or its call still runs"] = None
            else:
                verb = {"enter": "was told of", "return": "returned", "raise": "raised"}[stage]
                why[f"{target} never {verb}, in {_times(called, 'call')}"] = None
        return list(why)

    def _within_a_span(self, rule: _Placed) -> bool:
        """Whether the rule is only looked at once a span has begun in the same call."""
        ends = ((f"span {span.name} ends", span.mark) for span in self._plan.spans.values())
        return " injects " in rule.what or (rule.what, rule.mark) in ends


def _title(hook: HookPlan) -> str:
    return _title_of(hook.hook.name)


def _title_of(name: str) -> str:
    return f"hook {name}"


def _left_out(tally: RuleTally) -> list[str]:
    return list(dict.fromkeys(problem.message for problem in tally.problems))


def _counted(status: RuleStatus, tally: RuleTally) -> None:
    status.reached, status.matched, status.emitted = tally.came.value, tally.matched.value, tally.emitted.value
    status.not_emitted = {why: counter.value for why, counter in list(tally.missed.items()) if counter.value}
    status.failures = tally.failures.value
    status.switched_off = [f"{mark.file}:{mark.line}" for mark in list(tally.switched_off)]
    if tally.first_failure is not None:
        mark, error = tally.first_failure
        status.first_failure = f"{mark.file}:{mark.line}: {error}"
    for seen in list(tally.seen.values()):
        there, missing = seen.there.value, seen.missing.value
        if there + missing or status.matched:
            mark = seen.mark
            status.reads.append(SeenStatus(seen.kind, seen.name, mark.file, mark.line, there, there + missing))


def _times(number: int, what: str = "time") -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
