"""The overlays that are always merged onto ag2.yaml.

The one for AG2's own tracing repeats what it narrows: each of its entries is that of ag2.yaml, and more.
"""

from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.language.document import read_document
from opentelemetry.instrumentation.declarative.language.layers import FILE_KEYS
from opentelemetry.instrumentation.declarative.language.loading import read_shipped
from opentelemetry.instrumentation.declarative.language.shipped import find_shipped

SHIPPED = find_shipped("ag2")
assert SHIPPED is not None
BASE = read_document(SHIPPED.path).data
CONVENTIONS, OVERLAY = (read_document(path).data for path in SHIPPED.overlay_paths)


def differences(base: Any, over: Any, path: str = "") -> Iterator[str]:
    """What the overlay changes other than by a further condition or source, or a new entry."""
    if isinstance(base, dict) and isinstance(over, dict):
        for key, value in over.items():
            if key in base:
                yield from differences(base[key], value, f"{path}.{key}")
    elif isinstance(base, list) and isinstance(over, list):
        if len(base) != len(over):
            yield f"{path}: {len(base)} entries became {len(over)}"
        for index, (lower, upper) in enumerate(zip(base, over, strict=False)):
            if isinstance(upper, dict) and upper.keys() != lower.keys():
                yield f"{path}.{index}: {[*lower]} became {[*upper]}"
            yield from differences(lower, upper, f"{path}.{index}")
    elif isinstance(over, list) and isinstance(base, dict):
        if over[:1] != [base]:
            yield f"{path}: {base} is not the first of {over}"
    elif over != base and not (path.endswith(".when") and str(over).startswith(f"{base} and ")):
        yield f"{path}: {base!r} became {over!r}"


def entries(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in FILE_KEYS}


def test_each_condition_of_the_overlay_is_that_of_the_spec_and_one_more():
    assert [*differences(entries(BASE), entries(OVERLAY))] == []
    assert OVERLAY["spans"].keys() <= BASE["spans"].keys()


def test_the_conventions_only_add_to_the_spec():
    spec, conventions = entries(BASE), entries(CONVENTIONS)
    assert conventions.keys() == {"functions", "context", "spans"}
    for section in ("functions", "context"):
        assert not conventions[section].keys() & spec[section].keys()
    for name, span in conventions["spans"].items():
        assert span.keys() == {"attribute_groups"}
        for group, rules in span["attribute_groups"].items():
            known = spec["spans"][name].get("attribute_groups", {}).get(group, {}).get("attributes", {})
            assert not rules["attributes"].keys() & known.keys()


def test_a_difference_is_found():
    over = {"spans": {"usage": {"when": "True"}, "task": {"links": {"in_channel": ["current"]}}}}
    assert len([*differences(BASE, over)]) == 2


def test_ag2_alone_says_nothing_of_native_tracing():
    names = {"traced_natively", "listened_natively", "native_channel", "native_lifetime"}
    assert not names & {*BASE["functions"]}
    assert names <= {*read_shipped("ag2").data["functions"]}


def test_the_releases_of_the_overlay_are_those_of_the_shipped_spec_as_well():
    shipped = read_shipped("ag2")
    assert [*shipped.data["releases"]] == [*BASE["releases"], *OVERLAY["releases"]]
    assert shipped.marks["releases", "since_one", "hooks", "native_envelope", "call"].file.endswith("ag2_native.yaml")
    assert shipped.marks["spans", "usage", "when"].file.endswith("ag2_native.yaml")
    assert shipped.marks["spans", "usage", "name"].file.endswith("ag2.yaml")
