"""No connection to the outside in a notebook's kernel: whoever tries is told to bring the data.

The kernel itself talks to us through sockets of another library, which stay as they are.
"""

import socket

HERE = ("127.", "::1", "localhost")


def block():
    """From now on, a connection to another machine raises."""
    allowed = socket.socket.connect

    def connect(self, address):
        host = str(address[0]) if isinstance(address, tuple) else ""
        if host and not host.startswith(HERE):
            raise OSError(f"no connection to {host}: a lesson brings its data along, offline")
        return allowed(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign]
