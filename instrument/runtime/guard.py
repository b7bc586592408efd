"""The guard between our mistakes and the host: a rule that fails says so once and is counted; it never raises."""

from __future__ import annotations

import logging

from instrument.problems import Mark

logger = logging.getLogger("instrument")


class Rule:
    """One rule of a spec at run time: where it stands, and how often it has failed."""

    __slots__ = ("failures", "mark", "what")

    def __init__(self, what: str, mark: Mark) -> None:
        self.what = what
        self.mark = mark
        self.failures = 0

    def failed(self, error: Exception, mark: Mark | None = None) -> None:
        """Count a failure; log the first one, with the place in the spec. Never raises."""
        self.failures += 1
        if self.failures > 1:
            return
        try:
            logger.warning(
                "%s: %s failed: %s: %s. The program is unharmed; this is said once for the rule.",
                mark or self.mark,
                self.what,
                type(error).__name__,
                _reason(error),
            )
        except Exception:  # a filter or handler of the host's own
            return


def _reason(error: Exception) -> str:
    try:
        return str(error)
    except Exception:
        return "its text cannot be read"
