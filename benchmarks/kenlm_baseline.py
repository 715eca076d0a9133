"""KenLM's 5-gram beside a bundle, on the same text with the same vocabulary and the same end of sentence.

    python -m training text CONFIG > FILE
    python -m benchmarks.kenlm_baseline --build-dir DIR --train-text FILE [--bundle BUNDLE] [TEXT] [--sentences] …

FILE holds one tokenised sentence a line. The words that the bundle does not know are one word to KenLM. Without a
bundle, every word of FILE is known but <unk>, and TEXT is words between blanks: PTB's test gives 141.19, and
WikiText-2's with --whole, which counts the ends of empty lines, 220.14. The pairs of BLiMP and JFLEG are read from the
data folder. lmplz makes a modified Kneser-Ney model, unigrams interpolated, nothing pruned.
"""

import argparse
import json
import math
import os
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks import kenlm_tools, pair_sets, run
from benchmarks.kenlm_tools import Answer, Kenlm
from benchmarks.scoring import bare_tokens_per_s
from seqserve.errors import SeqserveError
from seqserve.language.model import LanguageModelBundle
from seqserve.language.scoring import Sums
from seqserve.loading import load_bundle
from seqserve.training.language import evaluate as evaluate_language_model
from seqserve.training.language.minimal_pairs import Judged, Pair, PairCounts, both_sides, count_pairs, judge, overall
from seqserve.training.language.text_evaluation import TextScores, evaluate_text, shown
from seqserve.training.reading.lines import read_lines
from seqserve.training.reading.text import TextOptions, read_sequences
from seqserve.vocabulary.tokens import EOS_ID, UNKNOWN_ID

_SPEED_TOKENS = 40_000
_SPEED_ROUNDS = 3


def spelling(bundle: LanguageModelBundle | None, word: str) -> str | None:
    """The word as the vocabulary has it, None when it has not; without a bundle only <unk> is unknown."""
    if bundle is None:
        return None if word == "<unk>" else word
    token_id = bundle.vocabulary.lookup(word)
    return None if token_id == UNKNOWN_ID else bundle.vocabulary.form_of(token_id)


def text_scores(answers: Iterable[Answer]) -> TextScores:
    """Sums of KenLM's answers as natural logarithms, its </s> counted; lines and characters are not."""
    answers = list(answers)
    log_probs = np.log(10) * np.array([value for each in answers for value in each.log10_probs])
    unknown = np.array([value for each in answers for value in each.are_unknown], bool)
    sums = Sums(float(log_probs.sum()), len(log_probs), float(log_probs[~unknown].sum()), int(unknown.sum()))
    return TextScores(num_lines=len(answers), num_sequences=len(answers), sums=sums, num_characters=0)


def judge_with(kenlm: Kenlm, bundle: LanguageModelBundle, texts: Iterable[str]) -> dict[str, Judged]:
    """What KenLM says of each distinct text, its tokens being the bundle's."""
    distinct = list(dict.fromkeys(texts))
    sentences = [[token.text for token in bundle.encode(text).tokens] for text in distinct]
    answers = kenlm.query(kenlm_tools.mapped(sentences, lambda word: spelling(bundle, word)))
    return {
        text: Judged(math.log(10) * math.fsum(each.log10_probs), len(each.log10_probs), sum(each.are_unknown))
        for text, each in zip(distinct, answers, strict=True)
    }


def compare_pairs(kenlm: Kenlm, bundle: LanguageModelBundle) -> dict[str, tuple[PairCounts, PairCounts]]:
    """Counts of KenLM and of the bundle for BLiMP, by paradigm and as a whole, and for JFLEG's test."""
    rows: dict[str, tuple[PairCounts, PairCounts]] = {}
    blimp, jfleg = pair_sets.blimp(), pair_sets.jfleg()
    both = [judged(kenlm, bundle, blimp) for judged in (_by_kenlm, _by_bundle)]
    first, second = (count_pairs(blimp, each) for each in both)
    rows["BLiMP, 12 paradigms"] = overall(first), overall(second)
    rows |= {name: (first[name], second[name]) for name in first}
    both = [judged(kenlm, bundle, jfleg) for judged in (_by_kenlm, _by_bundle)]
    first, second = (count_pairs(jfleg, each) for each in both)
    rows["JFLEG test, log P"] = overall(first), overall(second)
    first, second = (count_pairs(jfleg, pair_sets.per_token(each)) for each in both)
    rows["JFLEG test, log P per token"] = overall(first), overall(second)
    return rows


def pairs_table(rows: dict[str, tuple[PairCounts, PairCounts]]) -> str:
    """Markdown: accuracy of both, pairs, ties of both, share of pairs with an unknown word."""
    lines = ["| pairs | KenLM-5 | bundle | pairs | ties | with unknown |", "|---|---:|---:|---:|---:|---:|"]
    for name, (kenlm, bundle) in rows.items():
        lines.append(
            f"| {name} | {100 * kenlm.accuracy:.1f} | {100 * bundle.accuracy:.1f} | {kenlm.num_pairs} "
            f"| {kenlm.num_ties} / {bundle.num_ties} | {100 * bundle.unknown_share:.1f} % |"
        )
    return "\n".join(lines)


