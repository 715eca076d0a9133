"""The minimal pairs that models are measured on: BLiMP's 12 staged paradigms, JFLEG, Marvin and Linzen, the notes'."""

from collections.abc import Mapping

from seqserve.training.corpora import corpus_file
from seqserve.training.language.minimal_pairs import Judged, Pair, read_pairs
from seqserve.training.reading.lines import read_lines

NOTES = (
    Pair("The apple and pear salad", "The apple and pair salad", "sound-alike"),
    Pair("The cats , which already ate , were full .", "The cats , which already ate , was full .", "agreement"),
    Pair("The cat , which already ate , was full .", "The cat , which already ate , were full .", "agreement"),
    Pair(
        "The cats , which already ate a bunch of food , were full .",
        "The cats , which already ate a bunch of food , was full .",
        "agreement",
    ),
    Pair(
        "The cat , which already ate a bunch of food , was full .",
        "The cat , which already ate a bunch of food , were full .",
        "agreement",
    ),
)
"""The examples of the notes."""


def blimp() -> list[Pair]:
    """12,000 pairs; raises CorporaError when the data are absent."""
    folder = corpus_file("blimp_dev")
    names = sorted(path.name for path in folder.glob("*.jsonl") if path.name != "models_summary.jsonl")
    return [pair for name in names for pair in read_pairs(folder / name)]


def jfleg(split: str = "test") -> list[Pair]:
    """A learner's sentence is bad, each of its four rewrites that differs from it is good."""
    folder = corpus_file("jfleg")
    sources = list(read_lines(folder / f"{split}.src"))
    pairs = []
    for number in range(4):
        for source, rewrite in zip(sources, read_lines(folder / f"{split}.ref{number}"), strict=True):
            if source.split() != rewrite.split():
                pairs.append(Pair(" ".join(rewrite.split()), " ".join(source.split()), f"jfleg {split}"))
    return pairs


def marvin_linzen(*, pairs_a_construction: int) -> list[Pair]:
    """Evenly spaced pairs of each construction, written as sentences: a capital first and a full stop last."""
    by_construction: dict[str, list[Pair]] = {}
    for pair in read_pairs(corpus_file("marvin_linzen/pairs.jsonl.gz")):
        by_construction.setdefault(pair.paradigm, []).append(pair)
    chosen = []
    for pairs in by_construction.values():
        step = max(1, len(pairs) / pairs_a_construction)
        places = [int(number * step) for number in range(min(len(pairs), pairs_a_construction))]
        chosen += [Pair(_sentence(pairs[at].good), _sentence(pairs[at].bad), pairs[at].paradigm) for at in places]
    return chosen


def per_token(judged: Mapping[str, Judged]) -> dict[str, Judged]:
    """The same with log P / num_tokens for log P, so that a longer sentence is not held against itself."""
    return {
        text: Judged(each.log_prob / max(1, each.num_tokens), each.num_tokens, each.num_unknown)
        for text, each in judged.items()
    }


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]} ."
