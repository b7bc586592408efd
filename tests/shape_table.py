"""Every shape of callable with every kind and every signature, as the source of a module."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

HEAD = '''
import abc, contextlib, dataclasses, enum, functools, types, typing
from opentelemetry import trace

class Thing:
    """A class that annotations mention only by its name."""

SENTINEL, MUTABLE = object(), [object()]
FIRST, SECOND, RESULT, SENT = Thing(), Thing(), Thing(), Thing()
T = typing.TypeVar("T")
raises = meanwhile = None
seen, inside = [], []

@types.coroutine
def pause():
    yield

def note(*values):
    seen.append(values)
    inside.append(trace.get_current_span())
    if meanwhile is not None:
        meanwhile()

def finish():
    if raises is not None:
        raise raises
    return RESULT
'''

_STEPS = """
    note({names})
    try:
        try:
            note((yield FIRST))
            PAUSE
            note((yield SECOND))
        except LookupError as error:
            note(error, (yield SECOND))
    finally:
        PAUSE
        note()
    FINISH
    """
_BLOCK = """
    note({names})
    try:
        PAUSE
        yield FIRST
    except LookupError as error:
        note(error)
    finally:
        PAUSE
        note()
    finish()
    """


def _filled(text: str, pause: str, finish: str = "") -> str:
    return text.replace("PAUSE", pause).replace("FINISH", finish)


#: The definition and the body of a callable of each kind.
BODIES = {
    "plain": ("def", "note({names})\nreturn finish()"),
    "coroutine": ("async def", "note({names})\ntry:\n    await pause()\nfinally:\n    note()\nreturn finish()"),
    "generator": ("def", _filled(_STEPS, "pass", "return finish()")),
    "asynchronous generator": ("async def", _filled(_STEPS, "await pause()", "finish()")),
    "context manager": ("@contextlib.contextmanager\ndef", _filled(_BLOCK, "pass")),
    "asynchronous context manager": ("@contextlib.asynccontextmanager\nasync def", _filled(_BLOCK, "await pause()")),
}
MANAGERS = ("context manager", "asynchronous context manager")

#: The definition of a callable of each kind that delegates to another one, and how it does.
PASSED_ON = {
    "plain": ("def", "return {}"),
    "coroutine": ("async def", "return await {}"),
    "generator": ("def", "return (yield from {})"),
    "context manager": ("def", "return {}"),
    "asynchronous context manager": ("def", "return {}"),
}

#: The parameters, their names, and the arguments of several calls.
SIGNATURES = {
    "nothing": ("", "", [""]),
    "positional only": ('a: "Thing", b: "int | None" = None, /', "a, b", ["1", "1, 2"]),
    "defaults": (
        'a: "Thing", items: "list[Thing]" = MUTABLE, flag: "object" = SENTINEL',
        "a, items, flag",
        ["1", "a=1, flag=2", "1, 2, 3"],
    ),
    "keyword only": (
        'a: "Thing", *, key: "Thing", other: "object" = SENTINEL',
        "a, key, other",
        ["1, key=2", "other=3, key=2, a=1"],
    ),
    "stars": (
        'a: "Thing", *args: "int", key: "object" = SENTINEL, **kwargs: "Thing"',
        "a, args, key, kwargs",
        ["1", "1, 2, 3, key=4, z=5"],
    ),
    "names of ours": (
        "span, result=1, /, error=2, *original, attributes=3, name=4, rule=5, Exception=6, BaseException=7, "
        "generator=8, items=9, value=10, advance=11, token=12, step=13, stop=14, args=15, **kwargs",
        "span, result, error, original, attributes, name, rule, Exception, BaseException, generator, items, value, "
        "advance, token, step, stop, args, kwargs",
        ["1", "1, 2, 3, 4, key=5, step=6"],
    ),
}

_METHOD = ("Host.target", "Host().target")

#: For each shape: the hooked callable, the expression to call, and what to inspect if that is something else.
SHAPES = {
    "function": ("target", "target"),
    "decorated": ("target", "target"),
    "decorated twice": ("target", "target"),
    "decorated plainly": ("target", "target"),
    "lru cache": ("target", "target"),
    "single dispatch": ("target", "target"),
    "callable object": ("target", "target"),
    "method": _METHOD,
    "static method": _METHOD,
    "class method": ("Host.target", "Host.target"),
    "property": _METHOD,
    "cached property": _METHOD,
    "inherited method": _METHOD,
    "override calling super": _METHOD,
    "abstract method": ("Base.target", "Host().target", "Base.target"),
    "protocol": ("Base.target", "Host().target"),
    "generic class": ("Host.target", "Host[int]().target"),
    "metaclass method": ("Meta.target", "Host.target"),
    "metaclass call": ("Meta.__call__", "Host", "Meta.__call__"),
    "new": ("Host.__new__", "Host", "Host.__new__"),
    "call": ("Host.__call__", "Host()", "Host().__call__"),
    "slotted class": _METHOD,
    "dataclass": _METHOD,
    "named tuple": _METHOD,
    "enumeration": ("Host.target", "Host.ONE.target"),
    "pydantic model": _METHOD,
    "partial": ("Host.target", "Host.target"),
    "partial method": _METHOD,
    "single dispatch method": _METHOD,
}
READ = ("property", "cached property")
CALLS_ANOTHER = ("override calling super", "abstract method", "decorated", "decorated twice")


@dataclass(frozen=True)
class Case:
    """A combination in the table."""

    shape: str
    kind: str
    signature: str

    def __str__(self) -> str:
        return f"{self.shape}-{self.kind}-{self.signature}"

    @property
    def calls(self) -> list[str]:
        """The source of every call."""
        _, called, *_ = SHAPES[self.shape]
        return [called if self.shape in READ else f"{called}({given})" for given in SIGNATURES[self.signature][2]]

    @property
    def target(self) -> str:
        """The hooked callable."""
        return SHAPES[self.shape][0]

    @property
    def inspected(self) -> str:
        """The expression for what is inspected."""
        return SHAPES[self.shape][-1]

    @property
    def source(self) -> str:
        return HEAD + getattr(self, "_" + self.shape.replace(" ", "_"))()

    def _definition(self, first: str = "", name: str = "target", indent: int = 0, above: str = "") -> str:
        word, body = BODIES[self.kind]
        parameters, names, _ = SIGNATURES[self.signature]
        body = textwrap.indent(textwrap.dedent(body).strip().format(names=names), "    ")
        text = f'{above}{word} {name}({first}{parameters}) -> "Thing":\n    """What it does."""\n{body}\n'
        return textwrap.indent(text, " " * indent)

    def _function(self) -> str:
        return self._definition()

    def _method(self, head: str = "class Host:", first: str = "self, ", **how: str) -> str:
        return f"{head}\n{self._definition(first, indent=4, **how)}"  # type: ignore[arg-type]

    def _static_method(self) -> str:
        return self._method(first="", above="@staticmethod\n")

    def _class_method(self) -> str:
        return self._method(first="cls, ", above="@classmethod\n")

    def _property(self) -> str:
        return self._method(above="@property\n")

    def _cached_property(self) -> str:
        return self._method(above="@functools.cached_property\n")

    def _inherited_method(self) -> str:
        return self._method("class Base:") + "\nclass Host(Base):\n    pass\n"

    def _protocol(self) -> str:
        return self._method("class Base(typing.Protocol):") + "\nclass Host(Base):\n    pass\n"

    def _generic_class(self) -> str:
        return self._method("class Host(typing.Generic[T]):")

    def _override_calling_super(self, base: str = "class Base:", above: str = "") -> str:
        parameters, names, _ = SIGNATURES[self.signature]
        passed = {
            "stars": "a, *args, key=key, **kwargs",
            "keyword only": "a, key=key, other=other",
            "names of ours": "span, result, error, *original, "
            + ", ".join(f"{name}={name}" for name in names.split(", ")[4:-1])
            + ", **kwargs",
        }
        word, how = PASSED_ON[self.kind]
        how = how.format(f"super().target({passed.get(self.signature, names)})")
        override = f'    {word} target(self, {parameters}) -> "Thing":\n        """What it does."""\n        {how}\n'
        return self._method(base, above=above) + f"\nclass Host(Base):\n{override}"

    def _abstract_method(self) -> str:
        return self._override_calling_super("class Base(abc.ABC):", "@abc.abstractmethod\n")

    def _metaclass_method(self) -> str:
        return self._method("class Meta(type):") + "\nclass Host(metaclass=Meta):\n    pass\n"

    def _metaclass_call(self) -> str:
        return self._method("class Meta(type):", name="__call__") + "\nclass Host(metaclass=Meta):\n    pass\n"

    def _new(self) -> str:
        return self._method(first="cls, ", name="__new__")

    def _call(self) -> str:
        return self._method(name="__call__")

    def _callable_object(self) -> str:
        return self._call() + "\ntarget = Host()\n"

    def _slotted_class(self) -> str:
        return self._method('class Host:\n    __slots__ = ("one",)\n')

    def _dataclass(self) -> str:
        return self._method("@dataclasses.dataclass(frozen=True, slots=True)\nclass Host:\n    one: int = 1\n")

    def _named_tuple(self) -> str:
        return self._method("class Host(typing.NamedTuple):\n    one: int = 1\n")

    def _enumeration(self) -> str:
        return self._method("class Host(enum.Enum):\n    ONE = 1\n")

    def _pydantic_model(self) -> str:
        return self._method("import pydantic\nclass Host(pydantic.BaseModel):\n    one: int = 1\n")

    def _decorated(self) -> str:
        word, how = PASSED_ON[self.kind]
        how = how.format("function(*args, **kwargs)")
        return (
            f"def decorate(function):\n    @functools.wraps(function)\n    {word} decorated("
            f"*args, **kwargs):\n        {how}\n    return decorated\n\n@decorate\n{self._definition()}"
        )

    def _decorated_twice(self) -> str:
        return self._decorated().replace("@decorate\n", "@decorate\n@decorate\n")

    def _decorated_plainly(self) -> str:
        return (
            "def decorate(function):\n    @functools.wraps(function)\n    def decorated(*args, **kwargs):\n"
            f"        return function(*args, **kwargs)\n    return decorated\n\n@decorate\n{self._definition()}"
        )

    def _lru_cache(self) -> str:
        return self._definition(above="@functools.lru_cache(maxsize=0)\n")

    def _partial(self) -> str:
        return f"{self._definition(name='free')}\nclass Host:\n    target = functools.partial(free)\n"

    def _partial_method(self) -> str:
        return self._method(name="free") + "    target = functools.partialmethod(free)\n"

    def _single_dispatch(self) -> str:
        return self._definition(above="@functools.singledispatch\n")

    def _single_dispatch_method(self) -> str:
        return self._method(above="@functools.singledispatchmethod\n")


def table() -> Iterator[Case]:
    """The tested combinations: every possible pair of a shape, a kind and a signature, and all functions and methods.

    The shape decides how a callable is patched, the kind and the signature decide what its wrapper does.
    """
    for case in combinations():
        every_kind = case.signature == "stars" or case.shape in READ
        every_signature = case.kind == "plain"
        if every_kind or every_signature or case.shape in ("function", "method"):
            yield case


def combinations() -> Iterator[Case]:
    """Every combination that is possible."""
    for shape, kind, signature in itertools.product(SHAPES, BODIES, SIGNATURES):
        if shape == "lru cache" and kind != "plain":
            continue  # a cached coroutine or generator can be used only once
        if shape in CALLS_ANOTHER and kind == "asynchronous generator":
            continue  # they cannot be delegated to with `yield from`
        if shape == "decorated plainly" and (signature != "stars" or kind == "plain"):
            continue  # what it returns is followed, whatever the signature
        if shape in READ and signature != "nothing":
            continue  # reading an attribute passes no arguments
        if shape.startswith("single dispatch") and signature in ("nothing", "defaults", "keyword only"):
            continue  # it dispatches on the first argument, which has to be positional
        yield Case(shape, kind, signature)
