"""The root of every error that seqserve raises on purpose."""


class SeqserveError(Exception):
    """An error whose message is one sentence for a person."""


class BundleError(SeqserveError):
    """A bundle cannot be used; the message names the file and says why."""
