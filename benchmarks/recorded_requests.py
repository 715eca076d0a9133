"""The requests of `benchmarks.recorded_answers`: every shipped model, every POST route, good bodies and bad ones."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
_SEED = 19
_UNICODE = (
    "", " ", "\r\n", "\t a  b \u00a0", "\u200b", "\ufeffAda", "Zoe\u0308 met Zoë in Zürich.",
    "\U0001f600 Ada \U0001f469\u200d\U0001f4bb Paris!", "王小明在北京。",
    "\u0645\u062d\u0645\u062f \u0641\u064a \u0627\u0644\u0642\u0627\u0647\u0631\u0629",
    "first\r\nsecond\n\nthird", "McDonald’s “quoted” — it’s", "\x00 zero \x7f",
    "http://example.org/?q=1&b=%20 @ada #tag :-)", "U.S.A. vs. E.U., Ph.D. etc.", "a" * 3000, "Mr. " * 400,
)  # fmt: skip
_CHINESE = ("床前明月光", "疑是地上霜。举头望明月，低头思故乡。", "白日依山尽。")
_LETTERS = ("anna", "Maria", "<name>maria", "tyrannosaurus", "x", "emma\nolivia")
_SHORT = (
    "I am cold .", "Where is the station?", "he does not know", "I love you.", "Tom has three cats and a dog.",
    "What time is it now", "We will see", "Thank you very much!", "She speaks French better than I do.", "Zxqv blorp.",
)  # fmt: skip
_SAMPLINGS: tuple[Mapping[str, Any], ...] = (
    {}, {"n": 3}, {"temperature": 0}, {"temperature": 0.6, "top_k": 5}, {"top_p": 0.8}, {"min_p": 0.1, "n": 2},
    {"repetition_penalty": 1.4}, {"stop": ["e", "the"]}, {"allow_unknown": True}, {"ignore_eos": True},
    {"min_tokens": 8}, {"include": ["tokens"], "n": 2}, {"banned": ["a"]},
    {"seed": 2**64 - 1, "top_k": 40, "top_p": 0.9},
    {"max_tokens": 1}, {"stop": ["\n"], "n": 4, "include": ["tokens"]},
)  # fmt: skip
_BAD_BODIES: tuple[bytes, ...] = (
    b"", b"{", b"[]", b"null", b'"text"', b'{"text": NaN}', b'{"text": "\\ud800"}', b'{"text": "\xff"}', b"[" * 5000,
    b'{"model": "none", "text": "a", "text": "b"}', b'{"model": 1}', b'{"model": "no-such-model", "text": "a"}',
    b"\xef\xbb\xbf{}", b'{"model": "", "text": "a"}', b'{"text": 1e400}', b'{"text": {"a": [1, 2.5, true, null]}}',
)  # fmt: skip
_BAD_FIELDS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "tag": (
        {}, {"text": []}, {"text": "a", "tokens": ["a"]}, {"text": None}, {"text": ["a", 1]}, {"tokens": ["a", ""]},
        {"tokens": [["a"], "b"]},
        {"tokens": ["a b", "c"]}, {"text": "a", "labels": ["NO"]}, {"text": "a", "min_score": 1.5},
        {"text": "a", "min_score": -0.1}, {"text": "a", "include": ["all"]}, {"text": "a", "extra": 1}, {"tokens": 3},
        {"text": "a " * 20_001}, {"text": ["a"] * 1025}, {"text": "a", "labels": []}, {"text": "a", "model": "lm-en"},
        {"text": "a", "include": "tokens"},
    ),
    "score": (
        {}, {"text": []}, {"text": ["a"], "context": ["b", "c"]}, {"text": "a", "top": 21, "include": ["tokens"]},
        {"text": "a", "top": -1}, {"text": "a", "top": 3}, {"text": "a", "eos": "yes"}, {"text": "a", "extra": 1},
        {"text": "a " * 20_001}, {"text": ["a"] * 1025}, {"text": "a", "model": "ner-en"}, {"text": None},
        {"text": "a", "context": "b " * 20_001}, {"text": "a", "include": ["top"]}, {"text": "a", "top": 1.5},
    ),
    "rank": (
        {}, {"candidates": []}, {"candidates": ["a"]}, {"candidates": ["a"] * 1001}, {"candidates": ["a", 1]},
        {"candidates": ["a", {"text": "b", "scores": 1}]}, {"candidates": ["a", {"score": 1}]},
        {"candidates": ["a", "b"], "lm_weight": "1"}, {"candidates": ["a", "b"], "normalize": "words"},
        {"candidates": ["a", "b"], "extra": 1}, {"candidates": ["a", "b"], "model": "question-en"},
        {"candidates": ["a", "b " * 20_001]}, {"candidates": ["a", "b"], "context": 1},
        {"candidates": ["a", {"text": "b", "score": "1"}]},
    ),
    "sample": (
        {"n": 0}, {"n": 65}, {"max_tokens": 0}, {"max_tokens": 4097}, {"temperature": -1}, {"top_p": 0}, {"top_p": 1.1},
        {"min_p": 2}, {"repetition_penalty": 0}, {"stop": [""]}, {"stop": ["a"] * 9}, {"banned": ["no such token"]},
        {"banned": ["a"] * 1025}, {"seed": -1}, {"seed": 2**64}, {"top_k": -1}, {"extra": 1}, {"prompt": 1},
        {"include": ["top"]}, {"stream": 1}, {"min_tokens": 9, "max_tokens": 3}, {"prompt": "a " * 5000},
        {"model": "translate-en-fr"}, {"stop": "a"}, {"stream": True, "n": 0},
    ),
    "classify": (
        {}, {"text": []}, {"text": ""}, {"text": ["a", ""]}, {"text": ["a", " "]}, {"text": 1},
        {"text": "a", "extra": 1}, {"text": "a " * 20_001}, {"text": ["a"] * 1025}, {"text": "a", "model": "ner-en"},
        {"text": None},
    ),
    "transduce": (
        {}, {"text": []}, {"text": ""}, {"text": ["a", ""]}, {"text": "a", "beams": 0}, {"text": "a", "beams": 17},
        {"text": "a", "max_tokens": 0}, {"text": "a", "max_tokens": 513}, {"text": "a", "extra": 1}, {"text": 1},
        {"text": "a " * 20_001}, {"text": ["a"] * 1025}, {"text": "a", "model": "lm-en"}, {"text": "a", "beams": "2"},
    ),
}  # fmt: skip
_DEFAULT_MODELS = {
    "tag": "ner-en", "score": "lm-en", "rank": "lm-en", "sample": "lm-char-en", "classify": "question-en",
    "transduce": "translate-en-fr",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; an empty content type sends no such header."""

    method: str
    path: str
    body: bytes
    content_type: str = "application/json"


