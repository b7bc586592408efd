"""The guard between our mistakes and the host: a rule that fails says so once, is counted, and never raises.

One that does nothing but fail is switched off.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.runtime.rule_stats import RuleTally

#: A rule that fails this often within a minute is switched off.
MOST_FAILURES = 1000
MINUTE = 60.0


class Rule:
    """One rule of a spec at run time: where it stands, how often it has failed, and whether it is still followed.

    ``most``: how many failures within a minute are too many; None where no number is. ``tally``: what else comes of it
    is counted there; None where no report is asked for.
    """

    __slots__ = ("_lately", "_most", "_since", "failures", "mark", "on", "tally", "what")

    def __init__(self, what: str, mark: Mark, most: int | None = MOST_FAILURES, tally: RuleTally | None = None) -> None:
        self.what = what
        self.mark = mark
        self.tally = tally
        self._most = most
        self.failures = 0
        self.on = True
        self._lately = 0
        self._since = 0.0

    def failed(self, error: Exception) -> None:
        """Count a failure; log the first one, with the place in the spec, and give up where they never end.

        Never raises.
        """
        self.failures += 1
        if self.tally is not None:
            self.tally.failed(self.mark, f"{type(error).__name__}: {_reason(error)}")
        if self.failures == 1:
            self._say(
                f"failed: {type(error).__name__}: {_reason(error)}. "
                "The program is unharmed; this is said once for the rule."
            )
        now = time.monotonic()
        if now - self._since > MINUTE:
            self._since, self._lately = now, 0
        self._lately += 1
        if self._most is not None and self._lately >= self._most and self.on:
            self.on = False
            if self.tally is not None:
                self.tally.switched_off.append(self.mark)
            self._say(
                f"has failed {self._most} times within a minute, {self.failures} times in all: it is switched off. "
                "Mend it, and start the program again."
            )

    def _say(self, sentence: str) -> None:
        logger.warning("%s: %s %s", self.mark, self.what, sentence)


def _reason(error: Exception) -> str:
    try:
        return str(error)
    except Exception:
        return "its text cannot be read"
