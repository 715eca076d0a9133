"""The configuration of one language model, read from TOML and checked on entry."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

from seqserve.entries import CellName, TokenizerName
from seqserve.training.config import ConfigError, OptimizerConfig
from seqserve.vocabulary.tokens import FIRST_ID
from seqserve.vocabulary.words import LOOKUP_STEPS


@dataclass(frozen=True)
class TextFile:
    """One file of text: where it is, how it is written, which part of it counts."""

    file: str  # of a known data set ("ptb/ptb.valid.txt"), or a path of your own; plain, .gz or .xz
    format: Literal["text", "books", "wikitext", "tsv", "abc", "conll"] = "text"
    prefix: str = ""  # put before every line: what a generator is told first, such as the line's class
    column: int = 0  # tsv
    skip_books: str = ""  # books: path of a file with the ids of those to leave out, one a line
    part: tuple[float, float] = (0.0, 1.0)  # lines by hash; of a running text of characters, a range in order
    distinct: bool = False  # repeated lines once

    def check(self, options: TextOptions) -> None:
        """Raise ConfigError, naming file and field, for what the reading of such a text would leave out of account."""
        is_running = options.unit == "stream" and options.level == "character"
        for field_name, is_used, needs in (
            ("column", self.format == "tsv" or not self.column, 'format = "tsv"'),
            ("skip_books", self.format == "books" or not self.skip_books, 'format = "books"'),
            ("format", self.format != "conll" or options.level == "word", 'text.level = "word"'),
            ("part", self.format != "conll" or tuple(self.part) == (0.0, 1.0), 'a format other than "conll"'),
            ("prefix", not self.prefix or (self.format != "conll" and not is_running), "a text of lines"),
            (
                "format",
                self.format != "abc" or (options.level == "character" and options.unit == "line"),
                "lines of characters",
            ),
            ("distinct", not self.distinct or (self.format != "conll" and not is_running), "a text of lines"),
        ):
            if not is_used:
                raise ConfigError(f"{field_name} = {getattr(self, field_name)!r} of {self.file} needs {needs}")
        if self.column < 0:
            raise ConfigError(f"column = {self.column} of {self.file} is below 0")
        if len(self.part) != 2 or not 0.0 <= self.part[0] < self.part[1] <= 1.0:
            raise ConfigError(f"part = {list(self.part)} of {self.file} is no range within 0 to 1")


@dataclass(frozen=True)
class TextData:
    train: tuple[TextFile, ...]
    valid: tuple[TextFile, ...]  # the weights with the lowest loss here are kept (see loop.keep)


@dataclass(frozen=True)
class TextOptions:
    """What a token is, what a sequence is, and which tokens are known."""

    level: Literal["word", "character"] = "word"
    tokenization: TokenizerName = "whitespace"
    lookup: tuple[str, ...] = ("exact",)
    unit: Literal["sentence", "line", "stream"] = "sentence"
    # sentence, line: each begins with x<1> = 0 and a<0> = 0; stream: state is carried through the whole text
    ends_sentences: bool = True  # <EOS> after each sentence or line
    max_unit_tokens: int = 256  # longer sentences are cut
    max_vocabulary: int = 0  # most frequent types; 0: all
    min_count: int = 1


@dataclass(frozen=True)
class LanguageDropout:
    """Probabilities; `locked` masks are drawn once per row and window, not per position."""

    input: float = 0.0
    hidden: float = 0.0
    output: float = 0.0
    recurrent: float = 0.0  # on the hidden-to-hidden weights (weight drop)
    embedding: float = 0.0  # whole types


@dataclass(frozen=True)
class LanguageModelConfig:
    cell: CellName = "lstm"
    embedding_dim: int = 320
    hidden_size: int = 640
    num_layers: int = 1
    projection_dim: int = 0  # linear layer after the last recurrent one; 0: none
    tied: bool = False  # output table = embedding table
    softmax: Literal["full", "adaptive"] = "full"
    cutoffs: tuple[int, ...] = ()
    dropout: LanguageDropout = field(default_factory=LanguageDropout)


@dataclass(frozen=True)
class LanguageLoop:
    total_tokens: int = 1_000_000  # tokens to learn from, over as many passes as that takes
    evaluate_every_tokens: int = 1_000_000
    valid_tokens: int = 0  # only the first so many are looked at while training; 0: all
    batch_size: int = 32  # rows
    batch_tokens: int = 0  # rows x window at most, so that short sentences come in wider batches; 0: off
    bptt_length: int = 70
    activation_penalty: float = 0.0  # AR (Merity et al. 2017)
    slowness_penalty: float = 0.0  # TAR
    average_decay: float = 0.0  # exponential moving average of the weights; 0: off
    start_from: str = ""  # run folder of a model of the same sizes whose best weights training begins with
    keep: Literal["best", "last"] = "best"  # which evaluation's weights: of the lowest valid loss, or of the last one
    patience: int = 5  # nt-asgd: evaluations without a better one before averaging starts
    exact_tokens: int = 0  # with sampled_tokens: the most frequent ones, never left to sampling
    sampled_tokens: int = 0  # full softmax: draws that stand for all others while training; 0: off
    precision: Literal["float32", "bf16"] = "float32"
    threads: int = 0  # 0: torch's own choice; part of the result's identity
    checkpoint_every_s: float = 60.0


@dataclass(frozen=True)
class LanguageConfig:
    """One training of a language model, whole."""

    name: str
    version: str
    description: str
    licence: str
    data: TextData
    task: Literal["language-model"] = "language-model"
    seed: int = 1
    languages: tuple[str, ...] = ("en",)
    attribution: tuple[str, ...] = ()
    text: TextOptions = field(default_factory=TextOptions)
    model: LanguageModelConfig = field(default_factory=LanguageModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    loop: LanguageLoop = field(default_factory=LanguageLoop)

    def __post_init__(self) -> None:
        self._check_ranges()
        if not self.data.train or not self.data.valid:
            raise ConfigError("data.train and data.valid need at least one file each")
        self._check_text()
        for file in (*self.data.train, *self.data.valid):
            file.check(self.text)
        self._check_softmax()
        if self.optimizer.name == "nt-asgd" and self.loop.average_decay:
            raise ConfigError('loop.average_decay is not used by optimizer.name = "nt-asgd", which has its own average')

    def check_vocabulary(self, num_tokens: int) -> None:
        """Raise ConfigError unless the softmax fits a vocabulary of so many ids, <EOS> and <UNK> included."""
        if self.model.cutoffs and self.model.cutoffs[-1] >= num_tokens:
            raise ConfigError(f"model.cutoffs = {list(self.model.cutoffs)} are not below the {num_tokens} ids")
        if self.loop.exact_tokens >= num_tokens:
            raise ConfigError(f"loop.exact_tokens = {self.loop.exact_tokens} is not below the {num_tokens} ids")

    def _check_ranges(self) -> None:
        shares = {f"model.dropout.{name}": value for name, value in dataclasses.asdict(self.model.dropout).items()}
        shares |= {"loop.average_decay": self.loop.average_decay, "optimizer.warmup": self.optimizer.warmup}
        for name, value in shares.items():
            if not 0.0 <= value < 1.0:
                raise ConfigError(f"{name} = {value} is not in [0, 1)")
        for lowest, part, names in (
            (1, "loop", ("total_tokens", "evaluate_every_tokens", "batch_size", "bptt_length", "patience")),
            (1, "model", ("embedding_dim", "hidden_size", "num_layers")),
            (1, "text", ("max_unit_tokens", "min_count")),
            (0, "loop", ("valid_tokens", "batch_tokens", "exact_tokens", "sampled_tokens", "threads")),
            (0, "loop", ("activation_penalty", "slowness_penalty")),
            (0, "model", ("projection_dim",)),
        ):
            for name in names:
                if (value := getattr(getattr(self, part), name)) < lowest:
                    raise ConfigError(f"{part}.{name} = {value} is below {lowest}")

    def _check_text(self) -> None:
        text = self.text
        if (text.level == "character") != (text.tokenization == "characters"):
            raise ConfigError(f"text.tokenization = {text.tokenization!r} does not fit text.level = {text.level!r}")
        if text.unit == "sentence" and text.level == "character":
            raise ConfigError('text.unit = "sentence" needs text.level = "word"')
        if text.unit != "stream" and not text.ends_sentences:
            raise ConfigError('text.ends_sentences = false needs text.unit = "stream"')
        if text.unit == "stream" and text.level == "character" and text.ends_sentences:
            raise ConfigError('text.unit = "stream" of characters has no sentences: text.ends_sentences must be false')
        if text.level == "character" and (text.max_vocabulary or text.min_count > 1):
            raise ConfigError("text.max_vocabulary and text.min_count are for words; every character is kept")
        if text.max_vocabulary and text.max_vocabulary <= FIRST_ID:
            raise ConfigError(f"text.max_vocabulary = {text.max_vocabulary} leaves no room beside <EOS> and <UNK>")
        if not text.lookup or not set(text.lookup) <= set(LOOKUP_STEPS):
            raise ConfigError(f"text.lookup = {list(text.lookup)} must hold one or more of {', '.join(LOOKUP_STEPS)}")

    def _check_softmax(self) -> None:
        model = self.model
        if (model.softmax == "adaptive") != bool(model.cutoffs):
            raise ConfigError('model.cutoffs are needed for model.softmax = "adaptive", and only there')
        if list(model.cutoffs) != sorted(set(model.cutoffs)) or any(cutoff < 1 for cutoff in model.cutoffs):
            raise ConfigError(f"model.cutoffs = {list(model.cutoffs)} do not rise")
        if self.loop.sampled_tokens and (model.softmax == "adaptive" or self.loop.exact_tokens < 1):
            raise ConfigError('loop.sampled_tokens needs model.softmax = "full" and loop.exact_tokens above 0')
        if self.loop.exact_tokens and not self.loop.sampled_tokens:
            raise ConfigError("loop.exact_tokens needs loop.sampled_tokens above 0")
        if model.tied and model.softmax == "adaptive":
            raise ConfigError('model.tied = true needs model.softmax = "full"')
        if model.tied and model.projection_dim not in (0, model.embedding_dim):
            raise ConfigError(f"model.projection_dim = {model.projection_dim} cannot be tied to embedding_dim")
