"""Local and Remote see the same; a worker's trouble costs what it concerns and nothing else."""

import os
import signal
import time

import numpy as np
import pytest

from nncheck import answer, child, worker
from nncheck.answer import Limits, Local, Remote
from nncheck.child import Ended
from nncheck.submission import Cell
from nncheck.worker import without_magics
from tests.nncheck import samples
from tests.nncheck.samples import by_source

WRONGS = [
    (name, q.name, wrong.name)
    for name in samples.NAMES
    for q in samples.load(name).questions.values()
    for wrong in q.wrongs
]
SOFTMAX = """
import numpy as np
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
PREDICT = "def predict(logits):\n    return np.argmax(softmax(logits), axis=1)"
FOREVER = "while True:\n    pass"


# --------------------------------------------------------------- the same in both transports


@pytest.mark.parametrize("name", samples.NAMES)
def test_the_right_answers_pass_in_a_worker(name):
    of = samples.trial(name)
    with Remote(samples.right_cells(of.exercise), of.exercise) as there:
        for verdict in of.judge_all(there):
            assert verdict.passed, verdict


@pytest.mark.parametrize(("name", "question", "wrong"), WRONGS)
def test_a_wrong_answer_gets_the_same_verdict_name_and_words_in_both(name, question, wrong):
    [known] = [
        w for w in samples.trial(name).exercise.questions[question].wrongs if w.name == wrong
    ]
    here = samples.locally(name, question, known.answer)
    there = samples.remotely(name, question, known.answer)
    assert there == here
    assert there.name == known.mistake


ODD_ANSWERS = {
    "none": "def softmax(x): return None",
    "placeholder": "def softmax(x):\n    raise NotImplementedError",
    "raises": "def softmax(x):\n    y = x + 1\n    return y @ y",
    "function": "def softmax(x): return print",
    "text": "def softmax(x): return 'a\\x1b[2Jb'",
    "in place": "def softmax(x):\n    x[:] = 0\n    return x",
    "nan": "def softmax(x): return x * float('nan')",
    "ragged": "def softmax(x): return [[1.0], [2.0, 3.0]]",
    "deep": "def softmax(x):\n    l = []\n    for _ in range(10**5): l = [l]\n    return l",
    "recursion": "def softmax(x): return softmax(x)",
    "own exception": "class Odd(Exception):\n    def __str__(self): raise self\n"
    "def softmax(x): raise Odd()",
    "exit": "def softmax(x): raise SystemExit(0)",
    "prints": "def softmax(x):\n    print('x' * 10**7)\n    return x",
    "generator": "def softmax(x):\n    yield x",
    "wrong arguments": "def softmax(): return 1",
    "no function": "softmax = 3",
}


@pytest.mark.parametrize("case", ODD_ANSWERS)
def test_an_odd_answer_gets_the_same_verdict_and_words_in_both(case, capsys):
    source = ODD_ANSWERS[case]
    there = by_source("01_functions", source)["softmax"]
    names = {"__name__": "__main__"}
    worker.run_cell("cell 0", source, names)
    here = samples.trial("01_functions").judge(Local(names), "softmax")
    assert there == here
    assert there.points == 0
    assert capsys.readouterr() == ("", "")


def test_a_buffer_that_an_answer_uses_again_changes_no_earlier_reply():
    source = SOFTMAX + (
        "buffer, right = {}, softmax\n"
        "def softmax(logits):\n"
        "    out = buffer.setdefault('out', np.zeros(12))\n"
        "    if logits.size > 12: return right(logits)\n"
        "    out = out[:logits.size].reshape(logits.shape)\n"
        "    out[:] = right(logits)\n"
        "    return out\n"
    )
    assert by_source("01_functions", source)["softmax"].passed
    names = {"__name__": "__main__"}
    worker.run_cell("cell 0", source, names)
    assert samples.trial("01_functions").judge(Local(names), "softmax").passed


# --------------------------------------------------------------------------- cells


def test_a_failing_cell_costs_its_own_questions_only():
    verdicts = by_source("01_functions", "import nothing_like_this", SOFTMAX, "1 / 0", PREDICT)
    assert verdicts["softmax"].passed
    assert verdicts["predict"].passed


def test_a_syntax_error_is_told_with_its_line_and_the_rest_is_checked():
    verdicts = by_source("01_functions", SOFTMAX, "def predict(logits):\n    return (1")
    assert verdicts["softmax"].passed
    assert verdicts["predict"].status == "error"
    assert verdicts["predict"].name == "syntax"
    assert "not Python yet: '(' was never closed (line 2: `return (1`)" in (
        verdicts["predict"].message
    )


def test_a_cell_that_stops_before_its_answer_is_told_with_its_line():
    verdicts = by_source("01_functions", SOFTMAX, "x = npp.ones(3)\n" + PREDICT)
    assert verdicts["predict"].name == "cell"
    assert "stopped with NameError: name 'npp' is not defined (line 1" in (
        verdicts["predict"].message
    )


def test_a_cell_that_stops_after_its_answer_is_checked():
    assert by_source("01_functions", SOFTMAX + "\nsoftmax(1)")["softmax"].passed


def test_a_part_that_a_probe_needs_and_whose_cell_stopped_is_told():
    verdicts = by_source("01_functions", "1 / 0\n" + SOFTMAX, PREDICT)
    assert verdicts["softmax"].name == "cell"
    assert verdicts["predict"].status in ("error", "skipped")


def test_a_deleted_or_renamed_answer_is_missing():
    verdicts = by_source("01_functions", SOFTMAX.replace("softmax", "soft_max"))
    assert verdicts["softmax"].status == "missing"
    assert "`nncheck update` brings a deleted cell back" in verdicts["softmax"].message


def test_an_answer_that_was_imported_or_assigned_counts():
    assert by_source("01_functions", SOFTMAX.replace("softmax", "mine"), "softmax = mine")[
        "softmax"
    ].passed


def test_of_two_cells_with_one_answer_the_last_counts():
    wrong = "def softmax(logits):\n    return logits"
    assert by_source("01_functions", wrong, SOFTMAX)["softmax"].passed
    assert not by_source("01_functions", SOFTMAX, wrong)["softmax"].passed


def test_check_cells_and_cells_tagged_swap_do_not_run():
    of = samples.trial("01_functions")
    cells = [
        Cell("a", SOFTMAX),
        Cell("check-softmax", 'check("softmax")'),
        Cell("b", "del softmax", ("swap",)),
    ]
    with Remote(cells, of.exercise) as there:
        assert of.judge(there, "softmax").passed
        assert not there.errors


def test_a_notebooks_first_cell_runs_with_a_stub_in_place_of_nncheck():
    first = (
        "from nncheck import open_exercise, predict\nimport nncheck\n"
        'check = open_exercise("01_functions")\nbroken = check.broken("missing_transpose")\n'
        'predict("01/a", "?", ["1", "2"])\ndisplay(3)\n%matplotlib inline\n'
    )
    assert by_source("01_functions", first + SOFTMAX)["softmax"].passed


def test_the_stub_takes_any_name_but_plays_no_other_module():
    stub = worker.stub_module()
    assert stub.open_exercise("22_autograd")("mul") is not None
    assert not hasattr(stub, "__file__")  # libraries look through all modules for their files


def test_only_what_the_exercise_uses_can_be_imported():
    for module in ("torch", "nnlib", "nnlib.functional", "nncheck.exercise"):
        verdict = by_source("01_functions", f"import {module}\n" + SOFTMAX)["softmax"]
        assert verdict.name == "cell"
        assert "import" in verdict.message.lower()


def test_of_other_packages_a_typo_is_told_and_one_that_is_installed_is_refused():
    for module, said in (("numpyy", "No module named 'numpyy'"), ("pytest", "it cannot import")):
        verdict = by_source("01_functions", f"import {module}\n" + SOFTMAX)["softmax"]
        assert said in verdict.message


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("if True:\n    %time x = 2\n    y = 3", "if True:\n    pass\n    y = 3"),
        ("!pip install torch\nx = 1", "pass\nx = 1"),
        ("files = !ls\nx = 1", "files = None\nx = 1"),
        ("np.exp?", "pass"),
        ("?np.exp", "pass"),
        ("%%time\nx = 1", "\nx = 1"),
        ("%%bash\nrm -r nothing", ""),
        ("x = 7 % 2", "x = 7 % 2"),
        ("s = '''\n%not a magic\n'''", "s = '''\n%not a magic\n'''"),
    ],
)
def test_what_only_a_notebook_understands_is_left_out(source, python):
    assert without_magics(source) == python


# ---------------------------------------------------------------------- what never ends


def test_a_loop_without_end_in_a_cell_costs_its_own_questions_only():
    limits = Limits(cell=1, call=5)
    verdicts = by_source("01_functions", SOFTMAX, FOREVER + "\n" + PREDICT, limits=limits)
    assert verdicts["softmax"].passed
    assert verdicts["predict"].status == "error"
    assert verdicts["predict"].name == "timeout"
    assert "does a loop in it never end?" in verdicts["predict"].message


def test_a_loop_without_end_in_a_call_costs_its_own_question_only():
    source = "def softmax(logits):\n    " + FOREVER.replace("\n", "\n    ")
    verdicts = by_source("01_functions", source, samples.CAUGHT, limits=Limits(call=1))
    assert verdicts["softmax"].name == "timeout"
    assert verdicts["predict"].status in ("missing", "skipped")
    assert verdicts["missing_transpose"].passed


@pytest.mark.parametrize(
    ("end", "name"),
    [
        ("os._exit(0)", "crashed"),
        ("os.abort()", "crashed"),
        ("os.kill(os.getpid(), 9)", "out of memory"),  # so a system ends who takes too much of it
    ],
)
def test_a_cell_or_a_call_that_ends_python_costs_its_own_question_only(end, name):
    verdicts = by_source("01_functions", SOFTMAX, f"import os\n{end}\n{PREDICT}")
    assert verdicts["softmax"].passed
    assert verdicts["predict"].name == name
    in_call = by_source("01_functions", SOFTMAX, f"import os\ndef predict(x):\n    {end}")
    assert in_call["softmax"].passed
    assert in_call["predict"].name == name


def test_a_notebook_of_endless_cells_ends():
    limits = Limits(cell=0.2, restarts=3)
    sources = [f"# {i}\n{FOREVER}" for i in range(9)]
    verdicts = by_source("01_functions", *sources, SOFTMAX, limits=limits)
    assert "too many cells" in verdicts["softmax"].message


def is_there(worker):
    if isinstance(worker, child.Plain):
        return worker.process.poll() is None
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("fences", [True, False])
def test_nothing_is_left_behind(fences):
    of = samples.trial("01_functions")
    there = Remote([Cell("a", SOFTMAX)], of.exercise, fences=fences)
    assert of.judge(there, "softmax").passed
    process, folder = there.child, getattr(there.child, "folder", None)
    there.close()
    assert not is_there(process)
    assert not (folder and os.path.exists(folder.name))


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a process cannot be stopped here")
@pytest.mark.parametrize("fences", [True, False])
def test_an_order_that_is_not_read_meets_its_deadline_too(fences):
    there = child.start("numpy", 1 << 30, fences)
    there.ask("start", "numpy", [], seconds=60)
    os.kill(there.pid, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(Ended, match="timeout"):
        there.ask("cell", "cell 0", "#" + "x" * 3_000_000, [], seconds=0.3)
    assert time.monotonic() - started < 30
    assert not is_there(there)


# ---------------------------------------------------------------------------- the border


def ask_in_worker(source):
    """What a cell in a worker finds out: it leaves it in `found`, a probe returns it."""
    of = samples.trial("01_functions")
    code = f"{source}\ndef softmax(logits):\n    return found\n"
    with Remote([Cell("a", code)], of.exercise) as there:
        assert not there.trouble("softmax"), there.errors
        return there.reply(of.calls["softmax"][0]).value


def test_the_worker_sees_no_environment_and_no_working_folder_of_ours(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    monkeypatch.chdir(tmp_path)
    found = ask_in_worker("import os, sys\nfound = [str(dict(os.environ)), os.getcwd(), sys.path]")
    environment, folder, path = found
    assert "hidden" not in environment
    assert folder != str(tmp_path)
    assert str(tmp_path) not in path
    assert "" not in path


def test_the_worker_holds_no_check_file_no_solution_and_no_seed():
    found = ask_in_worker(
        "import sys\n"
        "found = [[m for m in sys.modules if 'nncheck' in m or '_checks' in m], sys.argv[1:]]"
    )
    assert found[0] == ["nncheck"]  # the stub
    assert not any("checks" in argument for argument in found[1])


HOSTILE = {
    "a reply that says it passed": "def softmax(x): return {'status': 'passed', 'points': 2}",
    "lying equality": """
