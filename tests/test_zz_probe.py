import abc, asyncio, contextlib, copy, enum, functools, inspect, pickle, sys, typing, dataclasses, gc, warnings, traceback
import pytest
from tests.conftest import *
def spec(*targets):
    return "spans:\n" + "".join(f'  s{i}: {{around: "HOST:{t}"}}\n' for i, t in enumerate(targets))

CASES = {
"init": ("class C:\n    def __init__(self, a=1): self.a = a", ["C.__init__"], "C(3).a"),
"new": ("class C:\n    def __new__(cls, a=1): s = super().__new__(cls); s.a=a; return s", ["C.__new__"], "C(3).a"),
"new inherited C": ("class C(dict): pass", ["C.__new__"], "C(a=1)"),
"new tuple": ("class C(tuple): pass", ["C.__new__"], "C([1,2])"),
"init dict": ("class C(dict): pass", ["C.__init__"], "C(a=1)"),
"exc init": ("class C(Exception): pass", ["C.__init__"], "C(1,2).args"),
"exc new": ("class C(Exception): pass", ["C.__new__"], "C(1,2).args"),
"del": ("log=[]\nclass C:\n    def __del__(self): log.append(1)", ["C.__del__"], "(C(), log.clear())"),
"getattr": ("class C:\n    def __getattr__(self, name): return name", ["C.__getattr__"], "C().zz"),
"getattribute": ("class C:\n    def __getattribute__(self, name): return name", ["C.__getattribute__"], "C().zz"),
"setattr": ("class C:\n    def __setattr__(self, n, v): object.__setattr__(self, n, v+1)", ["C.__setattr__"], "(lambda c: (setattr(c,'x',1), c.x))(C())"),
"call": ("class C:\n    def __call__(self, x): return x", ["C.__call__"], "C()(4)"),
"callable obj": ("class K:\n    def __call__(self, x): return x\nobj = K()", ["obj"], "obj(4)"),
"callable attr": ("class K:\n    def __call__(self, x): return x\nclass C:\n    m = K()", ["C.m"], "C().m(4)"),
"init_subclass": ("class C:\n    def __init_subclass__(cls, **kw): cls.kw = kw", ["C.__init_subclass__"], "type('D',(C,),{},z=1).kw"),
"set_name": ("class C:\n    def __set_name__(self, o, n): self.n = n", ["C.__set_name__"], "type('D',(),{'z':C()}).z.n"),
"class_getitem": ("class C:\n    def __class_getitem__(cls, i): return i", ["C.__class_getitem__"], "C[4]"),
"meta call": ("class M(type):\n    def __call__(cls, *a): return super().__call__(*a)\nclass C(metaclass=M):\n    def __init__(self, a): self.a=a", ["M.__call__"], "C(3).a"),
"type call": ("class M(type): pass\nclass C(metaclass=M):\n    def __init__(self, a): self.a=a", ["M.__call__"], "C(3).a"),
"singledispatch": ("import functools\n@functools.singledispatch\ndef f(x): return 'o'\n@f.register(int)\ndef _(x): return 'i'", ["f"], "(f(1), f(''), f.dispatch(int) is f.registry[int], f.register(str)(lambda x: 's') and f(''))"),
"singledispatchmethod": ("import functools\nclass C:\n    @functools.singledispatchmethod\n    def f(self, x): return 'o'\n    @f.register(int)\n    def _(self, x): return 'i'", ["C.f"], "(C().f(1), C().f(''))"),
"partialmethod": ("import functools\nclass C:\n    def g(self, x, y): return x,y\n    f = functools.partialmethod(g, 1)", ["C.f"], "C().f(2)"),
"namedtuple": ("import typing\nclass C(typing.NamedTuple):\n    a: int\n    def m(self): return self.a", ["C.m"], "C(2).m()"),
"namedtuple new": ("import typing\nclass C(typing.NamedTuple):\n    a: int\n    def m(self): return self.a", ["C.__new__"], "C(2).m()"),
"namedtuple make": ("import typing\nclass C(typing.NamedTuple):\n    a: int\n    def m(self): return self.a", ["C._make", "C._replace", "C._asdict"], "(C._make([2]).m(), C(2)._replace(a=4), C(2)._asdict())"),
"enum": ("import enum\nclass C(enum.Enum):\n    A = 1\n    def m(self): return self.value", ["C.m"], "(C.A.m(), list(C), C(1))"),
"enum missing": ("import enum\nclass C(enum.Enum):\n    A = 1\n    @classmethod\n    def _missing_(cls, v): return cls.A", ["C._missing_"], "C(5)"),
"enum inherited": ("import enum\nclass B(enum.Enum):\n    def m(self): return self.value\nclass C(B):\n    A = 1", ["C.m"], "(C.A.m(), list(C), C(1))"),
"enum member": ("import enum\nclass C(enum.Enum):\n    A = 1", ["C.A"], "C.A"),
"enum nm": ("import enum\nclass C(enum.Enum):\n    A = 1\n    @property\n    def p(self): return self.name\n    @enum.property\n    def q(self): return self.name" if sys.version_info > (3,11) else "import enum\nclass C(enum.Enum):\n    A = 1\n    @property\n    def p(self): return self.name\n    q=p", ["C.p", "C.q"], "(C.A.p, C.A.q)"),
"enum str": ("import enum\nclass C(str, enum.Enum):\n    A = 'a'\n    def __str__(self): return 'x'", ["C.__str__", "C.upper"], "(str(C.A), C.A.upper())"),
"protocol": ("import typing\n@typing.runtime_checkable\nclass P(typing.Protocol):\n    def m(self) -> int: return 1\nclass C(P): pass\nclass D:\n    def m(self): return 2", ["P.m", "C.m"], "(C().m(), isinstance(D(), P), issubclass(D, P), isinstance(3, P), isinstance(C(), P))"),
"abstract": ("import abc\nclass P(abc.ABC):\n    @abc.abstractmethod\n    def m(self): return 1\n    @property\n    @abc.abstractmethod\n    def p(self): return 2\nclass C(P):\n    def m(self): return super().m()\n    @property\n    def p(self): return super().p", ["P.m", "P.p"], "(C().m(), C().p, inspect.isabstract(P), inspect.isabstract(type(P)('Z',(P,),{})), sorted(type(P)('Z',(P,),{}).__abstractmethods__))"),
"generic": ("import typing\nT=typing.TypeVar('T')\nclass C(typing.Generic[T]):\n    def m(self, x: T) -> T: return x\n    @classmethod\n    def k(cls): return cls", ["C.m", "C.k"], "(C[int]().m(3), C[int].m(C(), 3), C[int].k() is C, typing.get_type_hints(C.m))"),
"overload": ("import typing\n@typing.overload\ndef f(x: int) -> int: ...\n@typing.overload\ndef f(x: str) -> str: ...\n@typing.final\ndef f(x): return x", ["f"], "(f(3), len(getattr(typing,'get_overloads',lambda f:[1,2])(f)), getattr(f,'__final__',None))"),
"frozen slots": ("import dataclasses\n@dataclasses.dataclass(frozen=True, slots=True, order=True)\nclass C:\n    a: int\n    def __post_init__(self): pass\n    def m(self): return self.a", ["C.m","C.__init__","C.__post_init__","C.__eq__","C.__lt__","C.__repr__","C.__hash__"], "(C(1).m(), C(1)==C(1), C(1)<C(2), repr(C(1)), hash(C(1)), dataclasses.replace(C(1),a=2), dataclasses.asdict(C(1)), pickle.loads(pickle.dumps(C(1)))==C(1), copy.deepcopy(C(1)))"),
"aenter": ("class C:\n    async def __aenter__(self): return 5\n    async def __aexit__(self, *e): return True\n    def __enter__(self): return 6\n    def __exit__(self, *e): return True", ["C.__aenter__","C.__aexit__","C.__enter__","C.__exit__"], "use(C)"),
"iter": ("class C:\n    def __iter__(self): yield 1\n    def __len__(self): return 1\n    def __bool__(self): return False\n    def __contains__(self, x): return True\n    def __eq__(self, o): return NotImplemented\n    def __hash__(self): return 5\n    async def __aiter__(self): yield 1\n    def __await__(self):\n        yield\n        return 4\n", ["C.__iter__","C.__len__","C.__bool__","C.__contains__","C.__eq__","C.__hash__","C.__await__"], "(list(C()), len(C()), bool(C()), 5 in C(), C()==4, hash(C()), C()!=4)"),
"operator slots": ("class C:\n    def __add__(self, o): return NotImplemented\n    def __radd__(self, o): return 4\n    def __getitem__(self, i): return i\n    def __format__(self, s): return s\n    def __reduce__(self): return (C, ())\n    def __copy__(self): return 3\n    def __sizeof__(self): return 7\n    def __dir__(self): return ['q']\n", ["C.__add__","C.__radd__","C.__getitem__","C.__format__","C.__reduce__","C.__copy__","C.__sizeof__","C.__dir__"], "(C()+C() if 0 else 1+C(), C()[3:4], f'{C():zz}', type(pickle.loads(pickle.dumps(C()))), copy.copy(C()), dir(C()))"),
"descriptor": ("class D:\n    def __get__(self, i, o): return 4\n    def __set__(self, i, v): raise KeyError(v)\n    def __set_name__(self, o, n): self.n=n\nclass C:\n    d = D()", ["D.__get__","D.__set__"], "C().d"),
"pydantic": ("import pydantic\nclass C(pydantic.BaseModel):\n    a: int\n    b: int = 2\n    _p: int = pydantic.PrivateAttr(default=3)\n    def m(self): return self.a\n    @property\n    def p(self): return self.a\n    @pydantic.computed_field\n    @property\n    def q(self) -> int: return self.a\n    @pydantic.field_validator('a')\n    @classmethod\n    def v(cls, x): return x+1\n    @pydantic.model_validator(mode='after')\n    def w(self): return self\n    @pydantic.field_serializer('b')\n    def s(self, b): return str(b)\n    @classmethod\n    def k(cls): return cls(a=1)\n    def model_post_init(self, c): self._p = 9\n    async def am(self): return 1", ["C.m","C.p","C.q","C.v","C.w","C.s","C.k","C.model_post_init","C.am","C.__init__","C.model_dump","C.model_validate","C.model_dump_json"], "(C(a=1).m(), C(a=1).p, C(a=1).q, C(a=1).model_dump(), C.model_validate({'a':4}), C.k(), C(a=1)._p, C(a=1).model_dump_json(), C(a=1).model_copy(), C.model_json_schema(), pickle.loads(pickle.dumps(C(a=1))) , type('D',(C,),{'__module__':C.__module__})(a=1).m(), C.model_rebuild(force=True), C.m.__name__, C(a=1)==C(a=1))"),
"cm": ("import contextlib\n@contextlib.contextmanager\ndef cm(a): yield a\n@contextlib.asynccontextmanager\nasync def acm(a): yield a\nclass C:\n    @contextlib.contextmanager\n    def m(self): yield self", ["cm","acm","C.m"], "use2(cm, acm, C)"),
"deco cm": ("import contextlib\nclass K(contextlib.ContextDecorator):\n    def __enter__(self): return self\n    def __exit__(self,*e): pass\n@K()\ndef f(x): return x", ["f"], "f(2)"),
"alias": ("class C:\n    def a(self): return 1\n    b = a\ndef f(): return 1\ng = f", ["C.a", "f"], "(C().a(), C().b(), f(), g())"),
"builtin type": ("Number=int", ["Number.bit_length"], "1"),
"slot wrapper": ("class C(list): pass", ["C.append","C.__len__","C.__iter__","C.sort"], "(lambda c: (c.append(1), len(c), list(c), c.sort(), c))(C())"),
"classmethod C": ("class C(dict): pass\nclass F(float): pass", ["C.fromkeys", "F.fromhex"], "(C.fromkeys([1]), C().fromkeys([2]), type(C.fromkeys([1])), F.fromhex('0x1'), F(2).fromhex('0x1'))"),
"getset": ("import types\nclass C:\n    __slots__=('a',)", ["C.a"], "1"),
"classmethod wraps": ("class C:\n    @classmethod\n    def a(cls): return cls\n    @staticmethod\n    def b(): return 1\n    c = classmethod(property(lambda cls: 3)) if 0 else None", ["C.a","C.b"], "(C.a() is C, C.b(), C.__dict__['a'].__wrapped__.__name__, C.__dict__['b'].__name__, C.__dict__['b']())"),
"wrapper over class": ("import functools\nclass C:\n    def __init__(self): self.z=1\n@functools.lru_cache\ndef f(): return 1", ["C.__init__", "f"], "(C().z, f(), f.cache_info(), f.cache_parameters(), f.cache_clear(), f.__wrapped__())"),
"lazy": ("def __getattr__(name):\n    if name == 'lazy': return lambda: 1\n    raise AttributeError(name)", ["lazy"], "1"),
"mod getattr": ("def __getattr__(name):\n    if name == 'lazy': return 1\n    raise AttributeError(name)", ["__getattr__"], "__import__('sys').modules[__name__].lazy"),
}
def use(C):
    async def go():
        async with C() as x: raise KeyError
        return x
    with C() as y: raise KeyError
    return asyncio.run(go()), y
def use2(cm, acm, C):
    async def go():
        async with acm(1) as x: return x
    with cm(2) as y: pass
    @cm(3)
    def f(): return 1
    with C().m() as c: pass
    return asyncio.run(go()), y, f(), f()
@pytest.mark.parametrize("name", CASES)
def test_case(name, make_module, instrumented, tracing, said):
    source, targets, expr = CASES[name]
    module = make_module(source)
    env = vars(module) | {"use": use, "use2": use2, "inspect": inspect, "pickle": pickle, "copy": copy, "typing": typing, "dataclasses": dataclasses}
    def ev():
        env.update({k: v for k, v in vars(module).items() if not k.startswith("__b")})
        r = eval(expr, env); gc.collect(); return repr(r)
    before = ev()
    with instrumented(spec(*targets), module):
        now = ev()
    after = ev()
    print("SPANS", len(tracing.spans), tracing.names)
    for m in said(): print("SAID", m.splitlines()[0])
    if name != "singledispatch" : assert before == now.replace("", "")
    assert before == after or name == "singledispatch", after
    print(now[:300])
