"""Which data a run read, and what a model card says of it when nobody wrote one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqserve.entries import DataSource
from seqserve.manifest import sha256_of
from seqserve.training.corpora import find_corpus, known_corpora

if TYPE_CHECKING:
    from seqserve.training.config_kinds import AnyConfig


def data_sources(uses: Mapping[str, Iterable[str]]) -> list[DataSource]:
    """Every data set and every file of the user's own that the run read, with licence and checksums.

    `uses`: the files, as the configuration names them, by what they were used for.
    """
    known = {corpus.name for corpus in known_corpora()}
    sources = []
    for use, named in uses.items():
        files = list(named)
        for name in dict.fromkeys(file.split("/")[0] for file in files):
            if name in known:
                corpus = find_corpus(name)
                sums = {f.path: f.sha256 for f in corpus.files if f.path in files or name in files}
                sources.append(DataSource(name=name, licence=corpus.licence, sha256=sums, use=use))
        for file in dict.fromkeys(files):
            if file.split("/")[0] not in known and not file.startswith("package:"):
                sums = {file: sha256_of(Path(file))} if Path(file).is_file() else {}  # moved since, but not unsaid
                sources.append(DataSource(name=Path(file).stem, licence="own file, see the card", sha256=sums, use=use))
    return sources


def attributions(files: Iterable[str]) -> list[str]:
    """Whom the known data sets among the files ask to name."""
    names = dict.fromkeys(file.split("/")[0] for file in files)
    known = {corpus.name: corpus.attribution for corpus in known_corpora()}
    return [known[name] for name in names if known.get(name)]


def unshippable(config: AnyConfig, files: Iterable[str]) -> list[str]:
    """Known data sets among the files of which no model may be given away, or none that saw their labels."""
    from seqserve.training.language.config import LanguageConfig

    is_text_enough = isinstance(config, LanguageConfig)
    named = dict.fromkeys(file.split("/")[0] for file in files)
    barred = {each.name for each in known_corpora() if not (each.ship or (is_text_enough and each.ship_text))}
    return [name for name in named if name in barred]


def plain_card(config: AnyConfig, sources: Sequence[DataSource], scores: str) -> str:
    """A model card with what the run itself knows; `scores` is its section of results."""
    data = "\n".join(f"- {source.name} ({source.use}): {source.licence}" for source in sources)
    return (
        f"# {config.name} {config.version}\n\n{config.description}.\n\nLicence: {config.licence}\n\n"
        f"## Data\n\n{data}\n\n{scores}\n![training curves](curves.png)\n"
    )


def score_table(best: Mapping[str, Any], metric: str, *, seed: int) -> str:
    """A card's section with the score of each dev file, shown in percent, in the epoch that the weights are from."""
    scores = "\n".join(f"| {name} | {100 * score:.1f} |" for name, score in best["dev"].items())
    return f"## Dev scores (epoch {best['epoch']}, seed {seed})\n\n| file | {metric} |\n|---|---|\n{scores}\n"
