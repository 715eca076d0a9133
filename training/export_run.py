"""`python -m training export`: the best weights of a run as a bundle."""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from training.checkpoints import EPOCHS, MODEL, RunError, load_tensors, read_run_config
from training.config import Config
from training.export.bundle import TrainedTagger, export_tagger
from training.export.folder import Card
from training.export_language_run import export_language_run, training_files
from training.export_sources import attributions, data_sources, plain_card, unshippable
from training.language_config import LanguageConfig

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
    text = card.read_text(encoding="utf-8") if card else None
    created = datetime.datetime.now(datetime.UTC).date().isoformat()
    curves = folder / "curves.png"
    with tempfile.TemporaryDirectory(dir=_made(target.parent), prefix=f".{target.name}-new-") as temporary:
        new = Path(temporary) / target.name  # written, loaded and checked there
        if isinstance(config, LanguageConfig):
            export_language_run(new, config, state, best, readme=text, created=created, curves=curves)
        else:
            export_tagger_run(new, config, state, best, readme=text, created=created, curves=curves)
        if barred := unshippable(config, training_data(config)):
            print(f"{target}: for measuring only, it may not be given away: {', '.join(barred)}", file=sys.stderr)
        if target.exists():
            target.rename(Path(temporary) / "replaced")
        new.rename(target)
    return target


def training_data(config: Config | LanguageConfig) -> list[str]:
    """The files that the weights learned from, as the configuration names them."""
    if isinstance(config, LanguageConfig):
        return training_files(config)
    return [*(corpus.file for corpus in config.data.train), *config.model.words.vectors]


def export_tagger_run(
    new: Path,
    config: Config,
    state: dict[str, Any],
    best: dict[str, Any],
    *,
    readme: str | None,
    created: str,
    curves: Path,
) -> None:
    """Writes the bundle `new` of a tagger's run: what model.pt holds, and the line of the epoch it is from."""
    trained = TrainedTagger(
        weights={name: tensor.numpy() for name, tensor in state["weights"].items()},
        forms=state["forms"],
        characters=state["characters"],
        labels=config.data.labels,
        scheme=config.model.scheme,
        max_word_chars=config.model.characters.max_word_chars,
    )
    train = training_data(config)
    sources = data_sources({"training": train, "choosing the epoch": [corpus.file for corpus in config.data.dev]})
    scores = "\n".join(f"| {name} | {100 * f1:.1f} |" for name, f1 in best["dev"].items())
    table = f"## Dev scores (epoch {best['epoch']}, seed {config.seed})\n\n| file | span F1 |\n|---|---|\n{scores}\n"
    card = Card(
        name=config.name,
        version=config.version,
        created=created,
        description=config.description,
        readme=readme if readme is not None else plain_card(config, sources, table),
        licence=config.licence,
        attribution=[*config.attribution, *attributions(train)],
        languages=config.languages,
        metrics={f"dev {name}": {"f1": round(f1, 4)} for name, f1 in best["dev"].items()},
        data=sources,
        curves=curves,
    )
    export_tagger(new, trained, card, [sentence.split() for sentence in GOLDEN])


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def best_epoch(folder: Path, epoch: int) -> dict[str, Any]:
    """The line of `epochs.jsonl` that belongs to the saved weights."""
    lines = [json.loads(line) for line in (folder / EPOCHS).read_text(encoding="utf-8").splitlines()]
    for line in lines:
        if line["epoch"] == epoch:
            return dict(line)
    raise RunError(f"{folder / EPOCHS}: no line of epoch {epoch}, which {MODEL} is from")
