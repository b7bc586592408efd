"""The declaration of scenarios."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from packaging.version import Version

from .api import RELEASE
from .world import Result

Run = Callable[[], Awaitable[Result]]


@dataclass(frozen=True)
class Scenario:
    """An application: its name, how to run it, the first release that can run it, and the first that does the same."""

    name: str
    run: Run
    since: Version
    same_since: Version
    why: str

    @property
    def missing(self) -> str:
        """Why the installed release cannot run it; empty if it can."""
        return "" if self.since <= RELEASE else f"ag2 {RELEASE} is older than {self.since}: {self.why}"

    @property
    def other(self) -> str:
        """Why the installed release behaves differently from the newest; empty if it does not."""
        return "" if self.same_since <= RELEASE else f"ag2 {RELEASE} is older than {self.same_since}: {self.why}"


SCENARIOS: dict[str, Scenario] = {}


def scenario(*, since: str = "0", same_since: str = "0", why: str = "") -> Callable[[Run], Run]:
    """Add a scenario.

    ``since`` is the first release that can run it. From ``same_since`` on, AG2 behaves like the newest release;
    older ones are compared with their own native tracing only. ``why`` explains the difference.
    """

    def add(run: Run) -> Run:
        SCENARIOS[run.__name__] = Scenario(run.__name__, run, Version(since), Version(same_since), why)
        return run

    return add