import numpy as np
class Liar(np.ndarray):
    def __eq__(self, other): return np.array(True)
    def __sub__(self, other): return np.zeros(self.shape)
    def __array__(self, *a, **k): raise RuntimeError
def softmax(x): return np.zeros(x.shape).view(Liar)
""",
    "patched numpy": """
import numpy as np
np.abs = np.allclose = np.isclose = lambda *a, **k: np.array(0.0)
np.isfinite = np.array_equal = lambda *a, **k: True
def softmax(x): return x
""",
    "patched worker": """
import sys
wire, main = sys.modules['wire'], sys._getframe(3).f_globals
for space in (vars(wire), main):
    for name in ('plain', 'dumps', 'run_probe', 'describe_error'):
        if name in space: space[name] = lambda *a, **k: b'true'
def softmax(x): return x
""",
    "forged frame": """
import os, json
reply = json.dumps({'t': [3, {'d': [['value', True], ['changed', []]]}]}).encode()
reply = len(reply).to_bytes(4, 'big') + reply
for fd in range(3, 20):
    try: os.write(fd, len(reply).to_bytes(4, 'big') + reply)
    except OSError: pass
def softmax(x): return x
""",
    "forged frame in a call": """
import os, json
def softmax(x):
    reply = json.dumps({'t': [4, {'d': [['value', True], ['changed', []]]}]}).encode()
    reply = len(reply).to_bytes(4, 'big') + reply
    for fd in range(3, 20):
        try: os.write(fd, len(reply).to_bytes(4, 'big') + reply)
        except OSError: pass
    return x
