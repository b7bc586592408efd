"""From a file to a plan, with everything that is wrong told in one go."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, SpecError, cut
from opentelemetry.instrumentation.declarative.language import layers
from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.document import Document, Path
from opentelemetry.instrumentation.declarative.language.loading import Layers, checked, read_layers, read_packaged
from opentelemetry.instrumentation.declarative.language.releases import Meant, lay, no_release, releases
from opentelemetry.instrumentation.declarative.language.text_file import Stamp
from opentelemetry.instrumentation.declarative.plan import make_plan
from opentelemetry.instrumentation.declarative.plan.content import NO_CONTENT, Content
from opentelemetry.instrumentation.declarative.plan.model import Plan

#: How many values a spec may have, all its layers together and counted anew for each release that it speaks of.
MOST_VALUES = 200_000


def plan_of(document: Document, *, content: Content = NO_CONTENT) -> Plan:
    """The plan of a document that the schema has nothing against. Raises SpecError with its problems."""
    plan = make_plan(decode(document), content=content)
    if plan.problems:
        raise SpecError(plan.problems)
    return plan


def read_spec(spec: str | os.PathLike[str] | Document, files: dict[str, Stamp] | None = None) -> Layers:
    """A spec, ready to be planned. Raises SpecError with all that is wrong with it and with what it extends.

    ``files`` is given each file that is looked for, with its state before it is read.
    """
    found, problems = examine(spec, files)
    if problems or found is None:
        texts = {spec.file: spec.text} if isinstance(spec, Document) and spec.text is not None else {}
        raise SpecError(problems, texts)
    return found


def examine(
    spec: str | os.PathLike[str] | Document, files: dict[str, Stamp] | None = None
) -> tuple[Layers | None, list[Problem]]:
    """What is left of a spec without what is wrong in it, None where nothing is; and all that is wrong."""
    problems: list[Problem] = []
    left_out: set[str] = set()
    try:
        found = read_layers(spec, problems, left_out, files)
    except SpecError as error:
        return None, cut(error.problems)
    if found.whole:
        problems += _meant(found, problems, left_out)
    return found, cut(problems)


def layers_of(found: Layers) -> tuple[Document, ...]:
    """All documents of a file, from the lowest up: the packaged spec that it changes, what it extends, and itself."""
    return (*((read_packaged(found.changes),) if found.changes else ()), *found.documents)


def _meant(found: Layers, told: list[Problem], left_out: set[str]) -> list[Problem]:
    """What is wrong with the meaning of the layers together, in any release that they speak of.

    ``told``: what is known to be wrong with each.
    """
    documents = layers_of(found)
    shipped = documents[0] if found.changes else None
    names = dict.fromkeys(one.name for document in documents for one in releases(document))
    values = sum(len(document.marks) for document in documents)
    if values * (1 + len(names)) > MOST_VALUES:
        message = f"this is {values} values for each of {1 + len(names)} releases: {MOST_VALUES} are looked at at most"
        return [Problem(found.documents[-1].marks[()], "too-large", message, "split it into several specs")]
    problems = dict.fromkeys([*_versions(documents), *_idle_removals(documents, (None, *names))])
    for name in (None, *names):
        problems.update(dict.fromkeys(_meant_in(name, shipped, found, told, left_out)))
    return [*problems]


def _meant_in(
    release: str | None, shipped: Document | None, found: Layers, told: list[Problem], left_out: set[str]
) -> list[Problem]:
    """What is wrong in one of the releases that are spoken of, or apart from all of them."""
    problems: list[Problem] = []
    base: Document | None = None
    for document in (*([shipped] if shipped else []), *found.documents):
        base = lay(base, document, _named(release))
    assert base is not None
    structure = list(told)
    sound = checked(base, structure, left_out)
    problems += structure[len(told) :]
    if sound is not None:
        known = set(told)
        meant = [problem for problem in make_plan(decode(sound)).problems if problem not in known]
        problems += [problem for problem in meant if not _follows(problem, left_out)]
    problems = cut(problems)
    if shipped is None:
        return problems
    return [
        blamed(problem, base, found, release) if problem.mark.file == shipped.file else problem for problem in problems
    ]


def _named(release: str | None) -> Meant:
    """The release with this name is meant, whatever is installed."""
    return lambda name, _version: name == release


def _every_release(_name: str, _version: str) -> bool:
    """All at once: one release may be among those of another."""
    return True


def _versions(documents: Sequence[Document]) -> list[Problem]:
    """The version specifiers that are missing or are none."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    problems: list[Problem] = []
    known: set[str] = set()
    for document in documents:
        for one in releases(document):
            if one.version is None and one.name not in known:
                message = f'the release "{one.name}" has no `version`: it is not known which releases are meant'
                problems.append(Problem(one.mark, "missing-key", message, 'for example version: "<1.0"'))
            known.add(one.name)
            try:
                SpecifierSet(one.version or "")
            except InvalidSpecifier:
                message = f'"{one.version}" is no version specifier'
                problems.append(Problem(one.part.marks[("version",)], "bad-version", message, 'write it as ">=1.0,<2"'))
        target = document.data.get("target") or {}
        try:
            SpecifierSet(target.get("version") or "")
        except InvalidSpecifier:
            message = f'"{target["version"]}" is no version specifier'
            mark = document.marks["target", "version"]
            problems.append(Problem(mark, "bad-version", message, 'write it as ">=1.0,<2"'))
    return problems


