"""A function of the program, which a spec traces."""

from __future__ import annotations

from typing import Any


async def ask(channel: Any, question: str) -> None:
    """Send a question into a channel."""
    await channel.send(question)
