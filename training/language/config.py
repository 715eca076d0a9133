"""The configuration of one language model, read from TOML and checked on entry."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from seqserve.entries import CellName
from seqserve.training.config import (
    IS_RUN,
    ConfigError,
    StepConfig,
    TrainingConfig,
    check_lowest,
    check_shares,
    check_vocabulary,
)
from seqserve.training.reading.text import TextFile, TextOptions


@dataclass(frozen=True)
class TextData:
    """Files of text."""

    train: Annotated[tuple[TextFile, ...], "files that the model learns from"]
    valid: Annotated[tuple[TextFile, ...], "the weights with the lowest loss here are kept (see loop.keep)"]


@dataclass(frozen=True)
class LanguageDropout:
    """Probabilities; masks of input, hidden and output are drawn once per row and window, not per position."""

    input: Annotated[float, "before the first recurrent layer"] = 0.0
    hidden: Annotated[float, "between recurrent layers"] = 0.0
    output: Annotated[float, "after the last recurrent layer"] = 0.0
    recurrent: Annotated[float, "of the hidden-to-hidden weights (weight drop)"] = 0.0
    embedding: Annotated[float, "of whole types"] = 0.0


@dataclass(frozen=True)
class LanguageModelConfig:
    """Embedding, recurrent layers, softmax."""

    cell: Annotated[CellName, "recurrent cell"] = "lstm"
    embedding_dim: Annotated[int, "size of a token's vector"] = 320
    hidden_size: Annotated[int, "hidden units"] = 640
    num_layers: Annotated[int, "recurrent layers"] = 1
    projection_dim: Annotated[int, "size of a linear layer after the last recurrent one; 0: none"] = 0
    tied: Annotated[bool, "the output table is the embedding table"] = False
    softmax: Annotated[Literal["full", "adaptive"], "adaptive: rare tokens in clusters"] = "full"
    cutoffs: Annotated[tuple[int, ...], "adaptive: first id of each cluster"] = ()
    dropout: LanguageDropout = field(default_factory=LanguageDropout)


@dataclass(frozen=True)
class LanguageLoop(StepConfig):
    """Length of the training, and which weights it keeps."""

    total_tokens: Annotated[int, "tokens to learn from, in as many passes as needed"] = 1_000_000
    evaluate_every_tokens: Annotated[int, "tokens between evaluations"] = 1_000_000
    valid_tokens: Annotated[int, "tokens of the valid text that training looks at, from its start; 0: all"] = 0
    batch_size: Annotated[int, "rows of a step"] = 32
    batch_tokens: Annotated[int, "largest rows x window, so that batches of short sentences are wider; 0: off"] = 0
    bptt_length: Annotated[int, "window of truncated back-propagation, in tokens"] = 70
    activation_penalty: Annotated[float, "AR (Merity et al. 2017)"] = 0.0
    slowness_penalty: Annotated[float, "TAR (Merity et al. 2017)"] = 0.0
    start_from: Annotated[
        str, IS_RUN, "run whose best weights are the first ones; relative to the working directory"
    ] = ""
    keep: Annotated[Literal["best", "last"], "the evaluation of the lowest valid loss, or the last one"] = "best"
    patience: Annotated[int, "nt-asgd: evaluations without a better one before averaging starts"] = 5
    exact_tokens: Annotated[int, "with sampled_tokens: number of the most frequent tokens, which are never sampled"] = 0
    sampled_tokens: Annotated[
        int, "full softmax: number of draws that stand for all other tokens in training; 0: off"
    ] = 0


@dataclass(frozen=True, kw_only=True)
class LanguageConfig(TrainingConfig):
    """One training of a language model."""

    learns_labels: ClassVar[bool] = False

    task: Annotated[Literal["language-model"], "the kind of model"] = "language-model"
    data: TextData
    text: TextOptions = field(default_factory=TextOptions)
    model: LanguageModelConfig = field(default_factory=LanguageModelConfig)
    loop: LanguageLoop = field(default_factory=LanguageLoop)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_ranges()
        if not self.data.train or not self.data.valid:
            raise ConfigError("data.train and data.valid need at least one file each")
        self._check_text()
        for file in (*self.data.train, *self.data.valid):
            file.check(self.text)
        self._check_softmax()
        if self.optimizer.name == "nt-asgd" and self.loop.average_decay:
            raise ConfigError('loop.average_decay must be 0 with optimizer.name = "nt-asgd", which has its own average')

    def check_vocabulary(self, num_tokens: int) -> None:
        """Raise ConfigError unless the softmax fits a vocabulary of this size, <EOS> and <UNK> included."""
        if self.model.cutoffs and self.model.cutoffs[-1] >= num_tokens:
            raise ConfigError(f"model.cutoffs = {list(self.model.cutoffs)} must be below the {num_tokens} ids")
        if self.loop.exact_tokens >= num_tokens:
            raise ConfigError(f"loop.exact_tokens = {self.loop.exact_tokens} must be below the {num_tokens} ids")

    def _check_ranges(self) -> None:
        check_shares(self)
        loop, model, text = self.loop, self.model, self.text
        check_lowest(loop, "loop", 1, "total_tokens", "evaluate_every_tokens", "batch_size", "bptt_length", "patience")
        check_lowest(model, "model", 1, "embedding_dim", "hidden_size", "num_layers")
        check_lowest(text, "text", 1, "max_unit_tokens")
        check_vocabulary(text, "text")
        check_lowest(loop, "loop", 0, "valid_tokens", "batch_tokens", "exact_tokens", "sampled_tokens", "threads")
        check_lowest(loop, "loop", 0, "activation_penalty", "slowness_penalty")
        check_lowest(model, "model", 0, "projection_dim")

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

    def _check_softmax(self) -> None:
        model = self.model
        if (model.softmax == "adaptive") != bool(model.cutoffs):
            raise ConfigError('model.cutoffs are needed for model.softmax = "adaptive", and only there')
        if list(model.cutoffs) != sorted(set(model.cutoffs)) or any(cutoff < 1 for cutoff in model.cutoffs):
            raise ConfigError(f"model.cutoffs = {list(model.cutoffs)} must rise")
        if self.loop.sampled_tokens and (model.softmax == "adaptive" or self.loop.exact_tokens < 1):
            raise ConfigError('loop.sampled_tokens needs model.softmax = "full" and loop.exact_tokens above 0')
        if self.loop.exact_tokens and not self.loop.sampled_tokens:
            raise ConfigError("loop.exact_tokens needs loop.sampled_tokens above 0")
        if model.tied and model.softmax == "adaptive":
            raise ConfigError('model.tied = true needs model.softmax = "full"')
        if model.tied and model.projection_dim not in (0, model.embedding_dim):
            raise ConfigError(f"model.projection_dim = {model.projection_dim} cannot be tied to embedding_dim")
