"""The releases of a spec, and the modules that a release renames."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.cli import main as cli
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, SpecError
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.loading import read_shipped
from opentelemetry.instrumentation.declarative.language.releases import (
    ReleaseFilter,
    for_version,
    merge_onto,
    no_release,
    releases,
)
from opentelemetry.instrumentation.declarative.language.shipped import OPT_IN_SPECS, spec_file
from opentelemetry.instrumentation.declarative.plan.validation import plan_of, read_spec

from .conftest import is_patched

SHOP = """\
instrument: 2
name: shop
target: {distribution: shop, version: ">=0.1"}
hooks:
  pay: {call: "HOST:Cart.pay"}
spans:
  buy:
    around: pay
    attributes: {id: self.id, total: result}
  send: {at: pay.return}
"""

OLD = """\
releases:
  before_one:
    version: "<1.0"
    hooks: {pay: {call: "HOST:Cart.settle"}}
    spans: {buy: {kind: client, attributes: {id: self.number}}, send: null, old: {at: pay.enter}}
"""

HOST = """
class Cart:
    id, number = "new", "old"
    def pay(self): return 1
    def settle(self): return 2
"""

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return write


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a version of the distribution ``shop`` appear to be installed."""
    count = itertools.count()

    def install(version: str) -> None:
        place = tmp_path / f"site{next(count)}"
        information = place / f"shop-{version}.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: shop\nVersion: {version}\n")
        monkeypatch.syspath_prepend(place)

    return install


def merged(file: Path, applies: ReleaseFilter) -> dict[str, Any]:
    layers = read_spec(file)
    return layers.merged_onto(
        merge_onto(None, read_shipped("ag2"), applies) if layers.extends_shipped else None, applies
    ).data


def problems(file: Path) -> list[Problem]:
    with pytest.raises(SpecError) as caught:
        read_spec(file)
    return list(caught.value.problems)


def locations(file: Path) -> list[tuple[str, int, str]]:
    return [(Path(p.mark.file).name, p.mark.line, p.code) for p in problems(file)]


def over(text: str, extends: str = "./shop.yaml") -> str:
    return f"instrument: 2\nextends: {extends}\n{text}"


# ── Which releases apply ──


@pytest.mark.parametrize(
    ("version", "specifier", "applies"),
    [
        ("0.9", "<1.0", True),
        ("1.0", "<1.0", False),
        ("1.0.dev3", "<1.0", False),  # by PEP 440, a pre-release of 1.0 is not less than 1.0
        ("1.0rc1", "<1.0", False),
        ("1.0rc1", "<1.0.dev0", False),
        ("0.9rc1", "<1.0", True),
        ("1.1b2", ">=1.0,<2", True),
        ("1.0.post1", ">1.0", False),
        ("1.0+local.4", "==1.0", True),
        ("1.2", "~=1.1", True),
        ("2", "!=1.5", True),
        ("1.0", "no specifier", False),
        (None, ">=0", False),
    ],
)
def test_a_release_applies_if_it_includes_the_installed_version(version: str | None, specifier: str, applies: bool):
    assert for_version(version)("any", specifier) is applies


@pytest.mark.parametrize(
    ("version", "names", "id"),
    [("0.9", ["old", "buy"], "old"), ("1.0", ["send", "buy"], "new"), ("1.0rc1", ["send", "buy"], "new")],
)
def test_the_installed_release_is_merged_onto_the_rest(
    version: str, names: list[str], id: str, shop, write: Write, make_module, tracing, logged
):
    shop(version)
    module = make_module(HOST)
    before = vars(module.Cart).copy()
    instrumentor = DeclarativeInstrumentor()
    file = write("shop.yaml", (SHOP + OLD).replace("HOST", module.__name__))
    instrumentor.instrument(tracer_provider=tracing.provider, specs=[file])
    try:
        (module.Cart().settle if version == "0.9" else module.Cart().pay)()
        changed = {name for name in ("pay", "settle") if is_patched(vars(module.Cart)[name])}
        assert changed == {"settle" if version == "0.9" else "pay"}
    finally:
        instrumentor.uninstrument()
    assert all(held is before[name] for name, held in vars(module.Cart).items() if name in ("pay", "settle"))
    assert tracing.names == names
    assert tracing.named("buy").attributes["id"] == id
    assert logged() == []


def test_nothing_is_patched_if_the_distribution_is_not_installed(write: Write, make_module, tracing, logged):
    module = make_module(HOST)
    instrumentor = DeclarativeInstrumentor()
    file = write("shop.yaml", (SHOP + OLD).replace("HOST", module.__name__).replace("on: shop", "on: not-there"))
    instrumentor.instrument(tracer_provider=tracing.provider, specs=[file])
    try:
        module.Cart().pay()
    finally:
        instrumentor.uninstrument()
    assert tracing.spans == ()
    (line,) = logged()
    assert "not-there is not installed; this spec is not needed" in line


