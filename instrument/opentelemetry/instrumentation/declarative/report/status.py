"""The state of specs and their rules: what matched, what came of it, and why a rule did nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId

RuleState = Literal["installed", "waiting", "refused", "unused"]


@dataclass(frozen=True, slots=True)
class Occasion:
    """The process that a report is about, and when and why it is written.

    ``not_loaded``: how often expressions did not get a value because reading it would have loaded it, by library.
    """

    program: str
    pid: int
    why: str
    time: str
    not_loaded: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadStatus:
    """An attribute, link or parent that a rule reads: it had a value in ``present`` of ``read`` cases."""

    kind: str
    name: str
    mark: Mark
    present: int
    read: int


@dataclass(slots=True)
class RuleStatus:
    """A rule. ``why`` has the reasons why it is not installed, not on all its callables, or has never matched."""

    id: RuleId
    callables: list[str]
    state: RuleState
    why: list[str] = field(default_factory=list)
    reached: int = 0
    matched: int = 0
    emitted: int = 0
    not_emitted: dict[str, int] = field(default_factory=dict)
    reads: list[ReadStatus] = field(default_factory=list)
    failures: int = 0
    first_failure: tuple[Mark, str] | None = None
    disabled: list[Mark] = field(default_factory=list)

    @property
    def is_hook(self) -> bool:
        return self.id.kind == "hook"


@dataclass(slots=True)
class SpecStatus:
    """A spec. ``why``: why it is not active. ``ended_early``: the number of such spans by span type and reason.

    ``requested`` is false for a shipped spec that the user neither lists nor changes.
    """

    name: str
    file: str
    state: Literal["active", "waiting", "left out"]
    why: str | None = None
    rules: list[RuleStatus] = field(default_factory=list)
    ended_early: dict[str, dict[str, int]] = field(default_factory=dict)
    requested: bool = True
