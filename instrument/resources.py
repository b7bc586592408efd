"""Where the files that come with the package are: beside the code in a wheel, one level up in a checkout."""

from pathlib import Path


def directory(name: str) -> Path:
    """The directory `name` ("schemas" or "configs"); FileNotFoundError where the installation has lost it."""
    package = Path(__file__).resolve().parent
    places = (package / name, package.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f'Cannot find the directory "{name}" of instrument: it is neither {places[0]} nor {places[1]}. '
        "Install opentelemetry-instrumentation-declarative again."
    )
