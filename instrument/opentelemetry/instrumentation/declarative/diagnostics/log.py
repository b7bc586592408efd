"""What is said to whoever runs the program: through ``logging``, whose filters and handlers are the host's own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any


class _Unharmed(logging.LoggerAdapter):  # type: ignore[type-arg]
    """A logger that raises nothing: what a filter or handler raises would end up in an import or a call of the host."""

    #: Is told first, and says whether the log need not be told any more. For tests of rules.
    listener: Callable[[str, tuple[Any, ...], bool], bool] | None = None

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        try:
            if self.listener is not None and self.listener(str(msg), args, bool(kwargs.get("exc_info"))):
                return
            super().log(level, msg, *args, **kwargs)
        except Exception:
            return


logger = _Unharmed(logging.getLogger("opentelemetry.instrumentation.declarative"), {})
