"""Formats a report as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.report.status import Occasion, ReadStatus, RuleStatus, SpecStatus

#: The version of the format, as ``instrument_report``.
VERSION = 1


def as_json(occasion: Occasion, specs: list[SpecStatus]) -> str:
    report = {"instrument_report": VERSION, **asdict(occasion), "specs": [_spec(spec) for spec in specs]}
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _spec(spec: SpecStatus) -> dict[str, Any]:
    return {
        "name": spec.name,
        "file": spec.file,
        "state": spec.state,
        "why": spec.why,
        "rules": [_rule(rule) for rule in spec.rules],
        "ended_early": spec.ended_early,
    }


def _rule(rule: RuleStatus) -> dict[str, Any]:
    return {
        "rule": rule.id.title,
        "file": rule.id.mark.file,
        "line": rule.id.mark.line,
        "callables": rule.callables,
        "state": rule.state,
        "why": rule.why,
        "reached": rule.reached,
        "matched": rule.matched,
        "emitted": rule.emitted,
        "not_emitted": rule.not_emitted,
        "reads": [_read(read) for read in rule.reads],
        "failures": rule.failures,
        "first_failure": None if rule.first_failure is None else _failure(*rule.first_failure),
        "disabled": [_location(mark) for mark in rule.disabled],
    }


def _read(read: ReadStatus) -> dict[str, Any]:
    location = {"file": read.mark.file, "line": read.mark.line}
    return {"kind": read.kind, "name": read.name, **location, "present": read.present, "read": read.read}


def _failure(mark: Mark, error: str) -> str:
    return f"{_location(mark)}: {error}"


def _location(mark: Mark) -> str:
    return f"{mark.file}:{mark.line}"
