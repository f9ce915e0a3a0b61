"""The fences around a process that runs somebody else's code: less memory, no files, no others.

`confine(limits, readable)` is called by a worker just after it was forked and before it runs any
of the learner's code. It needs no root and no helper program, and cannot be undone. Each layer is
tried on its own: `confine` never fails, it says which guarantees hold and by which layers.

  rlimits    memory (data and address space: one without the other lets a shared mapping through),
             processor time, file size, open files, no core dumps
  Landlock   reads nothing but `readable`; writes and runs nothing; no TCP; no signals to others
  seccomp    a list of the system calls that computing needs; every other one answers EPERM

Landlock: https://docs.kernel.org/userspace-api/landlock.html; seccomp:
https://docs.kernel.org/userspace-api/seccomp_filter.html. This file imports nothing of ours,
because the zygote loads it by its path.
"""

import contextlib
import ctypes
import errno
import os
import platform
import signal
import stat
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass

GUARANTEES = {
    "fs": "reads only its libraries, and writes no file",
    "net": "opens no connection",
    "proc": "starts no process, and neither signals nor inspects another one",
    "mem": "takes no more memory than its limit",
}


@dataclass(frozen=True)
class Bounds:
    """How much a worker may take on top of what it has when it is forked."""

    memory: int = 1 << 30  # bytes
    processor: int = 900  # seconds, of the whole submission
    files: int = 64  # open at a time


def confine(bounds: Bounds, landlock: int | None) -> dict[str, list[str]]:
    """Put up every fence around this process that the system has; guarantee -> layers that hold.

    `landlock` is what `ruleset` made before the fork. A guarantee without a layer does not hold.
    """
    holds: dict[str, list[str]] = {name: [] for name in GUARANTEES}
    if sys.platform != "linux":
        return holds
    libc = ctypes.CDLL(None, use_errno=True)
    _alone(libc)
    if _limit(bounds):
        holds["mem"].append("rlimits")
    if _no_new_privileges(libc):
        if landlock is not None and _enter(libc, landlock):
            holds["fs"].append("Landlock")
        if _filter_calls(libc):
            for name in ("net", "proc"):
                holds[name].append("seccomp")
    return holds


PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME = 1, 4, 15
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38


def _alone(libc):
    """A session of its own; it ends with its parent; others of its user cannot look into it."""
    for step in (
        os.setsid,
        lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),
        lambda: libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0),
    ):
        with contextlib.suppress(OSError):
            step()


def _no_new_privileges(libc):
    return libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0


# ------------------------------------------------------------------------------- rlimits


def _limit(bounds):
    import resource  # it is not on every system

    used = _used()
    wanted = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, bounds.files),
        (resource.RLIMIT_DATA, used.get("VmData", 1 << 30) + bounds.memory),
        (resource.RLIMIT_AS, used.get("VmSize", 1 << 34) + bounds.memory),
    ]
    done = True
    for kind, most in wanted:
        try:
            _, hard = resource.getrlimit(kind)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))
        except (OSError, ValueError):
            done = False
    with contextlib.suppress(OSError, ValueError):
        # A second between the two: the first sends SIGXCPU, which tells what happened.
        resource.setrlimit(resource.RLIMIT_CPU, (bounds.processor, bounds.processor + 1))
    return done


def _used() -> dict[str, int]:
    """The lines of /proc/self/status that are in kB, in bytes."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        lines = [line.split() for line in file]
    return {words[0][:-1]: int(words[1]) << 10 for words in lines if words[2:] == ["kB"]}


# ------------------------------------------------------------------------------ Landlock

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every architecture
READ_FILE, READ_DIR, WRITE_FILE = 1 << 2, 1 << 3, 1 << 1
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # from this version on, so many rights are known


def landlock_version() -> int:
    """The version of Landlock in this kernel; 0 if it has none or it is switched off."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def ruleset(readable: Iterable[str], version: int | None = None) -> int | None:
    """A Landlock ruleset, as a descriptor: read these files and folders, and nothing else.

    Made once, by the zygote; each worker enters it after its fork, because Landlock binds the
    thread that calls. None where there is no Landlock.
    """
    version = landlock_version() if version is None else version
    if version < 1:
        return None
    rights = max(n for since, n in FILE_RIGHTS.items() if since <= version)
    network = 0b11 if version >= 4 else 0  # bind and connect by TCP
    scoped = 0b11 if version >= 6 else 0  # abstract sockets, and signals to others
    attributes = struct.pack("=QQQ", (1 << rights) - 1, network, scoped)
    size = 8 if version < 4 else 16 if version < 6 else 24
    libc = ctypes.CDLL(None, use_errno=True)
    rules = libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    if rules < 0:
        return None
    for path in readable:
        _allow(libc, rules, path, READ_FILE)
    _allow(libc, rules, os.devnull, READ_FILE | WRITE_FILE)
    return rules


