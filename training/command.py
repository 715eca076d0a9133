"""Train models from TOML configurations, export them as bundles, and measure bundles."""

from seqserve.command_line import Command, CommandParser

_EXTRA = ("torch", "onnx", "safetensors", "matplotlib")

COMMANDS = (
    Command("data", "seqserve.training.commands.data", "say what training data hold"),
    Command("fit", "seqserve.training.commands.fit", "train a model from a TOML configuration", _EXTRA),
    Command("resume", "seqserve.training.commands.resume", "continue an interrupted run", _EXTRA),
    Command("export", "seqserve.training.commands.export", "export a run's best weights as a bundle", _EXTRA),
    Command("evaluate", "seqserve.training.commands.evaluate", "measure how good a bundle is on a file"),
    Command("corpora", "seqserve.training.commands.corpora", "list, import and download the known data sets"),
    Command("text", "seqserve.training.commands.text", "print the text that a language model is trained on", _EXTRA),
    Command(
        "gradients", "seqserve.training.commands.gradients", "compare how long the recurrent cells remember", _EXTRA
    ),
    Command("quantize", "seqserve.training.commands.quantize", "write an int8 variant of a tagger's bundle", _EXTRA),
)


def add_arguments(parser: CommandParser) -> None:
    """Add the commands."""
    parser.add_commands(COMMANDS, required=True)
