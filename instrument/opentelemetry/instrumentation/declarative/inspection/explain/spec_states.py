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
from opentelemetry.instrumentation.declarative.language.node_type import NO_MARK
from opentelemetry.instrumentation.declarative.language.nodes.registry import Registry
from opentelemetry.instrumentation.declarative.language.registry_file import read_registries
from opentelemetry.instrumentation.declarative.language.releases import for_version, merge_onto, releases
from opentelemetry.instrumentation.declarative.language.shipped import (
    OPT_IN_SPECS,
    SHIPPED_SPECS,
    ShippedSpec,
    find_shipped,
    installed_version,
)
from opentelemetry.instrumentation.declarative.plan.effective import (
    EffectiveSpec,
    Support,
    effective_shipped_spec,
    effective_spec,
    support_of,
)
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.validation import read_spec

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
    def registry(self) -> Registry:
        """The descriptions that belong to its files; none if one of them is invalid, which a check reports."""
        shipped = find_shipped(self.name) if self.shipped else None
        always = [] if shipped is None else map(str, shipped.overlay_paths)
        try:
            return read_registries([self.file, *always, *(overlay.file for overlay in self.overlays)])
        except SpecError:
            return Registry(mark=NO_MARK)

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
    shipped = [
        SpecState(packaged.name, str(packaged.path), True, inactive_because="it is disabled")
        if packaged.name in settings.disabled
        else _shipped_spec(packaged, overlays.get(packaged.name, []), settings.content)
        for packaged in SHIPPED_SPECS
    ]
    listed = {str(file) for file in settings.specs}
    optional = [
        SpecState(name, f"{name}.yaml", True, inactive_because=_OPT_IN) for name in OPT_IN_SPECS if name not in listed
    ]
    return [*shipped, *own, *failed, *optional]


def _own_spec(layers: Layers, content: ContentPolicy) -> SpecState:
    """Return a spec of the user that does not extend a shipped one."""
    spec = effective_spec(layers, content)
    name = str(spec.merged.data.get("name", ""))
    return _state(SpecState(name, layers.documents[0].file, False), spec)


def _shipped_spec(shipped: ShippedSpec, extending: list[Layers], content: ContentPolicy) -> SpecState:
    """Return a shipped spec with the user's overlays."""
    state = SpecState(shipped.name, str(shipped.path), True)
    if installed_version(shipped.distribution) is None:
        support = support_of(read_shipped(shipped.name))
        ignored = tuple(Overlay(one.file) for layers in extending for one in layers.documents)
        return replace(_supported(state, support), overlays=ignored)
    return _state(state, effective_shipped_spec(shipped, extending, content))


def _state(state: SpecState, spec: EffectiveSpec) -> SpecState:
    """Return the state with what an effective spec says of it, and its plan if it supports the installed version."""
    overlays = [Overlay(layers.documents[-1].file, error=error) for layers, error in spec.left_out]
    first, *more = spec.documents
    below = merge_onto(None, first, spec.applies)
    for document in more:
        overlays.append(Overlay(document.file, tuple(changes_of(below, document, spec.applies))))
        below = merge_onto(below, document, spec.applies)
    state = _supported(state, spec.support)
    state = replace(state, overlays=tuple(overlays), releases=_release_parts(spec.documents, state.installed))
    return state if state.inactive_because else replace(state, plan=spec.plan)


def _supported(state: SpecState, support: Support | None) -> SpecState:
    """Return the state with the versions that the spec supports, inactive if the installed version is none of them."""
    if support is None:
        return state
    distribution, required, version = support
    reason = {
        "supported": None,
        "not-installed": f"{distribution} is not installed",
        "unsupported": f"{distribution} {version} is installed, but it is for {required}",
        "invalid": f'"{required}" is not a valid version specifier',
    }[support.state]
    return replace(state, supports=f"{distribution} {required}", installed=version, inactive_because=reason)


def _release_parts(documents: Iterable[Document], version: str | None) -> tuple[ReleasePart, ...]:
    """Return the releases of the documents, each once."""
    return tuple({part.name: part for part in _each_release_part(documents, version)}.values())


def _each_release_part(documents: Iterable[Document], version: str | None) -> Iterator[ReleasePart]:
    known: dict[str, str] = {}
    for document in documents:
        for one in releases(document):
            range = known.setdefault(one.name, one.version or "")
            yield ReleasePart(one.name, range, bool(range) and for_version(version)(one.name, range), one.mark)