def test_a_version_outside_the_range_of_the_spec_is_not_traced(shop, write: Write, make_module, tracing, logged):
    shop("0.0.5")
    module = make_module(HOST)
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(
        tracer_provider=tracing.provider, specs=[write("shop.yaml", (SHOP + OLD).replace("HOST", module.__name__))]
    )
    try:
        module.Cart().settle()
    finally:
        instrumentor.uninstrument()
    assert tracing.spans == ()
    assert "shop 0.0.5 is installed and this spec is for >=0.1: it traces nothing" in logged()[0]


def test_several_releases_that_apply_are_merged_in_their_order(write: Write):
    more = OLD + '  before_half:\n    version: "<0.5"\n    spans: {old: null, buy: {kind: server}}\n'
    file = write("shop.yaml", SHOP + more)
    assert [*merged(file, for_version("0.4"))["spans"]] == ["buy"]
    assert merged(file, for_version("0.4"))["spans"]["buy"]["kind"] == "server"
    assert [*merged(file, for_version("0.7"))["spans"]] == ["buy", "old"]
    assert merged(file, no_release)["spans"]["send"] == {"at": "pay.return"}


def test_a_release_that_does_not_apply_changes_nothing(write: Write):
    plain, file = write("plain.yaml", SHOP), write("shop.yaml", SHOP + OLD)
    for applies in (no_release, for_version("1.5"), for_version(None)):
        found = merged(file, applies)
        assert {key: value for key, value in found.items() if key != "releases"} == merged(plain, applies)


# ── Layers ──


def test_an_attribute_of_an_overlay_is_kept_when_a_release_changes_others(write: Write):
    write("shop.yaml", SHOP + OLD)
    file = write("my.yaml", over("spans: {buy: {attributes: {tier: self.tier, total: null}}}"))
    for applies, id in ((for_version("0.9"), "self.number"), (for_version("1.1"), "self.id")):
        assert merged(file, applies)["spans"]["buy"]["attributes"] == {"id": id, "tier": "self.tier"}


def test_an_overlay_takes_precedence_over_a_release_of_the_spec(write: Write):
    write("shop.yaml", SHOP + OLD)
    file = write("my.yaml", over("spans: {buy: {attributes: {id: mine}}}"))
    assert merged(file, for_version("0.9"))["spans"]["buy"]["attributes"]["id"] == "mine"


def test_an_overlay_can_change_a_release_by_its_name(write: Write):
    write("shop.yaml", SHOP + OLD)
    file = write("my.yaml", over("releases: {before_one: {spans: {old: {kind: server}, buy: {kind: null}}}}"))
    spans = merged(file, for_version("0.9"))["spans"]
    assert (spans["old"]["kind"], spans["buy"].get("kind")) == ("server", None)
    assert [*merged(file, for_version("1.0"))["spans"]] == ["buy", "send"]


def test_an_overlay_can_define_releases(write: Write):
    write("shop.yaml", SHOP + OLD)
    file = write("my.yaml", over('releases: {newest: {version: ">=2", spans: {send: {kind: producer}}}}'))
    assert merged(file, for_version("2.1"))["spans"]["send"]["kind"] == "producer"
    assert "kind" not in merged(file, for_version("1.9"))["spans"]["send"]


def test_a_version_in_an_overlay_applies_to_its_own_changes_of_the_release(write: Write):
    write("shop.yaml", SHOP + OLD)
    file = write("my.yaml", over('releases: {before_one: {version: "<0.5", spans: {buy: {name: very old}}}}'))
    assert merged(file, for_version("0.4"))["spans"]["buy"]["name"] == "very old"
    assert "name" not in merged(file, for_version("0.9"))["spans"]["buy"]
    assert "old" in merged(file, for_version("0.9"))["spans"]


def test_a_version_is_inherited_from_the_nearest_layer_that_has_one(write: Write):
    write("shop.yaml", SHOP + OLD)
    house = '{newest: {version: ">=2"}, before_one: {version: "<0.5"}}'
    write("house.yaml", over(f"releases: {house}"))
    mine = "{newest: {spans: {send: {kind: producer}}}, before_one: {spans: {buy: {name: very old}}}}"
    file = write("my.yaml", over(f"releases: {mine}", "./house.yaml"))
    assert merged(file, for_version("2.1"))["spans"]["send"]["kind"] == "producer"
    assert merged(file, for_version("0.4"))["spans"]["buy"]["name"] == "very old"
    assert "name" not in merged(file, for_version("0.9"))["spans"]["buy"]


