"""Importing this cuts the process off: a connection to another machine raises, and says why.

The tests import it, and each notebook's kernel runs it first. A kernel talks to us through sockets
of another library, which stay as they are.
"""

import socket

HERE = ("127.", "::1", "localhost", "0.0.0.0")


def refuse(host):
    if host and not str(host).startswith(HERE):
        raise OSError(f"no connection to {host}: tests and lessons run offline, on their own data")


def connect(self, address):
    if isinstance(address, tuple):
        refuse(address[0])
    return _connect(self, address)


def getaddrinfo(host, *args, **kwargs):
    refuse(host.decode() if isinstance(host, bytes) else host)
    return _getaddrinfo(host, *args, **kwargs)


if not hasattr(socket, "offline"):  # once, however often this file runs
    _connect, _getaddrinfo = socket.socket.connect, socket.getaddrinfo
    socket.socket.connect = connect  # type: ignore[method-assign]
    socket.getaddrinfo = getaddrinfo
    socket.offline = True  # type: ignore[attr-defined]
