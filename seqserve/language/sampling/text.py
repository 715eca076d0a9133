"""The text of one sample while it is drawn: tokens in, text out as soon as it is certain to stay."""

import copy
from collections.abc import Sequence

from seqserve.language.model import EncodedText, LanguageModelBundle
from seqserve.language.sampling.stops import StopSearch
from seqserve.text.detokenization import Detokenizer
from seqserve.vocabulary.tokens import TokenVocabulary

_CHARACTERS = "characters"


class SampleText:
    """Pieces joined are the whole text; the same tokens give the same pieces, whenever they are asked for."""

    def __init__(
        self, vocabulary: TokenVocabulary, detokenizer: Detokenizer, search: StopSearch, *, trims: bool
    ) -> None:
        """Take a detokeniser that has seen the prompt; `trims`: the prompt ends in the space that would come first."""
        self._vocabulary = vocabulary
        self._detokenizer = detokenizer
        self._search = search
        self._trims = trims

    @property
    def is_stopped(self) -> bool:
        """Whether a stop string was found; the text ends before it."""
        return self._search.is_found

    def push(self, token_id: int) -> str:
        """Return what the text surely goes on with after this token, which is not <EOS>."""
        piece = self._detokenizer.push(self._vocabulary.form_of(token_id))
        if self._trims:
            piece, self._trims = piece.removeprefix(" "), False
        return self._search.push(piece)

    def end(self) -> str:
        """Return what was held back, when no more tokens come."""
        return self._search.end()


class TextFactory:
    """Makes the text of each sample of one prompt, which is read once."""

    def __init__(self, bundle: LanguageModelBundle, text: str, prompt: EncodedText, stops: Sequence[str]) -> None:
        self._vocabulary = bundle.vocabulary
        self._detokenizer = bundle.detokenizer()
        for token in prompt.tokens:
            self._detokenizer.push(token.text)
        self._stops = tuple(stops)
        self._trims = text[-1:].isspace() and bundle.manifest.tokenization.name != _CHARACTERS

    def make(self) -> SampleText:
        """Return an empty text."""
        search = StopSearch(self._stops)
        return SampleText(self._vocabulary, copy.deepcopy(self._detokenizer), search, trims=self._trims)
