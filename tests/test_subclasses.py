"""Hooks on a method of a class and all its subclasses, wherever they are and whenever they are created."""

import asyncio
import gc
import sys
import weakref

import pytest

HOST = """
import abc
import dataclasses
import typing

class Rule:
    def check(self, x): return ("rule", x)

class Own(Rule):
    def check(self, x): return super().check(x), "own"

class Deep(Own):
    def check(self, x): return super().check(x), "deep"

class Inherits(Deep): pass

class Mixin:
    def check(self, x): return "mixin", x

class Mixed(Mixin, Rule): pass

class Alias(Rule):
    check = Own.check
"""
SPEC = """
hooks: {checks: {call: {subclass_of: "HOST:Rule", method: check}}}
spans: {check: {around: checks, name: "{hooked.path}", attributes: {x: x}}}
"""

#: Source of later subclasses, a call of the method, and the names of its spans.
LATER = {
    "class Sub(Rule):\n def check(self, x): return x": ("Sub().check(1)", ["Sub.check"]),
    "class Sub(Deep):\n def check(self, x): return [super(Sub, self).check(x) for _ in range(2)]": (
        "Sub().check(1)",
        ["Sub.check"],
    ),
    "class Sub(Rule): pass": ("Sub().check(1)", ["Rule.check"]),
    "class Sub(Rule):\n def check(self, x): return x and self.check(x - 1)": ("Sub().check(2)", ["Sub.check"] * 3),
    "class Other:\n def check(self, x): return x\nclass Sub(Other, Rule): pass": (
        "Sub().check(1), Other().check(1)",
        ["Other.check"],
    ),
    "class Sub(Rule):\n async def check(self, x): return super().check(x)": ("run(Sub().check(1))", ["Sub.check"]),
    "class Sub(Rule):\n def check(self, x): yield from super().check(x)": ("[*Sub().check(1)]", ["Sub.check"]),
    "class Sub(Rule):\n @classmethod\n def check(cls, x): return cls.__name__": (
        "Sub.check(1), Sub().check(1)",
        ["Sub.check"] * 2,
    ),
    "class Sub(Rule):\n @staticmethod\n def check(x): return x": ("Sub.check(1)", ["Sub.check"]),
    "@dataclasses.dataclass(slots=True)\nclass Sub(Rule):\n a: int = 1\n def check(self, x): return self.a": (
        "Sub().check(1)",
        ["Sub.check"],
    ),
    "class Sub(Rule):\n __slots__ = ()\n def check(self, x): return x": ("Sub().check(1)", ["Sub.check"]),
    "class Sub(Rule, abc.ABC):\n @abc.abstractmethod\n def check(self, x): return x\n"
    "class Real(Sub):\n def check(self, x): return super().check(x)": ("Real().check(1)", ["Real.check"]),
    "class Meta(type):\n pass\nclass Sub(Rule, metaclass=Meta):\n def check(self, x): return x": (
        "Sub().check(1)",
        ["Sub.check"],
    ),
    "T = typing.TypeVar('T')\nclass Sub(Rule, typing.Generic[T]):\n def check(self, x): return x\n"
    "class Real(Sub[int]):\n def check(self, x): return super().check(x)": ("Real().check(1)", ["Real.check"]),
    "def make():\n class Sub(Rule):\n  def check(self, x): return super().check(x)\n return Sub\n"
    "A, B = make(), make()": (
        "A().check(1), B().check(1)",
        ["make.<locals>.Sub.check"] * 2,
    ),
    "Sub = type('Sub', (Rule,), {'check': lambda self, x: x})": ("Sub().check(1)", ["Sub.check"]),
    "class Sub(Rule):\n def __init_subclass__(cls, tag, **more): super().__init_subclass__(**more); cls.tag = tag\n"
    "class Real(Sub, tag=3):\n def check(self, x): return self.tag": ("Real().check(1)", ["Real.check"]),
    "class Sub(Rule):\n @property\n def check(self): return lambda x: x": ("Sub().check(1)", ["Sub.check"]),
}


@pytest.mark.parametrize("source", LATER)
def test_the_method_of_a_later_subclass_is_recorded_once_for_each_call(
    source: str, make_module, instrumented, tracing, logged
):
    module = make_module(HOST)
    call, names = LATER[source]
    spaces = [{**vars(module), "run": asyncio.run} for _ in range(2)]
    exec(source, spaces[0])
    expected = eval(call, spaces[0])
    attributes = ", attributes: {x: x}" if "property" in source else ""
    with instrumented(SPEC.replace(attributes or "unused", ""), module):
        exec(source, spaces[1])
        assert eval(call, spaces[1]) == expected
        assert eval(call, spaces[0]) == expected
        assert tracing.names == names * 2
    tracing.exporter.clear()
    assert [eval(call, space) for space in spaces] == [expected, expected]
    assert tracing.names == []
    assert logged() == []


