"""When a module is patched: imported before, after or never, partially, again, by several threads, or lazily."""

import importlib
import importlib.machinery
import importlib.util
import sys
import threading
import types
from typing import Any

import pytest

from .conftest import is_patched, start_instrumentor
from .processes import PATIENCE

CART = """
class Cart:
    def checkout(self, lines=3): return lines
"""
SPEC = 'spans: {checkout: {around: "HOST:Cart.checkout"}}'


def test_a_module_is_patched_when_it_is_imported_later(package, tracing, spec_file, logged):
    name = package(CART)
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    try:
        assert name not in sys.modules
        assert importlib.import_module(name).Cart().checkout() == 3
    finally:
        instrumentor.uninstrument()
    assert (tracing.names, logged()) == (["checkout"], [])


def test_a_module_imported_after_uninstrument_is_not_patched(package, tracing, spec_file):
    name = package(CART)
    start_instrumentor(tracing, spec_file(SPEC, name)).uninstrument()
    assert not is_patched(importlib.import_module(name).Cart.checkout)


def test_a_module_that_the_program_does_not_import_is_not_imported(package, tracing, spec_file, logged):
    name = package("raise RuntimeError('imported')")
    start_instrumentor(tracing, spec_file(SPEC, name)).uninstrument()
    assert name not in sys.modules
    assert logged() == []


def test_a_module_imported_by_several_threads_at_once_is_patched_once(package, tracing, spec_file):
    name = package(CART)
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    barrier, found = threading.Barrier(8), []

    def use() -> None:
        barrier.wait()
        found.append(importlib.import_module(name).Cart().checkout())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    instrumentor.uninstrument()
    assert found == [3] * 8
    assert tracing.names == ["checkout"] * 8


def used(name: str) -> Any:
    return importlib.import_module(name).Cart().checkout()


# Two ways to load an imported module again; each returns the new module.
def reloaded(module: Any) -> Any:
    return importlib.reload(module)


def removed_and_imported(module: Any) -> Any:
    del sys.modules[module.__name__]
    return importlib.import_module(module.__name__)


@pytest.mark.parametrize("load_again", [reloaded, removed_and_imported])
@pytest.mark.parametrize("first", ["before", "after"])
def test_a_reloaded_module_is_patched_again_and_all_its_patches_are_removed(
    first: str, load_again, package, tracing, spec_file, logged
):
    name = package(CART + "def free(): return 1\n")
    specs = [
        spec_file(f'spans: {{{a}: {{around: "HOST:Cart.checkout"}}, {b}: {{around: "HOST:free"}}}}', name, f"{a}.yaml")
        for a, b in (("inner", "a"), ("outer", "b"))
    ]
    if first == "before":
        importlib.import_module(name)
    instrumentor = start_instrumentor(tracing, *specs)
    old = importlib.import_module(name)
    kept, free = old.Cart, old.free
    for _ in range(2):
        new = load_again(old)
        assert (new.Cart().checkout(), new.free(), kept().checkout(), free()) == (3, 1, 3, 1)
        assert new.Cart is not kept
    assert tracing.names == ["inner", "outer", "a", "b"] * 4
    held = vars(new)["free"]
    instrumentor.uninstrument()
    assert not any(is_patched(each) for each in (new.free, new.Cart.checkout, kept.checkout))
    assert (new.Cart().checkout(), new.free(), kept().checkout(), free(), held()) == (3, 1, 3, 1, 1)
    assert (len(tracing.spans), logged()) == (16, [])


def test_a_function_that_a_reload_keeps_is_patched_once(package, tracing, spec_file):
    name = package("try: checkout\nexcept NameError:\n    def checkout(): return 1\n")
    instrumentor = start_instrumentor(tracing, spec_file('spans: {checkout: {around: "HOST:checkout"}}', name))
    module = importlib.import_module(name)
    first = module.checkout
    assert importlib.reload(module).checkout is first
    assert module.checkout() == 1
    instrumentor.uninstrument()
    assert not is_patched(module.checkout)
    assert tracing.names == ["checkout"]


