"""What is installed: the files that the package needs are in the wheel, and found from there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.loading import read_shipped
from opentelemetry.instrumentation.declarative.language.releases import merge_onto, releases
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.language.shipped import OPT_IN_SPECS, SHIPPED_SPECS, ShippedSpec

from tests.processes import PACKAGE

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(*PACKAGE.split("."))
CONFIGS = sorted(path.name for path in (ROOT / "configs").glob("*.yaml"))
SCHEMAS = sorted(path.name for path in (ROOT / "schemas").iterdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(place)], check=True, capture_output=True)
    (built,) = place.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(place / "unpacked")
    return place / "unpacked"


def test_there_are_specs_and_schemas() -> None:
    assert CONFIGS
    assert SCHEMAS


def test_the_wheel_holds_specs_schemas_and_nothing_from_beside_the_package(wheel: Path) -> None:
    assert sorted(path.name for path in (wheel / FOLDER / "configs").iterdir()) == CONFIGS
    assert set(SCHEMAS) <= {path.name for path in (wheel / FOLDER / "schemas").iterdir()}
    top = {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")}
    assert top == {"opentelemetry"}


def test_the_wheel_finds_its_own_files(wheel: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        f"from {PACKAGE}.language.resources import directory;"
        f"from {PACKAGE}.language.loading import read_shipped;"
        f"from {PACKAGE}.language.shipped import SHIPPED_SPECS;"
        "print(directory('configs'), directory('schemas'), sep='\\n');"
        "[read_shipped(each.name) for each in SHIPPED_SPECS]"
    )
    command = [sys.executable, "-I", "-c", script, str(wheel)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    package = wheel.resolve() / FOLDER
    assert run.stdout.splitlines() == [str(package / "configs"), str(package / "schemas")]


def test_the_checkout_finds_its_own_files() -> None:
    assert directory("configs") == ROOT / "configs"
    assert directory("schemas") == ROOT / "schemas"
    with pytest.raises(FileNotFoundError, match="neither"):
        directory("nothing")


def test_the_wheel_has_the_entry_points(wheel: Path) -> None:
    (text,) = (path.read_text() for path in wheel.glob("*.dist-info/entry_points.txt"))
    for group, line in (
        (
            "opentelemetry_instrumentor",
            f"declarative = {PACKAGE}.process.instrumentor:DeclarativeInstrumentor",
        ),
        (
            "opentelemetry_environment_variables",
            f"declarative = {PACKAGE}.config.environment",
        ),
        ("pytest11", f"instrument = {PACKAGE}.testing.plugin"),
        ("console_scripts", f"instrument = {PACKAGE}.cli.main:main"),
    ):
        section = text.split(f"[{group}]", 1)[1].split("[", 1)[0]
        assert line in section.splitlines()


def test_every_entry_point_can_be_loaded() -> None:
    found = metadata.distribution("opentelemetry-instrumentation-declarative").entry_points
    assert len(found) >= 4
    for entry_point in found:
        assert entry_point.load() is not None


def test_every_shipped_spec_is_listed_once() -> None:
    assert sorted([*(spec.path.name for spec in SHIPPED_SPECS), *(f"{name}.yaml" for name in OPT_IN_SPECS)]) == CONFIGS


@pytest.mark.parametrize("packaged", SHIPPED_SPECS, ids=lambda packaged: packaged.name)
def test_the_list_agrees_with_the_spec(packaged: ShippedSpec) -> None:
    spec = decode(read_shipped(packaged.name))
    assert spec.name == packaged.name
    assert spec.target is not None
    assert spec.target.name == packaged.distribution
    for release in (None, *(one.name for one in releases(read_shipped(packaged.name)))):
        shipped = read_shipped(packaged.name)
        document = merge_onto(None, shipped, lambda name, _version, release=release: name == release)
        spec = decode(document)
        modules = {hook.target.module for hook in spec.hooks.values() if hook.target}
        modules |= {tap.base.module for tap in spec.taps.values()}
        parts = [one.split(".") for one in modules]
        assert any(all(part[: len(way)] == way for part in parts) for way in map(_steps, packaged.packages)), release


def _steps(module: str) -> list[str]:
    return module.split(".")