def test_the_method_of_existing_subclasses_is_recorded_once_for_each_call(make_module, instrumented, tracing, logged):
    module = make_module(HOST)
    classes = [getattr(module, name) for name in ("Rule", "Own", "Deep", "Inherits", "Mixed", "Alias")]
    expected = [cls().check(1) for cls in classes[:-1]]
    names = set(vars(module.Rule))
    with instrumented(SPEC, module):
        assert [cls().check(1) for cls in classes[:-1]] == expected
        assert module.Mixin().check(1) == ("mixin", 1)
        assert tracing.names == ["Rule.check", "Own.check", "Deep.check", "Deep.check", "Mixin.check"]
        assert {span.attributes["x"] for span in tracing.spans} == {1}
    assert set(vars(module.Rule)) == names
    assert logged() == []


def test_errors_of_creating_a_subclass_stay_the_same(make_module, instrumented):
    module = make_module(HOST)

    def error() -> str:
        with pytest.raises(TypeError) as caught:
            type("Sub", (module.Rule,), {}, unknown=1)
        return str(caught.value)

    before = error()
    with instrumented(SPEC, module):
        assert error() == before


def test_two_specs_on_the_same_class_and_a_hook_by_name_are_layers(make_module, instrumented, tracing):
    module = make_module(HOST)
    both = SPEC.replace("spans: {", 'spans: {named: {around: "HOST:Own.check"}, ')
    code = module.Own.check.__code__
    with instrumented([both, SPEC], module):
        assert module.Own().check(1) == (("rule", 1), "own")
        assert sorted(tracing.names) == ["Own.check", "Own.check", "named"]
        space = dict(vars(module))
        exec("class Later(Rule):\n def check(self, x): return x", space)
        assert space["Later"]().check(1) == 1
        assert tracing.names[3:] == ["Later.check", "Later.check"]
    assert module.Own.check.__code__ is code


def test_classes_that_are_not_used_any_more_are_not_kept(make_module, instrumented, tracing):
    module = make_module(HOST)
    source = "class Sub(Rule):\n def check(self, x): return super().check(x)"
    with instrumented(SPEC, module):
        space = dict(vars(module))
        exec(source, space)
        assert space["Sub"]().check(1) == ("rule", 1)
        dead = weakref.ref(space["Sub"])
        space.clear()
        tracing.exporter.clear()
        gc.collect()
        assert dead() is None


def test_too_many_subclasses_are_reported_once(make_module, instrumented, tracing, logged):
    module = make_module(HOST)
    with instrumented(SPEC.replace("method: check", "method: check, limit: 2, exclude: '*:Own'"), module):
        module.Deep().check(1)
        module.Mixed().check(1)
        module.Own().check(1)
    assert tracing.names == ["Mixin.check"]
    (message,) = logged()
    assert "more than 2 subclasses define" in message and "raise `limit`" in message


def test_the_subclasses_of_a_class_in_c_are_hooked_and_methods_that_record_calls_are_not(
    make_module, instrumented, tracing, logged
):
    module = make_module("""
        import collections.abc
        class Table(dict):
            def get(self, key, default=None): return super().get(key, default)
        class Keys(collections.abc.Mapping):
            def __getitem__(self, key): return key
            def __len__(self): return 0
            def __iter__(self): return iter(())
    """)
    spec = """
hooks:
  tables: {call: {subclass_of: "builtins:dict", method: get, exclude: "importlib.*:*"}}
  mappings: {call: {subclass_of: "collections.abc:Mapping", method: get}}
spans: {table: {around: tables}, mapping: {around: mappings}}
"""
    with instrumented(spec, module):
        assert module.Table(a=1).get("a") == 1
        assert module.Keys().get("key") == "key"
        assert weakref.WeakKeyDictionary().get(module.Table) is None
    assert tracing.names == ["table", "mapping"]
    assert logged() == []


@pytest.mark.parametrize("name", ["Missing", "make"])
def test_a_base_class_that_does_not_exist_is_reported(name: str, make_module, instrumented, logged):
    module = make_module(HOST + "\ndef make(): pass\n")
    with instrumented(SPEC.replace("HOST:Rule", f"HOST:{name}"), module):
        pass
    (message,) = logged()
    assert "[target-missing]" in message or "is not a class" in message


def test_a_subclass_without_notification_is_found_after_the_next_import(
    make_module, instrumented, tracing, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    module = make_module(HOST)
    source = f"""
from {module.__name__} import Rule
class Silent:
    def __init_subclass__(cls): pass
class Sub(Silent, Rule):
    def check(self, x): return x
"""
    (tmp_path / "silent_subclass.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with instrumented(SPEC, module):
        import silent_subclass  # type: ignore[import-not-found]

        assert silent_subclass.Sub().check(1) == 1
    assert tracing.names == ["Sub.check"]
    del sys.modules["silent_subclass"]
