"""What an expression can read when a callable is hooked: the parameters and the result, with their types."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.readable.annotations import read_type
from opentelemetry.instrumentation.declarative.inspection.readable.namespaces import (
    Namespace,
    module_names,
    readable_annotations,
)
from opentelemetry.instrumentation.declarative.inspection.readable.types import UNKNOWN, Type, of_class, union
from opentelemetry.instrumentation.declarative.wrappers.signatures import CallKind, read_signature

#: Annotations of results that are followed by default, by module and name, and which of their type arguments is the
#: type of the value that they give.
_FOLLOWED = {
    ("collections.abc", "Coroutine"): 2,
    ("collections.abc", "Awaitable"): 0,
    ("collections.abc", "Generator"): 2,
    ("_asyncio", "Future"): 0,
    ("_asyncio", "Task"): 0,
    ("concurrent.futures._base", "Future"): 0,
}
#: Annotations of results that are followed if they are generators or of ``contextlib``: the value is not known.
_PERHAPS_FOLLOWED = frozenset(["Iterator", "Iterable", "AsyncIterator", "AsyncIterable", "AsyncGenerator"])
_ITERATORS = _PERHAPS_FOLLOWED | {"Generator"}
_CONTEXT_MANAGERS = frozenset(["AbstractContextManager", "AbstractAsyncContextManager"])


@dataclass(frozen=True, slots=True)
class CallableTypes:
    """The types of what a hook on a callable can read: its parameters, and ``result``.

    ``signature`` is the signature as Python code, ``defaults`` the defaults of parameters without a known type, and
    ``summary`` the first sentence of the docstring.
    """

    parameters: Mapping[str, Type]
    result: Type
    signature: str
    defaults: Mapping[str, str]
    shape: CallKind
    summary: str | None
    #: The type of `last_item`, if the result gives items.
    item: Type = UNKNOWN
    #: Whether the parameters are known: those of a builtin may not be.
    known: bool = True


def callable_types(raw: Any, owner: type | None = None, held: Any = None) -> CallableTypes:
    """Return what can be read when a raw callable is hooked.

    ``owner`` is the class that it is an attribute of, None for a function of a module. ``held`` is the value of that
    attribute, such as a ``staticmethod``.
    """
    function = inspect.unwrap(raw) if callable(raw) else raw
    shape = read_signature(raw).kind
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return CallableTypes({}, UNKNOWN, "(…)", {}, shape, _summary(raw), known=False)
    names = {**module_names(getattr(function, "__module__", None), owner), **getattr(function, "__globals__", {})}
    type_parameters = {each.__name__: each for each in getattr(function, "__type_params__", ())}
    namespace = Namespace({**names, **type_parameters}, owner)
    parameters: dict[str, Type] = {}
    defaults: dict[str, str] = {}
    hints = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    hints = {**readable_annotations({**hints, "return": signature.return_annotation}, function)}
    for index, parameter in enumerate(signature.parameters.values()):
        parameter = parameter.replace(annotation=hints[parameter.name])
        type_ = _parameter(parameter, namespace)
        if index == 0 and owner is not None and not type_.text and not isinstance(held, staticmethod):
            type_ = Type(f"type[{owner.__name__}]") if isinstance(held, classmethod) else of_class(owner)
        parameters[parameter.name] = type_
        if not type_.text and parameter.default is not parameter.empty:
            defaults[parameter.name] = _default_text(parameter.default)
    returned = read_type(hints["return"], namespace)
    result = _result(returned, shape if shape != "function" else _kind_of_body(function))
    signature_text = _signature_text(signature)
    return CallableTypes(parameters, result, signature_text, defaults, shape, _summary(raw), _item(returned))


def _parameter(parameter: inspect.Parameter, namespace: Namespace) -> Type:
    type_ = read_type(parameter.annotation, namespace)
    if parameter.default is None and type_.text and not type_.optional and type_.text != "Any":
        type_ = union([type_, Type("None", optional=True)])
    if parameter.kind is parameter.VAR_POSITIONAL:
        return Type(f"tuple[{type_.text or 'Any'}, ...]", tuple, (type_,))
    if parameter.kind is parameter.VAR_KEYWORD:
        return Type(f"dict[str, {type_.text or 'Any'}]", dict, (of_class(str), type_))
    return type_


def _item(type_: Type) -> Type:
    """Return the type of the items of an iterator or a generator."""
    cls = type_.cls
    is_iterator = cls is not None and cls.__module__ == "collections.abc" and cls.__name__ in _ITERATORS
    return type_.args[0] if is_iterator and type_.args else UNKNOWN


def _result(type_: Type, shape: CallKind) -> Type:
    """Return the type of ``result``: of a coroutine the awaited value, of a generator its return value."""
    if shape == "asynchronous generator":
        return Type("None", optional=True)
    origin = (getattr(type_.cls, "__module__", ""), getattr(type_.cls, "__name__", ""))
    if shape == "coroutine" and origin[0] != "collections.abc":
        return type_
    if origin in _FOLLOWED:
        index = _FOLLOWED[origin]
        return type_.args[index] if len(type_.args) > index else UNKNOWN
    abstract = _PERHAPS_FOLLOWED if origin[0] == "collections.abc" else _CONTEXT_MANAGERS
    unknown = shape == "generator" or (shape == "function" and origin[1] in abstract)
    return UNKNOWN if unknown else type_


def _kind_of_body(function: Any) -> CallKind:
    """The kind of the function that a plain decorator has wrapped: its annotation is about what the result gives."""
    if type(function) is not types.FunctionType:
        return "function"
    # A generator may be behind a decorator that makes a context manager of it.
    kind = read_signature(function).kind
    return "generator" if kind == "asynchronous generator" else kind


def _signature_text(signature: inspect.Signature) -> str:
    """Return the signature on one line. Defaults other than short literals become an ellipsis."""
    parts: list[str] = []
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    for index, parameter in enumerate(signature.parameters.values()):
        kind = parameter.kind
        if kind is parameter.KEYWORD_ONLY and not {parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL} & {*kinds[:index]}:
            parts.append("*")
        star = "*" if kind is parameter.VAR_POSITIONAL else "**" if kind is parameter.VAR_KEYWORD else ""
        annotation = "" if parameter.annotation is parameter.empty else f": {_annotation_text(parameter.annotation)}"
        equals = " = " if annotation else "="
        default = "" if parameter.default is parameter.empty else f"{equals}{_default_text(parameter.default)}"
        parts.append(f"{star}{parameter.name}{annotation}{default}")
        if kind is parameter.POSITIONAL_ONLY and parameter.POSITIONAL_ONLY not in kinds[index + 1 :]:
            parts.append("/")
    returned = signature.return_annotation
    arrow = "" if returned is signature.empty else f" -> {_annotation_text(returned)}"
    return f"({', '.join(parts)}){arrow}"


def _annotation_text(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else read_type(annotation, Namespace({})).text or "Any"


def _default_text(value: Any) -> str:
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        text = repr(value)
        return text if len(text) <= 30 else "..."
    return "()" if value == () else "..."


def _summary(raw: Any) -> str | None:
    """Return the first sentence of the docstring."""
    doc = getattr(raw, "__doc__", None)
    if not isinstance(doc, str) or not doc.strip():
        return None
    paragraph = " ".join(inspect.cleandoc(doc).partition("\n\n")[0].split())
    sentence, dot, _ = paragraph.partition(". ")
    return sentence + dot.rstrip()
