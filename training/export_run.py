"""`python -m training export`: the best weights of a run as a bundle."""

from __future__ import annotations

import datetime
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from bundle.manifest import DataSource, sha256_of
from training.checkpoints import EPOCHS, MODEL, RunError, load_tensors, read_run_config
from training.config import Config
from training.corpora import find_corpus, known_corpora
from training.export.bundle import Card, TrainedTagger, export_tagger

# Recorded with their answers in every bundle and checked at each load: plain sentences, a sentence of one token,
# unknown words and characters, capitals, a token longer than any limit.
GOLDEN = (
    'He said , " Teddy Roosevelt was a great President . "',
    'He said , " Teddy bears are on sale ! "',
    "Harry Potter and Hermione Granger invented a new spell .",
    "London",
    "she moved from new york to acme corp . in 1998",
    "ANGELA MERKEL VISITED THE WORLD BANK IN WASHINGTON , D.C.",
    "Zürich Ωmega 東京 \N{GRINNING FACE} zzqxv " + "a" * 300,
)


def export_run(folder: Path, models: Path, *, card: Path | None, replace: bool = False) -> Path:
    """Writes `models/NAME/VERSION` from a run folder and returns it.

    The card is the given Markdown file, or one written from the run. Raises RunError when the run has no finished
    epoch, or when the bundle is there already and `replace` was not asked for.
    """
    config = read_run_config(folder)
    state = load_tensors(folder / MODEL)
    target = models / config.name / config.version
    if target.exists() and not replace:
        raise RunError(f"{target}: is there already; raise the configuration's version or add --replace")
    best = best_epoch(folder, state["epoch"])
    trained = TrainedTagger(
        weights={name: tensor.numpy() for name, tensor in state["weights"].items()},
        forms=state["forms"],
        characters=state["characters"],
        labels=config.data.labels,
        scheme=config.model.scheme,
        max_word_chars=config.model.characters.max_word_chars,
    )
    sources = data_sources(config)
    written = Card(
        name=config.name,
        version=config.version,
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
        description=config.description,
        readme=card.read_text(encoding="utf-8") if card else plain_card(config, best, sources),
        licence=config.licence,
        attribution=[*config.attribution, *attributions(config)],
        languages=config.languages,
        metrics={f"dev {name}": {"f1": round(f1, 4)} for name, f1 in best["dev"].items()},
        data=sources,
        curves=folder / "curves.png",
    )
    with tempfile.TemporaryDirectory(dir=_made(target.parent), prefix=f".{target.name}-new-") as temporary:
        new = Path(temporary) / target.name
        export_tagger(new, trained, written, [sentence.split() for sentence in GOLDEN])  # loads and checks it
        if target.exists():
            shutil.rmtree(target)
        new.rename(target)
    return target


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def best_epoch(folder: Path, epoch: int) -> dict[str, Any]:
    """The line of `epochs.jsonl` that belongs to the saved weights."""
    lines = [json.loads(line) for line in (folder / EPOCHS).read_text(encoding="utf-8").splitlines()]
    return next(line for line in lines if line["epoch"] == epoch)


def data_sources(config: Config) -> list[DataSource]:
    """Every data set and every file of the user's own that the run read, with licence and checksums."""
    known = {corpus.name for corpus in known_corpora()}
    uses = {"training": [c.file for c in config.data.train] + list(config.model.words.vectors)}
    uses["choosing the epoch"] = [c.file for c in config.data.dev]
    sources = []
    for use, files in uses.items():
        for name in dict.fromkeys(file.split("/")[0] for file in files):
            if name in known:
                corpus = find_corpus(name)
                sums = {f.path: f.sha256 for f in corpus.files if f.path in files or name in files}
                sources.append(DataSource(name=name, licence=corpus.licence, sha256=sums, use=use))
        for file in files:
            if file.split("/")[0] not in known and Path(file).is_file():
                sums = {file: sha256_of(Path(file))}
                sources.append(DataSource(name=Path(file).stem, licence="own file, see the card", sha256=sums, use=use))
    return sources


def attributions(config: Config) -> list[str]:
    names = dict.fromkeys(
        file.split("/")[0] for file in [*(c.file for c in config.data.train), *config.model.words.vectors]
    )
    known = {corpus.name: corpus.attribution for corpus in known_corpora()}
    return [known[name] for name in names if known.get(name)]


def plain_card(config: Config, best: dict[str, Any], sources: list[DataSource]) -> str:
    """A model card with what the run itself knows."""
    scores = "\n".join(f"| {name} | {100 * f1:.1f} |" for name, f1 in best["dev"].items())
    data = "\n".join(f"- {source.name} ({source.use}): {source.licence}" for source in sources)
    return (
        f"# {config.name} {config.version}\n\n{config.description}.\n\nLicence: {config.licence}\n\n"
        f"## Data\n\n{data}\n\n"
        f"## Dev scores (epoch {best['epoch']}, seed {config.seed})\n\n| file | span F1 |\n|---|---|\n{scores}\n\n"
        "![training curves](curves.png)\n"
    )