""",
    "a frame of four gigabytes": """
import os
def softmax(x):
    for fd in range(3, 20):
        try: os.write(fd, b'\\xff' * 4 + b'x' * 1000)
        except OSError: pass
    return x
""",
    "a pickle": """
import os, pickle
class Bomb:
    def __reduce__(self): return (os.system, ('echo forged',))
def softmax(x):
    raw = pickle.dumps(Bomb())
    for fd in range(3, 20):
        try: os.write(fd, len(raw).to_bytes(4, 'big') + raw)
        except OSError: pass
    return x
""",
    "a slow drip": """
import os, time
def softmax(x):
    while True:
        for fd in range(3, 20):
            try: os.write(fd, b'\\0')
            except OSError: pass
        time.sleep(0.05)
""",
    "closed pipes": """
import os
def softmax(x):
    os.closerange(3, 50)
    return x
""",
    "giant output": """
import os, sys
def softmax(x):
    for _ in range(200):
        os.write(1, b'x' * 10**6)
        os.write(2, b'x' * 10**6)
    return x
""",
    "a reply without end": """
def softmax(x):
    l = [0]
    for _ in range(60): l = [l, l]
    return l
""",
    "a deep reply": """
def softmax(x):
    l = 0
    for _ in range(10**6): l = [l]
    return l
