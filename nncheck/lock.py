"""One writer at a time: a lock on a file, which ends with the process that holds it."""

import contextlib
import time


@contextlib.contextmanager
def locked(file, patience: float = 10):
    """Hold an open file for ourselves; waits so many seconds for whoever else holds it."""
    deadline = time.monotonic() + patience
    while not _try_lock(file):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{file.name} is held by another program; close it and try again.")
        time.sleep(0.02)
    try:
        yield
    finally:
        _unlock(file)


try:
    import fcntl

    def _try_lock(file):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(file):
        fcntl.flock(file, fcntl.LOCK_UN)

except ImportError:  # Windows: lock one byte far beyond the end
    import msvcrt

    _BYTE = 1 << 30

    def _try_lock(file):
        file.seek(_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True

    def _unlock(file):
        file.seek(_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]


# ------------------------------------------------------------------------- what it says