def test_a_module_whose_first_import_fails_is_patched_when_a_later_one_succeeds(
    package, tracing, spec_file, logged, monkeypatch
):
    name = package(CART + "import os\nif 'BROKEN_FOR_A_TEST' in os.environ: raise RuntimeError('broken')\n")
    monkeypatch.setenv("BROKEN_FOR_A_TEST", "1")
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    with pytest.raises(RuntimeError, match="broken"):
        importlib.import_module(name)
    monkeypatch.delenv("BROKEN_FOR_A_TEST")
    assert used(name) == 3
    instrumentor.uninstrument()
    assert (tracing.names, logged()) == (["checkout"], [])


HALF = "import {other}\n" + CART + "{end}"


@pytest.mark.parametrize("end", ["", "raise RuntimeError('broken')"])
def test_a_partially_imported_module_is_patched_when_its_import_ends(end: str, package, tracing, spec_file, logged):
    starting: list[Any] = []
    sys.modules["starter_for_a_test"] = starter = types.ModuleType("starter_for_a_test")
    starter.start = lambda name: starting.append(start_instrumentor(tracing, spec_file(SPEC, name)))  # type: ignore[attr-defined]
    other = package("import starter_for_a_test, sys\nstarter_for_a_test.start(sys._for_a_test)\n")
    name = package(HALF.format(other=other, end=end))
    sys._for_a_test = name  # type: ignore[attr-defined]
    try:
        if end:
            with pytest.raises(RuntimeError, match="broken"):
                importlib.import_module(name)
        else:
            assert used(name) == 3
            assert type(sys.modules[name].__spec__) is importlib.machinery.ModuleSpec
    finally:
        del sys.modules["starter_for_a_test"], sys._for_a_test  # type: ignore[attr-defined]
        (instrumentor,) = starting
        instrumentor.uninstrument()
    assert (tracing.names, logged()) == ([] if end else ["checkout"], [])


def test_a_module_that_another_thread_is_importing_is_patched_when_that_import_ends(
    package, tracing, spec_file, logged
):
    begun, go_on = threading.Event(), threading.Event()
    sys._for_a_test = begun, go_on  # type: ignore[attr-defined]
    name = package("import sys\nbegun, go_on = sys._for_a_test\nbegun.set()\ngo_on.wait(100)\n" + CART)
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(used(name)))
    thread.start()
    begun.wait(PATIENCE)
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    go_on.set()
    thread.join()
    instrumentor.uninstrument()
    del sys._for_a_test  # type: ignore[attr-defined]
    assert (found, tracing.names, logged()) == ([3], ["checkout"], [])


def test_modules_and_specs_name_their_own_loader(package, tracing, spec_file):
    name = package(CART)
    natively = importlib.util.find_spec(name)
    assert natively is not None
    finders = list(sys.meta_path)
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    looked_for = importlib.util.find_spec(name)
    assert looked_for is not None
    assert isinstance(looked_for.loader, importlib.machinery.SourceFileLoader)
    assert looked_for.loader.get_source(name) == CART  # type: ignore[attr-defined]
    module = importlib.import_module(name)
    assert module.__spec__ is not None
    assert type(module.__loader__) is type(module.__spec__.loader) is importlib.machinery.SourceFileLoader
    assert (module.__spec__.origin, module.__file__) == (natively.origin, natively.origin)
    copied = importlib.util.module_from_spec(looked_for)
    looked_for.loader.exec_module(copied)
    assert copied.Cart().checkout() == 3
    instrumentor.uninstrument()
    assert sys.meta_path == finders
    assert tracing.names == ["checkout"]


def test_a_lazily_loaded_module_is_patched(package, tracing, spec_file, logged):
    name = package(CART)
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, name))
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.Cart().checkout() == 3
    instrumentor.uninstrument()
    assert not is_patched(module.Cart.checkout)
    assert (tracing.names, logged()) == (["checkout"], [])
