"""Token ids and vocabulary of a language model's corpora, made from a configuration."""

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqserve.training.corpora import data_path
from seqserve.training.language.config import LanguageConfig
from seqserve.training.reading.text import TextFile, TextOptions, read_sequences
from seqserve.training.reading.token_ids import CorpusError, FirstPass, TokenIds, map_ids, write_statistics
from seqserve.vocabulary.tokens import FIRST_ID, TokenVocabulary

TEXT_FOLDER = "text"
TOKENS_FILE = "tokens.txt"


@dataclass(frozen=True)
class LanguageSetup:
    """The vocabulary and both parts of the corpus, mapped from files of the run folder."""

    vocabulary: TokenVocabulary
    train: TokenIds
    valid: TokenIds


def prepare_text(config: LanguageConfig, folder: Path) -> LanguageSetup:
    """Read and encode the corpora into folder/text, or map the files that are there.

    tokens.txt is written last, so that an interrupted preparation is repeated. Raises TextError; CorpusError when a
    part holds no tokens; ConfigError when the softmax does not fit the vocabulary.
    """
    text = folder / TEXT_FOLDER
    text.mkdir(parents=True, exist_ok=True)
    options, tokens_file = config.text, text / TOKENS_FILE
    if not tokens_file.exists():
        train, valid = FirstPass(text / "train.part"), FirstPass(text / "valid.part")
        held_out = set(map(_key, limited(sequences_of(config.data.valid, options), config.loop.valid_tokens)))
        learned = set[int]()
        train.write(_noted(_filled(config.data.train, options), held_out, learned))
        vocabulary = train.vocabulary(options)
        valid.write(limited(_filled(config.data.valid, options), config.loop.valid_tokens))
        ends = options.ends_sentences
        write_statistics(
            text,
            train=train.finish(text, "train", vocabulary, ends_sentences=ends),
            valid=valid.finish(text, "valid", vocabulary, ends_sentences=ends),
        )
        if learned:
            print(
                f"valid text: {len(learned):,} of {len(held_out):,} different sequences are in the training text too",
                file=sys.stderr,
            )
        vocabulary.write(tokens_file.with_suffix(".part"))
        tokens_file.with_suffix(".part").replace(tokens_file)
    vocabulary = TokenVocabulary.read(tokens_file, options.lookup)
    config.check_vocabulary(len(vocabulary))
    train_ids, valid_ids = (map_ids(text, name, vocabulary) for name in ("train", "valid"))
    if valid_ids.ids.max() < FIRST_ID:
        files = ", ".join(file.file for file in config.data.valid)
        raise CorpusError(f"{files}: the valid text holds no token of the vocabulary")
    return LanguageSetup(vocabulary, train_ids, valid_ids)


def sequences_of(files: Iterable[TextFile], options: TextOptions) -> Iterator[list[str]]:
    """Yield the token sequences of several files, one after another."""
    for file in files:
        yield from read_sequences(data_path(file.file), file, options)


def _filled(files: Iterable[TextFile], options: TextOptions) -> Iterator[list[str]]:
    """Yield what `sequences_of` does; raises CorpusError, naming it, for a file without any token."""
    for file in files:
        has_tokens = False
        for tokens in sequences_of([file], options):
            has_tokens = has_tokens or bool(tokens)
            yield tokens
        if not has_tokens:
            raise CorpusError(f"{file.file}: it holds no tokens")


def _key(tokens: Sequence[str]) -> int:
    return hash(tuple(tokens))


def _noted(sequences: Iterable[list[str]], wanted: Collection[int], found: set[int]) -> Iterator[list[str]]:
    """Yield sequences, and put the keys of those that are wanted into `found`."""
    for tokens in sequences:
        if tokens and (key := _key(tokens)) in wanted:
            found.add(key)
        yield tokens


def limited(sequences: Iterable[list[str]], num_tokens: int) -> Iterator[list[str]]:
    """Yield sequences until they hold `num_tokens` tokens; 0: all."""
    seen = 0
    for tokens in sequences:
        yield tokens
        seen += len(tokens) + 1
        if num_tokens and seen >= num_tokens:
            return
