"""What is said to whoever runs the program: through ``logging``, whose filters and handlers are the host's own."""

from __future__ import annotations

import logging
from typing import Any


class _Unharmed(logging.LoggerAdapter):  # type: ignore[type-arg]
    """A logger that raises nothing: what a filter or handler raises would end up in an import or a call of the host."""

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        try:
            super().log(level, msg, *args, **kwargs)
        except Exception:
            return


logger = _Unharmed(logging.getLogger("instrument"), {})
