"""Reading what is not theirs, and leaving something behind."""

NEEDS = "fs"


def reads_the_check_file(world):
    with open(f"{world['folder']}/checks/11_neuron.py") as file:
        return file.read()


def reads_the_solution(world):
    from pathlib import Path

    return Path(world["folder"], "solutions/11_neuron.ipynb").read_text()


def reads_another_submission_with_numpy(world):
    import numpy as np

    path = f"{world['folder']}/submitted/bob/11_neuron.ipynb"
    return np.fromfile(path, dtype="uint8").tobytes().decode()


def reads_by_a_memory_map(world):
    import numpy as np

    path = f"{world['folder']}/checks/11_neuron.py"
    return bytes(np.memmap(path, dtype="uint8", mode="r")).decode()


def reads_with_the_c_library(world):
    import ctypes

    libc = ctypes.CDLL(None)
    there = ctypes.create_string_buffer(200)
    fd = libc.open(f"{world['folder']}/checks/11_neuron.py".encode(), 0)
    libc.read(fd, there, 200)
    return there.value.decode()


def reads_through_a_path_descriptor(world):
    import os

    place = os.open(f"{world['folder']}/checks", os.O_PATH)
    fd = os.open("11_neuron.py", os.O_RDONLY, dir_fd=place)
    return os.read(fd, 200).decode()


def imports_the_check_file(world):
    import importlib.util

    path = f"{world['folder']}/checks/11_neuron.py"
    spec = importlib.util.spec_from_file_location("stolen", path)
    stolen = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stolen)
    return stolen.right


def lists_the_submissions(world):
    import os

    return "HARM: " + ", ".join(os.listdir(f"{world['folder']}/submitted"))


def reads_anothers_environment(world):
    with open(f"/proc/{world['pid']}/environ") as file:
        return file.read()


def reads_which_processes_there_are(world):
    import os

    for pid in filter(str.isdigit, os.listdir("/proc")):
        with open(f"/proc/{pid}/cmdline") as file:
            if "sleep" in file.read():
                return f"HARM: {pid} sleeps"
    return ""


def reads_the_password_file(world):
    with open("/etc/passwd") as file:
        return f"HARM: {file.read(4)}"


def writes_beside_the_submissions(world):
    with open(f"{world['folder']}/submitted/note", "w") as file:
        file.write("x")


def appends_to_another_submission(world):
    with open(f"{world['folder']}/submitted/bob/11_neuron.ipynb", "a") as file:
        file.write("x")


def truncates_another_submission(world):
    import os

    os.truncate(f"{world['folder']}/submitted/bob/11_neuron.ipynb", 0)


def deletes_another_submission(world):
    import os

    os.unlink(f"{world['folder']}/submitted/bob/11_neuron.ipynb")


def renames_another_submission(world):
    import os

    path = f"{world['folder']}/submitted/bob/11_neuron.ipynb"
    os.rename(path, path + ".old")


def changes_the_rights_of_a_file(world):
    import os

    os.chmod(f"{world['folder']}/checks/11_neuron.py", 0o777)


def changes_the_time_of_a_file(world):
    import os

    os.utime(f"{world['folder']}/checks/11_neuron.py", (0, 0))


def marks_a_file(world):
    import errno
    import os

    try:
        os.setxattr(f"{world['folder']}/checks/11_neuron.py", "user.mark", b"x")
    except OSError as error:
        return "refused" if error.errno == errno.ENOTSUP else str(error)


def links_to_the_solution(world):
    import os

    os.symlink(f"{world['folder']}/solutions", f"{world['folder']}/submitted/eve")


def links_the_solution_hard(world):
    import os

    os.link(f"{world['folder']}/solutions/11_neuron.ipynb", f"{world['folder']}/submitted/mine")


def makes_a_fifo(world):
    import os

    os.mkfifo(f"{world['folder']}/submitted/fifo")


def plants_a_start_up_file(world):
    with open(f"{world['folder']}/home/.profile", "a") as file:
        file.write("echo planted")


def plants_a_start_up_module(world):
    from pathlib import Path

    place = Path(world["folder"], "home/.local/lib/python3/site-packages")
    place.mkdir(parents=True)
    (place / "usercustomize.py").write_text("import os")


def opens_the_gradebook(world):
    import sqlite3

    with sqlite3.connect(f"{world['folder']}/class.db") as book:
        book.execute("CREATE TABLE grades (student, points)")


def leaves_a_file_in_tmp(world):
    with open(world["tmp"], "w") as file:
        file.write("x")


def leaves_shared_memory(world):
    with open(world["shm"], "w") as file:
        file.write("x")
