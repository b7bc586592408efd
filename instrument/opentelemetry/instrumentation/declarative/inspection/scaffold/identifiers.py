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
        "pass password passwd pwd pw passphrase passcode secret secrets token tokens key keys apikey credential "
        "credentials creds auth authobject authorization bearer basic challenge cookie cookies csrf xsrf jwt saml "
        "oauth session sid otp totp mfa pin cvv cvc card pan ssn iban nonce salt seed private signature cert "
        "certificate pem pkcs12 pfx jwk verifier assertion headers environ env dsn conninfo"
    )
)
#: Parts of words, as in ``accesstoken``.
_SECRET_PARTS = ("passw", "passphrase", "secret", "token", "apikey", "credential", "authoriz", "cookie", "privatekey")
#: Words of numbers that are secret themselves.
_SECRET_NUMBERS = frozenset(name_words("card pan pin ssn cvv cvc otp totp"))
#: What functions do that return a secret, or receive one by another name, such as the code of an authorization.
_GRANTING = frozenset(name_words("login signin authenticate authorize exchange grant issue impersonate"))
#: Words that make a number of a secret: ``token_count``.
_COUNTED = frozenset(
    name_words("count counts number num n max min limit total size length len used usage ok index budget")
)
_CONTENT = frozenset(
    name_words(
        "prompt prompts message messages msg text texts body content contents question answer input inputs output "
        "payload query instruction instructions reply response completion comment note subject transcript document "
        "html markdown summary caption utterance data email mail json xml form chunk chunks packet frame buffer buf "
        "raw bytes blob line lines args arguments argument params parameters cmd command value values val s b string "
        "record row rows sql statement request stdin stdout stderr patient history conversation chat phone mobile "
        "birthday birthdate dob plaintext ciphertext fulltext"
    )
)
#: The ends of words for content, as in ``rawdata``.
_CONTENT_ENDS = ("data", "msg", "body", "json", "xml", "html")
#: What a parameter without an annotation is called if it is an object, of which only its parts can be recorded.
_OBJECTS = frozenset(
    name_words(
        "request req response resp context ctx session connection conn client app db instance sender event obj self cls"
    )
)
_URLS = frozenset(name_words("url uri urls uris href endpoint proxy webhook"))
#: What functions do whose result is written by a person or a model.
_RETURNS_CONTENT = _CONTENT.union(
    name_words("ask chat complete generate render summarize translate say read recv receive fetch load decode decrypt")
)


def is_secret(name: str) -> bool:
    """Whether a name suggests a secret."""
    words = name_words(name)
    is_connection = "connectionstring" in "".join(words) or "connstr" in words
    has_part = any(part in word for word in words for part in _SECRET_PARTS)
    return is_connection or has_part or not _SECRETS.isdisjoint(words)


def grants_secret(name: str) -> bool:
    """Whether the name of a function suggests that it returns a secret, such as a token."""
    return is_secret(name) or not _GRANTING.isdisjoint(name_words(name))


def is_count(name: str) -> bool:
    """Whether a name suggests a number of things."""
    words = name_words(name)
    return not _COUNTED.isdisjoint(words) and _SECRET_NUMBERS.isdisjoint(words)


def is_url(name: str) -> bool:
    """Whether a name suggests a URL, which may contain credentials."""
    return any(word in _URLS or word.endswith(("url", "uri")) for word in name_words(name))


def is_object(name: str) -> bool:
    """Whether a name suggests an object with attributes rather than a value."""
    return name in _OBJECTS


def is_content(name: str) -> bool:
    """Whether a name suggests something that people write or models answer."""
    words = name_words(name)
    return not _CONTENT.isdisjoint(words) or any(word.endswith(_CONTENT_ENDS) for word in words)


def returns_content(name: str) -> bool:
    """Whether the name of a function suggests that it returns content."""
    return not _RETURNS_CONTENT.isdisjoint(name_words(name))
