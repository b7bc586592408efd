"""Records: dataclasses that are quick to define, for the classes that a traced process loads.

To a type checker a record is a dataclass. Only type checkers prevent assignments to the fields of a frozen record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from opentelemetry.instrumentation.declarative.records.definition import record

__all__ = ["record"]
