"""Write a tagger's bundle with its LSTMs in int8, which tags twice as many tokens a second.

Its answers depend on the other rows of the batch, so its manifest says `reproducible: false`. With the configuration of
the training, both bundles are compared on its dev files, and F1 goes into the new manifest.
"""

import argparse
import datetime
from collections.abc import Mapping
from pathlib import Path

import msgspec

from seqserve.errors import SeqserveError, UsageError
from seqserve.loading import load_bundle, verify_bundle
from seqserve.manifest import Manifest, write_manifest
from seqserve.tagger.manifest import TaggerManifest
from seqserve.tagger.model import TaggerBundle
from seqserve.training.config import check_name
from seqserve.training.export.folder import CARD_FILE, file_entry
from seqserve.training.reading.lines import read_raw_text
from seqserve.training.taggers.compare import Comparison, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `seqserve train quantize`."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of a tagger, models/NAME/VERSION")
    parser.add_argument(
        "--to", type=Path, default=Path("models"), metavar="FOLDER", help="models folder (default: models)"
    )
    parser.add_argument("--name", help="name of the new bundle (default: that of BUNDLE, then -int8)")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration of the training: compare on its dev files"
    )
    parser.add_argument("--card", type=Path, metavar="FILE", help="model card (default: one written from the manifest)")
    parser.add_argument("--replace", action="store_true", help="overwrite a bundle of that name and version")


def run(arguments: argparse.Namespace) -> int:
    """Write the bundle; print the comparison, if there is one, and the folder. Raises SeqserveError."""
    from seqserve.training.export.folder import new_folder  # onnx is loaded by the commands that need it
    from seqserve.training.taggers.int8 import write_int8_tagger

    original = verify_bundle(arguments.bundle)
    name = arguments.name or f"{original.name}-int8"
    check_name("--name", name, error=UsageError)
    target = arguments.to / name / original.version
    if target.exists() and not arguments.replace:
        raise SeqserveError(f"{target}: is there already; give another --name or add --replace")
    text = read_raw_text(arguments.card) if arguments.card else None
    created = datetime.datetime.now(datetime.UTC).date().isoformat()
    with new_folder(target, replace=arguments.replace) as work:
        try:
            manifest = write_int8_tagger(arguments.bundle, work, name=name, created=created)
        except ValueError as error:
            raise SeqserveError(f"{arguments.bundle}: cannot be written in int8: {error}") from error
        comparisons = _compare(arguments.bundle, work, arguments.config) if arguments.config else {}
        shown = table(comparisons, (original.name, name)) if comparisons else ""
        _finish(work, manifest, comparisons, text if text is not None else _plain_card(manifest, original, shown))
    if shown:
        print(shown)
    print(target)
    return 0


def _compare(source: Path, variant: Path, config_file: Path) -> dict[str, Comparison]:
    """Compare both bundles on every dev file of a tagger's configuration, by its name in the manifest."""
    from seqserve.training.load_config import load_config  # torch is loaded by the commands that need it
    from seqserve.training.taggers.compare import compare
    from seqserve.training.taggers.config import TaggerConfig
    from seqserve.training.taggers.task import names_of_dev, read_corpus

    config = load_config(config_file)
    if not isinstance(config, TaggerConfig):
        raise SeqserveError(f"{config_file}: is not the configuration of a tagger")
    taggers = load_bundle(source, TaggerBundle), load_bundle(variant, TaggerBundle)
    names = names_of_dev(config.data.dev)
    return {
        name: compare(*taggers, read_corpus(corpus, config))
        for name, corpus in zip(names, config.data.dev, strict=True)
    }


def _finish(folder: Path, manifest: TaggerManifest, comparisons: Mapping[str, Comparison], readme: str) -> None:
    """Write card and manifest, and check that the bundle loads."""
    (folder / CARD_FILE).write_text(readme, encoding="utf-8", newline="\n")
    metrics = {f"dev {file}": {"f1": round(each.f1[1], 4)} for file, each in comparisons.items()}
    extra_files = [file_entry(folder, CARD_FILE), *manifest.extra_files]
    write_manifest(folder, msgspec.structs.replace(manifest, metrics=metrics, extra_files=extra_files))
    load_bundle(folder, TaggerBundle)


def _plain_card(manifest: TaggerManifest, original: Manifest, comparison: str) -> str:
    """Return a model card written from the manifest."""
    card = (
        f"# {manifest.name} {manifest.version}\n\n{manifest.description}.\n\n"
        f"`{original.name}` {original.version} with its LSTMs in int8, for tagging in bulk. Answers depend a little on "
        f"what else is in the batch.\n\nLicence: {manifest.licence}, as of `{original.name}`; see `attribution` in "
        "`manifest.json`.\n"
    )
    return card + (f"\n## Beside `{original.name}`\n\n{comparison}\n" if comparison else "")
