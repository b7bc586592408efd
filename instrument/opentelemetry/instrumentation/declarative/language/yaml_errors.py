"""What the YAML parsers say, in words for the person who edits the file.

libyaml and Python's parser differ by a word.
"""

_BLOCK = (
    "this does not belong to the block that begins in line {line}",
    "check the indentation; text that goes on after a closing quote or bracket needs quotes around all of it",
)
_QUOTE = ("the quoted text that begins in line {line} never ends", "add the closing quote")
_LIST = ("the list that begins in line {line} is not closed", 'add "]" or ","; put text with brackets in quotes')
_MAPPING = ("the mapping that begins in line {line} is not closed", 'add "}" or ","; put text with braces in quotes')
_TAB = ("a tab indents this line", "indent with spaces")
_INDENT = "put the text in quotes, or mend the indentation"
ESCAPE = ("a backslash in double quotes begins an escape that YAML does not know", "use single quotes, or double it")
TAG = ("tags are not part of the language", "take it out; what stands in quotes is text")

_SAID = (
    ("mapping values are not allowed", ('":" stands where no key can', _INDENT)),
    ("could not find expected ':'", ("a line before this is no key", 'write "key: value", or mend the indentation')),
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
    ("entries are not allowed", ('a list cannot begin with "-" here', "begin it on a line of its own")),
    ("alphabetic or numeric", ('"&" and "*" begin the name of an anchor: no name follows', "put the text in quotes")),
    ("node content", ("a value is missing here", "put text that begins with a bracket or a comma in quotes")),
)


#: libyaml 0.2.6 (PyYAML 6.0.4) has a nesting limit of its own, which it can reach before ours.
_NESTING_LIMIT = "maximum nesting depth"


def is_nesting_limit(said: str) -> bool:
    """Whether a parser has stopped because the text is nested too deeply."""
    return _NESTING_LIMIT in said


def explain(said: str, sign: str, line: int) -> tuple[str, str, str]:
    """The code, the message and the mend for what a parser `said` at `sign`, in a piece begun in `line`."""
    if "cannot start any token" in said:
        if sign == "\t":
            return "yaml-syntax", *_TAB
        message = f'no value can begin with "{sign}": YAML keeps it for itself'
        return "yaml-syntax", message, "put the text in quotes"
    for words, (message, mend) in _SAID:
        if words in said:
            return ("yaml-tag" if "tag" in words else "yaml-syntax"), message.replace("{line}", str(line)), mend
    return "yaml-syntax", "this is not YAML: " + " ".join(said.split()), "look at this line and at the one before it"
