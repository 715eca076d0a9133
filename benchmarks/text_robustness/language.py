"""The figures of a language model."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from benchmarks import pair_sets
from benchmarks.load.texts import FIXTURE, read_texts
from benchmarks.running_service import RunningService
from benchmarks.text_robustness import phrases
from benchmarks.text_robustness.figures import Figure
from seqserve.text.tokenization import tokenize
from seqserve.training.corpora import corpus_file
from seqserve.training.language.minimal_pairs import Pair
from seqserve.training.reading.lines import read_lines

_NUM_CUTS = 500
_SEED = 20
_EQUAL, _EQUAL_AIM = 1e-4, 1e-9  # nats; float64 sums of the same float32 numbers
_A_REQUEST = 50
_NUM_SAMPLES = 50
_ALIKE = 0.75  # of difflib; a misspelling is another way to write the word

Results = list[Mapping[str, Any]]


class LanguageService:
    """Scores and ranks through a running service."""

    def __init__(self, service: RunningService) -> None:
        self._service = service

    def scores(self, texts: Sequence[str], contexts: Sequence[str] | None = None, **options: Any) -> Results:
        """Answers of /v1/score, in order."""
        found: Results = []
        for start in range(0, len(texts), _A_REQUEST):
            body = {"text": texts[start : start + _A_REQUEST], **options}
            if contexts is not None:
                body["context"] = contexts[start : start + _A_REQUEST]
            found += self._service.post("/v1/score", body)["results"]
        return found

    def log_probs(self, texts: Sequence[str], contexts: Sequence[str] | None = None, **options: Any) -> list[float]:
        """Natural logarithms, in order."""
        return [float(each["log_prob"]) for each in self.scores(texts, contexts, **options)]

    def best(self, candidates: Sequence[str]) -> int:
        """Position of the candidate that /v1/rank puts first."""
        return int(self._service.post("/v1/rank", {"candidates": list(candidates)})["best"])

    def samples(self, prompt: str) -> Results:
        """Samples of /v1/sample."""
        body = {"prompt": prompt, "n": _NUM_SAMPLES, "max_tokens": 3, "seed": _SEED}
        samples: Results = self._service.post("/v1/sample", body)["samples"]
        return samples


def language_figures(service: RunningService, *, has_data: bool) -> Iterator[tuple[str, list[Figure]]]:
    """Yield each group of figures with its title; with data, sentences and pairs are drawn from them too."""
    model = LanguageService(service)
    yield "Language model: a text in two parts", list(_parts(model, _sentences(has_data=has_data)))
    yield "Language model: unknown words", list(_unknown(model, has_data=has_data))
    yield "Language model: the same text in other characters", list(_characters(model))


def _sentences(*, has_data: bool) -> list[str]:
    """Return the fixture's sentences, or with data those of Tatoeba's and Standard Ebooks' valid, evenly drawn."""
    if not has_data:
        return read_texts(FIXTURE, FIXTURE.parent)[0]
    tatoeba = [line.split("\t")[0] for line in read_lines(corpus_file("tatoeba_eng_fra/valid.tsv"))]
    books = [line for line in read_lines(corpus_file("standard_ebooks/valid.txt.xz")) if 20 < len(line) < 300]
    return [*_evenly(tatoeba, _NUM_CUTS // 2), *_evenly(books, _NUM_CUTS // 2)]


def _evenly(texts: Sequence[str], number: int) -> list[str]:
    step = max(1, len(texts) // number)
    return list(texts[::step][:number])


def _cuts(sentences: Sequence[str]) -> list[tuple[str, str]]:
    """Return (context, text): sentences cut at ends of their tokens, and after every period of `ABBREVIATED`."""
    draw = random.Random(_SEED)
    pairs = [
        (text[: token.end], text[token.end :])
        for text in phrases.ABBREVIATED
        for token in tokenize(text)[:-1]
        if token.text.endswith(".") or draw.random() < 0.3
    ]
    cuttable = [text for text in sentences if len(tokenize(text)) > 1]
    while cuttable and len(pairs) < _NUM_CUTS:
        for text in cuttable[: _NUM_CUTS - len(pairs)]:
            end = draw.choice(tokenize(text)[:-1]).end
            has_space = text[end].isspace()
            end += has_space and draw.random() < 0.5  # the space belongs to either side
            pairs.append((text[:end], text[end:]))
    return pairs


def _parts(model: LanguageService, sentences: Sequence[str]) -> Iterator[Figure]:
    yield _additivity(model, "cut after a token", _cuts(sentences))
    draw = random.Random(_SEED)
    anywhere = [
        (text[:cut], text[cut:]) for text in sentences if len(text) > 1 for cut in (draw.randrange(1, len(text)),)
    ]
    yield _additivity(model, "cut at any character, inside words too", anywhere, is_asked=False)
    ended = {
        prompt: sum(each["num_tokens"] == 1 and each["finish_reason"] == "eos" for each in model.samples(prompt))
        for prompt in phrases.PROMPTS
    }
    yield Figure(
        measure="samples that end at once after an abbreviation",
        values=(sum(ended.values()),),
        target=len(ended),
        aim=0,
        at_most=True,
        unit=f"of {len(ended) * _NUM_SAMPLES}",
        errors=tuple(f"{prompt!r}: {number}" for prompt, number in ended.items() if number),
    )


def _additivity(
    model: LanguageService, title: str, pairs: Sequence[tuple[str, str]], *, is_asked: bool = True
) -> Figure:
    contexts, texts = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    whole = model.log_probs([context + text for context, text in pairs])
    before = model.log_probs(contexts, eos=False)
    after = model.log_probs(texts, contexts)
    off = [abs(total - first - second) for total, first, second in zip(whole, before, after, strict=True)]
    wrong = sorted(((size, pair) for size, pair in zip(off, pairs, strict=True) if size > _EQUAL), reverse=True)
    return Figure(
        measure=f"largest difference of whole and parts, {len(pairs)} sentences {title}; {len(wrong)} differ",
        values=(max(off),),
        target=_EQUAL if is_asked else None,
        aim=_EQUAL_AIM if is_asked else None,
        at_most=True,
        unit="nats",
        errors=tuple(f"{size:.2f}  {context!r} + {text!r}" for size, (context, text) in wrong),
    )


def _unknown(model: LanguageService, *, has_data: bool) -> Iterator[Figure]:
    yield _wins(model, "misspellings that beat the right word", phrases.MISSPELT, (2, 0))
    if has_data:
        pairs = _misspelt_in_jfleg(model)
        yield _wins(model, "the same in JFLEG dev", pairs, (len(pairs) * 2 // 25, 0))
    yield _wins(model, "nonsense that beats a sentence", phrases.NONSENSE, (0, 0))
    for title, written in (("capitals", str.upper), ("small letters", str)):
        wrong = [
            written(each[0]) for each in phrases.N_BEST if not _finds_first(model, [written(text) for text in each])
        ]
        yield Figure(
            measure=f"lists in {title} of which a wrong text is best",
            values=(len(wrong),),
            at_most=True,
            unit=f"of {len(phrases.N_BEST)}",
            errors=tuple(wrong),
        )


def _finds_first(model: LanguageService, candidates: Sequence[str]) -> bool:
    """Say whether the first is best; it is sent last, since of equal ones the first would be."""
    return model.best([*candidates[1:], candidates[0]]) == len(candidates) - 1


def _wins(
    model: LanguageService, measure: str, pairs: Sequence[tuple[str, str]], limits: tuple[float, float]
) -> Figure:
    bad = model.log_probs([pair[0] for pair in pairs])
    good = model.log_probs([pair[1] for pair in pairs])
    errors = tuple(
        f"{pair[0]}  {low:.2f} against {high:.2f}"
        for pair, low, high in zip(pairs, bad, good, strict=True)
        if low >= high
    )
    return Figure(
        measure=measure,
        values=(len(errors),),
        target=limits[0],
        aim=limits[1],
        at_most=True,
        unit=f"of {len(pairs)}",
        errors=errors,
    )


def _misspelt_in_jfleg(model: LanguageService) -> list[tuple[str, str]]:
    """Return (bad, good) that differ in one word, unknown to the model in the bad one alone."""
    pairs = list(dict.fromkeys((each.bad, each.good) for each in pair_sets.jfleg("dev") if _is_one_word_off(each)))
    bad = model.scores([pair[0] for pair in pairs])
    good = model.scores([pair[1] for pair in pairs])
    return [
        pair
        for pair, low, high in zip(pairs, bad, good, strict=True)
        if low["num_unknown"] == high["num_unknown"] + 1 and low["num_tokens"] == high["num_tokens"]
    ]


def _is_one_word_off(pair: Pair) -> bool:
    bad, good = pair.bad.split(), pair.good.split()
    if len(bad) != len(good):
        return False
    ((old, new), *others) = [words for words in zip(bad, good, strict=True) if words[0] != words[1]]
    return not others and old.isalpha() and new.isalpha() and SequenceMatcher(None, old, new).ratio() >= _ALIKE


def _characters(model: LanguageService) -> Iterator[Figure]:
    typed = model.log_probs([pair[0] for pair in phrases.TYPOGRAPHIC])
    plain = model.log_probs([pair[1] for pair in phrases.TYPOGRAPHIC])
    off = [abs(first - second) for first, second in zip(typed, plain, strict=True)]
    wrong = _different(phrases.TYPOGRAPHIC, off)
    yield Figure(
        measure=f"largest difference of {len(off)} texts in typographic and in plain characters; {len(wrong)} differ",
        values=(max(off),),
        target=_EQUAL,
        aim=_EQUAL_AIM,
        at_most=True,
        unit="nats",
        errors=wrong,
    )


def _different(pairs: Iterable[tuple[str, str]], off: Iterable[float]) -> tuple[str, ...]:
    return tuple(
        f"{size:.2f}  {pair[0]!r} against {pair[1]!r}" for pair, size in zip(pairs, off, strict=True) if size > _EQUAL
    )
