"""`python -m seqserve`, the same as `seqserve`."""

import sys

from seqserve.cli import main

if __name__ == "__main__":
    sys.exit(main())
