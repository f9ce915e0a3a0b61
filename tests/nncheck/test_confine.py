"""The fences one by one: the filter's program on both machines, Landlock's rules, the limits."""

import errno
import os
import struct
import sys

import pytest

from nncheck import confine
from nncheck.confine import ABSENT, ALLOW, KILL, REFUSE, program

linux = pytest.mark.skipif(sys.platform != "linux", reason="the fences are built on Linux")
NUMBERS = {  # of calls that matter, on x86_64 and aarch64
    "fork": (57, None),
    "vfork": (58, None),
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "sendmsg": (46, 211),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "setrlimit": (160, 164),
    "fchmodat": (268, 53),
    "unlinkat": (263, 35),
    "renameat2": (316, 276),
    "truncate": (76, 45),
    "shmget": (29, 194),
    "memfd_create": (319, 279),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "pidfd_send_signal": (424, 424),
    "mount": (165, 40),
    "keyctl": (250, 219),
    "userfaultfd": (323, 282),
    "write": (1, 64),
    "mmap": (9, 222),
    "openat": (257, 56),
    "futex": (202, 98),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
}
PID = 4321


def answer(machine, name, *arguments):
    """What the filter answers to one call: its program, run by hand."""
    column, audit = confine.MACHINES[machine]
    number = NUMBERS[name][column] if isinstance(name, str) else name
    if number is None:
        return REFUSE
    words = [a % (1 << 64) for a in (*arguments, 0, 0, 0, 0, 0, 0)][:6]
    data = struct.pack("=IIQ6Q", number, audit, 0, *words)
    return interpret(program(machine, PID), data)


def interpret(code, data):
    lines, at, held = list(struct.iter_unpack("=HBBI", code)), 0, None
    while True:
        kind, yes, no, k = lines[at]
        at += 1
        if kind == confine.RETURN:
            return k
        if kind == confine.LOAD:
            [held] = struct.unpack_from("=I", data, k)
        else:
            assert kind == confine.EQUAL
            at += yes if held == k else no


machines = pytest.mark.parametrize("machine", confine.MACHINES)


@machines
def test_what_computing_needs_is_allowed(machine):
    for name in ("write", "mmap", "openat", "futex"):
        assert answer(machine, name) == ALLOW, name


@machines
def test_what_reaches_beyond_the_process_is_refused(machine):
    known = ("write", "mmap", "openat", "futex", "clone3")
    partly = ("clone", "kill", "tgkill", "fcntl", "ioctl", "prctl", "prlimit64")
    for name in NUMBERS.keys() - {*known, *partly}:
        assert answer(machine, name) == REFUSE, name


@machines
def test_threads_start_and_processes_do_not(machine):
    assert answer(machine, "clone", 0x3D0F00) == ALLOW
    for flags in (17, 0x01200011, 0x4111, 0x3D0F00 | 0x10000000):
        assert answer(machine, "clone", flags) == REFUSE
    assert answer(machine, "clone3") == ABSENT
    assert ABSENT & 0xFFFF == errno.ENOSYS


@machines
def test_signals_go_to_itself_alone(machine):
    for name in ("kill", "tgkill"):
        assert answer(machine, name, PID, 9) == ALLOW
        for other in (0, -1, 1, -PID, PID + 1):
            assert answer(machine, name, other, 9) == REFUSE


@machines
def test_of_calls_with_many_meanings_the_harmless_are_allowed(machine):
    assert answer(machine, "fcntl", 3, 1030) == ALLOW
    assert answer(machine, "fcntl", 3, 8) == REFUSE  # F_SETOWN
    assert answer(machine, "ioctl", 0, 0x5401) == ALLOW
    assert answer(machine, "ioctl", 0, 0x5412) == REFUSE  # TIOCSTI types into a terminal
    assert answer(machine, "prctl", 15) == ALLOW
    assert answer(machine, "prctl", 4, 1) == REFUSE  # dumpable again
    assert answer(machine, "prlimit64", 0, 7, 0) == ALLOW
    for pointer in (0x1000, 0x7F00_0000_0000, 0x1_0000_0000):
        assert answer(machine, "prlimit64", 0, 7, pointer) == REFUSE


def test_calls_of_another_architecture_end_the_process():
    data = struct.pack("=IIQ6Q", 1, 0x40000003, *[0] * 7)  # i386, where 1 is exit
    assert interpret(program("x86_64", PID), data) == KILL
    assert answer("x86_64", 0x40000000 + 57) == REFUSE  # x32


def test_an_unknown_machine_has_no_filter():
    assert program("riscv64", PID) is None


def test_without_landlock_there_are_no_rules():
    assert confine.ruleset(["/"], version=0) is None


@linux
@pytest.mark.parametrize("version", range(1, confine.landlock_version() + 1))
def test_rules_of_every_older_version_are_accepted(version):
    rules = confine.ruleset([os.path.dirname(__file__), __file__, "/not/there"], version)
    assert rules is not None
    os.close(rules)


@linux
def test_a_layer_that_is_missing_is_told_and_raises_nothing(monkeypatch):
    monkeypatch.setattr(confine, "MACHINES", {})
    monkeypatch.setattr(confine, "_alone", lambda libc: None)
    monkeypatch.setattr(confine, "_limit", lambda bounds: False)
    monkeypatch.setattr(confine, "_no_new_privileges", lambda libc: True)
    assert confine.confine(confine.Bounds(), None) == {"fs": [], "net": [], "proc": [], "mem": []}


def test_elsewhere_than_on_linux_nothing_is_promised(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not any(confine.confine(confine.Bounds(), None).values())
    assert confine.landlock_version() == 0
