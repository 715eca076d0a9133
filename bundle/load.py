"""Verify a bundle's folder, open it, and check that it gives its recorded answers."""

import os
import re
from pathlib import Path

from bundle.classifier import ClassifierBundle
from bundle.classifier_manifest import ClassifierManifest
from bundle.errors import BundleError
from bundle.graph import provider_name
from bundle.language_model import LanguageModelBundle
from bundle.load_classifier import open_classifier
from bundle.load_language_model import open_language_model
from bundle.load_tagger import open_tagger
from bundle.load_transducer import open_transducer
from bundle.manifest import MANIFEST_FILE, Manifest, read_manifest, verify_files
from bundle.tagger import TaggerBundle
from bundle.tagger_manifest import TaggerManifest
from bundle.transducer import TransducerBundle
from bundle.transducer_manifest import TransducerManifest

Bundle = TaggerBundle | LanguageModelBundle | ClassifierBundle | TransducerBundle
"""Any loaded bundle; `manifest` says what it does."""


def verify_bundle(folder: str | os.PathLike[str]) -> Manifest:
    """Check manifest, files and checksums without opening a graph; raises BundleError."""
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    return manifest


def load_bundle(folder: str | os.PathLike[str], *, provider: str = "cpu") -> Bundle:
    """Verify and open a bundle and compare its answers with the recorded ones.

    Raises BundleError, one sentence that names the file and says why. A row that changes with its batch is no error:
    the bundle then says `reproducible=False`.
    """
    provider_name(provider)
    root = Path(folder)
    manifest = verify_bundle(root)
    if isinstance(manifest, TaggerManifest):
        return open_tagger(root, manifest, provider=provider)
    if isinstance(manifest, ClassifierManifest):
        return open_classifier(root, manifest, provider=provider)
    if isinstance(manifest, TransducerManifest):
        return open_transducer(root, manifest, provider=provider)
    return open_language_model(root, manifest, provider=provider)


def load_tagger(folder: str | os.PathLike[str], *, provider: str = "cpu") -> TaggerBundle:
    """Load a bundle that must be a tagger's; raises BundleError as `load_bundle` does."""
    bundle = load_bundle(folder, provider=provider)
    if not isinstance(bundle, TaggerBundle):
        raise BundleError(f"{Path(folder) / MANIFEST_FILE}: its task is {bundle.manifest.task!r} instead of 'tag'")
    return bundle


def load_language_model(folder: str | os.PathLike[str], *, provider: str = "cpu") -> LanguageModelBundle:
    """Load a bundle that must be a language model's; raises BundleError as `load_bundle` does."""
    bundle = load_bundle(folder, provider=provider)
    if not isinstance(bundle, LanguageModelBundle):
        task = bundle.manifest.task
        raise BundleError(f"{Path(folder) / MANIFEST_FILE}: its task is {task!r} instead of 'language-model'")
    return bundle


def find_bundles(models_dir: str | os.PathLike[str]) -> list[Path]:
    """Return the newest version's folder of every model below models/<name>/<version>/, by name.

    Versions are ordered with numbers in them as numbers, so 10 is newer than 9. Hidden folders are not seen.
    """
    newest: dict[str, Path] = {}
    for manifest in Path(models_dir).glob(f"*/*/{MANIFEST_FILE}"):
        folder = manifest.parent
        if folder.name.startswith(".") or folder.parent.name.startswith("."):
            continue
        best = newest.get(folder.parent.name)
        if best is None or _natural(folder.name) > _natural(best.name):
            newest[folder.parent.name] = folder
    return [newest[name] for name in sorted(newest)]


def _natural(version: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"[0-9]+|[^0-9]+", version)]
