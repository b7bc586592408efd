"""The attributes that the source of a package assigns, on whatever object: scanned once per package."""

from __future__ import annotations

import linecache
import os
import re
import sys
from collections.abc import Mapping
from typing import NamedTuple

#: An assignment to an attribute (`x.name = …`, `x.name: int = …`), or a text that is a name (`setattr(x, "name", …)`).
#: Matches overlap, as in `if a.b: c.d = 1`: what follows a name is looked at and not consumed.
_ASSIGNED = re.compile(r"\.(\w+)(?=\s*(?::[^=\n]+)?=(?!=))|[\"'](\w+)(?=[\"'])")


class _Scan(NamedTuple):
    """The names that the sources of a package assign; None if a module has no source."""

    files: Mapping[str, str | None]
    names: frozenset[str] | None


_scans: dict[str, _Scan] = {}


def may_be_assigned(cls: type, name: str) -> bool:
    """Whether code in the package of a class may assign an attribute that the class does not declare.

    Only instances with a ``__dict__`` accept one. True as well if the source of a loaded module is not available.
    """
    if cls.__dictoffset__ == 0:
        return False
    names = _assigned_names(cls.__module__.partition(".")[0])
    return names is None or name in names


def _assigned_names(package: str) -> frozenset[str] | None:
    """Return the names that the loaded modules of a package assign. Scans again when another module is loaded."""
    files = {
        name: getattr(module, "__file__", None) or ("" if not hasattr(module, "__path__") else None)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == package
    }
    scan = _scans.get(package)
    if scan is None or scan.files != files:
        scan = _scans[package] = _Scan(files, _scan(files))
    return scan.names


def _is_empty(file: str | None) -> bool:
    """Whether a module has no source because it has none: an empty file, or a package without a file."""
    try:
        return file is None or os.path.getsize(file) == 0
    except OSError:
        return False


def _scan(files: Mapping[str, str | None]) -> frozenset[str] | None:
    names: set[str] = set()
    for file in files.values():
        lines = linecache.getlines(file) if isinstance(file, str) and file.endswith(".py") else []
        if not lines and not _is_empty(file):
            return None
        names.update(name for match in _ASSIGNED.finditer("".join(lines)) for name in match.groups() if name)
    return frozenset(names)
