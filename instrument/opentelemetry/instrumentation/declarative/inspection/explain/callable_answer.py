"""A callable in words: what happens at each of its moments, and what can be read there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.inspection.explain.effective_specs import Here
from opentelemetry.instrumentation.declarative.inspection.explain.moment_lines import moments
from opentelemetry.instrumentation.declarative.inspection.explain.output import (
    Line,
    as_data,
    as_text,
    place,
    problem_data,
)
from opentelemetry.instrumentation.declarative.inspection.explain.phrases import MOMENTS
from opentelemetry.instrumentation.declarative.inspection.installed_callables import Found, Hooked
from opentelemetry.instrumentation.declarative.inspection.readable import (
    UNKNOWN,
    Entry,
    Type,
    entries,
    of_class,
    readable_of,
)
from opentelemetry.instrumentation.declarative.inspection.readable.expression_types import type_of
from opentelemetry.instrumentation.declarative.plan.model import STAGES, Around, CallPlan, Finish, Plan, Plug

#: The types stand beside the paths, in one column unless a path is longer than this.
_WIDEST = 60


@dataclass(frozen=True, slots=True)
class Name:
    """A name that can be read: its type and what is below it, when it is there, where it comes from."""

    name: str
    type: Type
    when: str
    entries: tuple[Entry, ...]
    note: str = ""
    mark: Mark | None = None


class Call:
    """What is told of one callable. ``rules``: the specs that hook it, the outermost first."""

    def __init__(
        self, target: str, found: Found, rules: Sequence[tuple[Here, Hooked]], depth: int, private: bool
    ) -> None:
        self.target = target
        self.rules = rules
        self.depth = depth
        self.private = private
        self.readable = readable_of(found.raw, found.owner, found.place.found)
        # What is given at a return and a raise is one name.
        self.names = [*{(name.name, name.when): name for name in self._names()}.values()]
        self.defined = _defined(found)

    @property
    def clean(self) -> bool:
        return not any(hooked.problems for _, hooked in self.rules)

    def text(self) -> str:
        readable = self.readable
        word = "async def" if readable.shape in ("coroutine", "asynchronous generator") else "def"
        head = [self.target, f"  {word} {self.target.rpartition(':')[2].rpartition('.')[2]}{readable.signature}"]
        head += [f"  {readable.summary}"] if readable.summary else []
        if not self.rules:
            head[:0] = [f"No active spec hooks this. A span around each call of it: around: {self.target}"]
            head += [f"  it is defined as {self.defined}"] if self.defined not in (None, self.target) else []
        if len(self.rules) > 1:
            head.append("  several rules are around it: the first below is the outermost")
        parts = ["\n".join(head), *(self._rules(here, hooked) for here, hooked in self.rules), self._readable()]
        return "\n\n".join(parts)

    def data(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "signature": self.readable.signature,
            "shape": self.readable.shape,
            "summary": self.readable.summary,
            "hooked": bool(self.rules),
            "rules": [
                {
                    "spec": here.name,
                    "file": here.file,
                    "moments": {stage: as_data(lines) for stage, lines in moments(hooked.call).items()},
                    "problems": [problem_data(problem) for problem in hooked.problems],
                }
                for here, hooked in self.rules
            ],
            "readable": [
                {
                    "name": name.name,
                    "when": name.when,
                    "note": name.note or None,
                    "paths": [
                        {
                            "path": entry.path,
                            "type": entry.type.text or None,
                            "private_names": entry.hidden,
                            "again": entry.again,
                        }
                        for entry in name.entries
                    ],
                }
                for name in self.names
            ],
        }

    def _rules(self, here: Here, hooked: Hooked) -> str:
        tap = f", in the pass-through that it plugs in (tap {hooked.call.tap})" if hooked.call.tap else ""
        lines = [f"what {here.name} does{tap}"]
        for stage, below in moments(hooked.call).items():
            if below:
                lines += as_text([Line(MOMENTS[stage], None, below)], 1)
        lines += [problem.render() for problem in hooked.problems]
        return "\n".join(lines)

    def _readable(self) -> str:
        rows: list[tuple[str, str]] = []
        if not self.readable.known:
            rows.append(("  Python cannot tell the parameters of this callable: none can be named", ""))
        when = ""
        for name in self.names:
            if name.when != when:
                when = name.when
                rows.append((f"  {when}", ""))
            rows += self._rows(name)
        width = min(max((len(left) for left, right in rows if right), default=0), _WIDEST)
        return "\n".join(["what can be read there", *(f"{left:<{width}}  {right}".rstrip() for left, right in rows)])

    def _rows(self, name: Name) -> Iterator[tuple[str, str]]:
        """Each path of a name, and what is known of it."""
        for entry in name.entries:
            words = [entry.type.text, name.note] if entry.level == 0 else [entry.type.text or "not annotated"]
            if entry.again:
                words.append("(as above)")
            if entry.hidden:
                words.append(f"({entry.hidden} private: --private)")
            if name.mark is not None and entry.level == 0:
                words.append(place(name.mark))
            yield f"{'  ' * (entry.level + 2)}{entry.path}", "  ".join(filter(None, words))

    def _names(self) -> Iterator[Name]:
        readable = self.readable
        given = {name for _, hooked in self.rules for hook in hooked.call.hooks for name in (*hook.args, *hook.names)}
        for name, type_ in readable.parameters.items():
            default = readable.defaults.get(name)
            note = "" if type_.text else "not annotated" + (f", by default {default}" if default else "")
            if name in given:
                note = f"{note}, and hidden where a hook gives the name".lstrip(", ")
            yield self._name(name, type_, "at each moment", note)
        for here, hooked in self.rules:
            yield from self._given(hooked.call)
            yield from self._carried(here.plan)
        note = "" if readable.result.text else "not annotated"
        yield self._name("result", readable.result, "once it has returned", note)
        yield self._name("error", Type("BaseException", BaseException), "once it has raised", "")

    def _given(self, call: CallPlan) -> Iterator[Name]:
        """The names that hooks give, and the starts of spans."""
        for hook in call.hooks:
            known = self.readable
            given = f"given by the hook {hook.hook.name}"
            star = next((type_ for type_ in known.parameters.values() if _is_star(type_)), UNKNOWN)
            for index, name in enumerate(hook.args):
                type_ = star.args[0] if star.args else UNKNOWN
                yield self._name(name, type_, given, f"item {index} of *args", hook.hook.args[index].mark)
            for name, expression in hook.names.items():
                yield self._name(name, type_of(expression.tree, known), given, f"= {expression.text}", expression.mark)
            for stage in STAGES:
                for action in hook.actions[stage]:
                    span = getattr(action, "span", None)
                    if isinstance(action, (Around, Finish)):
                        for name in action.span.counts:
                            yield self._name(
                                name, of_class(int), f"counted, where the span {action.span.name} ends", ""
                            )
                    if isinstance(action, Plug):
                        tap = Type("type")
                        yield self._name("tap", tap, f"where the tap {action.tap} is plugged in", "")
                    names = getattr(action, "names", None)
                    for name, expression in (names or {}).items():
                        note = f"= {expression.text}"
                        start = f"given where the span {getattr(span, 'name', '')} starts"
                        yield self._name(name, type_of(expression.tree, known), start, note, expression.mark)

    def _carried(self, plan: Plan | None) -> Iterator[Name]:
        for one in plan.spec.carried if plan is not None else ():
            note = f"= {one.value.value}"
            yield self._name(one.name, UNKNOWN, f"carried, inside of calls of {one.during.value}", note, one.mark)

    def _name(self, name: str, type_: Type, when: str, note: str, mark: Mark | None = None) -> Name:
        depth = 0 if name == "error" else self.depth
        return Name(name, type_, when, tuple(entries(name, type_, depth, private=self.private)), note, mark)


def _is_star(type_: Type) -> bool:
    return type_.cls is tuple and type_.text.endswith(", ...]")


def _defined(found: Found) -> str | None:
    module, name = getattr(found.raw, "__module__", None), getattr(found.raw, "__qualname__", None)
    return f"{module}:{name}" if module and name and "<" not in name else None