def blamed(problem: Problem, merged: Document, found: Layers, release: str | None) -> Problem:
    """A problem in a shipped spec comes from a change: it is told where that stands."""
    path = layers.path_of(merged, problem.mark)
    there = f"{os.path.basename(problem.mark.file)}:{problem.mark.line}"
    for document in reversed(found.documents):
        for changed, _ in layers.removals(None, document):
            *_, owner, name = ("", *changed)
            lacking = owner if problem.code == "no-key" and name == "key" else name
            if f'"{lacking}"' in problem.message and problem.code.startswith(("unknown-", "no-key")):
                message = f"{problem.message} once it is removed here, and {there} needs it"
                return Problem(document.keys[changed], problem.code, message, "remove what needs it as well")
        for length in range(len(path), 1, -1):
            for changed in (path[:length], ("releases", release or "", *path[:length])):
                if changed in document.keys:
                    return Problem(document.keys[changed], problem.code, problem.message, problem.help)
    return problem


def _follows(problem: Problem, left_out: set[str]) -> bool:
    """Whether a problem only follows from something that was left out because it is wrong itself."""
    if problem.code in ("no-lifetime", "no-key"):
        return bool(left_out & {"around", "start", "end", "at", "key"})
    return problem.code in ("unknown-hook", "unknown-span", "unknown-tap", "unknown-function") and any(
        f'"{name}"' in problem.message for name in left_out
    )


def _idle_removals(documents: Sequence[Document], names: Sequence[str | None]) -> list[Problem]:
    """The nulls that remove nothing, whatever release of those that are spoken of is installed."""
    removes: dict[Problem, bool] = {}
    for meant in (*map(_named, names), _every_release):
        base: Document | None = None
        for document in documents:
            for below, over in _laid_in_turn(base, document, meant):
                for path, there in layers.removals(below, over):
                    idle = Problem(
                        over.keys[path],
                        "nothing-to-remove",
                        f'null removes nothing here: the spec that is extended has no "{path[-1]}" at this place',
                        "remove the line, or look for the name in the extended spec",
                    )
                    removes[idle] = removes.get(idle, False) or there
            base = lay(base, document, meant)
    return [*_removed_releases(documents), *(idle for idle, there in removes.items() if not there)]


def _laid_in_turn(base: Document | None, over: Document, meant: Meant) -> Iterator[tuple[Document, Document]]:
    """What a document lays over what: all of it but its releases over those below it, then each that is meant."""
    if base is not None:
        yield base, layers.without(over, ("releases",))
    below = lay(base, over, no_release)
    for one in releases(over):
        if meant(one.name, ""):
            yield below, layers.without(one.part, ("version",))
            below = layers.merge(below, one.part)


def _removed_releases(documents: Sequence[Document]) -> Iterator[Problem]:
    """Releases that are null. What a file says of one is laid before the next file is looked at: it stays."""
    for document in documents:
        entries: dict[str, Any] | None = document.data.get("releases", {})
        paths: list[Path] = [("releases",)] if entries is None else [("releases", name) for name in entries]
        for path in paths:
            if entries is None or entries[str(path[-1])] is None:
                message = "null removes nothing here: what a spec says of releases stays when another changes it"
                mend = "name what is not wanted under the release, each with null, or take the key out"
                yield Problem(document.keys[path], "nothing-to-remove", message, mend)
