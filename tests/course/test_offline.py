"""No test reaches another machine."""

import socket

import pytest


def test_an_address_elsewhere_is_refused():
    with pytest.raises(OSError, match=r"no connection to 192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_a_name_elsewhere_is_not_even_looked_up():
    with pytest.raises(OSError, match=r"no connection to example\.org"):
        socket.create_connection(("example.org", 80), timeout=1)


def test_this_machine_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
