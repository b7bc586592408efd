"""The process that a report is about, and when and why it is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Occasion:
    program: str
    pid: int
    why: str
    time: str
