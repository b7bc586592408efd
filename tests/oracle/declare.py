"""How a scenario is declared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from packaging.version import Version

from .api import RELEASE
from .world import Result

Run = Callable[[], Awaitable[Result]]


@dataclass(frozen=True)
class Scenario:
    """One application: its name, how to run it, and the first releases that can and that do the same in it."""

    name: str
    run: Run
    since: Version
    same_since: Version
    why: str

    @property
    def missing(self) -> str:
        """Why the installed release cannot run it; nothing where it can."""
        return "" if self.since <= RELEASE else f"ag2 {RELEASE} is older than {self.since}: {self.why}"

    @property
    def other(self) -> str:
        """Why the installed release does something else in it than the newest; nothing where it does not."""
        return "" if self.same_since <= RELEASE else f"ag2 {RELEASE} is older than {self.same_since}: {self.why}"


SCENARIOS: dict[str, Scenario] = {}


def scenario(*, since: str = "0", same_since: str = "0", why: str = "") -> Callable[[Run], Run]:
    """Add a scenario.

    ``since`` is the first release that has what it needs. Since ``same_since`` AG2 does in it what the newest does;
    older releases are compared with their own native tracing only. ``why`` says what they do not have, or do instead.
    """

    def add(run: Run) -> Run:
        SCENARIOS[run.__name__] = Scenario(run.__name__, run, Version(since), Version(same_since), why)
        return run

    return add
