"""Applications written against AG2's public API, with no telemetry in them.

Each scenario returns the result for its user, which is the same in every run, traced or not.
"""

from __future__ import annotations

from . import scenarios_channels, scenarios_connections, scenarios_failures, scenarios_hub, scenarios_turns
from .declare import SCENARIOS, Scenario

__all__ = [
    "SCENARIOS",
    "Scenario",
    "scenarios_channels",
    "scenarios_connections",
    "scenarios_failures",
    "scenarios_hub",
    "scenarios_turns",
]
