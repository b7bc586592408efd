"""Locates the data files of the package: inside the package in a wheel, at the top of a checkout."""

from pathlib import Path


def directory(name: str) -> Path:
    """The directory "schemas" or "configs". Raises FileNotFoundError if the installation is incomplete."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parents[3]  # package: instrument/opentelemetry/instrumentation/declarative
    places = (package / name, checkout / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f'Cannot find the directory "{name}" of instrument: it is neither {places[0]} nor {places[1]}. '
        "Install opentelemetry-instrumentation-declarative again."
    )