def _allow(libc, rules, path, rights):
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if stat.S_ISDIR(os.fstat(place).st_mode):
        rights |= READ_DIR
    rule = struct.pack("=Qi", rights, place)
    libc.syscall(ADD_RULE, rules, 1, rule, ctypes.c_uint32(0))
    os.close(place)


def _enter(libc, rules):
    done = libc.syscall(RESTRICT_SELF, rules, ctypes.c_uint32(0)) == 0
    os.close(rules)
    return done


# ------------------------------------------------------------------------------- seccomp

# The calls that computing in Python needs, by name, with their numbers on x86_64 and aarch64.
CALLS = {
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66),
    "pread64": (17, 67), "close": (3, 57), "lseek": (8, 62), "pipe": (22, None),
    "pipe2": (293, 59), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24),
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    # what is there: opening goes through Landlock
    "open": (2, None), "openat": (257, 56), "fstat": (5, 80), "newfstatat": (262, 79),
    "stat": (4, None), "lstat": (6, None), "statx": (332, 291), "access": (21, None),
    "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, None),
    "readlinkat": (267, 78), "getcwd": (79, 17), "getdents64": (217, 61), "umask": (95, 166),
    # memory
    "mmap": (9, 222), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226),
    "madvise": (28, 233), "brk": (12, 214), "mincore": (27, 232),
    # threads and signals of its own
    "futex": (202, 98), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "set_robust_list": (273, 99), "get_robust_list": (274, 100), "rseq": (334, 293),
    "set_tid_address": (218, 96), "membarrier": (324, 283), "getcpu": (309, 168),
    "arch_prctl": (158, None), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "sigaltstack": (131, 132), "restart_syscall": (219, 128),
    "exit": (60, 93), "exit_group": (231, 94),
    # time and who am I
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, None),
    "times": (100, 153), "getrusage": (98, 165), "getitimer": (36, 102),
    "setitimer": (38, 103), "getpid": (39, 172), "gettid": (186, 178), "getppid": (110, 173),
    "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
    "uname": (63, 160), "sysinfo": (99, 179), "getrandom": (318, 278), "getrlimit": (97, 163),
}  # fmt: skip
THREAD = (0x3D0F00, 0x7D0F00)  # the flags of clone by which glibc and musl start a thread
NO_SIGNALS = (0, 1, 2, 3, 4, 1030)  # of fcntl: duplicate and flags, not F_SETOWN
QUERIES = (0x5401, 0x541B, 0x5450, 0x5451)  # of ioctl: is it a terminal, how much is there
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, audit number

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
ABSENT = 0x00050000 | errno.ENOSYS
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF: load a word, jump if equal, return


def program(machine: str, pid: int) -> bytes | None:
    """The filter as BPF, for the process `pid`; None for a machine whose numbers we do not know.

    Each block is one call: "is it this number? then ..., else to the next block".
    """
    if machine not in MACHINES or sys.maxsize < 1 << 32:
        return None
    column, audit = MACHINES[machine]
    partly = {  # allowed if this argument is one of these values
        (56, 220): (0, THREAD),  # clone: threads, not processes
        (72, 25): (1, NO_SIGNALS),  # fcntl
        (16, 29): (1, QUERIES),  # ioctl
        (157, 167): (0, (PR_SET_NAME,)),  # prctl
        (62, 129): (0, (pid,)),  # kill
        (234, 131): (0, (pid,)),  # tgkill
        (302, 261): (2, (0,)),  # prlimit64: without new limits
    }
    lines = [_line(LOAD, 4), _line(EQUAL, audit, 1, 0), _line(RETURN, KILL), _line(LOAD, 0)]
    for numbers in CALLS.values():
        if numbers[column] is not None:
            lines += [_line(EQUAL, numbers[column], 0, 1), _line(RETURN, ALLOW)]
    for numbers, (argument, values) in partly.items():
        block = [_line(LOAD, 16 + 8 * argument)]
        if argument == 2:  # a pointer: its upper half too
            block += [_line(EQUAL, 0, 1, 0), _line(RETURN, REFUSE), _line(LOAD, 36)]
        for value in values:
            block += [_line(EQUAL, value, 0, 1), _line(RETURN, ALLOW)]
        block += [_line(RETURN, REFUSE)]
        lines += [_line(EQUAL, numbers[column], 0, len(block)), *block]
    # glibc asks for clone3 first. Its flags cannot be seen from here; it takes clone instead.
    lines += [_line(EQUAL, 435, 0, 1), _line(RETURN, ABSENT), _line(RETURN, REFUSE)]
    return b"".join(lines)


def _line(code, k, yes=0, no=0):
    return struct.pack("=HBBI", code, yes, no, k)


def _filter_calls(libc):
    code = program(platform.machine(), os.getpid())
    if code is None:
        return False
    lines = ctypes.create_string_buffer(code, len(code))
    whole = struct.pack("@HP", len(code) // 8, ctypes.addressof(lines))
    return libc.prctl(PR_SET_SECCOMP, 2, whole, 0, 0) == 0
