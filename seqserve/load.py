"""Verify a bundle's folder, open it, and check that it gives its recorded answers."""

import os
from pathlib import Path
from typing import Any

from seqserve.classifier.load import open_classifier
from seqserve.classifier.load import read_parts as read_classifier_parts
from seqserve.classifier.manifest import ClassifierManifest
from seqserve.classifier.model import ClassifierBundle
from seqserve.errors import BundleError
from seqserve.finding import find_bundles as find_bundles
from seqserve.graph import provider_name
from seqserve.language.load import open_language_model
from seqserve.language.load import read_parts as read_language_model_parts
from seqserve.language.model import LanguageModelBundle
from seqserve.manifest import MANIFEST_FILE, Manifest, read_manifest, verify_files
from seqserve.parts import BundleParts
from seqserve.tagger.load import open_tagger
from seqserve.tagger.load import read_parts as read_tagger_parts
from seqserve.tagger.manifest import TaggerManifest
from seqserve.tagger.model import TaggerBundle
from seqserve.transducer.load import open_transducer
from seqserve.transducer.load import read_parts as read_transducer_parts
from seqserve.transducer.manifest import TransducerManifest
from seqserve.transducer.model import TransducerBundle

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
    return open_bundle(Path(folder), verify_bundle(folder), provider=provider)


def open_bundle(root: Path, manifest: Manifest, *, provider: str = "cpu") -> Bundle:
    """Open a bundle whose files were verified and compare its answers with the recorded ones; raises BundleError."""
    if isinstance(manifest, TaggerManifest):
        return open_tagger(root, manifest, provider=provider)
    if isinstance(manifest, ClassifierManifest):
        return open_classifier(root, manifest, provider=provider)
    if isinstance(manifest, TransducerManifest):
        return open_transducer(root, manifest, provider=provider)
    return open_language_model(root, manifest, provider=provider)


def read_parts(root: Path, manifest: Manifest) -> BundleParts[Any]:
    """Read what a bundle holds beside its graphs, without opening one; raises BundleError."""
    if isinstance(manifest, TaggerManifest):
        return read_tagger_parts(root, manifest)
    if isinstance(manifest, ClassifierManifest):
        return read_classifier_parts(root, manifest)
    if isinstance(manifest, TransducerManifest):
        return read_transducer_parts(root, manifest)
    return read_language_model_parts(root, manifest)


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
