"""Types that several capabilities share."""

from typing import Annotated

from msgspec import Meta

Probability = Annotated[float, Meta(ge=0, le=1)]
