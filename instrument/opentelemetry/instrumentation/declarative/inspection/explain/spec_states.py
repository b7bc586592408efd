"""The specs of this environment: which are active, which extend others, and why one is inactive."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from opentelemetry.instrumentation.declarative.config.settings import Settings
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, SpecError
from opentelemetry.instrumentation.declarative.inspection.explain.changes import Change, changes_of
from opentelemetry.instrumentation.declarative.language.content_policy import ContentPolicy
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.loading import Layers, read_shipped
from opentelemetry.instrumentation.declarative.language.releases import (
    for_version,
    is_in_range,
    merge_onto,
    no_release,
    releases,
)
from opentelemetry.instrumentation.declarative.language.shipped import (
    OPT_IN_SPECS,
    SHIPPED_SPECS,
    ShippedSpec,
    installed_version,
)
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.validation import plan_of, read_spec

_OPT_IN = "it is opt-in, list it by its name to activate it"


@dataclass(frozen=True, slots=True)
class ReleasePart:
    """A release under `releases` of a spec, and whether the installed version belongs to it."""

    name: str
    version: str
    applies: bool
    mark: Mark


@dataclass(frozen=True, slots=True)
class Overlay:
    """A document that extends others: what it changes, or the error because of which it is ignored."""

    file: str
    changes: tuple[Change, ...] = ()
    error: SpecError | None = None


@dataclass(frozen=True, slots=True)
class SpecState:
    """A spec in this environment. Without a plan it is inactive, and ``inactive_because`` says why.

    ``supports`` is the distribution and its versions that the spec is for, ``installed`` the installed version.
    """

    name: str
    file: str
    shipped: bool
    supports: str | None = None
    installed: str | None = None
    inactive_because: str | None = None
    error: SpecError | None = None
    releases: tuple[ReleasePart, ...] = ()
    overlays: tuple[Overlay, ...] = field(default=())
    plan: Plan | None = None

    @property
    def errors(self) -> list[SpecError]:
        """The errors of its files."""
        return [error for error in (self.error, *(overlay.error for overlay in self.overlays)) if error is not None]


def spec_states(settings: Settings) -> list[SpecState]:
    """Return all listed and shipped specs, in the order in which they are activated."""
    own: list[SpecState] = []
    overlays: dict[str, list[Layers]] = {}
    failed: list[SpecState] = []
    for file in settings.specs:
        try:
            layers = read_spec(file)
            if layers.extends_shipped is None:
                own.append(_own_spec(layers, settings.content))
            else:
                overlays.setdefault(layers.extends_shipped, []).append(layers)
        except SpecError as error:
            name = file.file if isinstance(file, Document) else os.fspath(file)
            failed.append(SpecState(name, name, False, inactive_because="it has problems", error=error))
    shipped = [_shipped_spec(packaged, overlays.get(packaged.name, []), settings.content) for packaged in SHIPPED_SPECS]
    listed = {str(file) for file in settings.specs}
    optional = [
        SpecState(name, f"{name}.yaml", True, inactive_because=_OPT_IN) for name in OPT_IN_SPECS if name not in listed
    ]
    return [*shipped, *own, *failed, *optional]


def _own_spec(layers: Layers, content: ContentPolicy) -> SpecState:
    """Return a spec of the user that does not extend a shipped one."""
    target = layers.merged_onto(None, no_release).data.get("target") or {}
    version = installed_version(target["distribution"]) if target else None
    document = layers.merged_onto(None, for_version(version))
    first, *more = layers.documents
    overlays, below = [], merge_onto(None, first, for_version(version))
    for one in more:
        overlays.append(Overlay(one.file, tuple(changes_of(below, one, for_version(version)))))
        below = merge_onto(below, one, for_version(version))
    spec = SpecState(str(document.data.get("name", "")), first.file, False, overlays=tuple(overlays))
    spec = replace(spec, releases=_release_parts(layers.documents, version))
    return _activated(spec, plan_of(document, content=content))


def _shipped_spec(packaged: ShippedSpec, extending: list[Layers], content: ContentPolicy) -> SpecState:
    """Return a shipped spec with the user's overlays."""
    version = installed_version(packaged.distribution)
    shipped = read_shipped(packaged.name)
    spec = SpecState(packaged.name, str(packaged.path), True)
    if version is None:
        reason = f"{packaged.distribution} is not installed"
        ignored = tuple(Overlay(one.file) for layers in extending for one in layers.documents)
        return replace(spec, supports=_supported(shipped), inactive_because=reason, overlays=ignored)
    applies = for_version(version)
    document = merge_onto(None, shipped, applies)
    plan = plan_of(document, content=content)
    documents: list[Document] = [shipped]
    overlays: list[Overlay] = []
    for layers in extending:
        try:
            plan = plan_of(layers.merged_onto(document, applies), content=content)
        except SpecError as error:
            overlays.append(Overlay(layers.documents[-1].file, error=error))
            continue
        for one in layers.documents:
            overlays.append(Overlay(one.file, tuple(changes_of(document, one, applies))))
            document = merge_onto(document, one, applies)
            documents.append(one)
    spec = replace(spec, overlays=tuple(overlays), releases=_release_parts(documents, version))
    return _activated(spec, plan)


def _supported(document: Document) -> str:
    target = document.data["target"]
    return f"{target['distribution']} {target['version']}"


def _activated(spec: SpecState, plan: Plan) -> SpecState:
    """Return the spec with its plan, or inactive if it does not support the installed version."""
    target = plan.spec.target
    if target is None:
        return replace(spec, plan=plan)
    version = installed_version(target.name)
    spec = replace(spec, supports=f"{target.name} {target.version}", installed=version)
    if version is None:
        return replace(spec, inactive_because=f"{target.name} is not installed")
    supported = is_in_range(version, target.version)
    if supported is None:
        return replace(spec, inactive_because=f'"{target.version}" is not a valid version specifier')
    if not supported:
        return replace(spec, inactive_because=f"{target.name} {version} is installed, but it is for {target.version}")
    return replace(spec, plan=plan)


def _release_parts(documents: Iterable[Document], version: str | None) -> tuple[ReleasePart, ...]:
    """Return the releases of the documents, each once."""
    return tuple({part.name: part for part in _each_release_part(documents, version)}.values())


def _each_release_part(documents: Iterable[Document], version: str | None) -> Iterator[ReleasePart]:
    known: dict[str, str] = {}
    for document in documents:
        for one in releases(document):
            range = known.setdefault(one.name, one.version or "")
            yield ReleasePart(one.name, range, bool(range) and for_version(version)(one.name, range), one.mark)