def test_a_release_without_a_version_in_any_layer_is_a_problem(write: Write):
    write("shop.yaml", SHOP + OLD)
    file = write("my.yaml", over("releases:\n  before_two:\n    spans: {buy: {kind: server}}\n"))
    (problem,) = problems(file)
    assert (problem.mark.line, problem.code) == (4, "missing-key")
    assert problem.message == 'the release "before_two" has no `version`: it is not known when it applies'


def test_releases_of_a_spec_without_a_distribution_are_a_problem(write: Write):
    write("shop.yaml", SHOP.replace("target:", "scope: {name: shop}\n#"))
    file = write("my.yaml", over('releases: {old: {version: "<1", spans: {buy: {kind: server}}}}'))
    (problem,) = problems(file)
    assert (problem.code, problem.message) == ("missing-key", 'a spec with "releases" needs "target"')
    write("shop.yaml", SHOP.replace("target:", "target: {modules: {shop: store}}\n#"))
    (problem,) = problems(file)
    message = '"releases" needs a `distribution` under `target`: without it, no release is known'
    assert (problem.code, problem.message) == ("missing-key", message)


def test_a_release_of_an_overlay_can_remove_entries_of_all_layers_below(write: Write):
    write("shop.yaml", SHOP + OLD)
    mine = (
        "releases:\n  before_one:\n    spans:\n      buy: null\n      old: null\n      send: null\n      sold: null\n"
    )
    assert locations(write("my.yaml", over(mine))) == [
        ("my.yaml", 8, "nothing-to-remove"),  # the release has removed it itself
        ("my.yaml", 9, "nothing-to-remove"),
    ]


def test_a_null_that_removes_an_entry_in_one_release_has_an_effect(write: Write):
    write("shop.yaml", SHOP + OLD)
    file = write("my.yaml", over("spans:\n  send: null\n  old: null\n  sold: null\n"))
    assert locations(file) == [("my.yaml", 6, "nothing-to-remove")]


def test_a_release_itself_cannot_be_removed(write: Write):
    write("shop.yaml", SHOP + OLD)
    for text in ("releases:\n  before_one: null\n", "name: x\nreleases: null\n"):
        assert locations(write("my.yaml", over(text))) == [("my.yaml", 4, "nothing-to-remove")]


def test_a_problem_in_only_one_release_is_reported_at_its_position(write: Write):
    wrong = OLD + "    enrich: {current: {events: {e: {at: pai.enter}}}}\n"
    assert locations(write("shop.yaml", SHOP + wrong)) == [("shop.yaml", 16, "unknown-hook")]
    # A link to a span that does not exist in one release.
    lost = OLD.replace("send: null", "send: null, pack: {around: pay, links: {l: {span: send, key: x}}}")
    (problem,) = problems(write("shop.yaml", SHOP + lost))
    assert (problem.code, problem.mark.line) == ("unknown-span", 15)


@pytest.mark.parametrize("version", ["abc", "<", "1.0", ">=1.0 or <2", ""])
def test_an_invalid_version_specifier_is_reported_at_its_position(version: str, write: Write):
    (problem,) = problems(write("shop.yaml", SHOP + OLD.replace('"<1.0"', f'"{version}"')))
    assert (problem.mark.line, problem.mark.column) == (13, 14)


def test_merging_releases_does_not_change_the_documents(write: Write):
    write("shop.yaml", SHOP + OLD)
    file = write("my.yaml", over('releases: {before_one: {version: "<0.5"}, new: {version: ">2"}}'))
    layers = read_spec(file)
    before = [repr(document) for document in layers.documents]
    layers.merged_onto(None, for_version("0.4"))
    assert [repr(document) for document in layers.documents] == before


# ── The shipped spec ──


def test_an_overlay_can_change_a_shipped_release_by_its_name(write: Write):
    mine = "releases: {before_one: {enrich: {current: {events: {checkpoint.read: {attributes: {app: state}}}}}}}\n"
    file = write("my.yaml", over(mine, "ag2"))
    assert "app" in merged(file, for_version("0.13.4"))["enrich"]["current"]["events"]["checkpoint.read"]["attributes"]
    assert "checkpoint.read" not in merged(file, for_version("1.2"))["enrich"]["current"]["events"]


@pytest.mark.parametrize("version", [None, "0.13.4", "0.14.0", "1.0.0", "1.2.1"])
def test_the_shipped_and_opt_in_specs_have_a_plan_in_every_release(version: str | None):
    applies = for_version(version)
    base = merge_onto(None, read_shipped("ag2"), applies)
    for name in OPT_IN_SPECS:
        plan = plan_of(read_spec(name).merged_onto(base, applies))
        assert plan.problems == []
        early = version in ("0.13.4", "0.14.0")
        injected = {injection.name for injection in plan.spec.inject}
        assert ("deadline" in injected) is (early and name == "ag2_task_deadlines")


