"""Isolates the program from errors in rules: a failure is counted and logged once, and never raised.

A rule that fails too often is disabled.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import NotLoaded, our_own

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.runtime.rule_stats import RuleStats

#: A rule that fails this often within a minute is disabled.
MOST_FAILURES = 1000
MINUTE = 60.0
#: Replaces a message that can be content. The setting that records content also shows it.
NOT_SHOWN = "(the message is not shown, because it can contain content)"


class Rule:
    """A rule of a spec at run time: how often it has failed, and whether it is still evaluated.

    ``mark`` is the location to report if it is only a part of the rule, such as one expression. ``most`` is the number
    of failures within a minute that switches it off; None for no limit. ``stats`` counts what it does; None if no
    report is requested. ``shows_messages`` is false if the message of a failure can be content that is not recorded.
    """

    __slots__ = ("_lately", "_most", "_reported", "_since", "failures", "id", "mark", "on", "shows_messages", "stats")

    def __init__(
        self,
        id: RuleId,
        *,
        mark: Mark | None = None,
        most: int | None = MOST_FAILURES,
        stats: RuleStats | None = None,
        shows_messages: bool = True,
    ) -> None:
        self.id = id
        self.mark = mark or id.mark
        self.stats = stats
        self.shows_messages = shows_messages
        self._most = most
        self.failures = 0
        self.on = True
        self._lately = 0
        self._since = 0.0
        self._reported: tuple[str, ...] = ()

    def part(self, mark: Mark) -> Rule:
        """Return a rule for a part of this one, such as one expression, with failures of its own."""
        return Rule(self.id, mark=mark, stats=self.stats, shows_messages=self.shows_messages)

    def report_once(self, text: str) -> None:
        """Log something about the rule that is not a failure, the first time."""
        if text not in self._reported:
            self._reported = (*self._reported, text)
            self._log(text)

    @our_own
    def failed(self, error: Exception, consequence: str = "further failures of this rule are not logged") -> None:
        """Count a failure, log the first one, and switch the rule off if there are too many. Never raises.

        ``consequence`` says what happens from now on.
        """
        if isinstance(error, NotLoaded):  # a missing value, in a condition that is not true then
            return
        self.failures += 1
        reason = _reason(error)
        if not self.shows_messages and not _names_missing_attribute(error, reason):
            reason = NOT_SHOWN
        why = f"{type(error).__name__}: {reason}"
        if self.stats is not None:
            self.stats.failed(self.mark, why)
        if self.failures == 1:
            self._log(f"failed: {why}. The program is not affected; {consequence}.")
        now = time.monotonic()
        if now - self._since > MINUTE:
            self._since, self._lately = now, 0
        self._lately += 1
        if self._most is not None and self._lately >= self._most and self.on:
            self.on = False
            if self.stats is not None:
                self.stats.disabled.append(self.mark)
            self._log(
                f"has failed {self._most} times within a minute, {self.failures} times in total: it is disabled. "
                "Fix it and restart the program."
            )

    def _log(self, text: str) -> None:
        logger.warning("%s: %s %s", self.mark, self.id.title, text)


def _reason(error: Exception) -> str:
    try:
        return str(error)
    except Exception:
        return "its message cannot be read"


def _names_missing_attribute(error: Exception, reason: str) -> bool:
    """Whether a message is the one of Python itself for a missing attribute: it has no value of the program in it."""
    return isinstance(error, AttributeError) and reason in (
        f"'{type(error.obj).__name__}' object has no attribute '{error.name}'",
        f"type object '{getattr(error.obj, '__name__', None)}' has no attribute '{error.name}'",
    )
