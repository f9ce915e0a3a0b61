"""`python -m nncheck`, for where the command `nncheck` is not on the path."""

import sys

from nncheck.cli import main

sys.exit(main())
