"""Never ending, ending Python, and flooding: what a deadline and a process of one's own stop."""

BORDER = "each order has a deadline, and the process that ends is not ours"
OUTCOME = {"timeout", "crashed", "out of memory", "too much output"}


def loops(world):
    while True:
        pass


def sleeps(world):
    import time

    time.sleep(1000)


def loops_in_a_call(world):
    def softmax(x):
        while True:
            pass

    return softmax


def catches_everything(world):
    import contextlib
    import signal

    for number in range(1, 32):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


def computes_in_c(world):
    return str(len(str(7 ** (10**7))))


def backtracks(world):
    import re

    re.match(r"(a+)+$", "a" * 60 + "b")


def spins_in_threads(world):
    import threading

    def spin():
        while True:
            pass

    threads = [threading.Thread(target=spin) for _ in range(3)]
    for thread in threads:
        thread.start()
    threads[0].join()


def floods_its_output(world):
    import os

    while True:
        os.write(1, b"x" * 10**6)
        os.write(2, b"x" * 10**6)


def exits(world):
    import os

    os._exit(0)


def exits_in_a_call(world):
    import os

    return lambda x: os._exit(0)


def kills_itself(world):
    import os

    os.kill(os.getpid(), 9)


def stops_itself_quietly(world):
    """A stopped process is no dead one: only a deadline notices."""
    import os
    import signal

    os.kill(os.getpid(), signal.SIGSTOP)


def reads_at_address_zero(world):
    import ctypes

    ctypes.string_at(0)


def overflows_the_stack(world):
    import sys

    sys.setrecursionlimit(10**9)

    class Deep:
        def __repr__(self):
            return repr(self)

    return repr(Deep())
