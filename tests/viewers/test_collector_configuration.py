"""The configuration of collectors in docs/how-to/several-hosts.md, run with collectors and the spans of five agents.

A collector that distributes sends to one that samples, and that to one that stores: three processes. COLLECTOR is the
path of a collector with the components of OpenTelemetry's distribution `contrib`, which no registry of Python has:

    COLLECTOR=/usr/bin/otelcol-contrib make test-viewers
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.processes import until

from .servers import PATIENCE, free_port, run_program

COLLECTOR = os.environ.get("COLLECTOR", "")
pytestmark = pytest.mark.skipif(not COLLECTOR, reason="COLLECTOR is not the path of a collector")

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "several-hosts.md"
ERROR = 2


def _documented() -> list[str]:
    """The configurations on the page: one that distributes, and one that samples."""
    return re.findall(r"^```text\n(receivers:.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def _receives(port: int, **protocols: Any) -> dict[str, Any]:
    return {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{port}"}} | protocols}}


@contextlib.contextmanager
def _collector(folder: Path, name: str, port: int, *configurations: str | dict[str, Any]) -> Iterator[None]:
    """Run a collector in the block. Later configurations are merged onto earlier ones."""
    command = [COLLECTOR]
    for index, configuration in enumerate(
        [*configurations, {"service": {"telemetry": {"metrics": {"level": "none"}}}}]
    ):
        path = folder / f"{name}{index}.yaml"
        path.write_text(configuration if isinstance(configuration, str) else yaml.safe_dump(configuration))
        command += ["--config", str(path)]
    with (folder / f"{name}.log").open("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            until(lambda: _listens(port) or process.poll() is not None, f"the collector {name}")
            assert process.poll() is None, Path(log.name).read_text()
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _traces(path: Path) -> dict[str, dict[str, Any]]:
    """The spans of a file by trace and id. Its last line may be incomplete."""
    traces: dict[str, dict[str, Any]] = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else ():
        for resource in json.loads(line)["resourceSpans"] if line.endswith("\n") else ():
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    traces[span["traceId"]][span["spanId"]] = span
    return traces


def _failed(traces: dict[str, dict[str, Any]]) -> set[str]:
    return {
        trace
        for trace, spans in traces.items()
        for span in spans.values()
        if span.get("status", {}).get("code") == ERROR
    }


def test_collectors_keep_whole_traces_and_each_one_that_failed(tmp_path: Path):
    distributes, samples = _documented()
    http, grpc, sampling, storage = (free_port() for _ in range(4))
    everything, kept = tmp_path / "everything.jsonl", tmp_path / "kept.jsonl"
    stores = {
        "receivers": _receives(storage),
        "exporters": {"file": {"path": str(kept), "flush_interval": "100ms"}},
        "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["file"]}}},
    }
    # Only the addresses and the time to wait differ from the page.
    here = {
        "receivers": _receives(grpc, http={"endpoint": f"127.0.0.1:{http}"}),
        "exporters": {"load_balancing": {"resolver": {"dns": {"hostname": "127.0.0.1", "port": str(sampling)}}}},
    }
    soon = {
        "receivers": _receives(sampling),
        "processors": {"tail_sampling": {"decision_wait": "1s"}},
        "exporters": {"otlp_grpc": {"endpoint": f"127.0.0.1:{storage}"}},
    }
    with (
        _collector(tmp_path, "storage", storage, stores),
        _collector(tmp_path, "sampling", sampling, samples, soon),
        _collector(tmp_path, "distributing", grpc, distributes, here),
    ):
        run_program(
            f"http://127.0.0.1:{http}/v1/traces",
            OTEL_TRACES_EXPORTER="otlp,jsonl",
            OTEL_PYTHON_DECLARATIVE_SPANS_FILE=str(everything),
            # All spans are exported at once, when the program ends.
            OTEL_BSP_SCHEDULE_DELAY="600000",
        )
        sent = _traces(everything)
        assert len(_failed(sent)) == 2
        until(lambda: _failed(_traces(kept)) == _failed(sent), "the traces that failed")
    stored = _traces(kept)
    assert stored.keys() < sent.keys()
    for trace, spans in stored.items():
        assert spans.keys() == sent[trace].keys()
