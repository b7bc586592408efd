"""Modules are patched whatever finds and loads them, and other tools find and load what they would without us."""

import _frozen_importlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import textwrap
import traceback
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import processes
from .conftest import start_instrumentor

SHOP = "def pay(): return 3\n"
SPEC = 'spans: {pay: {around: "HOST:pay"}}'


@pytest.fixture(autouse=True)
def same_finders() -> Iterator[None]:
    finders, hooks = list(sys.meta_path), list(sys.path_hooks)
    yield
    sys.meta_path[:], sys.path_hooks[:] = finders, hooks
    sys.path_importer_cache.clear()


@pytest.fixture
def patched(package, tracing, spec_file) -> Iterator[str]:
    """The name of a module that can be imported, and whose function `pay` has a span."""
    name = package(SHOP)
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    yield name
    instrumentor.uninstrument()


class Finder(importlib.abc.MetaPathFinder):
    """Asks all other finders for a module, and gives the spec that `make` makes of what they find."""

    def __init__(self, module: str, make: Any) -> None:
        self.module = module
        self.make = make

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.module:
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, path, target)) is not None:
                return self.make(spec)
        return None


class RunsTheSource(importlib.abc.Loader):
    """Takes the source from another loader and runs it."""

    def __init__(self, spec: Any) -> None:
        assert isinstance(spec.loader, importlib.machinery.SourceFileLoader)
        assert "exec_module" not in vars(spec.loader)
        self.source = spec.loader.get_source(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self.source or "", "shop", "exec"), vars(module))


class ChangesTheSource(importlib.machinery.SourceFileLoader):
    """As typeguard, beartype and others do."""

    def __init__(self, spec: Any) -> None:
        super().__init__(spec.name, spec.origin)

    def exec_module(self, module: types.ModuleType) -> None:
        super().exec_module(module)


class CreatesTheModule(importlib.abc.Loader):
    """Has only the old method of loaders."""

    exec_module = None  # type: ignore[assignment]

    def __init__(self, spec: Any) -> None:
        self.own = RunsTheSource(spec)

    def __getattribute__(self, name: str) -> Any:
        if name == "exec_module":
            raise AttributeError(name)
        return super().__getattribute__(name)

    def load_module(self, fullname: str) -> types.ModuleType:
        sys.modules[fullname] = module = types.ModuleType(fullname)
        self.own.exec_module(module)
        return module


class HasSlots:
    """Cannot have more attributes than it has."""

    __slots__ = ("own",)

    def __init__(self, spec: Any) -> None:
        self.own = RunsTheSource(spec)

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        self.own.exec_module(module)


class Lazy:
    def __new__(cls, spec: Any) -> Any:
        return importlib.util.LazyLoader(spec.loader)


LOADERS = [RunsTheSource, ChangesTheSource, CreatesTheModule, HasSlots, Lazy]


@pytest.mark.filterwarnings("ignore::ImportWarning")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("loader", LOADERS)
def test_a_module_that_another_finder_loads_is_patched(loader, when: str, package, tracing, spec_file, logged):
    name = package(SHOP)

    def install() -> None:
        def make(spec: Any) -> Any:
            return importlib.util.spec_from_loader(name, loader(spec), origin=spec.origin)

        sys.meta_path.insert(0, Finder(name, make))

    if when == "before":
        install()
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    if when == "after":
        install()
    assert importlib.import_module(name).pay() == 3
    assert importlib.reload(sys.modules[name]).pay() == 3
    instrumentor.uninstrument()
    assert (tracing.names, logged()) == (["pay", "pay"], [])


class OwnSpec(importlib.machinery.ModuleSpec):
    def __init__(self, spec: Any) -> None:
        super().__init__(spec.name, spec.loader)


class SpecOfAnotherKind:
    """Has what the import system needs of a spec."""

    def __init__(self, spec: Any) -> None:
        vars(self).update(vars(spec), parent="", cached=None, has_location=True)


