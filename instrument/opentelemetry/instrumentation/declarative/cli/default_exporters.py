"""The exporters that OpenTelemetry's distribution chooses by default: without them, it would not start at all."""

from __future__ import annotations

import os
from importlib.metadata import entry_points

#: The environment variables of OpenTelemetry by signal, and the signals as the names of their entry points.
_SIGNALS = ("TRACES", "METRICS", "LOGS")
_PROTOCOL = "OTEL_EXPORTER_OTLP{}_PROTOCOL"
_EXPORTERS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}


def disable_missing_exporters() -> bool:
    """Disable the signals whose exporter is chosen by default and not installed. Returns whether traces are one."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if [*entry_points(group="opentelemetry_distro").names] != ["distro"]:
        return False  # another distribution has other defaults, or there are none
    missing = [signal for signal in _SIGNALS if f"OTEL_{signal}_EXPORTER" not in os.environ and _is_missing(signal)]
    for signal in missing:
        os.environ[f"OTEL_{signal}_EXPORTER"] = "none"
    return "TRACES" in missing


def _is_missing(signal: str) -> bool:
    protocols = (os.environ.get(_PROTOCOL.format(each)) for each in (f"_{signal}", ""))
    name = _EXPORTERS.get(next(filter(None, protocols), "grpc"))
    return name is not None and not entry_points(group=f"opentelemetry_{signal.lower()}_exporter", name=name)
