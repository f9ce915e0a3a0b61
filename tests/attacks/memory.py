"""Taking more memory than there is for one submission: twice the limit, and touching it."""

NEEDS = "mem"


def makes_an_array(world):
    import numpy as np

    return f"HARM: {np.ones(2 * world['memory'] // 8).nbytes} bytes"


def makes_many_arrays(world):
    import numpy as np

    kept = [np.ones(125_000) for _ in range(2 * world["memory"] // 10**6)]
    return f"HARM: {len(kept)} MB"


def grows_a_list(world):
    kept = []
    while len(kept) * 8 < 2 * world["memory"]:
        kept += [None] * 10**6
    return f"HARM: {len(kept)} entries"


def repeats_a_text(world):
    return f"HARM: {len('x' * (2 * world['memory']))} letters"


def maps_shared_memory(world):
    """It counts for RLIMIT_AS, not for RLIMIT_DATA."""
    import mmap

    there = mmap.mmap(-1, 2 * world["memory"])
    for at in range(0, len(there), 4096):
        there[at] = 1
    return f"HARM: {len(there)} bytes"


def asks_the_c_library(world):
    import ctypes

    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    there = libc.malloc(ctypes.c_size_t(2 * world["memory"]))
    if there:
        ctypes.memset(there, 1, 2 * world["memory"])
        return "HARM: malloc"
    return "refused"


def fills_a_file_in_memory(world):
    import os

    fd = os.memfd_create("file")
    for _ in range(2 * world["memory"] // 10**6):
        os.write(fd, bytes(10**6))
    return "HARM: memfd"


def takes_system_v_memory(world):
    import ctypes

    libc = ctypes.CDLL(None)
    segment = libc.shmget(0, ctypes.c_size_t(2 * world["memory"]), 0o1600)
    if segment >= 0:
        libc.shmctl(segment, 0, None)
        return "HARM: shared memory that outlives its process"
    return "refused"


def bombs_with_threads(world):
    import threading
    import time

    done = threading.Event()
    threads = [threading.Thread(target=done.wait, args=(2,), daemon=True) for _ in range(300)]
    try:
        for thread in threads:
            thread.start()
    finally:
        done.set()
        time.sleep(0.05)
    return "HARM: 300 threads"


def opens_descriptors(world):
    import os

    kept = [os.pipe() for _ in range(200)]
    return f"HARM: {len(kept)} pipes"