@pytest.mark.parametrize("kind", [OwnSpec, SpecOfAnotherKind])
def test_a_module_whose_spec_has_a_class_of_its_own_is_patched(kind, patched: str, tracing):
    sys.meta_path.insert(0, Finder(patched, kind))
    module = importlib.import_module(patched)
    assert (module.pay(), type(module.__spec__)) == (3, kind)
    assert tracing.names == ["pay"]


def test_finders_that_replace_the_list_of_finders_do_not_matter(patched: str, tracing, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [importlib.machinery.PathFinder])
    assert importlib.import_module(patched).pay() == 3
    assert tracing.names == ["pay"]


def test_a_module_in_a_zip_file_is_patched(patched: str, tracing, tmp_path: Path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
        archive.writestr(f"{patched}.py", SHOP)
    monkeypatch.syspath_prepend(str(tmp_path / "shop.zip"))
    module = importlib.import_module(patched)
    assert (module.pay(), "shop.zip" in str(module.__file__)) == (3, True)
    assert tracing.names == ["pay"]


def test_a_module_of_a_namespace_package_is_patched(tracing, spec_file, tmp_path: Path, monkeypatch):
    (tmp_path / "shop_without_init").mkdir()
    (tmp_path / "shop_without_init" / "till.py").write_text(SHOP)
    monkeypatch.syspath_prepend(str(tmp_path))
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, "shop_without_init.till"))
    assert importlib.import_module("shop_without_init.till").pay() == 3
    instrumentor.uninstrument()
    assert tracing.names == ["pay"]


@pytest.mark.parametrize("registered", [True, False])
@pytest.mark.parametrize("loader", [RunsTheSource, ChangesTheSource])
def test_a_module_that_the_program_loads_itself_is_patched(loader, registered: bool, patched: str, tracing, logged):
    found: Any = importlib.util.find_spec(patched)
    spec: Any = importlib.util.spec_from_loader(patched, loader(found), origin=found.origin)
    held = dict(vars(spec.loader))
    module: Any = importlib.util.module_from_spec(spec)
    if registered:
        sys.modules[patched] = module
    spec.loader.exec_module(module)
    assert module.pay() == 3
    assert (tracing.names, logged()) == (["pay"], [])
    assert (vars(spec.loader), type(spec)) == (held, importlib.machinery.ModuleSpec)


def test_one_loader_can_load_several_modules(package, tracing, spec_file):
    names = [package(SHOP) for _ in range(3)]
    instrumentor = start_instrumentor(tracing, *(spec_file(SPEC, name, f"{name}.yaml") for name in names))
    loader: Any = RunsTheSource(importlib.util.find_spec(names[0]))
    modules = [importlib.util.module_from_spec(importlib.machinery.ModuleSpec(name, loader)) for name in names]
    for module in modules[1:]:
        loader.exec_module(module)
    assert [module.pay() for module in modules[1:]] == [3, 3]
    instrumentor.uninstrument()
    assert tracing.names == ["pay"] * 2


def test_a_lazy_module_that_exists_already_is_not_loaded_and_is_patched_when_the_program_loads_it(
    package, tracing, spec_file, logged
):
    name = package("import sys\nsys._loaded_for_a_test = True\n" + SHOP)
    spec: Any = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    assert not hasattr(sys, "_loaded_for_a_test")
    assert module.pay() == 3
    del sys._loaded_for_a_test  # type: ignore[attr-defined]
    instrumentor.uninstrument()
    assert (tracing.names, logged()) == (["pay"], [])


REPLACEMENTS = {
    "a module with the same function": "new = types.ModuleType(__name__)\nnew.pay = pay",
    "a module that finds the function": "new = Finds(__name__)\nnew.module = sys.modules[__name__]",
    "an object with a method": "new = Till()",
}


