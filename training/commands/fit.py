"""Train a model from a TOML configuration into a new run folder."""

import argparse
from pathlib import Path

from seqserve.errors import SeqserveError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the configuration and the options that override its keys."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="TOML file (docs/configuration.md)")
    parser.add_argument(
        "--run", type=Path, metavar="FOLDER", help="new run folder (default: runs/NAME-SEED)", dest="folder"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="override the configuration's seed")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="changes",
        help='override a key, the value written as in TOML: model.cell="gru"; may be repeated',
    )


def run(given: argparse.Namespace) -> int:
    """Train; raises SeqserveError for a configuration that cannot be used."""
    from seqserve.training.gradients.config import GradientsConfig
    from seqserve.training.load_config import load_config
    from seqserve.training.runs import fit
    from seqserve.training.warm_start import completed

    changes = [*given.changes, *([f"seed={given.seed}"] if given.seed is not None else [])]
    config = load_config(given.config, changes, complete=completed)
    if isinstance(config, GradientsConfig):
        raise SeqserveError(f"{given.config}: is for `seqserve train gradients`")
    fit(config, given.folder or Path("runs") / f"{config.name}-{config.seed}")
    return 0
