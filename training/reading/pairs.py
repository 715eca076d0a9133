"""Pairs of texts from files, and the vocabulary of each side."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from seqserve.entries import TokenizerName
from seqserve.text.apostrophes import plain_text
from seqserve.text.tokenizers import TOKENIZERS
from seqserve.training.config import ConfigError, FilePath, check_lowest, check_part, check_vocabulary
from seqserve.training.corpora import data_path
from seqserve.training.reading.lines import TextError, read_lines
from seqserve.training.reading.text import is_in_part
from seqserve.training.reading.token_ids import CorpusError
from seqserve.vocabulary.tokens import FIRST_ID, RESERVED_FORMS, TokenVocabulary


@dataclass(frozen=True)
class PairFile:
    """One file of pairs, tab-separated: where it is, which columns count, which part of it."""

    file: Annotated[FilePath, "of a known data set (`tatoeba_eng_fra/train.tsv.gz`), or your own; plain, .gz or .xz"]
    source_column: Annotated[int, "column of the sources, from 0"] = 0
    target_column: Annotated[int, "column of the targets, from 0"] = 1
    part: Annotated[tuple[float, float], "which pairs, by a hash of the source"] = (0.0, 1.0)

    def check(self) -> None:
        """Raise ConfigError, naming file and field."""
        for name in ("source_column", "target_column"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} = {getattr(self, name)} of {self.file} is below 0")
        check_part(self.part, self.file)


@dataclass(frozen=True)
class SideOptions:
    """Definition of the tokens and the vocabulary of one side of the pairs."""

    tokenization: Annotated[TokenizerName, "the tokeniser"] = "whitespace"
    lookup: Annotated[tuple[str, ...], "how a token is looked up: these steps, in order"] = ("exact",)
    max_vocabulary: Annotated[int, "most frequent types, <EOS> and <UNK> counted; 0: all"] = 0
    min_count: Annotated[int, "rarer types are <UNK>"] = 1
    max_tokens: Annotated[
        int, "pairs with a longer text are left out of the training; the bundle refuses longer sources"
    ] = 100

    def check(self, side: str) -> None:
        """Raise ConfigError, naming the field of that side."""
        check_lowest(self, side, 1, "max_tokens")
        check_vocabulary(self, side)


def read_texts(file: PairFile) -> Iterator[tuple[str, str]]:
    """Yield source and target of each line of the file's part, blank ones left out; raises TextError."""
    path = data_path(file.file)
    last = max(file.source_column, file.target_column)
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) <= last:
            raise TextError(f"{path}, line {number}: has {len(columns)} columns, no column {last}")
        source, target = columns[file.source_column], columns[file.target_column]
        if is_in_part(source, file.part):
            yield source, target


def tokens_of(text: str, options: SideOptions) -> list[str]:
    """Return the tokens of one side, as the service finds them."""
    return [token.text for token in TOKENIZERS[options.tokenization](plain_text(text))]


def build_vocabulary(rows: Iterable[Sequence[str]], options: SideOptions, name: str) -> TokenVocabulary:
    """Return the most frequent types, by count, then by first sight; raises CorpusError when there is none."""
    counts = Counter(token for row in rows for token in row if token not in RESERVED_FORMS)
    kept = [form for form, count in counts.most_common() if count >= options.min_count]
    if not kept:
        raise CorpusError(f"{name}: no token occurs as often as min_count = {options.min_count} asks for")
    most = options.max_vocabulary - FIRST_ID if options.max_vocabulary else len(kept)
    return TokenVocabulary(kept[:most], steps=options.lookup, name=name)
