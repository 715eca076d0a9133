"""The one command, `seqserve`: its table of commands, its exit statuses, its completion for shells.

Exit status: 0 done, 1 failed, 2 wrong use, 130 interrupted.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from seqserve import __version__
from seqserve.command_line import Command, CommandParser
from seqserve.errors import SeqserveError, UsageError

DONE, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130

COMMANDS = (
    Command("serve", "seqserve.service.command", "answer requests over HTTP", ("flask", "gunicorn", "httptools")),
    Command("tag", "seqserve.commands.tag", "find the entities in each line of a file"),
    Command("score", "seqserve.commands.score", "score each line of a file, and the whole file"),
    Command("rank", "seqserve.commands.rank", "order candidates, such as n-best lists, one list a line"),
    Command("sample", "seqserve.commands.sample", "write new text, token by token"),
    Command("classify", "seqserve.commands.classify", "label each line of a file"),
    Command("transduce", "seqserve.commands.transduce", "translate each line of a file, or turn it into other text"),
    Command("check", "seqserve.commands.check", "verify a bundle: checksums, graphs, recorded answers"),
    Command("models", "seqserve.commands.models", "list the models that folders hold"),
    Command("train", "seqserve.training.command", "train models, and make bundles of them"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; an error is one sentence on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        try:
            return _run(given)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here, where a closed pipe is no error of the interpreter
    except SeqserveError as error:
        return _failed(str(error), WRONG_USE if isinstance(error, UsageError) else FAILED)
    except BrokenPipeError:
        # The reader of the output has enough. Python must not complain when it flushes the rest at its end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except ModuleNotFoundError as error:
        return _failed(_missing([str(error.name)], given))
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror or error}.")
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return _failed(f"internal error, {reason} (`python -X dev -m seqserve …` shows where).")


def make_parser() -> CommandParser:
    """Return the parser of all commands; their flags are added when they are used."""
    parser = CommandParser(
        prog="seqserve",
        description="Recurrent sequence models: serve them over HTTP, use them on files, train them.",
        epilog="`seqserve COMMAND --help` describes a command. `seqserve serve` starts the server.",
    )
    parser.add_argument("--version", action="version", version=f"seqserve {__version__}")
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=("bash", "zsh"),
        metavar="{bash,zsh}",
        help="print the script that completes commands and flags in this shell",
    )
    parser.add_commands(COMMANDS, required=False)
    return parser


def _run(arguments: Sequence[str]) -> int:
    parser = make_parser()
    given = parser.parse_args(arguments)
    if "run" not in given:
        parser.print_help(sys.stderr)
        return WRONG_USE
    missing = [name for name in given.needs if find_spec(name) is None]
    if missing:
        raise SeqserveError(_missing(missing, arguments))
    return int(given.run(given))


def _missing(modules: Sequence[str], arguments: Sequence[str]) -> str:
    """Return the sentence that says what to install."""
    extra, options = ("install the train extra, ", "[train]") if arguments[:1] == ["train"] else ("", "")
    return (
        f"this command needs {', '.join(modules)}: {extra}`pip install 'seqserve{options}'`, "
        f"or `pip install '.{options}'` in a clone."
    )


def _failed(sentence: str, status: int = FAILED) -> int:
    print(f"seqserve: {sentence}", file=sys.stderr)
    return status


class _PrintCompletion(argparse.Action):
    """Print a completion script, made from the parsers of all commands."""

    def __call__(self, parser: Any, namespace: object, values: Any, option_string: str | None = None) -> None:
        import shtab  # late: no other command needs it

        for each in parser.filled():
            for action in each._actions:
                if action.type is Path or action.metavar in ("FILE", "FOLDER", "MODEL", "BUNDLE"):
                    action.complete = shtab.FILE
        print(shtab.complete(parser, values))
        parser.exit()
