"""The zygote and the line to its workers."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from nncheck import child, exercise, zygote
from nncheck.child import Ended, Fenced, Plain, Unavailable
from tests.nncheck import samples
from tests.nncheck.samples import by_source

if sys.platform != "linux":
    pytest.skip("there is no zygote here", allow_module_level=True)

MEMORY = 200 << 20
SOFTMAX = "def softmax(logits):\n    {}\n    return logits"


@pytest.fixture
def worker():
    made = child.start("numpy", MEMORY)
    made.ask("start", "numpy", [], seconds=60)
    yield made
    made.kill()


def told(worker, source):
    """What a cell leaves in `found`."""
    error = worker.ask("cell", "c", f"{source}\nf = lambda: found", [], seconds=20)["error"]
    assert error is None, error
    key = worker.keep(exercise.call, 20)
    return worker.ask("call", key, ["f"], [], seconds=20)["value"]


def gone(pid, seconds=10.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


def test_workers_of_one_use_come_from_one_zygote(worker):
    other = child.start("numpy", MEMORY)
    assert other.zygote is worker.zygote
    assert told(worker, "import os; found = os.getppid()") == worker.zygote.process.pid
    other.kill()


def test_a_worker_leads_a_session_and_holds_its_own_line_only(worker):
    found = told(
        worker,
        "import os\n"
        "def there(fd):\n"
        "    try: return bool(os.fstat(fd))\n"
        "    except OSError: return False\n"
        "found = [fd for fd in range(200) if there(fd)]",
    )
    assert found == [0, 1, 2, zygote.LINE]
    assert os.getsid(worker.pid) == worker.pid


def test_a_worker_knows_no_environment_of_ours(worker, monkeypatch):
    found = told(worker, "import os; found = sorted(os.environ)")
    assert "PATH" not in found
    assert not [name for name in found if "PYTEST" in name or "NNCHECK" in name]


def test_what_a_worker_may_read_holds_no_check_and_nothing_of_site_packages_but_what_is_used():
    paths = list(zygote.readable("numpy"))
    assert not [p for p in paths if p.endswith(("site-packages", "dist-packages", "/checks"))]
    assert not [p for p in paths if "nnlib" in p or "torch" in p or "nncheck" in p]
    assert [p for p in paths if p.endswith("numpy")]
    assert [p for p in zygote.readable("nnlib") if p.endswith("/nnlib")]


TRAINING = """
import torch
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
optimizer = torch.optim.Adam(net.parameters())
for _ in range(3):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(torch.randn(16, 4)), torch.ones(16).long())
    loss.backward()
    optimizer.step()
found = float(loss) > 0
"""
DRAWING = """
import matplotlib.pyplot as plt
from nnlib import data
figure, axes = plt.subplots()
axes.plot(data.iris()[0][:, 0])
figure.canvas.draw()
found = True
"""


@pytest.mark.parametrize(("uses", "source"), [("torch", TRAINING), ("nnlib", DRAWING)])
def test_what_an_exercise_uses_works_behind_the_fences(uses, source):
    worker = child.start(uses, 1 << 30)
    assert isinstance(worker, Fenced)
    worker.ask("start", uses, [], seconds=60)
    assert told(worker, source) is True
    worker.kill()


def test_no_worker_is_forked_beside_a_second_thread(monkeypatch):
    assert zygote.threads() >= threading.active_count()
    monkeypatch.setattr(zygote.socket, "recv_fds", lambda *_: (b"L", [os.dup(0)], 0, None))
    monkeypatch.setattr(zygote, "threads", lambda: 2)
    monkeypatch.setattr(zygote.os, "fork", lambda: pytest.fail("it forked"))
    with pytest.raises(RuntimeError, match="2 threads"):
        zygote.Zygote(None).fork(MEMORY)  # type: ignore[arg-type]


def test_when_the_grader_is_killed_nobody_is_left():
    code = (
        "import sys, time\nfrom nncheck import child\n"
        "w = child.start('numpy', 1 << 28)\n"
        "print(w.pid, w.zygote.process.pid, flush=True)\ntime.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    ) as grader:
        assert grader.stdout
        pids = [int(pid) for pid in grader.stdout.readline().split()]
        assert len(pids) == 2
        grader.kill()
    assert all(gone(pid) for pid in pids)


def test_a_zygote_that_dies_takes_its_workers_along_and_is_replaced():
    old = child.start("numpy", MEMORY)
    assert isinstance(old, Fenced)
    old.zygote.process.kill()
    assert gone(old.pid)
    with pytest.raises(Ended):
        old.ask("start", "numpy", [], seconds=5)
    made = [child.start("numpy", MEMORY) for _ in range(2)]  # the first may still meet the dead one
    assert isinstance(made[1], Fenced)
    assert made[1].zygote is not old.zygote
    for each in made:
        each.kill()


def test_a_zygote_that_cannot_prepare_says_why_and_is_ended(monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        child.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1]
    )
    with pytest.raises(Unavailable, match="jax"):
        child.zygote_for("jax")
    assert started[0].poll() is not None


def test_an_answer_that_nobody_asked_for_ends_the_worker(worker):
    frame = "(b'\\0\\0\\0\\1x')"
    late = f"""
