"""Functions of the spec: the metadata of a call over gRPC, which only a method returns."""

from __future__ import annotations

from typing import Any


def grpc_metadata(context: Any) -> dict[str, str | bytes] | None:
    """Return the metadata with which a client has called a service, by name; the last one of several."""
    if context is None:
        return None
    return dict(context.invocation_metadata() or ())
