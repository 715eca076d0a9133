"""The public class of language models: lists and iterators of texts, the same words for what is refused."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from seqserve.errors import InvalidRequestError, SeqserveError
from seqserve.language.answers import SampleEnd, SamplePiece
from seqserve.language.language_model import LanguageModel
from seqserve.language.options import Candidate, SampleKeywords, SampleOptions
from tests.toy_language_model import TOKENS, ToyLanguageModel

TEXTS = ["the cat sat .", "", "dog", "the cat ran . the cat"]


def opened(*arguments: object, **options: object) -> LanguageModel:
    return LanguageModel(ToyLanguageModel(*arguments, **options))  # type: ignore[arg-type]


def test_a_list_gives_a_list_and_an_iterator_gives_an_iterator_of_the_same() -> None:
    model = opened(max_chunk_tokens=3)
    whole = model.score(TEXTS, context="the", include=["tokens"], top=2)
    streamed = model.score(iter(TEXTS), context="the", include=["tokens"], top=2)
    assert isinstance(whole, list)
    assert isinstance(streamed, Iterator)
    assert list(streamed) == whole


def test_an_iterator_is_read_a_bounded_number_of_texts_ahead() -> None:
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "the cat"

    answers = opened().score(texts())
    assert taken == 0
    assert next(answers) == next(answers)
    assert taken == 256


def test_each_text_has_its_own_context_also_far_down_a_list() -> None:
    model = opened()
    contexts = ["the", "cat", "sat"] * 100
    together = model.score(["ran"] * 300, context=contexts)
    alone = [model.score(["ran"], context=context)[0] for context in contexts[:3]]
    assert together == alone * 100


def test_candidates_come_best_first() -> None:
    ranking = opened().rank("the", ["cat .", Candidate(text="sat", score=50.0), "ran"], lm_weight=0.5)
    assert ranking[0].index == 1
    totals = [item.total for item in ranking]
    assert totals == sorted(totals, reverse=True)


def test_the_same_seed_gives_the_same_samples_and_fewer_are_the_first_of_more() -> None:
    model = opened()
    many = model.sample("the cat", n=8, seed=3)
    assert model.sample("the cat", n=8, seed=3) == many
    assert model.sample("the cat", n=3, seed=3) == many[:3]
    assert model.sample("the cat", n=8) != model.sample("the cat", n=8)


@pytest.mark.parametrize("level", ["word", "character"])
def test_a_stream_holds_the_texts_of_the_samples(level: str) -> None:
    model = opened(level)
    given: dict[str, Any] = {"n": 5, "seed": 1, "max_tokens": 30, "stop": ["a.", "sat"], "include": ["tokens"]}
    texts = [""] * 5
    ends: dict[int, SampleEnd] = {}
    for event in model.stream("the cat" if level == "word" else "ab", **given):
        assert event.index not in ends
        if isinstance(event, SamplePiece):
            texts[event.index] += event.text
        else:
            ends[event.index] = event
    samples = model.sample("the cat" if level == "word" else "ab", **given)
    assert texts == [sample.text for sample in samples]
    assert [ends[index].log_prob for index in range(5)] == [sample.log_prob for sample in samples]


def test_a_stream_is_drawn_only_as_far_as_it_is_read() -> None:
    toy = ToyLanguageModel("character", ends_sentences=False)
    events = LanguageModel(toy).stream(seed=1, max_tokens=4096)  # type: ignore[arg-type]
    next(events)
    assert toy.num_runs == 1


def test_threads_get_their_own_answers() -> None:
    model = opened()
    expected = [model.sample("the", seed=seed, n=4) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda seed: model.sample("the", seed=seed, n=4), range(8))) == expected


def test_a_closed_model_answers_no_more() -> None:
    with opened() as model:
        assert model.score(["the"])
    with pytest.raises(SeqserveError, match="closed"):
        model.score(["the"])


def test_keywords_are_the_fields_of_the_options() -> None:
    fields = [field.name for field in msgspec.structs.fields(SampleOptions)]
    assert ["prompt", *SampleKeywords.__annotations__] == fields


REFUSED: dict[str, tuple[Callable[[LanguageModel], object], str]] = {
    "one text": (lambda model: model.score("the cat"), "/texts: One text must stand in a list"),
    "bytes": (lambda model: model.score(b"the"), "/texts: Expected an iterable of `str`, got `bytes`"),
    "bytes in a list": (lambda model: model.score(["a", b"the"]), "/texts/1: Expected `str`, got `bytes`"),
    "no iterable": (lambda model: model.score(3), "/texts: Expected an iterable of `str`, got `int`"),
    "no text": (lambda model: model.score([]), "/texts: At least one text is needed."),
    "a lone surrogate": (lambda model: model.score(["a", "a\ud800"]), "/texts/1: Character 1 is a lone surrogate"),
    "a surrogate far down": (lambda model: model.score(["a"] * 600 + ["\udfff"]), "/texts/600: Character 0 is a lone"),
    "a surrogate in a stream": (lambda model: list(model.score(iter(["a", "\ud800"]))), "/texts/1: Character 0"),
    "context": (lambda model: model.score(["a"], context=3), "/context: Expected `str | array | null`, got `int`"),
    "a context's surrogate": (lambda model: model.score(["a"], context=["\ud800"]), "/context/0: Character 0"),
    "too few contexts": (lambda model: model.score(["a", "b"], context=["a"]), "/context: There are 1 contexts for 2"),
    "contexts of a stream": (lambda model: model.score(iter(["a"]), context=["a"]), "/context: One context for each"),
    "top": (lambda model: model.score(["a"], include=["tokens"], top=21), "/top: Expected `int` <= 20"),
    "top without tokens": (lambda model: model.score(["a"], top=2), "/top: Alternatives are shown beside tokens"),
    "include": (lambda model: model.score(["a"], include=["ids"]), "/include/0: Invalid enum value 'ids'"),
    "one candidate": (lambda model: model.rank("a", ["a"]), "/candidates: Expected `array` of length >= 2"),
    "a candidate of bytes": (lambda model: model.rank("a", ["a", b"a"]), "/candidates/1: Expected `str | object`"),
    "a candidate's text": (
        lambda model: model.rank("a", ["a", Candidate(text=3)]),  # type: ignore[arg-type]
        "/candidates/1/text: Expected `str`, got `int`",
    ),
    "a candidate's score": (
        lambda model: model.rank("a", ["a", Candidate(text="a", score=math.nan)]),
        "/candidates/1/score: This number is not finite.",
    ),
    "lm_weight": (lambda model: model.rank("a", ["a", "b"], lm_weight=math.inf), "/lm_weight: This number is not"),
    "n": (lambda model: model.sample(n=65), "/n: Expected `int` <= 64"),
    "temperature": (lambda model: model.sample(temperature=math.nan), "/temperature: "),
    "seed": (lambda model: model.sample(seed=2**64), "/seed: A seed has 64 bits"),
    "banned": (lambda model: model.sample(banned=["dog"]), "/banned/0: 'dog' is no word of the model's vocabulary"),
    "everything banned": (lambda model: model.sample(banned=TOKENS["word"], ignore_eos=True), "/banned: Nothing is"),
    "prompt": (lambda model: model.sample(b"the"), "/prompt: Expected `str`, got `bytes`"),
    "a prompt's surrogate": (lambda model: model.stream("\ud800"), "/prompt: Character 0 is a lone surrogate"),
    "unknown option": (lambda model: model.sample(beams=4), "`beams`"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_acceptable(call: Callable[[LanguageModel], object], message: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        call(opened())
    assert message in str(caught.value)
