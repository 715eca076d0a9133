"""Types that the answers of several kinds share."""

from typing import Annotated

from msgspec import Meta

Probability = Annotated[float, Meta(ge=0, le=1)]
