"""What command lines and servers have in common: the environment of their processes, and the file of their spans."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from importlib import metadata
from pathlib import Path
from typing import Any

from tests.processes import SOURCE

HERE = Path(__file__).parent


def environment(
    spec: Path, spans: Path, scratch: Path, *paths: Path, beside: Collection[str] = (), **more: str
) -> dict[str, str]:
    """The environment of a process that writes its spans to a file.

    Args:
        scratch: a folder for the files of the program.
        paths: folders that are searched for modules.
        beside: the names of the other instrumentations that are active.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    others = {each.name for each in metadata.entry_points(group="opentelemetry_instrumentor")}
    return {
        **kept,
        "OTEL_PYTHON_DECLARATIVE_SPECS": str(spec),
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ",".join(sorted(others - {"declarative", *beside})),
        "SPAN_FILE": str(spans),
        "SCRATCH": str(scratch),
        "PYTHONPATH": os.pathsep.join(map(str, [*paths, SOURCE])),
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }


def read_records(spans: Path) -> list[dict[str, Any]]:
    """The spans that processes have written to a file, in the order in which they wrote them."""
    return [json.loads(line) for line in spans.read_text("utf-8").splitlines()] if spans.exists() else []
