"""From a file to a plan, with everything that is wrong told in one go."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, SpecError, cut
from opentelemetry.instrumentation.declarative.language import layers
from opentelemetry.instrumentation.declarative.language.content import NO_CONTENT, ContentPolicy
from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.document import Document, Path
from opentelemetry.instrumentation.declarative.language.loading import Layers, checked, read_layers, read_packaged
from opentelemetry.instrumentation.declarative.language.releases import Meant, lay, no_release, releases
from opentelemetry.instrumentation.declarative.language.text_file import Stamp
from opentelemetry.instrumentation.declarative.plan import make_plan
from opentelemetry.instrumentation.declarative.plan.consequences import follows_from
from opentelemetry.instrumentation.declarative.plan.model import Plan

#: How many values a spec may have, all its layers together and counted anew for each release that it speaks of.
MOST_VALUES = 200_000


def plan_of(document: Document, *, content: ContentPolicy = NO_CONTENT) -> Plan:
    """The plan of a document that the schema has nothing against. Raises SpecError with its problems."""
    plan = make_plan(decode(document), content=content)
    if plan.problems:
        raise SpecError(plan.problems)
    return plan


def read_spec(
    spec: str | os.PathLike[str] | Document, files: dict[str, Stamp] | None = None, *, deferred: bool = False
) -> Layers:
    """Read a spec and validate it. Raises SpecError with every problem in it and in the specs that it extends.

    ``files`` receives each file that is looked for, with its stamp before it is read. ``deferred``: if the spec extends
    a shipped one, only its own files are validated; ``plan_overlay`` does the rest when the library is imported.
    """
    found, problems = examine(spec, files, deferred=deferred)
    if problems or found is None:
        texts = {spec.file: spec.text} if isinstance(spec, Document) and spec.text is not None else {}
        raise SpecError(problems, texts)
    return found


def plan_overlay(merged: Document, found: Layers, installed: Meant, content: ContentPolicy) -> Plan:
    """The plan of a shipped spec onto which the layers of an overlay have been merged, for the installed release.

    Raises SpecError with the problems of the overlay, at its own lines. Of the shipped spec, only the entries that the
    overlay changes are validated against the schema: the rest is validated when it ships.
    """
    shipped = read_packaged(found.changes) if found.changes else None
    problems = _removals_without_effect(layers_of(found), [installed]) if _has_removals(found) else []
    checked(_changed_entries(merged, found), problems, set())
    plan: Plan | None = None
    if not problems:
        plan = make_plan(decode(merged), content=content)
        problems = plan.problems
    if plan is None or problems:
        applied = [one.name for one in releases(merged) if one.version and installed(one.name, one.version)]
        raise SpecError([_attributed(problem, merged, found, applied, shipped) for problem in problems])
    return plan


def examine(
    spec: str | os.PathLike[str] | Document, files: dict[str, Stamp] | None = None, *, deferred: bool = False
) -> tuple[Layers | None, list[Problem]]:
    """What is left of a spec without what is wrong in it, None where nothing is; and all that is wrong."""
    problems: list[Problem] = []
    left_out: set[Path] = set()
    try:
        found = read_layers(spec, problems, left_out, files)
    except SpecError as error:
        return None, cut(error.problems)
    if found.whole and deferred and found.changes:
        problems += _versions(found.documents)
    elif found.whole:
        problems += _meant(found, problems, left_out)
    return found, cut(problems)


def layers_of(found: Layers) -> tuple[Document, ...]:
    """All documents of a file, from the lowest up: the packaged spec that it changes, what it extends, and itself."""
    return (*((read_packaged(found.changes),) if found.changes else ()), *found.documents)


def _meant(found: Layers, told: list[Problem], left_out: set[Path]) -> list[Problem]:
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
    filters = [*map(_named, (None, *names)), _every_release]
    problems = dict.fromkeys([*_versions(documents), *_removals_without_effect(documents, filters)])
    for name in (None, *names):
        problems.update(dict.fromkeys(_meant_in(name, shipped, found, told, left_out)))
    return [*problems]


def _meant_in(
    release: str | None, shipped: Document | None, found: Layers, told: list[Problem], left_out: set[Path]
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
        problems += [one for one in meant if not any(follows_from(one, path) for path in left_out)]
    problems = cut(problems)
    if shipped is None:
        return problems
    applied = [] if release is None else [release]
    return [_attributed(problem, base, found, applied, shipped) for problem in problems]


def _attributed(
    problem: Problem, merged: Document, found: Layers, applied: Sequence[str], shipped: Document | None
) -> Problem:
    """The problem at the line of the change that causes it, if it is at a line of the shipped spec."""
    if shipped is None or problem.mark.file != shipped.file:
        return problem
    return attributed_to_change(problem, merged, found, applied)


def _has_removals(found: Layers) -> bool:
    return any(layers.removals(None, document) for document in found.documents)


def _changed_entries(merged: Document, found: Layers) -> Document:
    """The merged document with those of its named entries (spans, hooks, …) that the layers change, and all scalars."""
    changed: dict[str, set[str]] = {}
    for document in found.documents:
        for part in (document, *(one.part for one in releases(document))):
            for key, value in part.data.items():
                changed.setdefault(key, set()).update(value if isinstance(value, dict) else ())
    data: dict[str, Any] = {}
    for key, value in merged.data.items():
        if not isinstance(value, dict) or key in ("releases", "target", "scope", "vocabulary"):
            data[key] = value
        elif entries := {name: value[name] for name in value if name in changed.get(key, ())}:
            data[key] = entries
    return Document(merged.file, data, merged.marks, merged.keys)


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


def attributed_to_change(problem: Problem, merged: Document, found: Layers, applied: Sequence[str]) -> Problem:
    """A problem in a shipped spec comes from a change: it is told where that stands."""
    path = layers.path_of(merged, problem.mark)
    there = f"{os.path.basename(problem.mark.file)}:{problem.mark.line}"
    for document in reversed(found.documents):
        for changed, _ in layers.removals(None, document):
            if problem.code != "no-lifetime" and follows_from(problem, changed):
                message = f"{problem.message} once it is removed here, and {there} needs it"
                help = "remove what needs it as well"
                return replace(problem, mark=document.keys[changed], message=message, help=help)
        for length in range(len(path), 1, -1):
            for changed in (path[:length], *(("releases", release, *path[:length]) for release in applied)):
                if changed in document.keys:
                    return replace(problem, mark=document.keys[changed])
    return problem


def _removals_without_effect(documents: Sequence[Document], filters: Sequence[Meant]) -> list[Problem]:
    """The nulls that remove nothing for any of these releases."""
    removes: dict[Problem, bool] = {}
    for meant in filters:
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
