"""Wheel, sdist and editable install: they have all files, and programs are not affected by the installation."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.loading import read_shipped
from opentelemetry.instrumentation.declarative.language.releases import merge_onto, releases
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.language.shipped import OPT_IN_SPECS, SHIPPED_SPECS, ShippedSpec
from opentelemetry.instrumentation.declarative.version import __version__
from packaging.version import Version

from tests.processes import PACKAGE, PATIENCE, ROOT, SOURCE, read

FOLDER = Path(*PACKAGE.split("."))
CONFIGS = sorted(path.name for path in (ROOT / "configs").glob("*.yaml"))
SCHEMAS = sorted(path.name for path in (ROOT / "schemas").iterdir())
NAME = "opentelemetry-instrumentation-declarative"
OFFLINE = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")


def clean_environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def call(*command: str | Path, folder: Path = ROOT) -> str:
    """Run a command, which must succeed, and return its output."""
    done = subprocess.run(
        command, cwd=folder, env=clean_environment(), capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def sdist_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    call(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", folder)
    (sdist,) = folder.glob("*.tar.gz")
    return sdist


@pytest.fixture(scope="session")
def wheel(wheel_file: Path) -> Path:
    """The wheel, unpacked."""
    folder = wheel_file.parent / "unpacked"
    with zipfile.ZipFile(wheel_file) as archive:
        archive.extractall(folder)
    return folder


@dataclass(frozen=True)
class Environment:
    """A virtual environment with this distribution. All other distributions are those of the running environment."""

    python: Path
    site_packages: Path

    @property
    def scripts(self) -> Path:
        return self.python.parent

    def install(self, archive: Path) -> None:
        call(self.python, "-m", "pip", "install", "--quiet", "--ignore-installed", *OFFLINE, archive)

    def copy_editable_install(self) -> None:
        """Copy the editable install of the running environment: another one would have to download a build backend."""
        distribution = metadata.distribution(NAME)
        if '"editable": true' not in (distribution.read_text("direct_url.json") or ""):
            pytest.skip("the running environment has no editable install")
        for file in distribution.files or ():
            text = file.read_binary().replace(os.fsencode(sys.executable), os.fsencode(self.python))
            target = self.site_packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
            target.chmod(file.locate().stat().st_mode)


@pytest.fixture(scope="session", params=["wheel", "sdist", "editable"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp(request.param)
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / Path(sys.executable).relative_to(sys.prefix)
    made = Environment(
        python, Path(call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    )
    # This adds the folder to sys.path, but .pth files in it are not read: the editable install there is not found.
    (made.site_packages / "running.pth").write_text(sysconfig.get_path("purelib") + "\n")
    if request.param == "editable":
        made.copy_editable_install()
    else:
        made.install(request.getfixturevalue(f"{request.param}_file"))
    return made


# ── The files ──


def test_there_are_specs_and_schemas():
    assert CONFIGS
    assert SCHEMAS


def test_the_wheel_has_specs_and_schemas_and_nothing_outside_the_package(wheel: Path):
    assert sorted(path.name for path in (wheel / FOLDER / "configs").iterdir()) == CONFIGS
    assert set(SCHEMAS) <= {path.name for path in (wheel / FOLDER / "schemas").iterdir()}
    top = {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")}
    assert top == {"opentelemetry"}
    # Other distributions have files in these namespace packages too. A file __init__.py would hide them.
    for namespace in FOLDER.parents:
        assert len([*(wheel / namespace).iterdir()]) == (2 if namespace == Path() else 1)


def test_the_wheel_of_the_sdist_has_the_same_files(wheel_file: Path, sdist_file: Path, tmp_path: Path):
    with tarfile.open(sdist_file) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    call(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path, folder=unpacked)
    with zipfile.ZipFile(wheel_file) as ours, zipfile.ZipFile(tmp_path / wheel_file.name) as theirs:
        assert sorted(ours.namelist()) == sorted(theirs.namelist())


def test_the_wheel_finds_its_own_files(wheel: Path, tmp_path: Path):
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


def test_the_checkout_finds_its_own_files():
    assert directory("configs") == ROOT / "configs"
    assert directory("schemas") == ROOT / "schemas"
    with pytest.raises(FileNotFoundError, match="neither"):
        directory("nothing")


def test_the_metadata_has_every_licence_and_a_readme_whose_links_work_on_the_package_index(wheel: Path):
    (text,) = (path.read_text(encoding="utf-8") for path in wheel.glob("*.dist-info/METADATA"))
    assert {Path(name).name for name in re.findall(r"^License-File: (.+)$", text, re.MULTILINE)} == {
        "LICENSE",
        *(path.name for path in wheel.rglob("*LICENSE.txt")),
    }
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(links) >= 10
    assert [link for link in links if not link.startswith("https://")] == []


def test_the_wheel_has_the_entry_points(wheel: Path):
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


def test_every_entry_point_can_be_loaded():
    found = metadata.distribution(NAME).entry_points
    assert len(found) >= 4
    for entry_point in found:
        assert entry_point.load() is not None


def test_every_shipped_spec_is_listed_once():
    shipped = [path.name for spec in SHIPPED_SPECS for path in (spec.path, *spec.overlay_paths)]
    assert sorted([*shipped, *(f"{name}.yaml" for name in OPT_IN_SPECS)]) == [
        name for name in CONFIGS if not name.endswith("_registry.yaml")
    ]


#: What a library calls of another one, which its spec hooks for these calls only.
_OF_OTHER_LIBRARIES = {"a2a": {"httpx"}}


@pytest.mark.parametrize("packaged", SHIPPED_SPECS, ids=lambda packaged: packaged.name)
def test_the_list_agrees_with_the_spec(packaged: ShippedSpec):
    spec = decode(read_shipped(packaged.name))
    assert spec.name == packaged.name
    assert spec.target is not None
    assert spec.target.distribution == packaged.distribution
    for release in (None, *(one.name for one in releases(read_shipped(packaged.name)))):
        shipped = read_shipped(packaged.name)
        document = merge_onto(None, shipped, lambda name, _version, release=release: name == release)
        spec = decode(document)
        modules = {hook.target.module for hook in spec.hooks.values() if hook.target}
        modules |= {extension.base.module for extension in spec.extensions.values()}
        parts = [one.split(".") for one in modules - _OF_OTHER_LIBRARIES.get(packaged.name, set())]
        assert any(all(part[: len(way)] == way for part in parts) for way in map(_steps, packaged.packages)), release


def _steps(module: str) -> list[str]:
    return module.split(".")


# ── Programs in environments in which it is installed ──

INSTRUMENT = """
from dataclasses import dataclass

