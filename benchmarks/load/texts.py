"""The sentences that are sent: real ones, and real ones cut to twenty tokens."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

from seqserve.errors import SeqserveError
from seqserve.text.sentences import split_sentences
from seqserve.text.tokenization import tokenize

ROOT = Path(__file__).parents[2]
CORPUS = ("uner_ewt/dev.raw.jsonl", "uner_ewt/test.raw.jsonl")
FIXTURE = ROOT / "tests" / "fixtures" / "raw_text" / "uner_ewt.jsonl"
NUM_TOKENS = 20
_MOST_TOKENS = 400
_SEED = 5


def read_texts(path: Path | None, data: Path) -> tuple[list[str], str]:
    """Return the sentences and where they come from.

    A file has one sentence a line, as text or as {"text": …} where its name ends in .jsonl. Without one the UNER EWT
    texts of the data folder are read, and where they are not there, the repository's small excerpt of them.
    Raises SeqserveError when the file cannot be read.
    """
    files = [data / name for name in CORPUS] if path is None else [path]
    if path is None and not all(file.is_file() for file in files):
        files = [FIXTURE]
    try:
        lines = [line for file in files for line in file.read_text("utf-8").splitlines() if line.strip()]
        jsonl = files[0].suffix == ".jsonl"
        texts = [str(json.loads(line)["text"]) if jsonl else line.strip() for line in lines]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SeqserveError(f"{files[0]} cannot be read as sentences: {error}") from error
    source = "the repository's excerpt of UNER EWT" if files[0] == FIXTURE else ", ".join(file.name for file in files)
    return texts, f"{len(texts)} sentences of {source}"


def mixed(texts: Sequence[str], most: int) -> list[str]:
    """Return up to `most` sentences of one to a few hundred tokens, in an order that is always the same."""
    fitting = [text for text in dict.fromkeys(texts) if 1 <= num_tokens(text) <= _MOST_TOKENS]
    random.Random(_SEED).shuffle(fitting)
    if not fitting:
        raise SeqserveError("the text holds no sentence")
    return fitting[:most]


def twenty_tokens(texts: Sequence[str], most: int) -> list[str]:
    """Return up to `most` distinct sentences of exactly NUM_TOKENS tokens.

    Longer ones are cut; where there are too few, neighbours are joined first. Raises SeqserveError when none is found.
    """
    long = [text for text in texts if num_tokens(text) >= NUM_TOKENS]
    joined = [" ".join(texts[at : at + NUM_TOKENS]) for at in range(0, len(texts), 3)]
    found: dict[str, None] = {}
    for text in [*long, *joined]:
        cut = _cut(text)
        if cut is not None:
            found[cut] = None
        if len(found) == most:
            break
    if not found:
        raise SeqserveError(f"the text holds no {NUM_TOKENS} tokens that are one sentence")
    return list(found)


def num_tokens(text: str) -> int:
    """Count the tokens of a text as the service does."""
    return len(tokenize(text))


def _cut(text: str) -> str | None:
    tokens = tokenize(text, limit=NUM_TOKENS)
    if len(tokens) < NUM_TOKENS:
        return None
    cut = text[tokens[0].start : tokens[NUM_TOKENS - 1].end]
    again = tokenize(cut)
    is_one = len(again) == NUM_TOKENS and len(split_sentences(cut, again, max_tokens=_MOST_TOKENS)) == 1
    return cut if is_one else None
