"""Rank candidates. Each line of the file is a request of /v1/rank as JSON, each line of the output its answer.

A line without text is answered with an empty line.
"""

import argparse
from collections.abc import Iterator, Sequence

import msgspec

from seqserve.commands.lines import add_file_flags, answer_lines
from seqserve.commands.model_flags import add_model_flags, open_chosen
from seqserve.errors import InvalidRequestError, RequestError, invalid
from seqserve.language.answers import RankedCandidate
from seqserve.language.language_model import LanguageModel
from seqserve.language.options import RankOptions
from seqserve.language.pipeline.rank import RankTask, read_rank
from seqserve.language.scoring import score_sequences
from seqserve.reading import Limits, converted


class Request(RankOptions, kw_only=True):
    """A line of the file, as a request of /v1/rank."""

    model: str | None = None


class Answer(msgspec.Struct, kw_only=True):
    """What a line is answered with, as by /v1/rank."""

    model: str
    version: str
    best: int
    ranking: list[RankedCandidate]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file and the model."""
    add_file_flags(parser, "JSON lines, a request of /v1/rank each")
    add_model_flags(parser)


def run(given: argparse.Namespace) -> int:
    """Rank; raises BundleError and InputError."""
    bundle = open_chosen(given, LanguageModel).bundle
    name, version = bundle.manifest.name, bundle.manifest.version

    def read(line: str) -> RankTask:
        try:
            request: Request = converted(msgspec.json.decode(line), Request)
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidRequestError(f"The line is not valid JSON: {error}.") from error
        if request.model not in (None, name):
            raise invalid(f"The open model is {name!r}.", "model")
        return read_rank(bundle, request, Limits())

    def answer(tasks: Sequence[RankTask]) -> Iterator[bytes | RequestError]:
        for task in tasks:
            try:
                ranking = task.ranking(score_sequences(bundle.run_rows, task.sequences, bundle.manifest))
            except RequestError as error:
                yield error
            else:
                found = Answer(model=name, version=version, best=ranking[0].index, ranking=ranking)
                yield msgspec.json.encode(found) + b"\n"

    return answer_lines(given, read, answer)
