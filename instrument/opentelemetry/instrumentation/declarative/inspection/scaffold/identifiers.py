"""The words in a name: its spelling in a spec, and what it suggests about the value."""

from __future__ import annotations

import re


def name_words(name: str) -> list[str]:
    """Return the words of a name, in lower case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[a-z0-9]+", spaced.lower())


def snake_case(name: str) -> str:
    """Return a name in the spelling of a spec: lower case, with underscores between words."""
    return "_".join(name_words(name))


_SECRETS = frozenset(
    name_words(
        "password passwd pwd passphrase passcode secret secrets token tokens key keys apikey credential credentials "
        "auth authorization bearer cookie cookies otp pin cvv private signature headers environ env"
    )
)
_CONTENT = frozenset(
    name_words(
        "prompt prompts message messages msg text texts body content contents question answer input inputs output "
        "payload query instruction instructions reply response completion comment note subject transcript document "
        "html markdown summary caption utterance data"
    )
)
#: What functions do whose result is written by a person or a model.
_RETURNS_CONTENT = _CONTENT.union(name_words("ask chat complete generate render summarize translate say read"))


def is_secret(name: str) -> bool:
    """Whether a name suggests a secret."""
    return not _SECRETS.isdisjoint(name_words(name))


def is_content(name: str) -> bool:
    """Whether a name suggests something that people write or models answer."""
    return not _CONTENT.isdisjoint(name_words(name))


def returns_content(name: str) -> bool:
    """Whether the name of a function suggests that it returns content."""
    return not _RETURNS_CONTENT.isdisjoint(name_words(name))
