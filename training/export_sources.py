"""The data that a run read, and the model card written from a run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from seqserve.entries import DataSource
from seqserve.manifest import read_manifest, sha256_of
from seqserve.training.checkpoints import read_run_config
from seqserve.training.config import TrainingConfig
from seqserve.training.corpora import find_corpus, is_known, is_own, known_corpora
from seqserve.training.data_digests import read_digests
from seqserve.training.kinds import kind_of
from seqserve.training.starts import is_run, start_file


@dataclass(frozen=True)
class Results:
    """Results of a run: `metrics` for the manifest, and `table`, a section of the card."""

    metrics: dict[str, dict[str, float]]
    table: str


def files_of(config: Any) -> dict[str, list[str]]:
    """Return the files that a run read, as its configuration names them, by what they were used for."""
    data, words = config.data, getattr(config.model, "words", None)
    return {
        "training": [*(file.file for file in data.train), *(words.vectors if words else ())],
        "choosing the epoch": [file.file for file in (data.dev if hasattr(data, "dev") else data.valid)],
    }


def data_sources(uses: Mapping[str, Iterable[str]], read: Mapping[str, str]) -> list[DataSource]:
    """Return every data set and every own file that the run read, with licence and checksums.

    `uses`: the files, as the configuration names them, by what they were used for. `read`: their checksums when the
    run began, which count more than what the files hold now.
    """
    sources = []
    for use, named in uses.items():
        files = list(named)
        for name in dict.fromkeys(file.split("/")[0] for file in files if is_known(file)):
            corpus = find_corpus(name)
            sums = {f.path: f.sha256 for f in corpus.files if f.path in files or name in files}
            sources.append(DataSource(name=name, licence=corpus.licence, sha256=sums, use=use))
        for path in (Path(file) for file in dict.fromkeys(files) if is_own(file)):
            digest = read.get(str(path)) or (sha256_of(path) if path.is_file() else "")
            sums = {path.name: digest} if digest else {}  # a file that was moved since is still listed
            sources.append(DataSource(name=path.stem, licence="own file, see the card", sha256=sums, use=use))
    return sources


def learned_before(config: Any) -> tuple[list[DataSource], list[str]]:
    """Return the data that a start of a tagger or a classifier has learned from, and the attributions it asks for."""
    if not start_file(config):
        return [], []
    folder = Path(config.loop.start_from)
    if is_run(folder):
        before = read_run_config(folder)
        uses = kind_of(before).part("export").sources(before)
        data, owed = learned_before(before)
        own = data_sources(uses, read_digests(folder))
        data, owed = [*own, *data], [*before.attribution, *attributions(uses["training"]), *owed]
        name, version = before.name, before.version
    else:
        manifest = read_manifest(folder)
        data, owed = list(manifest.data), list(manifest.attribution)
        name, version = manifest.name, manifest.version
    return [msgspec.structs.replace(each, use=f"{each.use} of {name} {version}") for each in data], owed


def attributions(files: Iterable[str]) -> list[str]:
    """Return the attributions that the known data sets among the files ask for."""
    names = dict.fromkeys(file.split("/")[0] for file in files)
    known = {corpus.name: corpus.attribution for corpus in known_corpora()}
    return [known[name] for name in names if known.get(name)]


def unshippable(config: TrainingConfig, files: Iterable[str]) -> list[str]:
    """Return known data sets among the files from which no model, or no model of their labels, may be published."""
    named = dict.fromkeys(file.split("/")[0] for file in files)
    is_shipped = {each.name: each.ship or (each.ship_text and not config.learns_labels) for each in known_corpora()}
    return [name for name in named if not is_shipped.get(name, True)]


def plain_card(config: TrainingConfig, sources: Sequence[DataSource], scores: str) -> str:
    """Return a model card written from the run; `scores` is its section of results."""
    data = "\n".join(f"- {source.name} ({source.use}): {source.licence}" for source in sources)
    return (
        f"# {config.name} {config.version}\n\n{config.description}.\n\nLicence: {config.licence}\n\n"
        f"## Data\n\n{data}\n\n{scores}\n![training curves](curves.png)\n"
    )


def score_table(title: str, columns: tuple[str, str], scores: Mapping[str, str]) -> str:
    """Return a card's section with one score a row."""
    rows = "\n".join(f"| {name} | {score} |" for name, score in scores.items())
    return f"## {title}\n\n| {' | '.join(columns)} |\n|---|---|\n{rows}\n"


def dev_results(config: TrainingConfig, line: Mapping[str, Any], metric: str, shown: str) -> Results:
    """Return the results of a run whose dev scores are fractions; `metric` in the manifest is `shown` in the card."""
    title = f"Dev scores (epoch {line['epoch']}, seed {config.seed})"
    return Results(
        {f"dev {name}": {metric: round(score, 4)} for name, score in line["dev"].items()},
        score_table(title, ("file", shown), {name: f"{100 * score:.1f}" for name, score in line["dev"].items()}),
    )
