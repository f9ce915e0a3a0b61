"""Run first in each notebook's kernel: whoever connects to the outside is told to bring the data.

The kernel itself talks to us through sockets of another library, which stay as they are.
"""

import socket

HERE = ("127.", "::1", "localhost")


def _connect(self, address):
    host = address[0] if isinstance(address, tuple) else ""
    if host and not str(host).startswith(HERE):
        raise OSError(f"no connection to {host}: a lesson brings its data along, offline")
    return _allowed(self, address)


_allowed = socket.socket.connect
socket.socket.connect = _connect  # type: ignore[method-assign]
