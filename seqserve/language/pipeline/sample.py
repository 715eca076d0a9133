"""New text: from options to specifications of samples, and from what was drawn to answers or events of a stream."""

import math
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from seqserve.errors import FieldError, InvalidRequestError, invalid, pointer_to, too_long
from seqserve.language.answers import DrawnToken, SampleEnd, SamplePiece, SampleResult
from seqserve.language.model import EncodedText, LanguageModelBundle
from seqserve.language.options import SampleOptions
from seqserve.language.sampling.sample import FinishReason, Sample
from seqserve.language.sampling.spec import MAX_SEED, NOTHING_LEFT, SEED_BITS, SampleSpec
from seqserve.language.sampling.text import SampleText, TextFactory
from seqserve.vocabulary.tokens import EOS_ID, FIRST_ID, UNKNOWN_ID

_MOST_ERRORS = 16
_ECHOED_CHARS = 100
# Beyond these float32 would hold 0 or infinity; each is as good as greedy, or as no preference at all.
_GREEDY_BELOW = 1e-5
_LARGEST = 1e6
_SMALLEST = 1e-6


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """What a request asks for: one specification per sample, and what its texts are made with."""

    seed: int
    specs: list[SampleSpec]
    texts: TextFactory
    form_of: Callable[[int], str]
    wants_tokens: bool

    def results(self, samples: Sequence[Sample]) -> list[SampleResult]:
        """Return the answer's items, in order."""
        return [
            SampleResult(
                text=_text_of(sample, self.texts.make()),
                num_tokens=len(sample.ids),
                log_prob=math.fsum(sample.log_probs),
                finish_reason=_reason_of(sample),
                tokens=self._tokens(sample) if self.wants_tokens else UNSET,
            )
            for sample in samples
        ]

    def readers(self, samples: Sequence[Sample]) -> list["SampleReader"]:
        """Return what turns samples into the events of a stream while they are drawn."""
        form_of = self.form_of if self.wants_tokens else None
        return [SampleReader(index, sample, self.texts.make(), form_of) for index, sample in enumerate(samples)]

    def _tokens(self, sample: Sample) -> list[DrawnToken]:
        drawn = zip(sample.ids, sample.log_probs, strict=True)
        return [DrawnToken(text=self.form_of(token_id), log_prob=log_prob) for token_id, log_prob in drawn]


class SampleReader:
    """Turns what has been drawn of one sample since it was last asked into events; `form_of` None: without tokens."""

    def __init__(self, index: int, sample: Sample, text: SampleText, form_of: Callable[[int], str] | None) -> None:
        self.is_done = False
        self._index = index
        self._sample = sample
        self._text = text
        self._form_of = form_of
        self._num_read = 0
        self._unsent: list[tuple[int, float]] = []

    def read(self) -> Iterator[SamplePiece | SampleEnd]:
        """Yield a piece per token that adds text, and the end; every event is the same however often this is called."""
        sample = self._sample
        has_ended = sample.finish_reason is not None  # looked at first: what is drawn afterwards is no part of it
        for position in range(self._num_read, len(sample.log_probs)):
            token_id = sample.ids[position]
            if token_id == EOS_ID:
                yield from self._piece(self._text.end())
            self._unsent.append((token_id, sample.log_probs[position]))
            if token_id != EOS_ID:
                yield from self._piece(self._text.push(token_id))
            self._num_read = position + 1
        if has_ended and not self.is_done:
            self.is_done = True
            yield from self._piece(self._text.end())
            yield SampleEnd(
                index=self._index,
                finish_reason=_reason_of(sample),
                num_tokens=len(sample.ids),
                log_prob=math.fsum(sample.log_probs),
                tokens=self._tokens(),
            )

    def _piece(self, text: str) -> Iterator[SamplePiece]:
        if text:
            log_prob = math.fsum(log_prob for _, log_prob in self._unsent)
            yield SamplePiece(index=self._index, text=text, log_prob=log_prob, tokens=self._tokens())
            self._unsent = []

    def _tokens(self) -> list[DrawnToken] | UnsetType:
        if self._form_of is None:
            return UNSET
        return [DrawnToken(text=self._form_of(token_id), log_prob=log_prob) for token_id, log_prob in self._unsent]