def test_an_opt_in_spec_is_listed_by_its_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert Path(spec_file("ag2_task_deadlines")).is_file()
    assert spec_file("./ag2_task_deadlines") == "./ag2_task_deadlines"
    assert cli.main(["check", "ag2_task_deadlines"]) == 0
    assert cli.main(["check", "ag2_task_deadline"]) == 1
    assert 'did you mean "ag2_task_deadlines", which is shipped?' in capsys.readouterr().out


def test_a_spec_that_is_not_listed_is_not_active(write: Write):
    shipped = merge_onto(None, read_shipped("ag2"), for_version("0.13.4"))
    assert "deadline" not in shipped.data["inject"]
    assert [one.name for one in releases(shipped)][:1] == ["before_one"]


# ── Modules ──


def targets(text: str, applies: ReleaseFilter = no_release) -> list[str]:
    from opentelemetry.instrumentation.declarative.language.document import parse_document

    document: Document = merge_onto(None, parse_document(text, "shop.yaml"), applies)
    return sorted(str(call.target) for call in plan_of(document).calls)


MODULES = """\
instrument: 2
name: shop
hooks:
  a: {call: "shop:pay"}
  b: {call: "shop.cart:Cart.pay"}
  c: {call: "shop.cart.till:pay"}
  d: {call: "shopping:pay"}
  e: {call: "my.shop:pay"}
spans:
  a: {around: a}
  b: {around: b}
  c: {around: c}
  d: {around: d}
  e: {around: e}
  f: {around: "shop.cart:Cart.sell"}
"""


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        (
            "{shop: old.shop}",
            [
                "my.shop:pay",
                "old.shop.cart.till:pay",
                "old.shop.cart:Cart.pay",
                "old.shop.cart:Cart.sell",
                "old.shop:pay",
                "shopping:pay",
            ],
        ),
        (
            "{shop: old, shop.cart: basket}",  # the longest name takes precedence, in any order
            ["basket.till:pay", "basket:Cart.pay", "basket:Cart.sell", "my.shop:pay", "old:pay", "shopping:pay"],
        ),
        (
            "{shop.car: x, sho: y, shop.cart.till.drawer: z}",
            [
                "my.shop:pay",
                "shop.cart.till:pay",
                "shop.cart:Cart.pay",
                "shop.cart:Cart.sell",
                "shop:pay",
                "shopping:pay",
            ],
        ),
    ],
)
def test_modules_are_renamed_by_whole_names_between_dots(modules: str, expected: list[str]):
    assert targets(MODULES + f"target: {{distribution: shop, modules: {modules}}}\n") == expected


def test_modules_are_renamed_in_functions_and_extensions_as_well(write: Write):
    file = write(
        "shop.yaml",
        MODULES
        + 'functions: {size: "shop.sizes:size"}\ntarget: {distribution: shop, modules: {shop: old}}\n'
        + 'extensions: {seam: {base: "shop.seams:Seam", install: {at: a.return, call: result.add}}}\n',
    )
    plan = plan_of(read_spec(file).merged_onto(None, no_release))
    assert str(plan.spec.functions["size"].call) == "old.sizes:size"
    assert str(plan.extensions["seam"].base) == "old.seams:Seam"


def test_a_release_can_rename_modules_and_overlays_use_the_names_of_the_spec(write: Write):
    write(
        "shop.yaml",
        SHOP.replace("HOST", "shop.cart") + '\nreleases: {old: {version: "<1", target: {modules: {shop: attic}}}}\n',
    )
    file = write("my.yaml", over('spans: {mine: {around: "shop.till:Till.ring"}}'))
    for version, module in (("0.9", "attic"), ("1.0", "shop")):
        plan = plan_of(read_spec(file).merged_onto(None, for_version(version)))
        assert plan.modules == (f"{module}.cart", f"{module}.till")


def test_a_renaming_can_be_removed(write: Write):
    target = "target: {distribution: shop, modules: {shop: attic}}"
    write(
        "shop.yaml", SHOP.replace("HOST", "shop.cart").replace('target: {distribution: shop, version: ">=0.1"}', target)
    )
    file = write("my.yaml", over("target: {modules: {shop: null}}"))
    assert plan_of(read_spec(file).merged_onto(None, no_release)).modules == ("shop.cart",)


def test_a_renamed_module_is_patched_and_restored(make_module, instrumented, tracing):
    module = make_module("def pay(): return 1")
    with instrumented(
        'target: {distribution: pytest, modules: {shop.cart: HOST}}\nspans: {pay: {around: "shop.cart:pay"}}', module
    ):
        module.pay()
    assert tracing.names == ["pay"]
