"""From a file to a plan, with everything that is wrong told in one go."""

from __future__ import annotations

import os

from instrument.plan import make_plan
from instrument.plan.model import Plan
from instrument.problems import Problem, SpecError
from instrument.spec import layers
from instrument.spec.decode import decode
from instrument.spec.load import Layers, checked, read_layers, read_packaged
from instrument.spec.source import Document


def plan_of(document: Document, *, capture_content: bool = False) -> Plan:
    """The plan of a document that the schema has nothing against. Raises SpecError with its problems."""
    plan = make_plan(decode(document), capture_content=capture_content)
    if plan.problems:
        raise SpecError(plan.problems)
    return plan


def read_spec(path: str | os.PathLike[str]) -> Layers:
    """A spec file, ready to be planned. Raises SpecError with all that is wrong with it and with what it extends."""
    problems: list[Problem] = []
    left_out: set[str] = set()
    found = read_layers(path, problems, left_out)
    base = read_packaged(found.changes) if found.changes else None
    for document in found.documents:
        if base is not None:
            problems += _idle_removals(base, document)
        base = document if base is None else layers.merge(base, document)
    assert base is not None
    sound = checked(base, problems, left_out)
    if sound is not None:
        meant = [problem for problem in make_plan(decode(sound)).problems if problem not in problems]
        problems += [problem for problem in meant if not _follows(problem, left_out)]
    if problems:
        raise SpecError(problems)
    return found


def _follows(problem: Problem, left_out: set[str]) -> bool:
    """Whether a problem only follows from something that was left out because it is wrong itself."""
    if problem.code in ("no-lifetime", "no-key"):
        return bool(left_out & {"around", "start", "end", "at", "key"})
    return problem.code in ("unknown-hook", "unknown-span", "unknown-tap") and any(
        f'"{name}"' in problem.message for name in left_out
    )


def _idle_removals(base: Document, over: Document) -> list[Problem]:
    return [
        Problem(
            over.keys[path],
            "nothing-to-remove",
            f'null removes nothing here: the spec that is extended has no "{path[-1]}" at this place',
            "remove the line, or look for the name in the extended spec",
        )
        for path, removes in layers.removals(base, over)
        if not removes
    ]
