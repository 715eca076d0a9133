"""What is done to a text before an encoder-decoder's tokeniser sees it, in training and in the service alike."""

_STRAIGHT = str.maketrans({"’": "'", "‘": "'"})


def plain_text(text: str) -> str:
    """Write apostrophes straight, since people write both kinds and corpora hold mostly one; no offset changes."""
    return text.translate(_STRAIGHT)