def plan_samples(
    bundle: LanguageModelBundle, options: SampleOptions, *, max_prompt_tokens: int | None = None
) -> SamplePlan:
    """Check options against the model that is to draw; `max_prompt_tokens` None: no limit.

    Raises InvalidRequestError and TextTooLongError, which name the field.
    """
    if options.seed is not None and options.seed > MAX_SEED:
        raise invalid(f"A seed has {SEED_BITS} bits: at most {MAX_SEED}.", "seed")
    if options.min_tokens > options.max_tokens:
        raise invalid(f"min_tokens is larger than max_tokens, {options.max_tokens}.", "min_tokens")
    for name in ("top_p", "repetition_penalty"):
        # msgspec compares with the smallest float above 0, which is 0 in threads where the runtime flushes denormals.
        if getattr(options, name) <= 0:
            raise invalid("It must be above 0.", name)
    banned_ids = _banned_ids(options, bundle)
    prompt = bundle.encode_unended(options.prompt, limit=max_prompt_tokens)
    if max_prompt_tokens is not None and len(prompt.ids) > max_prompt_tokens:
        raise too_long(f"The prompt has more than {max_prompt_tokens} tokens (max_prompt_tokens).", "prompt")
    seed = secrets.randbits(SEED_BITS) if options.seed is None else options.seed
    texts = TextFactory(bundle, options.prompt, prompt, options.stop)
    specs = [_spec(options, index, seed, prompt, banned_ids, texts) for index in range(options.n)]
    return SamplePlan(seed, specs, texts, bundle.vocabulary.form_of, "tokens" in options.include)


def _spec(
    options: SampleOptions, index: int, seed: int, prompt: EncodedText, banned_ids: tuple[int, ...], texts: TextFactory
) -> SampleSpec:
    return SampleSpec(
        index=index,
        seed=seed,
        prompt_ids=tuple(prompt.ids),
        max_tokens=options.max_tokens,
        min_tokens=options.min_tokens,
        temperature=0.0 if options.temperature < _GREEDY_BELOW else min(options.temperature, _LARGEST),
        top_k=options.top_k,
        top_p=max(options.top_p, _SMALLEST),
        min_p=options.min_p,
        repetition_penalty=min(max(options.repetition_penalty, _SMALLEST), _LARGEST),
        banned_ids=banned_ids,
        stops=_stop_watch(texts.make()) if options.stop else None,
    )


def _stop_watch(text: SampleText) -> Callable[[int], bool]:
    def stops(token_id: int) -> bool:
        text.push(token_id)
        return text.is_stopped

    return stops


def _banned_ids(options: SampleOptions, bundle: LanguageModelBundle) -> tuple[int, ...]:
    """Return the ids that are never drawn; refuses words that would ban nothing, and bans that leave nothing."""
    vocabulary = bundle.vocabulary
    is_word = bundle.manifest.architecture.level == "word"
    kind = "word" if is_word else "single character"
    banned: list[int] = []
    fields: list[FieldError] = []
    for index, word in enumerate(options.banned):
        token_id = vocabulary.lookup(word)
        # Look-up falls back to other spellings, and banning those is not what was asked for.
        is_known = token_id >= FIRST_ID and vocabulary.form_of(token_id) in (word, unicodedata.normalize("NFC", word))
        if is_known:
            banned.append(token_id)
        elif len(fields) < _MOST_ERRORS:
            detail = (
                f"{word[:_ECHOED_CHARS]!r} is no {kind} of the model's vocabulary, so banning it would ban nothing."
            )
            fields.append(FieldError(pointer_to("banned", index), detail))
    if fields:
        raise InvalidRequestError(f"{fields[0].pointer}: {fields[0].detail}", fields)
    if not options.allow_unknown:
        banned.append(UNKNOWN_ID)
    if options.ignore_eos or not bundle.manifest.ends_sentences:
        banned.append(EOS_ID)
    ids = tuple(dict.fromkeys(banned))
    if len({*ids, EOS_ID} if options.min_tokens else ids) >= len(vocabulary):
        raise invalid(NOTHING_LEFT, "banned")
    return ids


def _text_of(sample: Sample, text: SampleText) -> str:
    pieces = [text.push(token_id) for token_id in sample.ids if token_id != EOS_ID]
    return "".join([*pieces, text.end()])


def _reason_of(sample: Sample) -> FinishReason:
    assert sample.finish_reason is not None, "an answer is of samples that have ended"
    return sample.finish_reason
