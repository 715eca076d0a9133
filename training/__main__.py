"""`python -m training`: fit, resume, export, quantize, text, evaluate, corpora, gradients."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from seqserve.errors import SeqserveError
from seqserve.training import corpora_command, evaluate
from seqserve.training.gradients import gradients
from seqserve.training.taggers import quantize


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when it did what was asked, 2 with one sentence on standard error when it could not."""
    options = build_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except SeqserveError as error:
        print(f"training: {error}", file=sys.stderr)
        return 2


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description="Trains models and makes bundles of them.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    fit_parser = commands.add_parser("fit", help="train from a TOML configuration into a new run folder")
    fit_parser.add_argument("config", type=Path)
    fit_parser.add_argument("--run", type=Path, help="the run folder (default: runs/NAME-SEED)", dest="folder")
    fit_parser.add_argument("--seed", type=int, help="in place of the configuration's seed")
    fit_parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="changes",
        help='in place of a key of the configuration, the value as in TOML: model.cell="gru"; may be given again',
    )
    fit_parser.set_defaults(run=run_fit)

    resume_parser = commands.add_parser("resume", help="go on with an interrupted run")
    resume_parser.add_argument("folder", type=Path, metavar="RUN")
    resume_parser.set_defaults(run=run_resume)

    export_parser = commands.add_parser("export", help="make a bundle of a run's best weights")
    export_parser.add_argument("folder", type=Path, metavar="RUN")
    export_parser.add_argument("--to", type=Path, default=Path("models"), help="models folder (default: models)")
    export_parser.add_argument("--card", type=Path, help="model card (default: one written from the run)")
    export_parser.add_argument("--version", help="of the bundle (default: the configuration's)")
    export_parser.add_argument("--replace", action="store_true", help="overwrite a bundle of that name and version")
    export_parser.set_defaults(run=run_export)

    text_parser = commands.add_parser("text", help="print the text that a language model's configuration names")
    text_parser.add_argument("config", type=Path)
    text_parser.add_argument("--part", choices=("train", "valid"), default="train", help="(default train)")
    text_parser.set_defaults(run=run_text)

    for module, name, text in (
        (
            evaluate,
            "evaluate",
            "score a bundle on a file: spans of a tagger, perplexity or minimal pairs of a language model",
        ),
        (quantize, "quantize", "make a tagger's bundle once more, with its LSTMs in int8"),
        (corpora_command, "corpora", "list, import and fetch the known data sets"),
        (gradients, "gradients", "compare the cells: gradients through time, agreement at a distance, clipping"),
    ):
        sub_parser = commands.add_parser(name, help=text, description=module.__doc__)
        module.add_arguments(sub_parser)
        sub_parser.set_defaults(run=module.run)
    return parser


def run_fit(options: argparse.Namespace) -> int:
    from seqserve.training.gradients.gradient_config import GradientsConfig
    from seqserve.training.load_config import load_config  # torch is loaded by the commands that need it
    from seqserve.training.runs import fit

    changes = [*options.changes, *([f"seed={options.seed}"] if options.seed is not None else [])]
    config = load_config(options.config, changes)
    if isinstance(config, GradientsConfig):
        raise SeqserveError(f"{options.config}: is for `python -m training gradients`")
    fit(config, options.folder or Path("runs") / f"{config.name}-{config.seed}")
    return 0


def run_resume(options: argparse.Namespace) -> int:
    from seqserve.training.runs import resume

    resume(options.folder)
    return 0


def run_export(options: argparse.Namespace) -> int:
    from seqserve.training.export_run import export_run

    bundle = export_run(options.folder, options.to, card=options.card, version=options.version, replace=options.replace)
    print(bundle)
    return 0


def run_text(options: argparse.Namespace) -> int:
    """Print words as sequences of tokens, one a line, single spaces between them; characters as they are."""
    from seqserve.training.language.config import LanguageConfig
    from seqserve.training.language.setup import sequences_of
    from seqserve.training.load_config import load_config

    config = load_config(options.config)
    if not isinstance(config, LanguageConfig):
        raise SeqserveError(f"{options.config}: is not the configuration of a language model")
    separator, end = (" ", "\n") if config.text.level == "word" else ("", "\n" if config.text.ends_sentences else "")
    for tokens in sequences_of(getattr(config.data, options.part), config.text):
        sys.stdout.write(separator.join(tokens) + end)
    return 0


if __name__ == "__main__":
    sys.exit(main())