@pytest.mark.parametrize("replacement", REPLACEMENTS)
def test_a_module_that_replaces_itself_is_patched(replacement: str, package, tracing, spec_file, logged):
    name = package(
        "import sys, types\n"
        "class Till:\n    def pay(self): return 3\n"
        "class Finds(types.ModuleType):\n    def __getattr__(self, name): return getattr(self.module, name)\n"
        f"{SHOP}{REPLACEMENTS[replacement]}\nsys.modules[__name__] = new\n"
    )
    target = "Till.pay" if "object" in replacement else "pay"
    instrumentor = start_instrumentor(tracing, spec_file(SPEC.replace('pay"', f'{target}"'), name))
    assert importlib.import_module(name).pay() == 3
    instrumentor.uninstrument()
    assert (tracing.names, logged()) == (["pay"], [])


def test_the_traceback_of_a_failed_import_is_the_same(package, tracing, spec_file):
    name = package("def fail(): raise RuntimeError('broken')\nfail()\n")

    def frames() -> list[str]:
        with pytest.raises(RuntimeError) as failure:
            exec(f"import {name}")
        return [f"{each.filename}:{each.name}" for each in traceback.extract_tb(failure.value.__traceback__)]

    natively = frames()
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    assert frames() == natively
    instrumentor.uninstrument()


def test_the_module_sees_its_own_spec_and_loader_while_it_is_imported(package, tracing, spec_file):
    name = package(
        "import sys\nsys._for_a_test = (repr(__spec__), repr(type(__spec__)), vars(__loader__), __spec__ == __spec__)\n"
    )
    importlib.import_module(name)
    natively = sys._for_a_test  # type: ignore[attr-defined]
    del sys.modules[name]
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    importlib.import_module(name)
    instrumentor.uninstrument()
    traced = sys._for_a_test  # type: ignore[attr-defined]
    del sys._for_a_test  # type: ignore[attr-defined]
    assert [str(each).partition(" at 0x")[0] for each in traced] == [
        str(each).partition(" at 0x")[0] for each in natively
    ]


def test_the_import_system_is_as_before_after_uninstrument(package, tracing, spec_file):
    functions = ("module_from_spec", "_exec", "_load_backward_compatible")
    before = [vars(_frozen_importlib)[name].__code__ for name in functions]
    finders, hooks = list(sys.meta_path), list(sys.path_hooks)
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, package(SHOP)))
    assert all(vars(_frozen_importlib)[name].__code__ is not code for name, code in zip(functions, before, strict=True))
    assert (sys.meta_path, sys.path_hooks) == (finders, hooks)
    instrumentor.uninstrument()
    assert [vars(_frozen_importlib)[name].__code__ for name in functions] == before


def test_a_module_that_beartype_rewrites_is_patched_and_still_checked(package, tracing, spec_file, logged):
    import beartype.claw
    from beartype.roar import BeartypeCallHintViolation

    name = package("def pay(amount: int) -> int: return amount\n")
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    beartype.claw.beartype_package(name)
    module = importlib.import_module(name)
    assert module.pay(3) == 3
    with pytest.raises(BeartypeCallHintViolation):
        module.pay("3")
    instrumentor.uninstrument()
    assert (tracing.names, logged()) == (["pay", "pay"], [])


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_modules_that_pytest_rewrites_are_patched(mode: str, tmp_path: Path):
    files = {
        "conftest.py": """
            import pytest
            pytest.register_assert_rewrite("helpers")
            def make_order(): return 3
            @pytest.fixture
            def order(): return make_order()
        """,
        "helpers/__init__.py": "",
        "helpers/checks.py": "def check_total(total): assert total == 3",
        "test_shop.py": """
            def help_pay(amount): return amount
            def test_shop(order):
                from helpers.checks import check_total
                check_total(help_pay(order))
        """,
        "spec.yaml": """
            instrument: 2
            name: shop
            spans:
              check: {around: "helpers.checks:check_total"}
              make: {around: "conftest:make_order"}
              help: {around: "test_shop:help_pay"}
        """,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    result = processes.run(
        Path("pytest"),
        module=True,
        folder=tmp_path,
        OTEL_PYTHON_DECLARATIVE_SPECS="spec.yaml",
        PYTEST_ADDOPTS=f"-q -p no:cacheprovider -p no:xdist --import-mode={mode}",
    )
    assert result.code == 0, result.errors
    assert [span["name"] for span in result.spans] == ["make", "help", "check"]