""",
    "a giant reply": """
import numpy as np
def softmax(x): return np.zeros(10**8 // 4)
""",
    "a child that keeps the pipe": """
import os, time
def softmax(x):
    if os.fork() == 0:
        os.setsid()
        time.sleep(5)
        os._exit(0)
    os._exit(0)
""",
    "a patched exception": """
class NotImplementedError(Exception): pass
def softmax(x): raise NotImplementedError
""",
    "the stack": """
import sys
def softmax(x):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if getattr(value, '__name__', '') == 'right_softmax': return value(x)
        frame = frame.f_back
    return x
""",
}


@pytest.mark.parametrize("fences", [True, False])
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_code_earns_nothing_and_costs_nobody_else(case, fences):
    """The questions after it are still checked, and their verdict is the true one."""
    if case == "a child that keeps the pipe" and not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    of = samples.trial("01_functions")
    cells = [Cell("a", HOSTILE[case]), Cell("b", samples.CAUGHT)]
    started = time.monotonic()
    with Remote(cells, of.exercise, Limits(cell=5, call=2), fences) as there:
        verdicts = {v.question: v for v in of.judge_all(there)}
    assert time.monotonic() - started < 60
    assert verdicts["softmax"].points == 0, verdicts["softmax"]
    assert verdicts["softmax"].status in ("failed", "error", "missing", "not done")
    if case not in ("patched worker", "forged frame"):
        assert verdicts["missing_transpose"].passed, verdicts["missing_transpose"]


def test_whatever_an_answer_prints_is_no_reply_and_harms_none():
    loud = SOFTMAX.replace(
        "    e =",
        "    import os, sys\n"
        "    for fd in (1, 2): os.write(fd, b'x' * 100_000)\n"
        "    print('y' * 100_000, file=sys.__stdout__, flush=True)\n"
        "    e =",
    )
    assert by_source("01_functions", loud)["softmax"].passed


@pytest.mark.parametrize("fences", [True, False])
def test_a_worker_that_answers_another_order_than_ours_is_ended(fences):
    there = child.start("numpy", 1 << 30, fences)
    there.ask("start", "numpy", [], seconds=60)
    forge = """
import os, json
reply = json.dumps({'t': [99, None]}).encode()
reply = len(reply).to_bytes(4, 'big') + reply
for fd in range(3, 20):
    try: os.write(fd, len(reply).to_bytes(4, 'big') + reply)
    except OSError: pass
"""
    with pytest.raises(Ended, match="crashed"):
        there.ask("cell", "cell 0", forge, [], seconds=10)
    assert not is_there(there)


@pytest.mark.parametrize(
    "message",
    [
        None,
        3,
        [],
        {},
        {"value": 1},
        {"changed": 1, "value": 1},
        {"changed": [[1]], "value": 1},
        {"changed": [], "error": 1},
        {"changed": [], "error": {"kind": 1, "message": "", "at": None}},
        {"changed": [], "error": {"kind": "E", "message": "", "at": [1]}},
        {"changed": [], "error": {"kind": "E", "message": "", "at": ["f", "x", ""]}},
    ],
)
def test_a_reply_of_another_form_is_no_reply(message):
    assert "cannot be read" in str(answer.reply_from(message).value)


# ----------------------------------------------------------- what nobody's patching changes


def test_patching_numpy_or_nnlib_in_the_kernel_changes_no_verdict(monkeypatch):
    import nnlib.functional as F

    of = samples.trial("01_functions")
    library = samples.trial("03_library")
    wrong = {"softmax": lambda logits: np.zeros(logits.shape)}
    for module, name in [
        (np, "exp"),
        (np, "abs"),
        (np, "isfinite"),
        (np, "allclose"),
        (np, "array"),
        (np, "errstate"),
        (F, "relu"),
    ]:
        monkeypatch.setattr(module, name, lambda *a, **k: True)
    verdict = of.judge(Local(wrong), "softmax")
    assert verdict.status == "failed"
    assert not library.judge(Local({"relu": lambda x: x}, library.exercise.builds), "relu").passed


def test_what_is_to_be_built_cannot_be_borrowed_from_nnlib():
    import nnlib
    import nnlib.functional as F

    borrowed = {
        "the function": ("import nnlib\nrelu = nnlib.functional.relu", F.relu),
        "inside": (
            "import nnlib\ndef relu(x):\n    return nnlib.functional.relu(x)",
            lambda x: F.relu(x),
        ),
        "the method": ("def relu(x):\n    return x.relu()", lambda x: x.relu()),
    }
    of = samples.trial("03_library")
    for source, here in borrowed.values():
        verdict = of.judge(Local({"relu": here}, of.exercise.builds), "relu")
        assert "build it here" in verdict.message
        assert "build it here" in by_source("03_library", source)["relu"].message
    assert nnlib.Tensor([-1.0]).relu().item() == 0  # and it is put back
