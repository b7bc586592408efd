"""The specs of this environment: which are at work, what lies over what, and why one is off."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from opentelemetry.instrumentation.declarative.config.settings import Settings
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, SpecError
from opentelemetry.instrumentation.declarative.inspection.explain.changes import Change, changes_of
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.loading import Layers, read_packaged
from opentelemetry.instrumentation.declarative.language.releases import installed, is_within, lay, no_release, releases
from opentelemetry.instrumentation.declarative.language.shipped import OPTIONAL, PACKAGED, Packaged, installed_version
from opentelemetry.instrumentation.declarative.plan.content import Content
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.validation import plan_of, read_spec

_OPTIONAL_OFF = "it changes what the program does, or costs more: it is active only where it is listed by its name"


@dataclass(frozen=True, slots=True)
class Part:
    """What a spec says of single releases, and whether the installed one is among them."""

    name: str
    version: str
    applies: bool
    mark: Mark


@dataclass(frozen=True, slots=True)
class Over:
    """A document that lies over others, and what it changes there; or why it has been left out."""

    file: str
    changes: tuple[Change, ...] = ()
    left_out: SpecError | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """A spec as it is in this environment. Without a plan it is off, and ``off`` says why."""

    name: str
    file: str
    shipped: bool
    wants: str | None = None
    installed: str | None = None
    off: str | None = None
    error: SpecError | None = None
    parts: tuple[Part, ...] = ()
    over: tuple[Over, ...] = field(default=())
    plan: Plan | None = None

    @property
    def errors(self) -> list[SpecError]:
        """What is wrong with its files."""
        return [error for error in (self.error, *(over.left_out for over in self.over)) if error is not None]


def specs_here(settings: Settings) -> list[Here]:
    """All specs that are listed or shipped, in the order in which they are put to work."""
    own: list[Here] = []
    changing: dict[str, list[Layers]] = {}
    failed: list[Here] = []
    for file in settings.specs:
        try:
            layers = read_spec(file)
            if layers.changes is None:
                own.append(_own(layers, settings.content))
            else:
                changing.setdefault(layers.changes, []).append(layers)
        except SpecError as error:
            name = os.fspath(file)
            failed.append(Here(str(name), str(name), False, off="it has problems and is left out", error=error))
    shipped = [_shipped(packaged, changing.get(packaged.name, []), settings.content) for packaged in PACKAGED]
    listed = {str(file) for file in settings.specs}
    optional = [Here(name, f"{name}.yaml", True, off=_OPTIONAL_OFF) for name in OPTIONAL if name not in listed]
    return [*shipped, *own, *failed, *optional]


def _own(layers: Layers, content: Content) -> Here:
    """A spec of the user's own, which changes none that is shipped."""
    target = layers.onto(None, no_release).data.get("target") or {}
    version = installed_version(target["distribution"]) if target else None
    document = layers.onto(None, installed(version))
    first, *more = layers.documents
    over, below = [], lay(None, first, installed(version))
    for one in more:
        over.append(Over(one.file, tuple(changes_of(below, one, installed(version)))))
        below = lay(below, one, installed(version))
    here = Here(str(document.data.get("name", "")), first.file, False, over=tuple(over))
    return _in_range(replace(here, parts=_parts(layers.documents, version)), plan_of(document, content=content))


def _shipped(packaged: Packaged, changing: list[Layers], content: Content) -> Here:
    """A shipped spec with what the user's files lay over it."""
    version = installed_version(packaged.distribution)
    shipped = read_packaged(packaged.name)
    here = Here(packaged.name, str(packaged.path), True)
    if version is None:
        why = f"{packaged.distribution} is not installed"
        over = tuple(Over(one.file) for layers in changing for one in layers.documents)
        return replace(here, wants=_wants(shipped), off=why, over=over)
    meant = installed(version)
    document = lay(None, shipped, meant)
    plan = plan_of(document, content=content)
    documents: list[Document] = [shipped]
    over_it: list[Over] = []
    for layers in changing:
        try:
            changed = layers.onto(document, meant)
            plan = plan_of(changed, content=content)
        except SpecError as error:
            over_it.append(Over(layers.documents[-1].file, left_out=error))
            continue
        for one in layers.documents:
            over_it.append(Over(one.file, tuple(changes_of(document, one, meant))))
            document = lay(document, one, meant)
            documents.append(one)
    here = replace(here, over=tuple(over_it), parts=_parts(documents, version))
    return _in_range(here, plan)


def _wants(document: Document) -> str:
    target = document.data["target"]
    return f"{target['distribution']} {target['version']}"


def _in_range(here: Here, plan: Plan) -> Here:
    """The spec with its plan, or off where it is not for what is installed."""
    target = plan.spec.target
    if target is None:
        return replace(here, plan=plan)
    version = installed_version(target.name)
    here = replace(here, wants=f"{target.name} {target.version}", installed=version)
    if version is None:
        return replace(here, off=f"{target.name} is not installed")
    inside = is_within(version, target.version)
    if inside is None:
        return replace(here, off=f'"{target.version}" is no version specifier')
    if not inside:
        return replace(here, off=f"{target.name} {version} is installed, and it is for {target.version}")
    return replace(here, plan=plan)


def _parts(documents: Iterable[Document], version: str | None) -> tuple[Part, ...]:
    """What the documents say of single releases, each release once."""
    return tuple({part.name: part for part in _each_part(documents, version)}.values())


def _each_part(documents: Iterable[Document], version: str | None) -> Iterator[Part]:
    known: dict[str, str] = {}
    for document in documents:
        for one in releases(document):
            wanted = known.setdefault(one.name, one.version or "")
            yield Part(one.name, wanted, bool(wanted) and installed(version)(one.name, wanted), one.mark)
