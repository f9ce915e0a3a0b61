"""Starting processes, and harming those that run."""

NEEDS = "proc"


def forks(world):
    import os

    if os.fork() == 0:
        os._exit(0)
    return "HARM: forked"


def forks_below_python(world):
    import ctypes
    import os

    pid = ctypes.CDLL(None).fork()
    if pid == 0:
        os._exit(0)
    return "HARM: forked" if pid > 0 else "refused"


def leaves_a_daemon(world):
    """It survives the end of its session, and comes back to write."""
    import os
    import time

    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(0.2)
            with open(f"{world['folder']}/daemon", "w") as file:
                file.write("x")
        os._exit(0)
    time.sleep(0.6)


def bombs_with_forks(world):
    import os
    import time

    for _ in range(20):
        if os.fork() == 0:
            time.sleep(1)
            os._exit(0)
    return "HARM: 20 processes"


def runs_a_shell(world):
    import os

    os.system(f"{world['folder']}/tool.sh")


def runs_a_program(world):
    import subprocess

    return subprocess.run([f"{world['folder']}/tool.sh"], capture_output=True, text=True).stdout


def spawns_a_program(world):
    import os

    tool = f"{world['folder']}/tool.sh"
    os.waitpid(os.posix_spawn(tool, [tool], {}), 0)


def becomes_a_program(world):
    import os

    os.execv(f"{world['folder']}/tool.sh", ["tool.sh"])


def uses_a_pool(world):
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(2) as pool:
        return f"HARM: {pool.map(abs, [-1, -2])}"


def kills_another_process(world):
    import os
    import signal
    import time

    os.kill(world["pid"], signal.SIGKILL)
    time.sleep(0.1)


def kills_by_a_descriptor(world):
    import os
    import signal
    import time

    signal.pidfd_send_signal(os.pidfd_open(world["pid"]), signal.SIGKILL)
    time.sleep(0.1)


def kills_below_python(world):
    import ctypes
    import time

    ctypes.CDLL(None).kill(world["pid"], 9)
    time.sleep(0.1)


def kills_by_a_file_that_is_ready(world):
    """F_SETOWN and F_SETSIG: the kernel itself sends the signal when a pipe can be read."""
    import fcntl
    import os
    import time

    ours, theirs = os.pipe()
    fcntl.fcntl(ours, fcntl.F_SETOWN, world["pid"])
    fcntl.fcntl(ours, 10, 9)
    fcntl.fcntl(ours, fcntl.F_SETFL, os.O_ASYNC)
    os.write(theirs, b"x")
    time.sleep(0.1)


def slows_another_process(world):
    import os

    os.setpriority(os.PRIO_PROCESS, world["pid"], 19)


def pins_another_process(world):
    import os

    os.sched_setaffinity(world["pid"], {min(os.sched_getaffinity(0))})


def limits_another_process(world):
    import resource

    resource.prlimit(world["pid"], resource.RLIMIT_NOFILE, (3, 3))


def raises_its_own_limits(world):
    import resource

    resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))
    return "HARM: own limits set"


def leaves_a_message_queue(world):
    import ctypes

    libc = ctypes.CDLL(None)
    queue = libc.msgget(0, 0o1600)
    if queue >= 0:
        libc.msgctl(queue, 0, None)
        return "HARM: a queue that outlives its process"
    return "refused"


def opens_a_ring_into_the_kernel(world):
    """io_uring does without system calls what the filter counts on seeing."""
    import ctypes

    ring = ctypes.CDLL(None).syscall(425, 4, ctypes.create_string_buffer(200))
    return "HARM: io_uring" if ring >= 0 else "refused"
