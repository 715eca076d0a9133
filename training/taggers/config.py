"""The configuration of one tagger, read from TOML and checked on entry."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from seqserve.training.config import (
    ConfigError,
    FilePath,
    ReaderConfig,
    ReaderLoop,
    TrainingConfig,
    check_dev_weights,
    check_labels,
    check_part,
    check_training,
)


@dataclass(frozen=True)
class CorpusConfig:
    """One file of sentences with tags: where it is, which columns count, which types are kept."""

    file: Annotated[FilePath, "of a known data set (`uner_ewt/dev.conll`), or your own; plain, .gz or .xz"]
    format: Annotated[
        Literal["auto", "conll", "json", "parquet", "docbin", "brat", "splice"],
        "auto: as name and content tell; conll: columns; json: also JSON lines, of annotation tools or of tokens and "
        "tags; docbin: spaCy's; brat: a folder; splice: UCI's splice junctions, a base a token",
    ] = "auto"
    unaligned: Annotated[
        Literal["widen", "drop", "refuse"], "what happens to spans of characters that begin or end inside a token"
    ] = "widen"
    tag_names: Annotated[tuple[str, ...], "names of integer tags, by number"] = ()
    part: Annotated[tuple[float, float], "splice: which sequences, by hash"] = (0.0, 1.0)
    token_column: Annotated[int, "column of the tokens, from 0; negative: from the end"] = 0
    tag_column: Annotated[int, "column of the tags"] = -1
    tokens: Annotated[
        Literal["served", "own"], "split as the service splits text, or as the file does; a splice file has its own"
    ] = "served"
    map: Annotated[dict[str, str] | None, "type in the file = label; other types become O"] = None
    case: Annotated[Literal["as-is", "lower", "upper"], "change of the tokens' case"] = "as-is"
    repeat: Annotated[int, "times that an epoch reads this training file"] = 1
    weight: Annotated[float, "of this dev file's F1 in the mean that chooses the epoch; 0: reported only"] = 1.0


@dataclass(frozen=True)
class DataConfig:
    """Files and labels."""

    train: Annotated[tuple[CorpusConfig, ...], "files that the tagger learns from"]
    dev: Annotated[tuple[CorpusConfig, ...], "the epoch with the best weighted mean of their span F1 is kept"]
    labels: Annotated[tuple[str, ...], "labels of spans"]


@dataclass(frozen=True)
class AugmentConfig:
    """Shares of the sentences that are changed, drawn anew each epoch."""

    lower: Annotated[float, "in lower case"] = 0.0
    upper: Annotated[float, "in upper case"] = 0.0
    no_final_punctuation: Annotated[float, "without the punctuation at the end"] = 0.0
    own_tokens: Annotated[float, "of a file that is read with served tokens, with its own tokens instead"] = 0.0
    mention_alone: Annotated[float, "replaced by one of their mentions"] = 0.0
    mark_mentions: Annotated[float, "with their mentions in quotes, brackets or mark-up"] = 0.0
    swap_mentions: Annotated[float, "with mentions replaced by others of the same label and corpus"] = 0.0


@dataclass(frozen=True)
class ModelConfig(ReaderConfig):
    """A tagger: what reads the sentence, and how its spans are written as tags."""

    scheme: Annotated[Literal["BIO", "BIOES"], "how spans are written as tags"] = "BIOES"


@dataclass(frozen=True, kw_only=True)
class TaggerConfig(TrainingConfig):
    """One training of a tagger."""

    task: Annotated[Literal["tag"], "the kind of model"] = "tag"
    data: DataConfig
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loop: ReaderLoop = field(default_factory=ReaderLoop)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_training(self)
        check_labels(self.data.labels, 1)
        for corpus in (*self.data.train, *self.data.dev):
            if corpus.format != "splice" and tuple(corpus.part) != (0.0, 1.0):
                raise ConfigError(f'part = {list(corpus.part)} of {corpus.file} needs format = "splice"')
            check_part(corpus.part, corpus.file)
            if corpus.repeat < 1:
                raise ConfigError(f"repeat = {corpus.repeat} of {corpus.file} is below 1")
            for label in (corpus.map or {}).values():
                if label not in self.data.labels:
                    raise ConfigError(f"map of {corpus.file}: {label} is none of data.labels")
        if not self.data.train or not self.data.dev:
            raise ConfigError("data.train and data.dev need at least one file each")
        check_dev_weights([corpus.weight for corpus in self.data.dev])
