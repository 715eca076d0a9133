"""The public class of language models: texts in, probabilities or new texts out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, TypedDict, Unpack, overload

from msgspec.structs import replace

from seqserve.errors import invalid
from seqserve.language.answers import RankedCandidate, SampleEnd, SamplePiece, SampleResult, ScoreResult
from seqserve.language.model import LanguageModelBundle
from seqserve.language.options import Candidate, RankOptions, SampleKeywords, SampleOptions, ScoreOptions, options_of
from seqserve.language.pipeline.rank import read_rank
from seqserve.language.pipeline.sample import SamplePlan, plan_samples
from seqserve.language.pipeline.score import check_score, read_score
from seqserve.language.sampling.drawing import draw
from seqserve.language.sampling.sample import Sample
from seqserve.language.scoring import score_sequences
from seqserve.model import Model
from seqserve.reading import Limits, placed
from seqserve.streaming import answer_texts

Include = Iterable[Literal["tokens"]]


class ScoreKeywords(TypedDict, total=False):
    """The options of `LanguageModel.score`."""

    context: str | Sequence[str] | None
    eos: bool | None
    include: Include
    top: int


class LanguageModel(Model[LanguageModelBundle]):
    """A language model, safe from many threads; it starts none. Arguments and answers are those of the HTTP routes.

    Logarithms are natural where not said otherwise. What is not acceptable raises InvalidRequestError.
    """

    @overload
    def score(  # type: ignore[overload-overlap]  # a list is no iterator
        self, texts: Sequence[str], **options: Unpack[ScoreKeywords]
    ) -> list[ScoreResult]: ...

    @overload
    def score(self, texts: Iterable[str], **options: Unpack[ScoreKeywords]) -> Iterator[ScoreResult]: ...

    def score(
        self,
        texts: Iterable[str],
        *,
        context: str | Sequence[str] | None = None,
        eos: bool | None = None,
        include: Include = (),
        top: int = 0,
    ) -> Iterable[ScoreResult]:
        """Return the probability of each text: a list for a list, else an iterator that reads a little ahead.

        context: what stands before, one for all texts or, with a list, one for each. eos: whether <EOS> counts; by
        default it does where the model has learned it. include "tokens": with every token, and its `top` most likely
        alternatives.
        """
        given = {"context": context, "eos": eos, "include": include, "top": top}
        options = options_of(ScoreOptions, given)
        if isinstance(texts, Sequence):
            check_score(texts, options, field="texts")
        elif isinstance(options.context, list):
            raise invalid("One context for each text needs the texts in a list.", "context")
        else:
            check_score("", options)
        bundle = self.bundle

        def answer(batch: list[str], start: int) -> list[ScoreResult]:
            own = options
            if isinstance(options.context, list):
                own = replace(options, context=options.context[start : start + len(batch)])
            task = read_score(bundle, placed(batch, "texts", start=start), own, Limits())
            return task.results(score_sequences(bundle.run_rows, task.sequences, bundle.manifest, num_top=task.num_top))

        return self._streamed(answer_texts(texts, answer))

    def rank(
        self,
        context: str | None,
        candidates: Sequence[str | Candidate],
        *,
        lm_weight: float = 1.0,
        length_bonus: float = 0.0,
        normalize: Literal["none", "tokens"] = "none",
    ) -> list[RankedCandidate]:
        """Return candidates, best first, by score + lm_weight * lm + length_bonus * num_tokens.

        `lm` is log_prob, or with normalize "tokens" log_prob / num_tokens. Of equal candidates the first stays first.
        """
        given = {"context": context, "candidates": candidates, "lm_weight": lm_weight, "length_bonus": length_bonus}
        options = options_of(RankOptions, given | {"normalize": normalize})
        task = read_rank(self.bundle, options, Limits())
        return task.ranking(score_sequences(self.bundle.run_rows, task.sequences, self.bundle.manifest))

    def sample(self, prompt: str = "", **options: Unpack[SampleKeywords]) -> list[SampleResult]:
        """Return `n` new texts that go on from a prompt; the same seed gives the same texts.

        The options are those of /v1/sample, see SampleOptions.
        """
        plan = self._plan(prompt, options)
        samples = [Sample(spec) for spec in plan.specs]
        for _ in draw(self.bundle, samples):
            pass
        return plan.results(samples)

    def stream(self, prompt: str = "", **options: Unpack[SampleKeywords]) -> Iterator[SamplePiece | SampleEnd]:
        """Draw as `sample` does and yield pieces of text as soon as they are certain, and an end for each sample."""
        return self._while_open(_events(self.bundle, self._plan(prompt, options)))

    def _plan(self, prompt: str, options: SampleKeywords) -> SamplePlan:
        given: dict[str, Any] = {"prompt": prompt, **options}
        return plan_samples(self.bundle, options_of(SampleOptions, given))


def _events(bundle: LanguageModelBundle, plan: SamplePlan) -> Iterator[SamplePiece | SampleEnd]:
    samples = [Sample(spec) for spec in plan.specs]
    readers = plan.readers(samples)
    for _ in draw(bundle, samples):
        for reader in readers:
            yield from reader.read()
