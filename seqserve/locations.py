"""Where models are looked for: folders that are named, else those where a user keeps or installs them."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from seqserve.errors import BundleError
from seqserve.finding import PassedOver, find_bundles, newest_version
from seqserve.manifest import MANIFEST_FILE, read_manifest

ENTRY_POINTS = "seqserve_models"
"""Group of the entry points of data packages. Each names a package whose folder holds <name>/<version>/."""

NAME_A_FOLDER = "name one folder of models (models=, --models or SEQSERVE_MODELS)"


def find_models(
    folders: Sequence[Path] = (), *, pass_over: Callable[[PassedOver], object] | None = None
) -> dict[str, Path]:
    """Return by name the newest bundle of every model, as `list_models` does.

    Raises BundleError also when two folders hold a model of the same name.
    """
    models = list_models(folders, pass_over=pass_over)
    for clash in clashes(models):
        raise BundleError(clash)
    return dict(models)


def clashes(models: Iterable[tuple[str, Path]]) -> Iterator[str]:
    """Yield a sentence, without a full stop, for each bundle whose name another has too."""
    by_name: dict[str, Path] = {}
    for name, bundle in models:
        if (first := by_name.setdefault(name, bundle)) != bundle:
            yield f"{bundle}: the model {name!r} is also in {first}; {NAME_A_FOLDER}"


def list_models(
    folders: Sequence[Path] = (), *, pass_over: Callable[[PassedOver], object] | None = None
) -> list[tuple[str, Path]]:
    """Return name and newest bundle of every model in several folders, in their order, then by name.

    folders: each holds <name>/<version>/ or <version>/, or is a bundle itself. Without any, `usual_folders` are looked
    at, which may be missing or empty.
    Raises BundleError: a named folder is missing, cannot be read or holds no bundle; there is no model at all.
    """
    models: list[tuple[str, Path]] = []
    passed: list[PassedOver] = []

    def tell(each: PassedOver) -> None:
        passed.append(each)
        if pass_over is not None:
            pass_over(each)

    for folder in folders or filter(os.path.lexists, usual_folders()):
        found = _models_in(folder, tell)
        if folders and not found:
            why = [f"; {each}" for each in passed if folder == each.folder or folder in each.folder.parents]
            reason = why[0] if why else f", none of <name>/<version>/{MANIFEST_FILE} is there"
            raise BundleError(f"{folder}: holds no bundle{reason}")
        models += [
            (name, at) for name, at in found if not any(name == each and at.samefile(other) for each, other in models)
        ]
    if not models:
        places = ", ".join(str(place) if place.is_absolute() else f"./{place}" for place in usual_folders())
        sentences = [
            f"no model is in {places} or in an installed data package",
            *map(str, passed),
            "`seqserve train export` makes a bundle, and a clone of the repository has models",
            NAME_A_FOLDER,
        ]
        raise BundleError("; ".join(sentences))
    return models


def environment_folders() -> list[Path]:
    """Return the folders of the variable SEQSERVE_MODELS, in order; none when it is not set."""
    return [Path(folder) for folder in os.environ.get("SEQSERVE_MODELS", "").split(os.pathsep) if folder]


def usual_folders() -> Iterator[Path]:
    """Yield ./models, the user's folder of models, and those of data packages; not all of them need to be there."""
    yield Path("models")
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    with contextlib.suppress(RuntimeError):  # the user has no home
        yield (data if data.is_absolute() else Path.home() / ".local" / "share") / "seqserve" / "models"
    from importlib.metadata import entry_points  # late: it takes a tenth of the time of `import seqserve`

    for package in sorted({point.module for point in entry_points(group=ENTRY_POINTS)}):
        with contextlib.suppress(ImportError, ValueError):  # its distribution is there, but not the package
            spec = find_spec(package)  # does not run the package
            yield from map(Path, (spec and spec.submodule_search_locations) or ())


def _models_in(folder: Path, pass_over: Callable[[PassedOver], object]) -> list[tuple[str, Path]]:
    """Return name and bundle of every model of one folder; raises BundleError when it cannot be read."""
    if os.path.lexists(folder / MANIFEST_FILE):
        return [(read_manifest(folder).name, folder)]
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise BundleError(f"{folder}: cannot be read: {error.strerror}") from error
    bundles = find_bundles(folder, pass_over=pass_over)
    if not bundles and (newest := newest_version(folder, pass_over)):
        bundles = [newest]
    return [(Path(os.path.abspath(bundle)).parent.name, bundle) for bundle in bundles]
