"""Train models from a TOML configuration, and make bundles of them."""

from seqserve.command_line import Command, CommandParser

_EXTRA = ("torch", "onnx", "safetensors", "matplotlib")

COMMANDS = (
    Command("fit", "seqserve.training.commands.fit", "train from a TOML configuration into a new run folder", _EXTRA),
    Command("resume", "seqserve.training.commands.resume", "go on with an interrupted run", _EXTRA),
    Command("export", "seqserve.training.commands.export", "make a bundle of a run's best weights", _EXTRA),
    Command("evaluate", "seqserve.training.commands.evaluate", "measure how good a bundle is on a file"),
    Command("corpora", "seqserve.training.commands.corpora", "list, import and fetch the known data sets"),
    Command("text", "seqserve.training.commands.text", "print the text that a language model is trained on", _EXTRA),
    Command("gradients", "seqserve.training.commands.gradients", "compare the cells: which of them remember", _EXTRA),
    Command("quantize", "seqserve.training.commands.quantize", "make a tagger's bundle again, in int8", _EXTRA),
)


def add_arguments(parser: CommandParser) -> None:
    """Add the commands."""
    parser.add_commands(COMMANDS, required=True)
