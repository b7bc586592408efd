"""The specs that are not installed: why, for the log and for the report."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, SpecError
from opentelemetry.instrumentation.declarative.diagnostics.reporting import log_spec_error

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.language.shipped import ShippedSpec
    from opentelemetry.instrumentation.declarative.plan.effective import EffectiveSpec
    from opentelemetry.instrumentation.declarative.report.status import SpecStatus


class LeftOutSpecs:
    """The specs that are not installed, by file or name, each with the reason."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def statuses(self) -> list[SpecStatus]:
        """The status of each."""
        from opentelemetry.instrumentation.declarative.report.status import SpecStatus

        reasons = dict(self._reasons)
        return [SpecStatus(os.path.basename(name), name, "left out", reason) for name, reason in reasons.items()]

    def discard(self, name: str) -> None:
        """The spec is installed now."""
        self._reasons.pop(name, None)

    def invalid(self, name: str, error: SpecError, consequence: str = "this spec is left out") -> None:
        """The spec has problems, which are reported."""
        self._reasons[name] = str(error)
        log_spec_error(error, consequence)

    def failed(self, name: str, title: str, error: Exception) -> None:
        """An unexpected exception, which is being handled."""
        self._reasons[name] = f"{type(error).__name__}: {error}"
        logger.exception("%s could not be installed. The program is not affected.", title)

    def disabled(self, shipped: ShippedSpec) -> None:
        """The spec is disabled in the settings."""
        self._reasons[str(shipped.path)] = "it is disabled"

    def without_library(self, mark: Mark, shipped: ShippedSpec) -> None:
        """The spec extends a shipped one whose library is not installed."""
        reason = f"it extends {shipped.name}, and {shipped.distribution} is not installed"
        self._reasons[mark.file] = reason
        logger.warning("%s: this spec has no effect: %s.", mark.file, reason)

    def supports(self, spec: EffectiveSpec) -> bool:
        """Whether the spec supports the installed release of its library; if not, the reason is logged."""
        support = spec.support
        if support is None or support.state == "supported":
            return True
        assert spec.plan.spec.target is not None
        mark = spec.plan.spec.target.mark
        distribution, required, version = support
        if support.state == "invalid":
            from opentelemetry.instrumentation.declarative.plan.layer_problems import invalid_specifier

            self.invalid(mark.file, SpecError([invalid_specifier(required, mark)]))
        elif support.state == "not-installed":
            self._reasons[mark.file] = f"{distribution} is not installed"
            logger.info("%s: %s is not installed; this spec is not needed.", mark, distribution)
        else:
            self._reasons[mark.file] = f"{distribution} {version} is installed, and this spec is for {required}"
            logger.warning(
                "%s: %s %s is installed and this spec is for %s: it traces nothing.",
                mark,
                distribution,
                version,
                required,
            )
        return False

    def yielding(self, spec: EffectiveSpec, other: str) -> None:
        """The spec yields to another instrumentation of its library, which is active."""
        assert spec.plan.spec.target is not None
        mark = spec.plan.spec.target.mark
        self._reasons[mark.file] = f"{other} is active and records the same calls"
        logger.info("%s: %s is active and records the same calls; this spec is not needed.", mark, other)
