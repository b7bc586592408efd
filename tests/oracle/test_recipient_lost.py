"""A recipient that disconnects during a delivery is recorded on the envelope's span, unlike in AG2."""

import asyncio
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from .api import EV_TEXT, Agent, BaseHubListener
from .compare import Recorder
from .ours import declarative_tracing
from .runs import needs_ours
from .wire import needs_websockets, wire
from .world import PATIENCE, Script, World, world

pytestmark = [needs_ours, needs_websockets]


class Busy(BaseHubListener):
    """A listener that blocks the hub on the messages of one sender until it is released."""

    def __init__(self) -> None:
        self.sender = ""
        self.kept = asyncio.Event()
        self.let_go = asyncio.Event()

    async def on_envelope_posted(self, envelope: Any, metadata: Any) -> None:
        if envelope.sender_id == self.sender:
            self.kept.set()
            await self.let_go.wait()


async def one_hangs_up(here: World, hanging_up: bool) -> dict[str, str]:
    """Ann asks bob and cid over the wire; bob may have disconnected, which the hub does not know yet. Returns ids."""
    busy = Busy()
    here.hub.register_listener(busy)
    async with wire(here.hub) as network:
        ann = await here.join(Agent("ann", config=Script("")))
        bob, connection = await network.connect(Agent("bob", config=Script("")))
        cid = await network.join(Agent("cid", config=Script("")))
        room = await ann.open(type="discussion", target=["bob", "cid"])
        corner = await bob.open(type="conversation", target="ann")
        busy.sender = bob.agent_id
        speaking = asyncio.create_task(corner.send("Goodbye."))
        # The hub processes the messages of a connection one by one: while it is blocked on bob's message, it does not
        # notice that the connection has ended.
        await asyncio.wait_for(busy.kept.wait(), PATIENCE)
        if hanging_up:
            await connection.close()
        await room.send("Are you there?")
        assert here.hub._endpoint_for(bob.agent_id) is not None
        busy.let_go.set()
        await asyncio.wait([speaking], timeout=PATIENCE)
        assert isinstance(speaking.exception(), RuntimeError if hanging_up else type(None))
        return {client.agent_id: name for name, client in {"ann": ann, "bob": bob, "cid": cid}.items()}


def asked(hanging_up: bool) -> tuple[ReadableSpan, dict[str, str]]:
    """The span of ann's message, and the agents' names by their ids."""
    recorder = Recorder()

    async def run() -> dict[str, str]:
        async with world(tidy=False) as here:
            return await one_hangs_up(here, hanging_up)

    with declarative_tracing(recorder.provider):
        names = asyncio.run(run())
    (span,) = (
        span
        for span in recorder.finished
        if span.name == f"network.envelope {EV_TEXT}"
        and names[str((span.attributes or {})["ag2.network.sender_id"])] == "ann"
    )
    return span, names


def test_a_recipient_that_disconnects_during_delivery_is_recorded_on_the_envelope():
    span, names = asked(hanging_up=True)
    lost = [dict(event.attributes or {}) for event in span.events if event.name == "recipient_lost"]
    assert [names[str(one["ag2.network.recipient_id"])] for one in lost] == ["bob"]
    assert [event.name for event in span.events] == ["recipient_lost"]
    assert span.attributes is not None
    assert span.attributes["ag2.network.dispatch_failures"] == 1
    assert "ag2.network.recipients_away" not in span.attributes
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "1 dispatch failure(s)")


def test_a_recipient_that_stays_connected_is_not_recorded_as_lost():
    span, _ = asked(hanging_up=False)
    assert span.events == ()
    assert span.attributes is not None
    assert "ag2.network.dispatch_failures" not in span.attributes
    assert span.status.status_code.name == "UNSET"
