"""Methods that Python calls implicitly, and methods inherited from C classes: hooked, called and restored."""

import pytest

CALL = 'spans: {call: {around: "HOST:%s", attributes: {%s}}}'


#: Methods that Python calls implicitly, and the code that makes it do so.
BY_PYTHON = {
    "__init__": ("def __init__(self, a=1): self.a = a", "Host(3).a"),
    "__new__": ("def __new__(cls, a=1): self = super().__new__(cls); self.a = a; return self", "Host(3).a"),
    "__del__": ("def __del__(self): gone.append(1)", "(Host().__class__, gone.pop())[1]"),
    "__getattr__": ("def __getattr__(self, name): return name", "Host().absent"),
    "__getattribute__": ("def __getattribute__(self, name): return name", "Host().anything"),
    "__setattr__": ("def __setattr__(self, name, value): object.__setattr__(self, name, value + 1)", "put(Host())"),
    "__delattr__": ("def __delattr__(self, name): gone.append(name)", "(delattr(Host(), 'x'), gone.pop())[1]"),
    "__init_subclass__": (
        "def __init_subclass__(cls, **words): cls.words = words",
        "type('D', (Host,), {}, z=1).words",
    ),
    "__set_name__": ("def __set_name__(self, owner, name): self.name = name", "type('D', (), {'z': Host()}).z.name"),
    "__class_getitem__": ("def __class_getitem__(cls, item): return item", "Host[4]"),
    "__get__": ("def __get__(self, instance, owner): return owner.__name__", "type('D', (), {'z': Host()})().z"),
    "__iter__": ("def __iter__(self): yield 1", "list(Host())"),
    "__len__": ("def __len__(self): return 1", "len(Host())"),
    "__bool__": ("def __bool__(self): return False", "bool(Host())"),
    "__contains__": ("def __contains__(self, item): return True", "5 in Host()"),
    "__eq__": ("def __eq__(self, other): return NotImplemented", "Host() == 4"),
    "__hash__": ("def __hash__(self): return 5", "hash(Host())"),
    "__radd__": ("def __radd__(self, other): return other", "4 + Host()"),
    "__getitem__": ("def __getitem__(self, item): return item", "Host()[3:4]"),
    "__format__": ("def __format__(self, how): return how", "f'{Host():x}'"),
    "__repr__": ("def __repr__(self): return 'host'", "repr(Host())"),
    "__reduce__": ("def __reduce__(self): return (int, (4,))", "pickle.loads(pickle.dumps(Host()))"),
    "__copy__": ("def __copy__(self): return 3", "copy.copy(Host())"),
    "__dir__": ("def __dir__(self): return ['q']", "dir(Host())"),
    "__await__": ("def __await__(self): return iter(())", "asyncio.run(waited(Host()))"),
    "__index__": ("def __index__(self): return 2", "[1, 2, 3][Host()]"),
    "__instancecheck__": ("def __instancecheck__(self, other): return True", "isinstance(3, Host())"),
}


@pytest.mark.parametrize("method", BY_PYTHON)
@pytest.mark.parametrize("inherited", [False, True])
def test_a_method_that_python_calls_implicitly_is_traced_and_restored(
    inherited: bool, method: str, make_module, instrumented, tracing, logged
):
    body, expression = BY_PYTHON[method]
    head = "class Base:\n    {}\nclass Host(Base): pass\n" if inherited else "class Host:\n    {}\n"
    module = make_module(
        "import asyncio, copy, pickle\ngone = []\ndef put(host):\n    host.x = 1\n    return host.x\n"
        "async def waited(host): return await host\n" + head.format(body)
    )
    natively = eval(expression, vars(module))
    with instrumented(CALL % (f"Host.{method}", ""), module):
        assert eval(expression, vars(module)) == natively
    assert eval(expression, vars(module)) == natively
    assert (tracing.names, logged()) == (["call"], [])


#: Classes with a base in C, the hooked method, and the code that calls it.
OF_C = [
    ("dict", "__new__", "Host(a=1)"),
    ("dict", "__init__", "Host(a=1)"),
    ("dict", "fromkeys", "Host.fromkeys([1])"),
    ("tuple", "__new__", "Host([1, 2])"),
    ("list", "append", "(lambda host: (host.append(1), host))(Host())"),
    ("list", "__len__", "len(Host())"),
    ("Exception", "__init__", "Host(1, 2).args"),
    ("Exception", "__new__", "Host(1, 2).args"),
    ("float", "fromhex", "Host.fromhex('0x1')"),
    ("type", "__call__", "Host('Made', (), {})().__class__.__name__"),
]


@pytest.mark.parametrize(("base", "method", "expression"), OF_C)
def test_a_method_inherited_from_a_c_class_is_traced_and_restored(
    base: str, method: str, expression: str, make_module, instrumented, tracing, logged
):
    module = make_module(f"class Host({base}): pass")
    natively = eval(expression, vars(module))
    with instrumented(CALL % (f"Host.{method}", ""), module):
        assert eval(expression, vars(module)) == natively
    assert eval(expression, vars(module)) == natively
    assert method not in vars(module.Host)
    assert (tracing.names, logged()) == (["call"], [])
