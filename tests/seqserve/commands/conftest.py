"""Apps to compare with: a command answers as HTTP does."""

from tests.service.conftest import bundle as bundle
from tests.service.conftest import make_app as make_app