@dataclass
class Bond:
    isin: str
    coupon: float
    def price(self): return 100 + self.coupon
"""
APP = """
import instrument
bond = instrument.Bond("DE000", 2.5)
print(bond, bond.price())
"""
SPEC = 'instrument: 2\nname: bonds\nspans: {price: {around: "instrument:Bond.price", attributes: {isin: self.isin}}}\n'
LAUNCHER = """
import sys
from opentelemetry.instrumentation.auto_instrumentation import run
sys.exit(run())
"""


@pytest.mark.parametrize("place", ["script folder", "working directory", "site-packages"])
def test_a_program_with_a_module_named_instrument_runs_unchanged_and_is_traced(
    place: str, environment: Environment, tmp_path: Path
):
    elsewhere, program = tmp_path / "elsewhere", tmp_path / "program"
    elsewhere.mkdir()
    program.mkdir()
    (program / "app.py").write_text(APP)
    (tmp_path / "bonds.yaml").write_text(SPEC)
    module = (environment.site_packages if place == "site-packages" else program) / "instrument.py"
    module.write_text(INSTRUMENT)
    # The script of the command, as pip writes it for this environment.
    (environment.scripts / "opentelemetry-instrument").write_text(LAUNCHER)
    try:
        for folder, arguments in {
            "script folder": [(elsewhere, ["../program/app.py"]), (program, ["app.py"])],
            "working directory": [(program, ["-m", "app"])],
            "site-packages": [(elsewhere, ["../program/app.py"])],
        }[place]:
            untraced = call(environment.python, *arguments, folder=folder)
            assert untraced == "Bond(isin='DE000', coupon=2.5) 102.5\n"
            done = subprocess.run(
                [
                    environment.python,
                    environment.scripts / "opentelemetry-instrument",
                    environment.python,
                    *arguments,
                ],
                cwd=folder,
                env={
                    **clean_environment(),
                    "OTEL_TRACES_EXPORTER": "console",
                    "OTEL_METRICS_EXPORTER": "none",
                    "OTEL_LOGS_EXPORTER": "none",
                    "OTEL_PYTHON_DECLARATIVE_SPECS": str(tmp_path / "bonds.yaml"),
                },
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            lines, spans = read(done.stdout)
            assert (done.returncode, done.stderr, lines) == (0, "", untraced.splitlines())
            assert [(span["name"], span["attributes"]) for span in spans] == [("price", {"isin": "DE000"})]
    finally:
        module.unlink()


def test_the_installed_package_and_its_command_are_used(environment: Environment, tmp_path: Path):
    (tmp_path / "instrument.py").write_text(INSTRUMENT)
    script = f"import {PACKAGE} as ours, {PACKAGE}.language.resources as resources; "
    script += "print(ours.__file__); print(resources.directory('configs'))"
    package, configs = map(Path, call(environment.python, "-c", script, folder=tmp_path).splitlines())
    if environment.site_packages in package.parents:
        assert package == environment.site_packages / FOLDER / "__init__.py"
        assert configs == package.parent / "configs"
    else:
        assert package == SOURCE / FOLDER / "__init__.py"
        assert configs == ROOT / "configs"
    for command in ([environment.scripts / "instrument"], [environment.python, "-m", PACKAGE]):
        assert call(*command, "--version", folder=tmp_path) == f"instrument {__version__}\n"


def test_the_oldest_releases_that_are_tested_are_the_lower_bounds_of_the_dependencies():
    pinned = dict(re.findall(r"^([\w.-]+)==(.+)$", (ROOT / "tests" / "oldest.txt").read_text("utf-8"), re.MULTILINE))
    bounds = dict(re.findall(r'"([\w.-]+)>=([\w.]+),<', (ROOT / "pyproject.toml").read_text("utf-8")))
    required = {name: Version(bound) for name, bound in bounds.items() if name in pinned}
    assert required == {name: Version(pinned[name]) for name in required}
    runtime = metadata.requires("opentelemetry-instrumentation-declarative") or []
    names = {re.split(r"[\s<>=;\[]", each)[0] for each in runtime if "extra ==" not in each}
    assert names <= {*pinned}