def make_requests(models: Path) -> list[Request]:
    """Return the requests for the bundles of a folder, always the same ones in the same order."""
    rng = random.Random(_SEED)
    texts = _read_texts()
    requests: list[Request] = []
    for manifest in sorted(models.glob("*/*/manifest.json")):
        about = json.loads(manifest.read_text(encoding="utf-8"))
        for route, body in _KINDS[about["task"]](rng, texts, about["name"]):
            requests.append(_request(route, {"model": about["name"], **body}))
    return [*requests, *_bad_requests()]


def _read_texts() -> list[str]:
    lines = (_FIXTURES / "raw_text" / "uner_ewt.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def _request(route: str, body: Mapping[str, Any]) -> Request:
    return Request("POST", f"/v1/{route}", json.dumps(body, ensure_ascii=False).encode("utf-8"))


_Bodies = Iterator[tuple[str, Mapping[str, Any]]]


def _tagger(rng: random.Random, texts: list[str], name: str) -> _Bodies:
    yield from (("tag", {"text": text}) for text in _UNICODE)
    yield "tag", {"text": list(_UNICODE), "include": ["tokens"]}
    yield "tag", {"text": " ".join(texts)}
    yield "tag", {"text": "\n".join(rng.sample(texts, 40)), "include": ["tokens"]}
    for size in (1, 1, 1, 2, 5, 32, 160):
        yield "tag", {"text": rng.sample(texts, size)}
        yield "tag", {"tokens": [text.split() for text in rng.sample(texts, size)]}
    for text in rng.sample(texts, 6):
        yield "tag", {"text": text, "include": ["tag_probs"]}
        yield "tag", {"text": text.lower(), "labels": ["PER", "LOC"], "min_score": 0.5}
        yield "tag", {"tokens": text.upper().split(), "include": ["tokens", "tag_probs"], "min_score": 0.0}
    yield "tag", {"tokens": []}
    yield "tag", {"tokens": [[], ["Ada"], []]}


def _language_model(rng: random.Random, texts: list[str], name: str) -> _Bodies:
    pool = [*_CHINESE, *texts[:4]] if name.endswith("tang") else [*_LETTERS, *texts[:6]] if "words" in name else texts
    yield "score", {"text": list(_UNICODE)}
    yield "score", {"text": list(_UNICODE), "include": ["tokens"], "eos": False}
    yield "score", {"text": " ".join(pool)}
    for size in (1, 1, 3, min(9, len(pool))):
        yield "score", {"text": rng.sample(pool, size), "include": ["tokens"], "top": rng.choice((0, 1, 5, 20))}
        yield "score", {"text": rng.sample(pool, size), "context": rng.choice(pool), "eos": rng.choice((True, False))}
        yield "score", {"text": rng.sample(pool, size), "context": rng.sample(pool, size), "include": ["tokens"]}
    yield "rank", {"candidates": rng.sample(pool, 4)}
    yield "rank", {"candidates": ["", *rng.sample(pool, 3)], "context": rng.choice(pool), "normalize": "tokens"}
    scored = [{"text": text, "score": round(rng.gauss(-5, 3), 3)} for text in rng.sample(pool, 5)]
    yield "rank", {"candidates": [*scored, *scored[:1]], "lm_weight": 0.7, "length_bonus": 0.4}
    for number, options in enumerate(_SAMPLINGS):
        body = {"seed": number, "max_tokens": 24, "prompt": rng.choice(("", pool[0][:6])), **options}
        yield "sample", body
        if number % 3 == 0:
            yield "sample", {**body, "stream": True}


def _classifier(rng: random.Random, texts: list[str], name: str) -> _Bodies:
    yield from (("classify", {"text": text}) for text in (*_UNICODE, *_SHORT))
    for size in (1, 2, 7, 40, 160):
        yield "classify", {"text": rng.sample(texts, size)}


def _transducer(rng: random.Random, texts: list[str], name: str) -> _Bodies:
    yield from (("transduce", {"text": text}) for text in _UNICODE[:-2])
    for beams in (1, 2, 4, 16):
        yield "transduce", {"text": list(_SHORT), "beams": beams}
        yield "transduce", {"text": rng.sample(_SHORT, 4), "beams": beams, "max_tokens": 3}
        yield "transduce", {"text": rng.choice(texts), "beams": beams, "max_tokens": 40}


_KINDS = {"tag": _tagger, "language-model": _language_model, "classify": _classifier, "transduce": _transducer}


def _bad_requests() -> Iterator[Request]:
    for route, bodies in _BAD_FIELDS.items():
        for fields in bodies:
            seed = {"seed": 1} if route == "sample" else {}
            yield _request(route, {"model": _DEFAULT_MODELS[route], **seed, **fields})
        for body in _BAD_BODIES:
            yield Request("POST", f"/v1/{route}", body)
        yield Request("POST", f"/v1/{route}", b'{"text": "a"}', "text/plain")
        yield Request("POST", f"/v1/{route}", b'{"text": "a"}', "")
        yield Request("POST", f"/v1/{route}", b" " * (2 * 1024 * 1024 + 1))
        yield Request("GET", f"/v1/{route}", b"", "")
        yield Request("POST", f"/v1/{route}/", b"{}")
    yield from (Request("GET", path, b"", "") for path in ("/healthz", "/readyz", "/v1/models/no-such-model", "/none"))
