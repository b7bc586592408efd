"""Ordinary Python callables: for each, a source, an expression, and the spans that it has with a rule on each name."""

from __future__ import annotations

#: The source of a module, the callables in it that have a rule, an expression, and the number of spans of each.
Case = tuple[str, dict[str, str], str, dict[str, int]]


NAMED: dict[str, Case] = {
    "singledispatchmethod": (
        """
import functools
class C:
    @functools.singledispatchmethod
    def f(self, x): return ('base', x)
    @f.register
    def _(self, x: int): return ('int', x)
    @f.register(str)
    def f_str(self, x): return ('str', x)
""",
        {"f": "C.f", "s": "C.f_str"},
        "C().f(1), C().f('a'), C().f(2.0)",
        {"f": 3, "s": 1},
    ),
    "singledispatch": (
        """
import functools
@functools.singledispatch
def f(x): return 'base'
@f.register
def f_int(x: int): return 'int'
""",
        {"f": "f", "i": "f_int"},
        "f(1), f('a'), f.registry[int] is f_int",
        {"f": 2, "i": 1},
    ),
    "cached_property": (
        """
import functools
class C:
    n=0
    @functools.cached_property
    def p(self): self.n+=1; return self.n
""",
        {"p": "C.p"},
        "[(c:=C()).p, c.p, c.p, c.__dict__]",
        {"p": 1},
    ),
    "property setter": (
        """
class C:
    @property
    def p(self): return self._p
    @p.setter
    def p(self, v): self._p = v
    @p.deleter
    def p(self): del self._p
""",
        {"p": "C.p", "s": "C.p.fset", "d": "C.p.fdel"},
        "[(c:=C()), setattr(c,'p',3), c.p, delattr(c,'p')][1:]",
        {"p": 1, "s": 1, "d": 1},
    ),
    "setter of an inherited property": (
        """
class B:
    @property
    def p(self): return self._p
    @p.setter
    def p(self, v): self._p = v
class C(B): pass
class D(B): pass
""",
        {"p": "C.p", "s": "C.p.fset"},
        "[(c:=C()), (d:=D()), setattr(c,'p',3), setattr(d,'p',4), c.p, d.p][2:]",
        {"p": 1, "s": 1},
    ),
    "call": (
        """
class C:
    def __call__(self, x): return x
c = C()
""",
        {"c": "C.__call__"},
        "c(1), C()(2), list(map(c,[1,2]))",
        {"c": 4},
    ),
    "instance call by name": (
        """
class C:
    def __call__(self, x): return x
c = C()
""",
        {"c": "c"},
        "c(1)",
        {"c": 1},
    ),
    "metaclass method": (
        """
class M(type):
    def make(cls, x): return (cls.__name__, x)
    def __call__(cls, *a): return super().__call__(*a)
class C(metaclass=M): pass
""",
        {"m": "M.make", "c": "M.__call__"},
        "C.make(1), type(C()).__name__",
        {"m": 1, "c": 1},
    ),
    "staticmethod alias": (
        """
def helper(x): return x
class C:
    h = staticmethod(helper)
    @staticmethod
    def s(x): return x
    t = s
""",
        {"h": "C.h", "t": "C.t"},
        "C.h(1), C().h(2), helper(3), C.s(1), C.t(2)",
        {"h": 3, "t": 2},
    ),
    "enum methods": (
        """
import enum
class Color(enum.Enum):
    RED = 1
    def describe(self): return self.name
    @classmethod
    def default(cls): return cls.RED
    @property
    def hex(self): return '#' + self.name
    def __str__(self): return 'c' + self.name
    @classmethod
    def _missing_(cls, v): return cls.RED
""",
        {"d": "Color.describe", "f": "Color.default", "h": "Color.hex", "s": "Color.__str__", "m": "Color._missing_"},
        "Color.RED.describe(), Color.default().name, Color.RED.hex, str(Color.RED), Color(9).name, list(Color)[0].name",
        {"d": 1, "f": 1, "h": 1, "s": 1, "m": 1},
    ),
    "namedtuple": (
        """
import typing, collections
class P(typing.NamedTuple):
    x: int
    y: int = 2
    def total(self): return self.x + self.y
Q = collections.namedtuple('Q','a b')
""",
        {"t": "P.total", "n": "P.__new__", "r": "Q._replace", "m": "Q._make"},
        "P(1).total(), P(1), Q(1,2)._replace(a=3), Q._make([1,2])",
        {"t": 1, "n": 2, "r": 1, "m": 2},
    ),
    "dataclass": (
        """
import dataclasses
@dataclasses.dataclass(order=True)
class D:
    x: int = 1
    def __post_init__(self): self.y = self.x
""",
        {"i": "D.__init__", "p": "D.__post_init__", "e": "D.__eq__", "r": "D.__repr__", "l": "D.__lt__"},
        "D(2).y, D(1)==D(1), repr(D(1)), D(1)<D(2)",
        {"i": 6, "p": 6, "e": 1, "r": 1, "l": 1},
    ),
    "dataclass slots super": (
        """
import dataclasses
@dataclasses.dataclass(slots=True)
class B:
    x: int = 1
    def m(self): return self.x
@dataclasses.dataclass(slots=True, frozen=True)
class F:
    x: int = 1
    def m(self): return self.x
""",
        {"m": "B.m", "f": "F.m", "i": "F.__init__"},
        "B().m(), F().m()",
        {"m": 1, "f": 1, "i": 1},
    ),
    "slots": (
        """
class S:
    __slots__ = ('x',)
    def __init__(self, x): self.x = x
    def m(self): return self.x
""",
        {"m": "S.m", "i": "S.__init__"},
        "S(3).m()",
        {"m": 1, "i": 1},
    ),
    "partialmethod": (
        """
import functools
class C:
    def set(self, k, v): return (k, v)
    on = functools.partialmethod(set, 'on')
""",
        {"o": "C.on", "s": "C.set"},
        "C().on(1), C().set('a',2), C.on(C(), 3)",
        {"o": 2, "s": 3},
    ),
    "generics": (
        """
import typing
T = typing.TypeVar('T')
class Box(typing.Generic[T]):
    def get(self, x: T) -> T: return x
class IntBox(Box[int]): pass
""",
        {"g": "Box.get", "i": "IntBox.get"},
        "Box[int]().get(1), IntBox().get(2)",
        {"g": 2, "i": 1},
    ),
    "nested classes": (
        """
class Outer:
    class Inner:
        class Deep:
            def m(self, x): return x
""",
        {"m": "Outer.Inner.Deep.m"},
        "Outer.Inner.Deep().m(1)",
        {"m": 1},
    ),
    "exec code": (
        """
exec('def f(x): return x')
class C: exec('def m(self): return 1')
""",
        {"f": "f", "m": "C.m"},
        "f(1), C().m()",
        {"f": 1, "m": 1},
    ),
    "descriptor class": (
        """
class D:
    def __init__(self, f): self.f = f
    def __set_name__(self, o, n): self.n = n
    def __get__(self, i, o=None): return self if i is None else self.f.__get__(i, o)
class C:
    @D
    def m(self, x): return x
""",
        {"m": "C.m"},
        "C().m(1), C.m.n",
        {"m": 1},
    ),
    "descriptor get": (
        """
class D:
    def __get__(self, i, o=None): return 5
    def __set__(self, i, v): i.__dict__['v'] = v
class C:
    d = D()
""",
        {"g": "D.__get__", "s": "D.__set__"},
        "[(c:=C()), c.d, setattr(c,'d',1), c.__dict__][1:]",
        {"g": 1, "s": 1},
    ),
    "dunder methods": (
        """
class C:
    def __len__(self): return 3
    def __getitem__(self, i): return i
    def __iter__(self): yield 1
    def __enter__(self): return self
    def __exit__(self, *a): return False
    def __eq__(self, o): return True
    def __hash__(self): return 1
    def __bool__(self): return True
    def __contains__(self, x): return True
    def __add__(self, x): return x
    def __getattr__(self, n): return n
""",
        {
            "len": "C.__len__",
            "getitem": "C.__getitem__",
            "iter": "C.__iter__",
            "enter": "C.__enter__",
            "exit": "C.__exit__",
            "eq": "C.__eq__",
            "hash": "C.__hash__",
            "bool": "C.__bool__",
            "contains": "C.__contains__",
            "add": "C.__add__",
            "getattr": "C.__getattr__",
        },
        "len(C()), C()[2], list(C()), C()==1, hash(C()), bool(C()), 1 in C(), C()+1, C().zzz",
        {"len": 2, "getitem": 1, "iter": 1, "eq": 1, "hash": 1, "bool": 1, "contains": 1, "add": 1, "getattr": 1},
    ),
    "init new": (
        """
class C:
    def __new__(cls, *a): return super().__new__(cls)
    def __init__(self, x): self.x = x
    def __init_subclass__(cls, **k): cls.k = k
    def __class_getitem__(cls, i): return i
    def __del__(self): pass
""",
        {"n": "C.__new__", "i": "C.__init__", "s": "C.__init_subclass__", "g": "C.__class_getitem__"},
        "C(1).x, type('D',(C,),{},z=1).k, C[3]",
        {"n": 1, "i": 1, "s": 1, "g": 1},
    ),
    "lambda": (
        """
f = lambda x: x
class C:
    m = lambda self, x: x
""",
        {"f": "f", "m": "C.m"},
        "f(1), C().m(2)",
        {"f": 1, "m": 1},
    ),
    "async all": (
        """
import asyncio, contextlib
class C:
    async def __aenter__(self): return 1
    async def __aexit__(self, *a): return False
    def __aiter__(self): return self
    n = 0
    async def __anext__(self):
        self.n += 1
        if self.n > 2: raise StopAsyncIteration
        return self.n
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return 7
async def main():
    async with C() as x: pass
    return x, [i async for i in C()], await C()
""",
        {"e": "C.__aenter__", "x": "C.__aexit__", "n": "C.__anext__", "w": "C.__await__"},
        "asyncio.run(main())",
        {"e": 1, "x": 1, "n": 3, "w": 1},
    ),
    "abstract": (
        """
import abc
class A(abc.ABC):
    @abc.abstractmethod
    def m(self): return 'a'
    @classmethod
    @abc.abstractmethod
    def k(cls): return 'k'
    @property
    @abc.abstractmethod
    def p(self): return 'p'
class B(A):
    def m(self): return super().m()
    @classmethod
    def k(cls): return super().k()
    @property
    def p(self): return super().p
""",
        {"m": "A.m", "k": "A.k", "p": "A.p"},
        "B().m(), B.k(), B().p, sorted(A.__abstractmethods__)",
        {"m": 1, "k": 1, "p": 1},
    ),
    "super property": (
        """
class A:
    @property
    def v(self): return 1
    def m(self): return 2
class B(A):
    @property
    def v(self): return super().v + 1
    m2 = A.m
""",
        {"v": "B.v", "m": "B.m2"},
        "B().v, B().m2(), B().m(), A().m()",
        {"v": 1, "m": 2},
    ),
    "bound method name": (
        """
class C:
    def m(self, x): return x
c = C()
bound = c.m
""",
        {"b": "bound"},
        "bound(1), c.m(2)",
        {"b": 1},
    ),
    "kwonly posonly": (
        """
def f(a, /, b, *c, d=1, **e): return (a, b, c, d, e)
""",
        {"f": "f"},
        "f(1,2,3,d=4,z=5), f(1,b=2,a=9)",
        {"f": 2},
    ),
    "function attributes": (
        """
def f(): f.count += 1; return f.count
f.count = 0
""",
        {"f": "f"},
        "f(), f(), f.count, f.__name__, f.__doc__, f.__module__ == __name__",
        {"f": 2},
    ),
    "inspect": (
        """
import inspect
def f(a: int, b: 'str' = 'x') -> bool:
    'doc'
    return True
async def co(): pass
def ge(): yield
""",
        {"f": "f", "c": "co", "g": "ge"},
        "str(inspect.signature(f)), inspect.getdoc(f), inspect.iscoroutinefunction(co), f.__annotations__",
        {},
    ),
    "closures shared": (
        """
def deco(f):
    def w(*a): return f(*a)
    return w
@deco
def a(x): return ('a', x)
@deco
def b(x): return ('b', x)
""",
        {"a": "a"},
        "a(1), b(2)",
        {"a": 1},
    ),
    "weird names": (
        """
class _Private:
    def __secret(self, x): return x
    def call(self): return self.__secret(1)
def _under(x): return x
""",
        {"s": "_Private._Private__secret", "u": "_under"},
        "_Private().call(), _under(1)",
        {"s": 1, "u": 1},
    ),
    "multiple inheritance super": (
        """
class A:
    def m(self): return ['A']
class B(A):
    def m(self): return ['B'] + super().m()
class C(A):
    def m(self): return ['C'] + super().m()
class D(B, C):
    def m(self): return ['D'] + super().m()
""",
        {"d": "D.m", "c": "C.m", "a": "A.m"},
        "D().m()",
        {"d": 1, "c": 1, "a": 1},
    ),
    "async gen close": (
        """
import asyncio
async def ag():
    try:
        yield 1
        yield 2
    finally: pass
async def main():
    a = ag()
    x = await a.__anext__()
    await a.aclose()
    return x
""",
        {"a": "ag"},
        "asyncio.run(main())",
        {"a": 1},
    ),
    "slots wrapper inherited builtin": (
        """
class L(list):
    pass
class D(dict):
    def get(self, k, d=None): return super().get(k, d)
""",
        {"a": "L.append", "g": "D.get"},
        "[(l:=L()), l.append(1), l, D(a=1).get('a')][1:]",
        {"a": 1, "g": 1},
    ),
    "classmethod chain": (
        """
class C:
    @classmethod
    def make(cls, x): return (cls.__name__, x)
class D(C): pass
""",
        {"m": "C.make", "d": "D.make"},
        "C.make(1), D.make(2), C().make(3), C.make.__func__.__name__",
        {"m": 3, "d": 1},
    ),
    "defaults mutated": (
        """
def f(a=[]):
    a.append(1); return list(a)
""",
        {"f": "f"},
        "f(), f(), f.__defaults__, f.__code__.co_varnames[:1]",
        {"f": 2},
    ),
}

