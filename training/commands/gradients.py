"""Compare how long recurrent cells remember: gradients through time, agreement at a distance, clipping."""

import argparse
from pathlib import Path

from seqserve.errors import SeqserveError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `seqserve train gradients`."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help='TOML file with task = "gradients"')
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="new folder (default: runs/NAME-SEED)")
    parser.add_argument("--seed", type=int, metavar="N", help="override the configuration's seed")


def run(arguments: argparse.Namespace) -> int:
    """Compare the cells and write the results; raises SeqserveError for a bad configuration or a folder in use."""
    from seqserve.training.gradients.config import GradientsConfig
    from seqserve.training.gradients.report import compare_cells
    from seqserve.training.load_config import load_config  # torch is loaded by the commands that need it

    config = load_config(arguments.config, [f"seed={arguments.seed}"] if arguments.seed is not None else [])
    if not isinstance(config, GradientsConfig):
        raise SeqserveError(f'{arguments.config}: is not a configuration with task = "gradients"')
    folder = arguments.to or Path("runs") / f"{config.name}-{config.seed}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SeqserveError(f"{folder}: is there already; name another with --to")
    compare_cells(config, folder)
    return 0
