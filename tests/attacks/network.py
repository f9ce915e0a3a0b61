"""Calling home."""

NEEDS = "net"


def calls_by_tcp(world):
    import socket

    socket.create_connection(("127.0.0.1", world["tcp"])).sendall(b"the questions")


def calls_by_udp(world):
    import socket

    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.sendto(b"the questions", ("127.0.0.1", world["udp"]))


def calls_by_a_file(world):
    import socket

    socket.socket(socket.AF_UNIX).connect(f"{world['folder']}/door")


def calls_by_an_abstract_name(world):
    import socket

    socket.socket(socket.AF_UNIX).connect("\0" + world["abstract"])


def calls_by_http(world):
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(f"http://127.0.0.1:{world['tcp']}/answers", timeout=0.3)


def calls_below_python(world):
    import ctypes

    libc = ctypes.CDLL(None)
    fd = libc.socket(2, 2, 0)
    to = b"\x02\x00" + world["udp"].to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    libc.sendto(fd, b"x", 1, 0, to, 16)


def opens_a_door(world):
    import socket

    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    door.listen()
    return "HARM: listens"


def listens_to_the_kernel(world):
    import socket

    line = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    line.bind((0, 0))
    return "HARM: netlink"
