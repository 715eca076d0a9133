"""The probability of texts: from texts to sequences of ids, and from their scores to answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import UNSET

from seqserve.errors import invalid
from seqserve.language.answers import Alternative, ScoredToken, ScoreResult
from seqserve.language.batches import ScoredRow
from seqserve.language.model import LanguageModelBundle
from seqserve.language.options import ScoreOptions
from seqserve.language.pipeline.read_texts import InputText, TextReader, own_rows, sequences_of
from seqserve.language.scoring import Sequences, sums_of
from seqserve.reading import Limits, Place, placed
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
        return [self._result(*pair) for pair in zip(self.inputs, own_rows(self.inputs, scores), strict=True)]

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
            places, scores.log_probs.tolist(), scores.ranks.tolist(), (item.ids == UNKNOWN_ID).tolist(), strict=True
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


def check_score(texts: str | Sequence[str], options: ScoreOptions, *, field: str = "text") -> None:
    """Raise InvalidRequestError on what the types allow but makes no sense; `field` names the argument of the texts."""
    num_texts = 1 if isinstance(texts, str) else len(texts)
    if not num_texts:
        raise invalid("At least one text is needed.", field)
    if isinstance(options.context, list) and len(options.context) != num_texts:
        raise invalid(
            f"There are {len(options.context)} contexts for {num_texts} texts: one for all or one per text is needed.",
            "context",
        )
    if options.top and "tokens" not in options.include:
        raise invalid('Alternatives are shown beside tokens: include must hold "tokens".', "top")


def read_score(
    bundle: LanguageModelBundle, texts: Sequence[tuple[str, Place]], options: ScoreOptions, limits: Limits
) -> ScoreTask:
    """Encode texts, each with its place, and the contexts before them.

    Raises InvalidRequestError and TextTooLongError.
    """
    eos = counts_eos(bundle, options.eos)
    reader = TextReader(bundle, limits)
    context = options.context or ""
    each = [(context, ("context",))] * len(texts) if isinstance(context, str) else placed(context, "context")
    contexts = [reader.read_context(*found) for found in each]
    inputs = [
        reader.read(text, place, context=before, eos=eos) for (text, place), before in zip(texts, contexts, strict=True)
    ]
    return ScoreTask(inputs, sequences_of(inputs), "tokens" in options.include, options.top, bundle.vocabulary)


def counts_eos(bundle: LanguageModelBundle, asked: bool | None) -> bool:
    """Say whether <EOS> is scored; raises InvalidRequestError when it is asked of a model that never learned it."""
    if asked and not bundle.manifest.ends_sentences:
        raise invalid(f"Model {bundle.manifest.name!r} never learned <EOS>: eos must be false.", "eos")
    return bundle.manifest.ends_sentences if asked is None else asked
