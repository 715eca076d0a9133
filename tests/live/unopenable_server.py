"""A server whose workers cannot open their models, though the master found nothing wrong with them."""

import sys

from seqserve.errors import BundleError
from seqserve.service import app
from seqserve.service.__main__ import main


def refuse(*arguments: object, **options: object) -> None:
    """Stand in for `open_model`."""
    raise BundleError("tagger.onnx: the worker cannot open it")


app.open_model = refuse  # type: ignore[assignment]
sys.exit(main())
