"""The probability of texts: from texts to sequences of ids, and from their scores to answers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec import UNSET

from seqserve.errors import invalid, pointer_to
from seqserve.language.answers import Alternative, ScoredToken, ScoreResult
from seqserve.language.batches import ScoredRow
from seqserve.language.model import LanguageModelBundle
from seqserve.language.options import ScoreOptions
from seqserve.language.pipeline.read_texts import InputText, TextReader, TokenLimits
from seqserve.language.scoring import Sequences, sums_of
from seqserve.vocabulary.tokens import EOS_FORM, UNKNOWN_ID, TokenVocabulary


@dataclass(frozen=True, slots=True)
class ScoreTask:
    """Texts that were read: `sequences` to be scored with `num_top` alternatives, and what of it is shown."""

    inputs: list[InputText]
    sequences: Sequences
    wants_tokens: bool
    top: int
    vocabulary: TokenVocabulary

    @property
    def num_top(self) -> int:
        """How many alternatives the graph has to find: ranks come with at least one."""
        return min(max(1, self.top), len(self.vocabulary)) if self.wants_tokens else 0

    @property
    def num_items(self) -> int:
        """How many parts the answers have, about."""
        return self.sequences.num_tokens * (1 + self.top) if self.wants_tokens else len(self.inputs)

    def results(self, scores: Sequence[ScoredRow]) -> list[ScoreResult]:
        """Return the answers, in order."""
        return [self._result(*pair) for pair in zip(self.inputs, scores, strict=True)]

    def _result(self, item: InputText, scores: ScoredRow) -> ScoreResult:
        sums = sums_of(item.ids, scores.log_probs)
        return ScoreResult(
            log_prob=sums.log_prob,
            log10_prob=sums.log10_prob,
            prob=math.exp(min(sums.log_prob, 0.0)),  # sums of exponentials in float32 may end a little above 1
            num_tokens=sums.num_tokens,
            num_unknown=sums.num_unknown,
            perplexity=sums.perplexity,
            perplexity_known=sums.perplexity_known,
            tokens=self._tokens(item, scores) if self.wants_tokens else UNSET,
        )

    def _tokens(self, item: InputText, scores: ScoredRow) -> list[ScoredToken]:
        end = len(item.text)
        places = [*item.tokens, (EOS_FORM, end, end)][: len(item.ids)]  # <EOS> only when it counts
        numbers = zip(
            places,
            scores.log_probs.tolist(),
            scores.ranks.tolist(),
            (item.ids == UNKNOWN_ID).tolist(),
            strict=True,
        )
        tokens = [
            ScoredToken(text=text, start=start, end=end, log_prob=log_prob, rank=rank, is_unknown=is_unknown)
            for (text, start, end), log_prob, rank, is_unknown in numbers
        ]
        if self.top:
            rows = zip(tokens, scores.top_ids.tolist(), scores.top_log_probs.tolist(), strict=True)
            for token, ids, log_probs in rows:
                token.top = [
                    Alternative(text=self.vocabulary.form_of(token_id), log_prob=log_prob)
                    for token_id, log_prob in zip(ids, log_probs, strict=True)
                ]
        return tokens


def check_score(text: str | Sequence[str], options: ScoreOptions) -> None:
    """Raise InvalidRequestError on what the types allow but makes no sense."""
    if not isinstance(text, str) and not text:
        raise invalid("At least one text is needed.", "text")
    if isinstance(options.context, list):
        num_texts = len(_listed(text))
        if len(options.context) != num_texts:
            raise invalid(
                f"There are {len(options.context)} contexts for {num_texts} texts: one for all or one per text is "
                "needed.",
                "context",
            )
    if options.top and "tokens" not in options.include:
        raise invalid('Alternatives are shown beside tokens: include must hold "tokens".', "top")


def read_score(
    bundle: LanguageModelBundle, text: str | Sequence[str], options: ScoreOptions, limits: TokenLimits
) -> ScoreTask:
    """Encode texts and the contexts before them; raises InvalidRequestError and TextTooLongError."""
    eos = counts_eos(bundle, options.eos)
    reader = TextReader(bundle, limits)
    texts = _listed(text)
    contexts = reader.read_contexts(_contexts(options, len(texts)))
    places = ["/text"] if isinstance(text, str) else [pointer_to("text", index) for index in range(len(texts))]
    inputs = [reader.read(each, place, eos=eos) for each, place in zip(texts, places, strict=True)]
    sequences = Sequences([item.ids for item in inputs], *contexts)
    return ScoreTask(inputs, sequences, "tokens" in options.include, options.top, bundle.vocabulary)


def counts_eos(bundle: LanguageModelBundle, asked: bool | None) -> bool:
    """Say whether <EOS> is scored; raises InvalidRequestError when it is asked of a model that never learned it."""
    if asked and not bundle.manifest.ends_sentences:
        raise invalid(f"Model {bundle.manifest.name!r} never learned <EOS>: eos must be false.", "eos")
    return bundle.manifest.ends_sentences if asked is None else asked


def _listed(text: str | Sequence[str]) -> Sequence[str]:
    return [text] if isinstance(text, str) else text


def _contexts(options: ScoreOptions, num_texts: int) -> Iterator[tuple[str, str]]:
    """Yield what comes before each text, and its place in the request."""
    for index in range(num_texts):
        if isinstance(options.context, list):
            yield options.context[index], pointer_to("context", index)
        else:
            yield options.context or "", pointer_to("context")
