"""The quality table of a language model's card: perplexity, minimal pairs, rewrites, the notes' examples.

    python -m benchmarks.lm_quality models/lm-en/1 [TEXT …] [--sentences | --whole] [--format FORMAT] [--json FILE]

TEXT: held-out texts, read as `python -m training evaluate` reads them. Word models also get the pairs of BLiMP (12
paradigms), JFLEG's test and Marvin and Linzen; a preference is a strictly higher log P of the whole sentence, <EOS>
counted. Marvin and Linzen's pairs are given a capital and a full stop.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import pair_sets, run
from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle
from seqserve.training.language import evaluate as evaluate_language_model
from seqserve.training.language.minimal_pairs import Judged, Pair, PairCounts, both_sides, count_pairs, judge, overall
from seqserve.training.language.text_evaluation import TextScores, evaluate_text, shown


@dataclass(frozen=True, slots=True)
class NotesRow:
    """One example of the notes with both natural log-probabilities."""

    good: str
    bad: str
    log_prob_good: float
    log_prob_bad: float

    @property
    def is_right(self) -> bool:
        """Whether the good one is strictly more probable."""
        return self.log_prob_good > self.log_prob_bad


def pair_results(bundle: LanguageModelBundle, *, pairs_a_construction: int) -> dict[str, PairCounts]:
    """Counts by the row of the table; raises CorporaError when data are absent."""
    blimp, jfleg = pair_sets.blimp(), pair_sets.jfleg()
    marvin_linzen = pair_sets.marvin_linzen(pairs_a_construction=pairs_a_construction)
    rows: dict[str, PairCounts] = {}
    _add(rows, "BLiMP", count_pairs(blimp, judge(bundle, both_sides(blimp))))
    judged = judge(bundle, both_sides(jfleg))
    rows["JFLEG test, log P"] = overall(count_pairs(jfleg, judged))
    rows["JFLEG test, log P per token"] = overall(count_pairs(jfleg, pair_sets.per_token(judged)))
    _add(rows, "Marvin and Linzen", count_pairs(marvin_linzen, judge(bundle, both_sides(marvin_linzen))))
    return rows


def notes_rows(pairs: Sequence[Pair], judged: Mapping[str, Judged]) -> list[NotesRow]:
    """Both log-probabilities of each pair."""
    return [NotesRow(pair.good, pair.bad, judged[pair.good].log_prob, judged[pair.bad].log_prob) for pair in pairs]


def text_table(scores: Mapping[str, TextScores]) -> str:
    """Markdown: one row for each text."""
    lines = [
        "| text | perplexity | without unknown | bits per character | tokens | unknown |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, each in scores.items():
        sums = each.sums
        lines.append(
            f"| {name} | {shown(sums.perplexity)} | {shown(sums.perplexity_known)} "
            f"| {shown(each.bits_per_char, 3)} | {sums.num_tokens} | {each.unknown_rate:.2%} |"
        )
    return "\n".join(lines)


def pairs_table(rows: Mapping[str, PairCounts]) -> str:
    """Markdown: accuracy in percent, ties, share of pairs with an unknown word."""
    lines = ["| pairs | right | pairs | ties | with unknown |", "|---|---:|---:|---:|---:|"]
    for name, each in rows.items():
        lines.append(
            f"| {name} | {100 * each.accuracy:.1f} | {each.num_pairs} | {each.num_ties} | {each.unknown_share:.1%} |"
        )
    return "\n".join(lines)


def notes_table(rows: Sequence[NotesRow]) -> str:
    """Markdown: each example and both log-probabilities."""
    lines = ["| more probable should be | than | log P | log P | |", "|---|---|---:|---:|---|"]
    for each in rows:
        verdict = "yes" if each.is_right else "**no**"
        lines.append(f"| {each.good} | {each.bad} | {each.log_prob_good:.2f} | {each.log_prob_bad:.2f} | {verdict} |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """Print the tables; optionally write JSON, rates as fractions."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lm_quality", description=__doc__.split("\n")[0])
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of a language model")
    parser.add_argument("texts", nargs="*", type=Path, metavar="TEXT", help="held-out texts")
    parser.add_argument("--data", metavar="DIR", help="data folder (SEQSERVE_DATA, or data)")
    parser.add_argument(
        "--pairs-a-construction", type=int, default=500, metavar="N", help="of Marvin and Linzen's 22 (500)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers here")
    evaluate_language_model.add_text_arguments(parser)
    arguments = parser.parse_args(words)
    if arguments.data is not None:
        os.environ["SEQSERVE_DATA"] = arguments.data
    bundle = load_bundle(arguments.bundle, LanguageModelBundle)

    measured: dict[str, object] = {}
    texts = {}
    for path in arguments.texts:
        file, options = evaluate_language_model.text_options(bundle, path, arguments)
        texts[f"{path.parent.name}/{path.name}"] = evaluate_text(bundle, path, file, options)
    if texts:
        print(text_table(texts) + "\n", flush=True)
        measured["texts"] = {name: each.as_dict() for name, each in texts.items()}
    if bundle.manifest.architecture.level == "word":
        notes = notes_rows(pair_sets.NOTES, judge(bundle, both_sides(pair_sets.NOTES)))
        print(notes_table(notes) + "\n", flush=True)
        pairs = pair_results(bundle, pairs_a_construction=arguments.pairs_a_construction)
        print(pairs_table(pairs))
        measured["notes"] = [[each.good, each.log_prob_good, each.bad, each.log_prob_bad] for each in notes]
        measured["pairs"] = {name: each.as_dict() for name, each in pairs.items()}
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _add(rows: dict[str, PairCounts], name: str, counts: Mapping[str, PairCounts]) -> None:
    rows[f"{name}, all"] = overall(counts)
    rows.update({f"{name}: {paradigm}": each for paradigm, each in counts.items()})


if __name__ == "__main__":
    run(main)
