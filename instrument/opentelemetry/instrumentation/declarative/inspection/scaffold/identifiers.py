"""Names as words: in the spelling of a spec, and what they tell of the value."""

from __future__ import annotations

import re


def words(name: str) -> list[str]:
    """The words of a name, in lower case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[a-z0-9]+", spaced.lower())


def snake(name: str) -> str:
    """A name as a spec spells it: lower case, words joined by underscores."""
    return "_".join(words(name))


_SECRETS = frozenset(
    words(
        "password passwd pwd passphrase passcode secret secrets token tokens key keys apikey credential credentials "
        "auth authorization bearer cookie cookies otp pin cvv private signature headers environ env"
    )
)
_CONTENT = frozenset(
    words(
        "prompt prompts message messages msg text texts body content contents question answer input inputs output "
        "payload query instruction instructions reply response completion comment note subject transcript document "
        "html markdown summary caption utterance data"
    )
)
#: What a function does whose result is text that a person or a model has written.
_WRITES = _CONTENT.union(words("ask chat complete generate render summarize translate say read"))


def is_secret(name: str) -> bool:
    """Whether a name smells of what nobody may read."""
    return not _SECRETS.isdisjoint(words(name))


def is_content(name: str) -> bool:
    """Whether a name smells of what people write or models say."""
    return not _CONTENT.isdisjoint(words(name))


def writes(name: str) -> bool:
    """Whether a function of this name smells of giving such text."""
    return not _WRITES.isdisjoint(words(name))
