"""The whole real service, but for a check of bundles that can be held up."""

import sys

from seqserve.service.__main__ import main
from seqserve.service.server import checking

checking.MODULE = "tests.live.held_check"
sys.exit(main())