def perplexity_table(kenlm: TextScores, bundle: TextScores | None) -> str:
    """Markdown: one row for each model."""
    lines = [
        "| model | perplexity | without unknown | tokens | unknown |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, each in (("KenLM-5", kenlm), ("bundle", bundle)):
        if each is not None:
            lines.append(
                f"| {name} | {shown(each.sums.perplexity)} | {shown(each.sums.perplexity_known)} "
                f"| {each.sums.num_tokens} | {100 * each.unknown_rate:.2f} % |"
            )
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """Build, train, print the tables; optionally write JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kenlm_baseline", description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, metavar="TEXT", help="held-out text for the perplexity")
    parser.add_argument("--build-dir", type=Path, required=True, metavar="DIR", help="KenLM's source, build and models")
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--train-text", type=Path, metavar="FILE", help="one tokenised sentence a line")
    model.add_argument("--binary", type=Path, metavar="FILE", help="KenLM's model that an earlier run left in DIR")
    parser.add_argument("--bundle", type=Path, metavar="BUNDLE", help="folder of a word-level language model")
    parser.add_argument("--order", type=int, default=5, metavar="N", help="longest n-gram (5)")
    parser.add_argument("--data", metavar="DIR", help="data folder (SEQSERVE_DATA, or data)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the perplexities here")
    evaluate_language_model.add_text_arguments(parser)
    arguments = parser.parse_args(words)
    if arguments.data is not None:
        os.environ["SEQSERVE_DATA"] = arguments.data
    bundle = None if arguments.bundle is None else _word_model(arguments.bundle)

    programs = kenlm_tools.build(arguments.build_dir)
    kenlm = Kenlm(programs, arguments.binary) if arguments.binary else _train(programs, bundle, arguments)
    if arguments.file is not None:
        _compare_text(kenlm, bundle, arguments)
    if bundle is not None:
        print(pairs_table(compare_pairs(kenlm, bundle)))
    return 0


def _word_model(folder: Path) -> LanguageModelBundle:
    bundle = load_bundle(folder, LanguageModelBundle)
    if bundle.manifest.architecture.level != "word" or not bundle.manifest.ends_sentences:
        raise SeqserveError(f"{folder}: KenLM is compared with models of words that end sentences")
    return bundle


def _train(programs: Path, bundle: LanguageModelBundle | None, arguments: argparse.Namespace) -> Kenlm:
    started = time.perf_counter()
    sentences = (line.split() for line in read_lines(arguments.train_text))
    spelled = kenlm_tools.mapped(sentences, lambda word: spelling(bundle, word))
    kenlm = kenlm_tools.train(programs, spelled, arguments.build_dir, order=arguments.order)
    size = kenlm.binary.stat().st_size / 1e6
    print(f"KenLM-{arguments.order}: {time.perf_counter() - started:.0f} s to train, {size:.0f} MB as probing binary\n")
    return kenlm


def _compare_text(kenlm: Kenlm, bundle: LanguageModelBundle | None, arguments: argparse.Namespace) -> None:
    if bundle is None:
        file = evaluate_language_model.text_file(arguments.file, arguments)
        options = TextOptions(unit="stream" if arguments.whole else "sentence" if arguments.sentences else "line")
        file.check(options)
    else:
        file, options = evaluate_language_model.text_options(bundle, arguments.file, arguments)
    # A stream of words is lines to KenLM, empty ones too, for it knows no context beyond one.
    sequences = list(read_sequences(arguments.file, file, options))
    sentences = list(kenlm_tools.mapped(sequences, lambda word: spelling(bundle, word)))
    scores = text_scores(kenlm.query(sentences))
    ours = None if bundle is None else evaluate_text(bundle, arguments.file, file, options)
    print(perplexity_table(scores, ours) + "\n")
    if bundle is not None:
        num_sentences = _sentences_within(sentences, _SPEED_TOKENS)
        rows = [[*map(bundle.vocabulary.lookup, tokens), EOS_ID] for tokens in sequences[:num_sentences]]
        speed = statistics.median(bare_tokens_per_s(bundle, rows) for _ in range(_SPEED_ROUNDS))
        print(f"tokens/s, one process: KenLM {kenlm.tokens_per_s(sentences):.0f}, bundle {speed:.0f}\n")
    if arguments.json is not None:
        found = {"kenlm": scores.as_dict(), "bundle": None if ours is None else ours.as_dict()}
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _sentences_within(sentences: Sequence[Sequence[str]], num_tokens: int) -> int:
    """Return how many sentences, from the first on, hold this many tokens."""
    seen = 0
    for number, sentence in enumerate(sentences):
        if seen >= num_tokens:
            return number
        seen += len(sentence) + 1
    return len(sentences)


def _by_kenlm(kenlm: Kenlm, bundle: LanguageModelBundle, pairs: Sequence[Pair]) -> dict[str, Judged]:
    return judge_with(kenlm, bundle, both_sides(pairs))


def _by_bundle(kenlm: Kenlm, bundle: LanguageModelBundle, pairs: Sequence[Pair]) -> dict[str, Judged]:
    return judge(bundle, both_sides(pairs))


if __name__ == "__main__":
    run(main)
