"""What holds for every test: one thread, no progress bars, and nothing leaves this machine."""

import os

NOWHERE = "http://127.0.0.1:9"  # the port that discards: a proxy that refuses whoever asks

os.environ |= {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TQDM_DISABLE": "1",
    # For the processes that tests start; this one is held back by the import below.
    "HTTP_PROXY": NOWHERE,
    "HTTPS_PROXY": NOWHERE,
    "http_proxy": NOWHERE,
    "https_proxy": NOWHERE,
    "no_proxy": "127.0.0.1,localhost",
    "NO_PROXY": "127.0.0.1,localhost",
}

from hypothesis import HealthCheck, settings  # noqa: E402

# pytest imports a file with doctests by its path and then names it in its package. For
# nnlib/show/backprop.py that would hide the function `show.backprop`, unless it is there already.
import nnlib.show  # noqa: E402, F401
from tests.course import offline  # noqa: E402, F401

# How long an example takes depends on what else the machine does.
settings.register_profile("course", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("course")
