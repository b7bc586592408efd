"""The errors of the YAML parsers as problems for the person who edits the file.

libyaml and Python's own parser differ by a word, and from version to version.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: In levels of nesting. libyaml 0.2.6, which is part of PyYAML 6.0.4, has its own limit.
MAX_DEPTH = 64


class Explanation(NamedTuple):
    """The code, message and help of a problem. ``{line}`` in a message is where the broken construct starts."""

    code: str
    message: str
    help: str
    #: Whether the construct itself is what is wrong, and not where it ends.
    is_at_start: bool = False


TOO_DEEP = Explanation("too-large", f"this is nested more than {MAX_DEPTH} levels deep", "a spec needs about ten")
ESCAPE = Explanation(
    "yaml-syntax",
    "a backslash in double quotes starts an escape sequence that YAML does not have",
    "use single quotes, or double the backslash",
)
TAG = Explanation(
    "yaml-tag", "tags are not part of the language", "remove it; to write a number or a word as text, put it in quotes"
)

_BLOCK = Explanation(
    "yaml-syntax",
    "this does not belong to the block that starts on line {line}",
    "check the indentation; if text continues after a closing quote or bracket, put all of it in quotes",
)
_QUOTE = Explanation("yaml-syntax", "the quoted text that starts here has no end", "add the closing quote", True)
_LIST = Explanation(
    "yaml-syntax",
    "the list that starts on line {line} is not closed",
    'add "]" or ","; put text with brackets in quotes',
)
_MAPPING = Explanation(
    "yaml-syntax",
    "the mapping that starts on line {line} is not closed",
    'add "}" or ","; put text with braces or commas in quotes',
)
_BLOCK_TEXT = Explanation(
    "yaml-syntax", '">" and "|" start a block of text', 'put the value in quotes, as in ">=1.2,<2"'
)
_TAB = Explanation("yaml-syntax", "this line is indented with a tab", "indent with spaces")

#: Words of a parser's message, and what they mean. The first that match count.
_EXPLANATIONS: tuple[tuple[str, Explanation], ...] = (
    ("maximum nesting depth", TOO_DEEP),
    ("chomping or indentation", _BLOCK_TEXT),
    ("comment or line break", _BLOCK_TEXT),
    ("comment or a line break", _BLOCK_TEXT),
    (
        "mapping values are not allowed",
        Explanation(
            "yaml-syntax",
            '":" is not allowed here: no key precedes it',
            "put the text in quotes, or fix the indentation",
        ),
    ),
    (
        "could not find expected ':'",
        Explanation("yaml-syntax", "a line before this one is not a key", 'write "key: value", or fix the indentation'),
    ),
    ("',' or ']'", _LIST),
    ("',' or '}'", _MAPPING),
    ("unexpected end of stream", _QUOTE),
    ("unexpected document", _QUOTE),
    ("escape", ESCAPE),
    ("hexadecimal", ESCAPE),
    ("tab character", _TAB),
    ("expected key", _BLOCK),
    ("<block end>", _BLOCK),
    ("'-' indicator", _BLOCK),
    ("undefined tag", TAG),
    (
        "entries are not allowed",
        Explanation("yaml-syntax", 'a list cannot start with "-" here', "start it on a line of its own"),
    ),
    (
        "alphabetic or numeric",
        Explanation("yaml-syntax", '"&" and "*" must be followed by the name of an anchor', "put the text in quotes"),
    ),
    (
        "node content",
        Explanation(
            "yaml-syntax", "a value is missing here", "put text that starts with a bracket or a comma in quotes"
        ),
    ),
)


def tag_help(tag: str) -> str:
    """The help for a tag, which may be the operator of another language."""
    operand = re.fullmatch(r"!([A-Za-z_]\w*(\.\w+)*)", tag)
    return TAG.help if operand is None else f"write `not {operand[1]}` to negate a value; `!` starts a tag in YAML"


def explain(error: str, character: str, line: int) -> Explanation:
    """The explanation of a parser's error at a character, in a construct that starts on a line."""
    if "cannot start any token" in error:
        if character == "\t":
            return _TAB
        message = f'no value can start with "{character}", which YAML reserves'
        return Explanation("yaml-syntax", message, "put the text in quotes")
    for words, found in _EXPLANATIONS:
        if words in error:
            return found._replace(message=found.message.replace("{line}", str(line)))
    message = f"this is not valid YAML: {' '.join(error.split())}"
    return Explanation("yaml-syntax", message, "check this line and the one before it")