NESTED: dict[str, Case] = {
    "loop defaults": (
        """
def make():
    fs=[]
    for i in range(3):
        def f(x, i=i, *, k=i*10): return (x, i, k)
        fs.append(f)
    return fs
""",
        {"f": "make.<locals>.f"},
        "[f(1) for f in make()], make()[1].__defaults__, make()[2].__kwdefaults__",
        {"f": 3},
    ),
    "late binding": (
        """
def make():
    fs=[]
    for i in range(3):
        def f(): return i
        fs.append(f)
    return fs
""",
        {"f": "make.<locals>.f"},
        "[f() for f in make()]",
        {"f": 3},
    ),
    "async outer": (
        """
import asyncio
async def outer(n):
    async def inner(x):
        await asyncio.sleep(0)
        return x + n
    return await asyncio.gather(inner(1), inner(2))
""",
        {"i": "outer.<locals>.inner", "o": "outer"},
        "asyncio.run(outer(5))",
        {"i": 2, "o": 1},
    ),
    "async gen inner": (
        """
import asyncio
def outer():
    async def agen(n):
        for i in range(n): yield i
    return agen
async def main(): return [x async for x in outer()(3)]
""",
        {"i": "outer.<locals>.agen"},
        "asyncio.run(main())",
        {"i": 1},
    ),
    "generator outer": (
        """
def outer():
    def one(): return 1
    yield one()
    def two(): return 2
    yield two()
""",
        {"a": "outer.<locals>.one", "b": "outer.<locals>.two"},
        "list(outer())",
        {"a": 1, "b": 1},
    ),
    "init and classmethod outer": (
        """
class C:
    def __init__(self, n):
        def add(x): return x + n
        self.add = add
    @classmethod
    def make(cls, n):
        def build(): return cls(n)
        return build
    @staticmethod
    def st():
        def inner(): return 's'
        return inner
    def __call__(self):
        def inside(): return self
        return inside() is self
""",
        {
            "a": "C.__init__.<locals>.add",
            "b": "C.make.<locals>.build",
            "s": "C.st.<locals>.inner",
            "c": "C.__call__.<locals>.inside",
        },
        "C(1).add(2), C.make(3)().add(4), C.st()(), C(1)()",
        {"a": 2, "b": 1, "s": 1, "c": 1},
    ),
    "super in nested class": (
        """
def make(base):
    class Sub(base):
        def m(self, x): return super().m(x), __class__.__name__
        @classmethod
        def k(cls): return super().__name__ if False else cls.__name__
        @property
        def p(self): return super().p
    return Sub
class Base:
    def m(self, x): return x
    p = 4
""",
        {"m": "make.<locals>.Sub.m", "k": "make.<locals>.Sub.k", "p": "make.<locals>.Sub.p"},
        "make(make(Base))().m(1), make(Base).k(), make(Base)().p",
        {"m": 2, "k": 1, "p": 1},
    ),
    "nested dataclass": (
        """
import dataclasses
def make(n):
    @dataclasses.dataclass(slots=True)
    class D:
        x: int = n
        def m(self): return self.x + n
    return D
""",
        {"m": "make.<locals>.D.m"},
        "make(3)().m(), make(4)(1).m()",
        {"m": 2},
    ),
    "decorated inner": (
        """
import functools
def make(n):
    @functools.lru_cache
    def cached(x): return x + n
    @functools.singledispatch
    def sd(x): return 'b'
    @sd.register
    def sd_int(x: int): return 'i'
    return cached, sd
""",
        {"c": "make.<locals>.cached", "s": "make.<locals>.sd", "i": "make.<locals>.sd_int"},
        "[(t:=make(1)), t[0](1), t[0](1), t[1](1), t[1]('a')][1:]",
        {"c": 1, "s": 1, "i": 1},
    ),
    "try match if": (
        """
def make(k):
    try:
        import nosuchmodule
        def f(x): return 'mod'
    except ImportError:
        def f(x): return 'none'
    match k:
        case 1:
            def g(): return 1
        case _:
            def g(): return 2
    if k:
        async def h(): return 3
    else:
        def h(): yield 3
    return f(0), g(), h
""",
        {"f": "make.<locals>.f", "g": "make.<locals>.g", "h": "make.<locals>.h"},
        "make(1)[:2], make(2)[:2], list(make(0)[2]()), __import__('asyncio').run(make(1)[2]())",
        {"f": 4, "g": 4, "h": 2},
    ),
    "closure introspection": (
        """
import inspect
def make(a, b):
    c = a + b
    def inner(x: int = 3) -> int:
        'doc'
        return x + a + c
    return inner
""",
        {"i": "make.<locals>.inner"},
        "[(f:=make(1,2)), f(), f.__code__.co_freevars, inspect.getclosurevars(f).nonlocals, f.__qualname__, f.__doc__, "
        "str(inspect.signature(f)), f.__code__.co_name, f.__code__.co_argcount, f.__code__.co_varnames[0]][1:]",
        {"i": 1},
    ),
    "nonlocal write": (
        """
def counter():
    n = 0
    def inc(by=1):
        nonlocal n
        n += by
        return n
    def get(): return n
    return inc, get
""",
        {"i": "counter.<locals>.inc"},
        "[(t:=counter()), t[0](), t[0](5), t[1]()][1:]",
        {"i": 2},
    ),
    "host copies code": (
        """
import types
def make(n):
    def f(x): return x * n
    return f
""",
        {"f": "make.<locals>.f"},
        "[(f:=make(3)), types.FunctionType(f.__code__, {}, 'g', None, f.__closure__)(4), f(1)][1:]",
        {"f": 2},
    ),
    "exception": (
        """
def make():
    def f(x):
        try: raise ValueError(x)
        finally: x = None
    return f
""",
        {"f": "make.<locals>.f"},
        "make()(1)",
        {"f": 1},
    ),
    "recursion limit": (
        """
def make():
    def f(n): return 0 if n == 0 else 1 + f(n - 1)
    return f
""",
        {"f": "make.<locals>.f"},
        "make()(200)",
        {"f": 201},
    ),
    "star args": (
        """
def make():
    def f(a, /, b, *args, c=2, **kw): return (a, b, args, c, kw)
    return f
""",
        {"f": "make.<locals>.f"},
        "make()(1,2,3,c=4,a=5), make()(1,b=2)",
        {"f": 2},
    ),
    "del and rebinding": (
        """
def make():
    def f(): return 1
    g = f
    del f
    def f(): return 2
    return g, f
""",
        {"f": "make.<locals>.f"},
        "[x() for x in make()]",
        {"f": 2},
    ),
    "method chain": (
        """
class A:
    class B:
        def m(self):
            def one():
                def two():
                    class Z:
                        def deep(self): return 'deep'
                    return Z()
                return two()
            return one()
""",
        {"d": "A.B.m.<locals>.one.<locals>.two.<locals>.Z.deep", "t": "A.B.m.<locals>.one.<locals>.two"},
        "A.B().m().deep()",
        {"d": 1, "t": 1},
    ),
    "thread closure": (
        """
import threading, queue
def go():
    q = queue.Queue()
    def worker(n): q.put(n * 2)
    ts = [threading.Thread(target=worker, args=(i,)) for i in range(3)]
    [t.start() for t in ts]; [t.join() for t in ts]
    return sorted(q.get() for _ in range(3))
""",
        {"w": "go.<locals>.worker"},
        "go()",
        {"w": 3},
    ),
    "key function": (
        """
def sort(xs):
    def key(x): return -x
    return sorted(xs, key=key), list(map(key, xs)), max(xs, key=key)
""",
        {"k": "sort.<locals>.key"},
        "sort([1,3,2])",
        {"k": 9},
    ),
    "contextmanager inner": (
        """
import contextlib
def make():
    @contextlib.contextmanager
    def cm(x):
        try: yield x
        finally: pass
    return cm
def use():
    with make()(3) as v: return v
""",
        {"c": "make.<locals>.cm"},
        "use()",
        {"c": 1},
    ),
    "partial wraps": (
        """
import functools
def deco(f=None, *, n=1):
    if f is None: return functools.partial(deco, n=n)
    @functools.wraps(f)
    def wrapper(*a, **k): return [f(*a, **k)] * n
    return wrapper
@deco
def a(x): return x
@deco(n=2)
def b(x): return x
class C:
    @deco
    def m(self, x): return x
    @staticmethod
    @deco
    def s(x): return x
""",
        {"w": "deco.<locals>.wrapper", "a": "a"},
        "a(1), b(2), C().m(3), C.s(4), a.__wrapped__(5)",
        {"w": 4, "a": 1},
    ),
    "class decorator": (
        """
def deco(cls):
    original = cls.__init__
    def __init__(self, *a, **k):
        original(self, *a, **k)
        self.extra = 1
    cls.__init__ = __init__
    return cls
@deco
class C:
    def __init__(self, x): self.x = x
""",
        {"i": "deco.<locals>.__init__"},
        "C(1).extra",
        {"i": 1},
    ),
    "descriptor closure": (
        """
def prop(name):
    def getter(self): return self.__dict__[name]
    def setter(self, v): self.__dict__[name] = v
    return property(getter, setter)
class C:
    a = prop('a')
    b = prop('b')
""",
        {"g": "prop.<locals>.getter", "s": "prop.<locals>.setter"},
        "[(c:=C()), setattr(c,'a',1), setattr(c,'b',2), c.a, c.b][1:]",
        {"g": 2, "s": 2},
    ),
    "lambda default no": (
        """
def make():
    f = lambda x: x
    def g(x): return f(x)
    return g
""",
        {"g": "make.<locals>.g"},
        "make()(1)",
        {"g": 1},
    ),
    "star expr locals": (
        """
def make():
    def f(original, result, error, rule): return (original, result, error, rule)
    return f
""",
        {"f": "make.<locals>.f"},
        "make()(1,2,3,4)",
        {"f": 1},
    ),
    "coroutine types": (
        """
import types, asyncio
def make():
    @types.coroutine
    def co():
        yield from asyncio.sleep(0).__await__()
        return 3
    return co
async def main(): return await make()()
""",
        {"c": "make.<locals>.co"},
        "asyncio.run(main())",
        {"c": 1},
    ),
    "unbound free": (
        """
def make():
    def f(): return later
    try: f()
    except NameError as e: msg = type(e).__name__
    later = 2
    return msg, f()
""",
        {"f": "make.<locals>.f"},
        "make()",
        {"f": 2},
    ),
}
