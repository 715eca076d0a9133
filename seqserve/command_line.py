"""A command line of several commands: the module of each is imported when that command is used."""

import argparse
import contextlib
import importlib
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple


class Command(NamedTuple):
    """A line of a table of commands.

    module: full name; its docstring describes the command, `add_arguments(parser)` declares its flags, and
    `run(given)` does the work and returns the exit status. A group of commands has no `run`.
    needs: top-level modules that the work imports and that may not be installed.
    """

    name: str
    module: str
    help: str
    needs: Sequence[str] = ()


class _Formatter(argparse.HelpFormatter):
    """Help whose lines are not broken inside a word, such as at the hyphen of tag=ner-en."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False, break_long_words=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return textwrap.indent("\n".join(self._split_lines(text, width - len(indent))), indent)


class CommandParser(argparse.ArgumentParser):
    """A parser that imports its command's module when it first parses. Flags cannot be abbreviated."""

    def __init__(self, *, command: Command | None = None, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Formatter, **options)
        self._command = command

    def add_commands(self, commands: Sequence[Command], *, required: bool) -> None:
        """Add the commands of a table, each with its line of help."""
        group = self.add_subparsers(title="commands", metavar="COMMAND", required=required)
        for command in commands:
            group.add_parser(command.name, help=command.help, command=command)

    def fill(self) -> None:
        """Import the command's module and add its flags, once."""
        if self._command is None:
            return
        command, self._command = self._command, None
        module = importlib.import_module(command.module)
        self.description = (module.__doc__ or "").split("\n\n")[0]
        module.add_arguments(self)
        if hasattr(module, "run"):
            self.set_defaults(run=module.run, needs=command.needs)

    def filled(self) -> Iterator["CommandParser"]:
        """Fill this parser and those of all commands below it, and yield them."""
        with contextlib.suppress(ModuleNotFoundError):  # a command that is not installed has no flags
            self.fill()
        yield self
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    yield from parser.filled()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, with the flags of the command's module; what it does not know is an error with its own usage."""
        self.fill()
        given, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return given, unknown
