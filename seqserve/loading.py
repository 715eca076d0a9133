"""Find a bundle, verify its files, open it, and check that it gives its recorded answers."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

from seqserve.bundle import Bundle, BundleT
from seqserve.errors import BundleError, ModelNotFoundError
from seqserve.finding import PassedOver, newest_version
from seqserve.finding import find_bundles as find_bundles
from seqserve.graph import provider_name
from seqserve.kinds import KINDS, AnyModel, kind_of
from seqserve.locations import environment_folders, find_models
from seqserve.manifest import MANIFEST_FILE, Manifest, read_manifest, verify_files
from seqserve.model import Model
from seqserve.reading import converted

PathLike = str | os.PathLike[str]
ModelT = TypeVar("ModelT", bound=Model[Any])


@overload
def load(
    model: PathLike, *, models: PathLike | Sequence[PathLike] | None = None, provider: str = "cpu"
) -> AnyModel: ...


@overload
def load(
    model: PathLike,
    expected: type[ModelT],
    *,
    models: PathLike | Sequence[PathLike] | None = None,
    provider: str = "cpu",
) -> ModelT: ...


def load(
    model: PathLike,
    expected: type[Model[Any]] = Model,
    *,
    models: PathLike | Sequence[PathLike] | None = None,
    provider: str = "cpu",
) -> Model[Any]:
    """Open a model: a bundle's folder, a folder of its versions, of which the newest is taken, or a name.

    A name is looked for in the folders `models`, else those of the variable SEQSERVE_MODELS, else ./models, the user's
    folder and data packages (see `seqserve.locations`). Files are verified and recorded answers compared.
    expected: the class that the model must have, such as seqserve.Tagger, for type checkers too.
    Raises BundleError, ModelNotFoundError and InvalidRequestError.
    """
    folder = locate(model, models=models)
    manifest = read_manifest(folder)
    kind = kind_of(manifest)
    if not (isinstance(expected, type) and issubclass(kind.model, expected)):
        words = [each.word for each in KINDS.values() if each.model is expected]
        wanted = words[0] if words else getattr(expected, "__name__", str(expected))
        raise BundleError(f"{folder}: is {_with_article(kind.word)}, not {_with_article(wanted)}")
    opened: Model[Any] = kind.model(load_bundle(folder, provider=provider))
    return opened


def locate(model: PathLike, *, models: PathLike | Sequence[PathLike] | None = None) -> Path:
    """Return the folder of the bundle that `load` opens for the same arguments; raises what `load` raises."""
    path = _path(model, "model")
    passed: list[PassedOver] = []
    if os.path.lexists(path / MANIFEST_FILE):
        return path
    if newest := newest_version(path, passed.append):
        return newest
    name = path.name
    if isinstance(model, str) and model == name:
        found = find_models(_folders(models), pass_over=passed.append)
        if name in found:
            return found[name]
        sentences = [f"There is no model {name!r}; there are: {', '.join(sorted(found))}", *map(str, passed)]
        raise ModelNotFoundError("; ".join(sentences) + ".")
    reason = passed[0].reason if passed else f"it holds neither {MANIFEST_FILE} nor VERSION/{MANIFEST_FILE}"
    raise BundleError(f"{passed[0].folder if passed else path}: is no bundle: {reason}")


def _folders(models: PathLike | Sequence[PathLike] | None) -> list[Path]:
    if models is None:
        return environment_folders()
    if isinstance(models, str | os.PathLike) or not isinstance(models, Iterable):
        return [_path(models, "models")]
    return [_path(folder, "models", number) for number, folder in enumerate(models)]


def _with_article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _path(given: object, *steps: str | int) -> Path:
    """Return an argument as a path; raises InvalidRequestError and BundleError."""
    name: str = converted(os.fspath(given) if isinstance(given, os.PathLike) else given, str, *steps)
    try:
        if b"\0" not in os.fsencode(name):
            return Path(name)
    except UnicodeEncodeError:  # a lone surrogate
        pass
    raise BundleError(f"{name!r} is no name of a folder")


def verify_bundle(folder: str | os.PathLike[str]) -> Manifest:
    """Check manifest, files and checksums without opening a graph; raises BundleError."""
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    return manifest


def load_bundle(folder: str | os.PathLike[str], expected: type[BundleT] | None = None, *, provider: str = "cpu") -> Any:
    """Verify and open a bundle and compare its answers with the recorded ones.

    Raises BundleError, one sentence that names the file and says why, also when it is not `expected`, such as
    TaggerBundle. A row that changes with its batch is no error: the bundle then says `reproducible=False`.
    """
    provider_name(provider)
    manifest = verify_bundle(folder)
    if expected is not None and not issubclass(kind_of(manifest).bundle, expected):
        [wanted] = [kind.task for kind in KINDS.values() if kind.bundle is expected]
        path = Path(folder) / MANIFEST_FILE
        raise BundleError(f"{path}: its task is {manifest.task!r} instead of {wanted!r}")
    return open_bundle(Path(folder), manifest, provider=provider)


def open_bundle(root: Path, manifest: Manifest, *, provider: str = "cpu") -> Bundle:
    """Open a bundle whose files were verified and compare its answers with the recorded ones; raises BundleError."""
    bundle: Bundle = kind_of(manifest).open(root, manifest, provider=provider)
    return bundle
