"""`seqserve train evaluate` on an encoder-decoder: BLEU and chrF (sacrebleu, Post 2018) and exact matches."""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest

from seqserve.errors import SeqserveError, UsageError
from seqserve.training.reading.pairs import PairFile, read_texts
from seqserve.transducer.beam import Search
from seqserve.transducer.model import TransducerBundle, TransduceRow

KIND = "transducer"
ARGUMENTS = ("source_column", "target_column", "beams", "max_target_tokens")

_BEAMS = (1, 5)


@dataclass(frozen=True)
class TransducerScores:
    """Of one beam width. bleu, chrf: with all references of a source; pair_bleu, pair_chrf: each pair by itself.

    exact_match: sources whose answer is one of their references, extra spaces ignored. All are in 0..100. num_cut_off:
    answers without an end; ms_per_text: milliseconds of decoding alone.
    """

    beams: int
    bleu: float
    chrf: float
    exact_match: float
    pair_bleu: float
    pair_chrf: float
    num_cut_off: int
    ms_per_text: float


def group_references(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the distinct targets of each distinct source, both in the order of the file."""
    references: dict[str, dict[str, None]] = {}
    for source, target in pairs:
        references.setdefault(source, {})[target] = None
    return {source: list(targets) for source, targets in references.items()}


def evaluate_transducer(
    bundle: TransducerBundle, references: Mapping[str, Sequence[str]], search: Search
) -> TransducerScores:
    """Answer every source once and compare with its references; raises SeqserveError without sacrebleu."""
    rows = []
    for source in references:
        ids = bundle.source_ids(source)
        if not 1 <= len(ids) <= bundle.manifest.limits.max_source_tokens:
            raise SeqserveError(f"{source!r} has no token, or more tokens than the model takes")
        rows.append(TransduceRow(ids, search))
    started = time.perf_counter()
    found = bundle.transduce(rows)
    seconds = time.perf_counter() - started
    answers = [bundle.text_of(each.ids) for each in found]
    together = _score(answers, list(references.values()))
    pairs = [(answer, [target]) for answer, own in zip(answers, references.values(), strict=True) for target in own]
    apart = _score([answer for answer, _ in pairs], [targets for _, targets in pairs])
    num_right = sum(
        _spaced(answer) in map(_spaced, own) for answer, own in zip(answers, references.values(), strict=True)
    )
    cut_off = sum(each.finish_reason == "length" for each in found)
    exact = 100 * num_right / len(rows)
    return TransducerScores(search.beams, *together, exact, *apart, cut_off, 1000 * seconds / len(rows))


def _spaced(text: str) -> str:
    """Return a text with single spaces between its words."""
    return " ".join(text.split())


def _score(answers: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Return BLEU and chrF, sacrebleu's defaults (13a, mixed case; chrF2); a text may have any number of references."""
    try:
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF
    except ImportError as error:
        raise SeqserveError("sacrebleu is needed to evaluate an encoder-decoder: pip install sacrebleu") from error
    streams = list(zip_longest(*references))  # one tuple for all first references, and so on; None where there is none
    return BLEU().corpus_score(answers, streams).score, CHRF().corpus_score(answers, streams).score


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only an encoder-decoder takes."""
    group = parser.add_argument_group(
        "encoder-decoders, on a tsv file of pairs; repeated sources share their references"
    )
    group.add_argument("--source-column", type=int, default=0, metavar="N", help="column of the sources (0)")
    group.add_argument("--target-column", type=int, default=1, metavar="N", help="column of the references (1)")
    group.add_argument("--beams", type=int, nargs="+", default=list(_BEAMS), metavar="N", help="beam widths (1 5)")
    group.add_argument("--max-target-tokens", type=int, default=128, metavar="N", help="of an answer (128)")


def run(bundle: TransducerBundle, arguments: argparse.Namespace) -> tuple[dict[str, object], str]:
    """Return the measures for JSON, and a report for people; raises SeqserveError when the file cannot be used."""
    if arguments.file is None:
        raise UsageError("an encoder-decoder is evaluated on FILE, tab-separated pairs")
    if min(arguments.beams) < 1 or arguments.max_target_tokens < 1:
        raise UsageError("--beams and --max-target-tokens must be 1 or more")
    file = PairFile(str(arguments.file), arguments.source_column, arguments.target_column)
    file.check()
    references = group_references(list(read_texts(file)))
    if not references:
        raise SeqserveError(f"{arguments.file}: there are no pairs in it")
    scores = [
        evaluate_transducer(bundle, references, Search(beams, arguments.max_target_tokens)) for beams in arguments.beams
    ]
    num_references = sum(map(len, references.values()))
    lines = [
        f"{len(references):,} texts, {num_references:,} references",
        "beams   BLEU   chrF   exact, %   BLEU, chrF by pairs   cut off   ms a text",
    ]
    lines += [
        f"{each.beams:5}  {each.bleu:5.2f}  {each.chrf:5.2f}  {each.exact_match:9.2f}  "
        f"{f'{each.pair_bleu:.2f}  {each.pair_chrf:.2f}':>20}  {each.num_cut_off:8}  {each.ms_per_text:10.2f}"
        for each in scores
    ]
    measures = {"num_texts": len(references), "num_references": num_references, "scores": list(map(asdict, scores))}
    return measures, "\n".join(lines)
