"""Which of the interpreters of this process runs this code. Servers such as mod_wsgi start several."""

from __future__ import annotations

import importlib
from typing import Any


def is_main_interpreter() -> bool:
    """Whether this is the first interpreter of the process."""
    for name in ("_interpreters", "_xxsubinterpreters"):  # since Python 3.13, before
        try:
            module: Any = importlib.import_module(name)
            return bool(module.get_current() == module.get_main())
        except Exception:  # another Python, or one that is built without it
            continue
    return True
