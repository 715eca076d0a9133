"""Compare two taggers on the same sentences: F1, agreement and speed."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.training.reading.conll import Sentence
from seqserve.training.taggers.evaluate import score_answers

_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of two taggers in order: span F1 (a fraction) and tokens a core-second, from tokens to tags.

    num_found: entities of each; num_same: found by both, with the same borders and label; largest_difference: between
    the scores of one that both found.
    """

    f1: tuple[float, float]
    tokens_per_core_s: tuple[float, float]
    num_found: tuple[int, int]
    num_same: int
    largest_difference: float

    @property
    def agreement(self) -> float:
        """Twice the entities found by both to all found: the F1 of one tagger against the other; 1 for none."""
        return 2 * self.num_same / sum(self.num_found) if any(self.num_found) else 1.0


def compare(first: TaggerBundle, second: TaggerBundle, sentences: Sequence[Sentence]) -> Comparison:
    """Tag the sentences with both in batches of like length, in turn; the speed is the median of the rounds."""
    taggers = first, second
    rounds = [[_tag(tagger, sentences) for tagger in taggers] for _ in range(_ROUNDS)]
    answers = [answers for answers, _ in rounds[0]]
    found = [[dict(answer.entities()) for answer in each] for each in answers]
    pairs = list(zip(*found, strict=True))
    differences = [abs(one[span] - other[span]) for one, other in pairs for span in one.keys() & other.keys()]
    f1s = [score_answers(each, sentences).f1 for each in answers]
    speeds = [statistics.median(speed for _, speed in passes) for passes in zip(*rounds, strict=True)]
    return Comparison(
        f1=(f1s[0], f1s[1]),
        tokens_per_core_s=(speeds[0], speeds[1]),
        num_found=(sum(map(len, found[0])), sum(map(len, found[1]))),
        num_same=len(differences),
        largest_difference=max(differences, default=0.0),
    )


def _tag(tagger: TaggerBundle, sentences: Sequence[Sentence]) -> tuple[list[TaggedSentence], float]:
    """Return the answers, and tokens a core-second."""
    before = time.process_time()
    answers = tagger.tag([sentence.tokens for sentence in sentences])
    core_s = time.process_time() - before
    return answers, sum(len(sentence.tokens) for sentence in sentences) / core_s


def table(comparisons: Mapping[str, Comparison], names: tuple[str, str]) -> str:
    """Return Markdown with one row for each file."""
    first, second = names
    lines = [
        f"| file | F1 of `{first}` | F1 of `{second}` | same names, % | largest difference of a score "
        f"| tokens a core-second, `{first}` | `{second}` |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for file, each in comparisons.items():
        f1 = " | ".join(f"{100 * value:.2f}" for value in each.f1)
        speeds = " | ".join(f"{value:,.0f}" for value in each.tokens_per_core_s)
        agreement = f"{100 * each.agreement:.2f} | {each.largest_difference:.3f}"
        lines.append(f"| {file} | {f1} | {agreement} | {speeds} |")
    return "\n".join(lines)
