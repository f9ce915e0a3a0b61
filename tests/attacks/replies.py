"""Forging the reply: values that lie, and bytes on the line that are no reply.

Each of these earns points, or does its damage, where the check runs in the learner's process or
believes what comes from there. The border alone stops them.
"""

BORDER = "a reply is plain data, read with a limit and a deadline, and compared on our side"
HARMLESS_IN_ONE_PROCESS = {  # they aim at the line, and there a process of its own has none
    "forges_a_frame",
    "forges_a_frame_in_advance",
    "replies_twice",
    "announces_four_gigabytes",
    "drips",
    "closes_the_line",
    "sends_a_pickle_over_the_line",
    "replies_without_end",
    "replies_too_deeply",
    "replies_a_gigabyte",
}


def says_that_it_passed(world):
    return lambda x: {"status": "passed", "points": 2, "score": 2, "passed": True}


def lies_by_equality(world):
    import numpy as np

    class Liar(np.ndarray):
        def __eq__(self, other):
            return np.array(True)

        def __sub__(self, other):
            return np.zeros(self.shape)

        __rsub__ = __sub__

    return lambda x: np.zeros(x.shape).view(Liar)


def lies_without_being_an_array(world):
    import numpy as np

    class Liar:
        __array_ufunc__ = None

        def __eq__(self, other):
            return np.array(True)

        def __sub__(self, other):
            return np.zeros(1)

    return lambda x: Liar()


def lies_by_array(world):
    """It looks for the right reply on the stack and turns into it when it is compared."""
    import sys

    import numpy as np

    class Liar:
        def __array__(self, *args, **kwargs):
            frame = sys._getframe()
            while frame:
                for name in ("want", "expected", "right"):
                    if isinstance(frame.f_locals.get(name), np.ndarray):
                        return frame.f_locals[name]
                frame = frame.f_back
            return np.zeros((3, 5))

    return lambda x: Liar()


def is_a_pickle_bomb(world):
    import os

    class Bomb:
        def __reduce__(self):
            return (os.system, (f"touch {world['folder']}/exploded",))

    return lambda x: Bomb()


def sends_a_pickle_over_the_line(world):
    import contextlib
    import os
    import pickle

    class Bomb:
        def __reduce__(self):
            return (os.system, (f"touch {world['folder']}/exploded",))

    def softmax(x):
        raw = pickle.dumps(Bomb())
        for fd in range(3, 20):
            with contextlib.suppress(OSError):
                os.write(fd, len(raw).to_bytes(4, "big") + raw)
        return x

    return softmax


def forges_a_frame(world):
    import contextlib
    import json
    import os

    def softmax(x):
        for number in range(20):
            reply = json.dumps({"t": [number, {"d": [["value", True], ["changed", []]]}]}).encode()
            reply = len(reply).to_bytes(4, "big") + reply
            for fd in range(3, 20):
                with contextlib.suppress(OSError):
                    os.write(fd, len(reply).to_bytes(4, "big") + reply)
        return x

    return softmax


def forges_a_frame_in_advance(world):
    import contextlib
    import json
    import os

    reply = json.dumps({"t": [4, {"d": [["value", True], ["changed", []]]}]}).encode()
    reply = len(reply).to_bytes(4, "big") + reply
    for fd in range(3, 20):
        with contextlib.suppress(OSError):
            os.write(fd, len(reply).to_bytes(4, "big") + reply)
    return lambda x: x


def replies_twice(world):
    import sys

    def softmax(x):
        wire = sys.modules["wire"]
        once = wire.write_frame
        wire.write_frame = lambda file, data: (once(file, data), once(file, data))
        return x

    return softmax


def announces_four_gigabytes(world):
    import contextlib
    import os

    def softmax(x):
        for fd in range(3, 20):
            with contextlib.suppress(OSError):
                os.write(fd, b"\xff" * 4 + b"x" * 1000)
        return x

    return softmax


def drips(world):
    import contextlib
    import os
    import time

    def softmax(x):
        while True:
            for fd in range(3, 20):
                with contextlib.suppress(OSError):
                    os.write(fd, b"\0")
            time.sleep(0.05)

    return softmax


def closes_the_line(world):
    import os

    def softmax(x):
        os.closerange(3, 50)
        return x

    return softmax


def replies_without_end(world):
    def softmax(x):
        reply = [0]
        for _ in range(60):
            reply = [reply, reply]
        return reply

    return softmax


def replies_too_deeply(world):
    def softmax(x):
        reply = 0
        for _ in range(10**5):
            reply = [reply]
        return reply

    return softmax


def replies_a_gigabyte(world):
    import numpy as np

    return lambda x: np.broadcast_to(np.zeros(1), (10**8,))
