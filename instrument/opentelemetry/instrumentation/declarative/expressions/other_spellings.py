"""The methods and functions of Python and other languages that are tried most often, and what to write instead.

In the texts, ``{value}`` stands for what a method is called on, ``{first}``, ``{second}`` and ``{third}`` for its
arguments, ``{name}`` for the name that the second one is, as text, and ``{types}`` for the types that it names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS

_LOWER, _UPPER, _STRIP = "write lower({value})", "write upper({value})", "write strip({value})"
_ENDS, _STARTS = "write ends_with({value}, {first})", "write starts_with({value}, {first})"
_CONTAINS = "write {first} in {value}"
_TEXT = "write str({value})"
_LENGTH = "write len({value})"
_TIME = "write now(), in nanoseconds, or clock(), in seconds"
_SLICE = "write {value}[{first}:{second}]"
_HASH = "write sha256({first})"
_VARIABLE = 'write "${{NAME}}", in quotes, with the name of the environment variable'

INSTEAD_OF_METHODS: Mapping[str, str] = {
    "__contains__": _CONTAINS,
    "__getitem__": "write {value}[{first}]",
    "__len__": _LENGTH,
    "__repr__": _TEXT,
    "__str__": _TEXT,
    "abs": "write {value} if {value} > 0 else -{value}",
    "casefold": _LOWER,
    "contains": _CONTAINS,
    "count": _LENGTH,
    "decode": _TEXT,
    "dict": "write json({value})",
    "encode": _TEXT,
    "endsWith": _ENDS,
    "endswith": _ENDS,
    "environ.get": _VARIABLE,
    "first": "write {value}[0]",
    "get": "write {value}[{first}]: a missing value is None",
    "has": _CONTAINS,
    "has_key": _CONTAINS,
    "includes": _CONTAINS,
    "isoformat": "write iso({value})",
    "items": "write keys({value}), and {value}[key] for a value",
    "join": "write join({first}, {value})",
    "json": "write json({value})",
    "keys": "write keys({value})",
    "last": "write {value}[-1]",
    "length": _LENGTH,
    "lower": _LOWER,
    "json.dumps": "write json({first})",
    "lstrip": _STRIP,
    "match": 'write match({value}, r"^pattern")',
    "model_dump": "write json({value})",
    "model_dump_json": "write json({value})",
    "now": _TIME,
    "os.getenv": _VARIABLE,
    "os.environ.get": _VARIABLE,
    "perf_counter": "write clock(), in seconds",
    "re.match": "write match({second}, {first})",
    "re.search": "write match({second}, {first})",
    "re.sub": "write replace({third}, {first}, {second})",
    "replace": "write replace({value}, {first}, {second})",
    "rstrip": _STRIP,
    "slice": _SLICE,
    "search": 'write match({value}, r"pattern")',
    "size": _LENGTH,
    "split": "write split({value}, {first})",
    "startsWith": _STARTS,
    "startswith": _STARTS,
    "str.lower": "write lower({first})",
    "str.upper": "write upper({first})",
    "strftime": "write iso({value})",
    "strip": _STRIP,
    "substr": _SLICE,
    "substring": _SLICE,
    "sub": 'write replace({second}, r"pattern", {first})',
    "time": _TIME,
    "title": "write title({value})",
    "toFixed": "write round({value}, {first})",
    "toISOString": "write iso({value})",
    "toLowerCase": _LOWER,
    "toString": _TEXT,
    "toUpperCase": _UPPER,
    "to_dict": "write json({value})",
    "total_seconds": "write {value}: a duration is recorded in seconds",
    "trim": _STRIP,
    "upper": _UPPER,
    "utcnow": _TIME,
    "values": "write [{value}[key] for key in {value}]",
}
INSTEAD_OF_FUNCTIONS: Mapping[str, str] = {
    "abs": "write {first} if {first} > 0 else -{first}",
    "coalesce": "write {first} or {second}",
    "concat": 'write f"{{first}}{{second}}" with the values in braces',
    "contains": "write {second} in {first}",
    "count": "write len({first})",
    "default": "write {first} or {second}",
    "dict": "write json({first})",
    "env": _VARIABLE,
    "exists": "write {first} is not None",
    "first": "write {first}[0]",
    "format": 'write str({first}), or f"{{value}}" with the value in braces',
    "getenv": _VARIABLE,
    "getattr": "write {first}.{name}: a missing value is None",
    "hasattr": "write {first}.{name} is not None",
    "hash": _HASH,
    "ifnull": "write {first} or {second}",
    "isinstance": "write is_a({first}, {types})",
    "issubclass": "write is_a({first}, {types})",
    "isnull": "write {first} is None",
    "last": "write {first}[-1]",
    "length": "write len({first})",
    "list": "write {first}: a list is recorded as it is",
    "lowercase": "write lower({first})",
    "md5": _HASH,
    "nvl": "write {first} or {second}",
    "print": "write {first}: an expression is a value",
    "regex": "write match({first}, {second})",
    "repr": "write str({first})",
    "set": "write {first}: a list is recorded as it is",
    "size": "write len({first})",
    "sorted": "write {first}: a list is recorded as it is",
    "string": "write str({first})",
    "strlen": "write len({first})",
    "substr": "write {first}[{second}:{third}]",
    "substring": "write {first}[{second}:{third}]",
    "tolower": "write lower({first})",
    "toupper": "write upper({first})",
    "tuple": "write {first}: a list is recorded as it is",
    "type": "write type_name({first})",
    "typeof": "write type_name({first})",
    "uppercase": "write upper({first})",
}
#: By the name of the operator in Python's syntax tree.
INSTEAD_OF_OPERATORS: Mapping[str, str] = {
    "BitAnd": "write `and`",
    "BitOr": "write `or`",
    "Pow": "write x * x",
}

_MOST_CHARACTERS = 40


def instead_of_method(call: ast.Call, function: ast.Attribute) -> str | None:
    """What to write instead of the call of a method; None if it has no counterpart."""
    if function.attr == "format":
        return f"write {_formatted(function.value, call.args)}"
    if function.attr == "get" and len(call.args) > 1:
        return f"write {_rewritten(function.value)}[{_source(call.args[0])}] or {_source(call.args[1])}"
    if function.attr == "count" and call.args:
        return None  # how often an item occurs
    value = _rewritten(function.value)
    text = INSTEAD_OF_METHODS.get(f"{value}.{function.attr}") or INSTEAD_OF_METHODS.get(function.attr)
    return text and _filled(text, call, value)


def _rewritten(tree: ast.expr) -> str:
    """The source of what a method is called on. If it is the result of a method, that is written differently too."""
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute):
        instead = instead_of_method(tree, tree.func)
        if instead is not None and instead.startswith("write "):
            return instead.removeprefix("write ").partition(": ")[0]
    return ast.unparse(tree)


def instead_of_function(call: ast.Call, name: str) -> str | None:
    """What to write instead of the call of a function that does not exist; None if it has no counterpart."""
    text = INSTEAD_OF_FUNCTIONS.get(name)
    return text and _filled(text, call, "value")


def instead_of_operator(node: ast.BinOp) -> str | None:
    """What to write instead of an operator, which may be the filter of a template: ``items | length``."""
    name = node.right.id if isinstance(node.right, ast.Name) and isinstance(node.op, ast.BitOr) else ""
    name = {"length": "len", "count": "len", "trim": "strip", "tojson": "json", "string": "str"}.get(name, name)
    if name in FUNCTIONS:
        return f"write {name}({ast.unparse(node.left)})"
    return INSTEAD_OF_OPERATORS.get(type(node.op).__name__)


def formatted_text(left: ast.expr, right: ast.expr) -> str:
    """What to write instead of ``"order %s" % order.id``."""
    return f"write {_formatted(left, right.elts if isinstance(right, ast.Tuple) else [right])}"


def _formatted(template: ast.expr, values: Sequence[ast.expr]) -> str:
    """An f-string with the values in the places of a template, as in ``"order {}"`` and ``"order %s"``."""
    sources = [ast.unparse(value) for value in values]
    if (
        not isinstance(template, ast.Constant)
        or not isinstance(template.value, str)
        or any('"' in each for each in sources)
    ):
        return 'f"{value}" with the value in braces'
    remaining = iter(sources)
    text = re.sub(r"\{\d*\}|%[sdr]", lambda _: f"{{{next(remaining, 'value')}}}", ast.literal_eval(template))
    return f'f"{text}"'


def type_names(types: ast.expr) -> str:
    """The names of types as the arguments of ``is_a``."""
    parts = types.elts if isinstance(types, ast.Tuple) else [types]
    names = [ast.unparse(part).rpartition(".")[2] for part in parts]
    return ", ".join(f'"{name}"' for name in names) if all(name.isidentifier() for name in names) else '"Name"'


def _filled(text: str, call: ast.Call, value: str) -> str:
    second = call.args[1] if len(call.args) > 1 else None
    name = second.value if isinstance(second, ast.Constant) and isinstance(second.value, str) else "name"
    types = '"Name"' if second is None else type_names(second)
    arguments = [_source(argument) for argument in call.args]
    first, second_, third = [*arguments, *("value", "text", "text")[len(arguments) :]][:3]
    value = value if len(value) <= _MOST_CHARACTERS else "value"
    return text.format(value=value, first=first, second=second_, third=third, name=name, types=types)


def _source(tree: ast.expr) -> str:
    text = ast.unparse(tree)
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str) and '"' not in text:
        text = f'"{text[1:-1]}"'
    return text if len(text) <= _MOST_CHARACTERS else "value"
