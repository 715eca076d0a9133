"""Where models are looked for: folders that are named, else those where a user keeps or installs them."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from seqserve.errors import BundleError
from seqserve.finding import PassedOver, find_bundles
from seqserve.manifest import MANIFEST_FILE, read_manifest

ENTRY_POINTS = "seqserve_models"
"""Group of the entry points of data packages. Each names a package whose folder holds <name>/<version>/."""


def find_models(folders: Sequence[Path] = (), *, pass_over: Callable[[PassedOver], object] | None = None) -> list[Path]:
    """Return the newest bundle of every model in several folders: by folder as they are given, then by name.

    folders: each holds <name>/<version>/, or is a bundle itself. Without any, `usual_folders` are looked at, which
    may be missing or empty.
    Raises BundleError: a named folder is missing, cannot be read or holds no bundle; two folders hold a model of the
    same name; there is no model at all.
    """
    by_name: dict[str, Path] = {}
    passed: list[PassedOver] = []

    def tell(each: PassedOver) -> None:
        passed.append(each)
        if pass_over is not None:
            pass_over(each)

    for folder in folders or filter(os.path.lexists, usual_folders()):
        found = _models_in(folder, tell)
        if folders and not found:
            why = [f"{each.folder} is passed over, {each.reason}" for each in passed if folder in each.folder.parents]
            reason = why[0] if why else f"none of <name>/<version>/{MANIFEST_FILE} is there"
            raise BundleError(f"{folder}: holds no bundle, {reason}")
        for name, bundle in found:
            if not bundle.samefile(by_name.setdefault(name, bundle)):
                raise BundleError(f"{bundle}: there is a model {name!r} in {by_name[name]} too")
    if not by_name:
        raise BundleError(
            f"no model is in {', '.join(map(str, usual_folders()))} or in an installed data package. A clone of the "
            "repository has models/, and `seqserve train export` makes a bundle. Name a folder of models with "
            "--models FOLDER or in the variable SEQSERVE_MODELS"
        )
    return list(by_name.values())


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


def _models_in(folder: Path, pass_over: Callable[[PassedOver], object] | None) -> list[tuple[str, Path]]:
    """Return name and bundle of every model of one folder; raises BundleError when it cannot be read."""
    if os.path.lexists(folder / MANIFEST_FILE):
        return [(read_manifest(folder).name, folder)]
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise BundleError(f"{folder}: cannot be read: {error.strerror}") from error
    return [(bundle.parent.name, bundle) for bundle in find_bundles(folder, pass_over=pass_over)]
