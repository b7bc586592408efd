"""What RediSearch writes into flat lists."""

from typing import Any


def documents(response: list[Any]) -> dict[str, Any]:
    """The fields of the documents in an answer of FT.SEARCH: their number, then each id and its names and values."""
    found = zip(response[1::2], response[2::2], strict=False)
    return {
        f"xdoc_{key}.{name}": value
        for key, entries in found
        for name, value in zip(entries[::2], entries[1::2], strict=True)
    }
