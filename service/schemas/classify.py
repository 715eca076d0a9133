"""Request and response of /v1/classify."""

from typing import Annotated

from msgspec import Meta, Struct

from seqserve.classifier.answers import ClassifyResult


class ClassifyRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Texts to be labelled, each as a whole."""

    model: Annotated[
        str | None, Meta(description="Name of a classifier; absent: the only one, or the first by name.")
    ] = None
    text: Annotated[str | list[str], Meta(description="One text or several, each of at least one token.")]


class ClassifyResponse(Struct, kw_only=True):
    """One result per text, in order."""

    model: str
    version: str
    results: list[ClassifyResult]
