"""How good a classifier's configuration is on all of its texts: each is judged by a model that did not see it.

    python -m benchmarks.folds CONFIG [--folds 10] [--to runs/folds]

The files of `data.train` are taken whole, whatever `part` says, and cut by the hash of each text, so that equal texts
are in one fold. A fold's model learns from the other folds for all epochs of the configuration and keeps its last
weights (averaged, with `loop.average_decay`): nothing is chosen by the texts that are held out. Printed are scores of
each fold's bundle and of all answers together. The folds' runs lie in FOLDER/NAME-SEED-FOLDS/1, 2, ...; after an
interruption the same command goes on, and a fold that has its bundle is not trained again.
"""

import argparse
import contextlib
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import run
from seqserve.classifier.model import ClassifierBundle
from seqserve.errors import SeqserveError
from seqserve.loading import load_bundle
from seqserve.training.checkpoints import CONFIG, RunError, read_run_config
from seqserve.training.classifiers.config import ClassifierConfig
from seqserve.training.classifiers.evaluate import Answers, answer_texts, report, score_answers
from seqserve.training.corpora import data_path
from seqserve.training.export_run import export_run
from seqserve.training.load_config import load_config
from seqserve.training.reading.labelled_text import LabelledFile, LabelledText, read_labelled
from seqserve.training.runs import fit, resume


def fold_config(config: ClassifierConfig, fold: int, num_folds: int) -> ClassifierConfig:
    """The configuration that holds out one fold, counted from 0, as its dev."""
    first, last = fold / num_folds, (fold + 1) / num_folds
    others = [part for part in ((0.0, first), (last, 1.0)) if part[0] < part[1]]
    whole = [dataclasses.replace(file, weight=1.0) for file in config.data.train]
    train = tuple(dataclasses.replace(file, part=part) for file in whole for part in others)
    dev = tuple(dataclasses.replace(file, part=(first, last)) for file in whole)
    return dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, train=train, dev=dev),
        loop=dataclasses.replace(config.loop, keep="last", patience=0),
    )


def train_fold(config: ClassifierConfig, folder: Path) -> ClassifierBundle:
    """The bundle of a fold, trained in its run folder as far as that is still to do.

    Raises RunError when the folder holds a fold of another configuration.
    """
    exists = (folder / CONFIG).exists()
    if exists and read_run_config(folder) != config:
        raise RunError(f"{folder}: holds a fold of another configuration; remove it, or choose another place with --to")
    models = folder / "models"
    path = models / config.name / config.version
    if not path.exists():
        with contextlib.redirect_stdout(sys.stderr):  # what is printed there is the scores alone
            if exists:
                resume(folder)
            else:
                fit(config, folder)
            export_run(folder, models, card=None)
    bundle = load_bundle(path)
    assert isinstance(bundle, ClassifierBundle)
    return bundle


def answers_by_fold(config: ClassifierConfig, num_folds: int, folder: Path) -> Iterator[Answers]:
    """Yield what each fold's model says of the texts that it did not see."""
    for fold in range(num_folds):
        own = fold_config(config, fold, num_folds)
        bundle = train_fold(own, folder / str(fold + 1))
        yield sum((answer_texts(bundle, _texts(file, config)) for file in own.data.dev), Answers())


def _texts(file: LabelledFile, config: ClassifierConfig) -> list[LabelledText]:
    return read_labelled(data_path(file.file), file, config.data.labels)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.folds", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="TOML of a classifier")
    parser.add_argument("--folds", type=int, default=10, metavar="N", help="(10)")
    parser.add_argument("--to", type=Path, default=Path("runs/folds"), metavar="FOLDER", help="(runs/folds)")
    given = parser.parse_args()
    config = load_config(given.config)
    if not isinstance(config, ClassifierConfig):
        raise SeqserveError(f"{given.config}: is not the configuration of a classifier")
    if given.folds < 2:
        raise SeqserveError(f"--folds {given.folds}: one fold is held out and another learned from, so 2 or more")
    folder = given.to / f"{config.name}-{config.seed}-{given.folds}"
    total = Answers()
    for fold, answers in enumerate(answers_by_fold(config, given.folds, folder), 1):
        print(f"fold {fold}\n{report(score_answers(answers, config.data.labels))}", flush=True)
        total += answers
    print(f"all {given.folds} folds\n{report(score_answers(total, config.data.labels))}")
    return 0


if __name__ == "__main__":
    run(main)
