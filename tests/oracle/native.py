"""AG2's own tracing, activated from outside the program."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.trace import TracerProvider

from .api import Agent, Hub

_WORKER = re.compile(r"subtask-[0-9a-f]{8}")
"""The name of an agent that AG2 makes for itself to do a subtask: AG2 does not trace it, so nobody does."""


PARTS = frozenset({"tracer", "listener", "middleware"})
"""What AG2's tracing is made of: the hub's tracer of envelopes, the hub's listener, and the agents' middleware."""


@contextmanager
def native_tracing(
    tracer_provider: TracerProvider, capture_content: bool = True, parts: Collection[str] = PARTS
) -> Iterator[None]:
    """Activate AG2's tracing, or parts of it, for every hub and agent created in the block, as AG2's docs describe."""
    from ag2.middleware.builtin.telemetry import TelemetryMiddleware
    from ag2.network.hub.telemetry import HubTelemetryListener

    hub_init, agent_init = Hub.__dict__["__init__"], Agent.__dict__["__init__"]

    @functools.wraps(hub_init)
    def traced_hub(self: Hub, store: Any, **options: Any) -> None:
        if "tracer" in parts:
            options["tracer_provider"] = options.get("tracer_provider") or tracer_provider
        hub_init(self, store, **options)
        if "listener" in parts:
            provider = options.get("tracer_provider") or tracer_provider
            self.register_listener(HubTelemetryListener(store, tracer_provider=provider))

    @functools.wraps(agent_init)
    def traced_agent(self: Agent, *args: Any, **options: Any) -> None:
        agent_init(self, *args, **options)
        if "middleware" not in parts or _WORKER.fullmatch(self.name):
            return
        # An agent created with the middleware of another has the other's tracing, which uses the other's name.
        self._middleware[:] = [one for one in self._middleware if not isinstance(one, TelemetryMiddleware)]
        self.insert_middleware(
            TelemetryMiddleware(agent_name=self.name, tracer_provider=tracer_provider, capture_content=capture_content)
        )

    Hub.__init__, Agent.__init__ = traced_hub, traced_agent  # type: ignore[method-assign]
    try:
        yield
    finally:
        Hub.__init__, Agent.__init__ = hub_init, agent_init  # type: ignore[method-assign]