import os, threading, time
def later():
    time.sleep(0.2)
    os.write({zygote.LINE}, {frame})
threading.Thread(target=later).start()
"""
    worker.ask("cell", "c", late, [], seconds=20)
    time.sleep(1)
    with pytest.raises(Ended, match="crashed"):
        worker.ask("cell", "c", "x = 1", [], seconds=20)


def test_where_there_is_no_zygote_a_plain_worker_promises_nothing(monkeypatch):
    def refuse(uses):
        raise Unavailable("none here")

    monkeypatch.setattr(child, "zygote_for", refuse)
    worker = child.start("numpy", MEMORY)
    assert isinstance(worker, Plain)
    assert not any(worker.guarantees.values())
    worker.kill()


@pytest.mark.parametrize("fences", [True, False])
@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("import os; os._exit(1)", "crashed"),
        ("import ctypes; ctypes.string_at(0)", "crashed"),
        ("while True: pass", "timeout"),
        ("raise MemoryError", "out of memory"),
        ("import numpy; return numpy.zeros(10**7)", "too much output"),
    ],
)
def test_how_an_answer_ended_is_named_and_the_points_before_it_stay(line, name, fences):
    of = samples.trial("01_functions")
    cells = [
        samples.Cell("a", samples.CAUGHT),
        samples.Cell("b", SOFTMAX.format(line)),
    ]
    with samples.Remote(cells, of.exercise, samples.QUICK, fences) as there:
        verdicts = {v.question: v for v in of.judge_all(there)}
    assert verdicts["missing_transpose"].points == 1
    assert (verdicts["softmax"].status, verdicts["softmax"].name) == ("error", name)
    assert verdicts["softmax"].message


def test_memory_that_is_missing_is_named_in_a_cell_and_in_a_call():
    limits = samples.Limits(cell=10, call=10, memory=MEMORY)
    bomb = "np.ones(10**8)"
    in_call = by_source("01_functions", "import numpy as np", SOFTMAX.format(bomb), limits=limits)
    assert in_call["softmax"].name == "out of memory"
    source = f"import numpy as np\n{bomb}\n{SOFTMAX.format('pass')}"
    assert by_source("01_functions", source, limits=limits)["softmax"].name == "out of memory"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (None, "crashed"),
        (0, "crashed"),
        (-signal.SIGSEGV, "crashed"),
        (-signal.SIGKILL, "out of memory"),
        (-signal.SIGXCPU, "timeout"),
        (-signal.SIGXFSZ, "too much output"),
    ],
)
def test_an_end_is_named_by_its_signal(code, kind):
    assert child.cause(code) == kind


def test_without_fences_memory_is_watched():
    cells = (
        "import numpy as np, time\nkept = []",
        "for i in range(400):\n    kept.append(np.ones(2**20))",
    )
    plain = Plain(memory=300 << 20)
    try:
        plain.ask("start", "numpy", [], seconds=60)
        assert plain.ask("cell", "a", cells[0], [], seconds=20)["error"] is None
        with pytest.raises(Ended, match="out of memory"):
            plain.ask("cell", "b", cells[1] + "\n    time.sleep(0.01)", [], seconds=20)
        assert gone(plain.pid)
    finally:
        plain.kill()
