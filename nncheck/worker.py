"""The untrusted side: a process that holds a learner's cells and runs probes beside them.

It is started as `python -I worker.py` and reads orders from its standard input: run this cell,
keep this probe, call it on this data. It never sees a check file, a solution or a seed, and nothing
that it says is believed beyond "this is what the learner's code replied". `run_probe` is also what
checks in the notebook use, so both ways of checking see the same reply.

This file imports nothing of ours but wire.py, which it loads by its path.
"""

import ast
import builtins
import contextlib
import importlib
import io
import linecache
import os
import re
import sys
import types
import warnings
from importlib.machinery import PathFinder
from pathlib import Path

if __package__:
    from nncheck import wire
else:
    sys.path += [folder for folder in sys.argv[1:] if folder not in sys.path]
    from importlib.machinery import SourceFileLoader
    from importlib.util import module_from_spec, spec_from_loader

    _spec = spec_from_loader(
        "wire", SourceFileLoader("wire", str(Path(__file__).with_name("wire.py")))
    )
    assert _spec is not None
    assert _spec.loader is not None
    wire = sys.modules["wire"] = module_from_spec(_spec)
    _spec.loader.exec_module(wire)

NO_VALUE = object()
OUT_OF_MEMORY = 77  # the exit code of a worker that has no memory left to say so


# ------------------------------------------------------------------------------- one probe


def run_probe(probe, names, answers, data, own):
    """What `probe` replies on a copy of `data`, as plain data.

    `names` are the names that the probe asks for first; they are looked up in `answers`. The reply
    is a dict with "value" or "error", and "changed": those of the data that were changed in place.
    An error tells the innermost line whose globals are `own`, the learner's. A learner's print and
    warnings go nowhere.
    """
    packed = [wire.dumps(d) for d in data]
    copies = [wire.loads(p) for p in packed]
    for name in names:
        if name not in answers:
            return {"missing": name, "changed": []}
    reply = {}
    with _quiet():
        try:
            reply["value"] = probe(*(answers[name] for name in names), *copies)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            reply["error"] = describe_error(error, own, probe)
        else:
            reply["value"] = _plain(reply["value"])
    changed = [[i, _plain(c)] for i, c in enumerate(copies) if wire.dumps(c) != packed[i]]
    return {**reply, "changed": changed}


@contextlib.contextmanager
def _quiet():
    nowhere = io.StringIO()
    nowhere.write = len  # type: ignore[method-assign]  # print() costs no memory, however much
    with (
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def _plain(value):
    try:
        return wire.plain(value)
    except Exception:  # an object that lies about its type
        return wire.Odd("reply that cannot be read")


def describe_error(error, own, probe=None):
    """An exception as plain data: its type, its message, and the learner's own line."""
    return {
        "kind": wire.clean(type(error).__name__)[:80],
        "message": _message(error),
        "at": _own_line(error, own, getattr(probe, "__code__", None)),
    }


def _message(error):
    try:
        if isinstance(error, SyntaxError):
            return wire.clean(str(error.msg))[:500]
        return wire.clean(str(error))[:500]
    except BaseException:  # a learner's own exception may fail to print
        return ""


def _own_line(error, own, probe):
    """(function, line, text) of the innermost frame in the learner's own code, or None."""
    if isinstance(error, SyntaxError) and error.lineno:
        return ["", error.lineno, wire.clean(error.text or "").strip()[:200]]
    found, trace, steps = None, error.__traceback__, 0
    while trace is not None and steps < 3000:
        if trace.tb_frame.f_globals is own and trace.tb_frame.f_code is not probe:
            found = trace
        trace, steps = trace.tb_next, steps + 1
    if found is None:
        return None
    code = found.tb_frame.f_code
    text = linecache.getline(code.co_filename, found.tb_lineno).strip()
    return [code.co_qualname, found.tb_lineno, wire.clean(text)[:200]]


# ---------------------------------------------------------------- what a notebook may not use


@contextlib.contextmanager
def built_here(builds):
    """While it holds, the names of nnlib in `builds` raise "build it here" when called.

    nnlib's own code may go on using them. Names are written from nnlib on:
    `("functional.softmax", "nn.Linear")`. It yields {id of what was closed: what raises}.
    """
    undo = []
    try:
        for path in builds:
            undo += _close(path)
        yield {id(old): getattr(owner, name) for owner, name, old in undo}
    finally:
        for owner, name, old in reversed(undo):
            setattr(owner, name, old)


def owner_of(path):
    """What holds the last name of a path within nnlib: a module or a class."""
    owner = importlib.import_module("nnlib")
    for part in path.split(".")[:-1]:
        owner = getattr(owner, part, None) or importlib.import_module(f"nnlib.{part}")
    return owner


def _close(path):
    """Replace every name in nnlib that means `path`; what to put back afterwards."""
    owner, name = owner_of(path), path.split(".")[-1]
    thing = getattr(owner, name)
    if isinstance(thing, type):
        old = thing.__init__
        thing.__init__ = _refuse(path, old)
        return [(thing, "__init__", old)]
    closed, undo = _refuse(path, thing), []
    homes = [owner, *(m for n, m in list(sys.modules.items()) if n.split(".")[0] == "nnlib")]
    for home in homes:
        for key, value in list(vars(home).items()):
            if value is thing:
                undo.append((home, key, thing))
                setattr(home, key, closed)
    return undo


def _refuse(path, thing):
    def build_it_here(*args, **kwargs):
        if sys._getframe(1).f_globals.get("__name__", "").split(".")[0] == "nnlib":
            return thing(*args, **kwargs)
        raise RuntimeError(f"build it here: this exercise is about writing nnlib.{path} yourself")

    build_it_here.__name__ = build_it_here.__qualname__ = path.split(".")[-1]
    build_it_here.closed = thing  # type: ignore[attr-defined]
    return build_it_here


# ----------------------------------------------------------------------------- cells


def without_magics(source):
    """A cell's Python without what only a notebook understands: magics, shell lines, help.

    >>> without_magics("%matplotlib inline\\nx = 1")
    'pass\\nx = 1'
    >>> without_magics("%%bash\\nls")
    ''
    """
    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        magic = first[2:].split()[0] if first[2:].split() else ""
        return without_magics("\n" + rest) if magic in ("time", "timeit", "capture", "prun") else ""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "\n".join(_without_magic(line) for line in source.split("\n"))
    return source


_MAGIC = re.compile(r"\s*([%!?]|[\w.]+\?{1,2}\s*$)")
_ASSIGNED_MAGIC = re.compile(r"(\s*[\w, .]+=\s*)[%!](?!=).*")


def _without_magic(line):
    if _MAGIC.match(line):
        return line[: len(line) - len(line.lstrip())] + "pass"
    assigned = _ASSIGNED_MAGIC.fullmatch(line)
    return assigned[1] + "None" if assigned else line


def run_cell(name, source, namespace):
    """Run one cell in `namespace`; None, or its error as plain data."""
    filename = f"<{name}>"
    source = without_magics(source)
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    with _quiet():
        try:
            exec(compile(source, filename, "exec", dont_inherit=True), namespace)
        except BaseException as error:
            return describe_error(error, namespace)
    return None


class _Stub:
    """Stands in for nncheck in the worker: every name of it can be called and does nothing."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **kwargs):
        return self


def stub_module():
    """A module in place of nncheck."""
    stub = types.ModuleType("nncheck")
    stub.__getattr__ = _Stub().__getattr__  # type: ignore[method-assign]
    return stub


class _Fence:
    """An import of what the exercise does not use fails with a sentence."""

    def __init__(self, uses):
        self.uses = uses
        self.closed = {"nnlib", "torch", "nncheck"} - set(ALLOWED[uses])

    def find_spec(self, name, path=None, target=None):
        root = name.split(".")[0]
        if root in self.closed or self._is_another(root):
            raise ImportError(
                f"this exercise is solved with {self.uses} alone; it cannot import {name}"
            )

    def _is_another(self, root):
        """Is it a package that is installed here, but neither Python's own nor what is used?"""
        known = root in PACKAGES[self.uses] or root in sys.stdlib_module_names
        return not known and PathFinder.find_spec(root) is not None


# What may be imported besides the standard library, and on Linux read at all: with what the
# packages rest on.
DRAWING = ("matplotlib", "mpl_toolkits", "contourpy", "cycler", "dateutil", "fontTools")
DRAWING += ("kiwisolver", "PIL", "packaging", "pyparsing", "six")
LEARNING = ("sklearn", "scipy", "joblib", "threadpoolctl", "narwhals", "tqdm")
TORCH = ("torch", "torchgen", "functorch", "typing_extensions", "sympy", "mpmath", "networkx")
TORCH += ("jinja2", "markupsafe", "filelock", "fsspec")
PACKAGES = {
    "numpy": ("numpy",),
    "nnlib": ("numpy", "nnlib", *LEARNING, *DRAWING),
    "torch": ("numpy", "nnlib", *LEARNING, *DRAWING, *TORCH),
}
ALLOWED = {"numpy": ("numpy",), "nnlib": ("numpy", "nnlib"), "torch": ("numpy", "nnlib", "torch")}


def allowed_modules(uses):
    """The modules that a probe and a learner's cell may use, under the names that probes use."""
    modules = {"np": importlib.import_module("numpy"), "math": importlib.import_module("math")}
    if uses in ("nnlib", "torch"):
        modules["nnlib"] = importlib.import_module("nnlib")
    if uses == "torch":
        modules["torch"] = importlib.import_module("torch")
    return modules


def warm(uses):
    """Import now what would otherwise be imported in a learner's first call; the modules."""
    modules = allowed_modules(uses)
    for name in ("numpy.random", "numpy.linalg", "numpy.fft"):
        importlib.import_module(name)
    if uses == "torch":  # its first optimizer imports for seconds
        torch = modules["torch"]
        torch.set_num_threads(1)  # a fork copies no thread, only the locks that it holds
        torch.optim.SGD([torch.zeros(1, requires_grad=True)])
    return modules


class Worker:
    """What the orders are carried out on: the learner's namespace and the probes."""

    def __init__(self):
        main = types.ModuleType("__main__")
        self.namespace = vars(main)
        self.namespace.update(display=_Stub(), get_ipython=lambda: None)
        self.main, self.probes, self.modules = main, {}, {}

    def start(self, uses, builds):
        self.modules = warm(uses)
        sys.meta_path.insert(0, _Fence(uses))  # type: ignore[arg-type]
        sys.modules["nncheck"] = stub_module()
        sys.modules["__main__"] = self.main
        self.fence = built_here(builds)
        self.fence.__enter__()
        return None

    def cell(self, name, source, watched):
        """Run a cell; its error, and which of the watched names it gave a new meaning."""
        before = [self.namespace.get(n, NO_VALUE) for n in watched]
        error = run_cell(name, source, self.namespace)
        after = [self.namespace.get(n, NO_VALUE) for n in watched]
        new = [n for n, b, a in zip(watched, before, after, strict=True) if a is not b]
        return {"error": error, "new": new}

    def probe(self, key, name, source):
        space = {"__builtins__": builtins, **self.modules}
        exec(compile(source, f"<probe {name}>", "exec", dont_inherit=True), space)
        self.probes[key] = space[name]
        return None

    def call(self, key, names, data):
        return run_probe(self.probes[key], names, self.namespace, data, self.namespace)


def serve(orders, replies):
    """Carry out one order after the other until the other side closes."""
    worker = Worker()
    while True:
        try:
            order = wire.loads(wire.read_frame(orders))
        except EOFError:
            return
        number, verb, arguments = order  # type: ignore[misc]
        try:
            result = getattr(worker, verb)(*arguments)
            wire.write_frame(replies, wire.dumps((number, result)))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)


def main():
    """Keep the pipes for ourselves, and give the learner's code an empty input and output."""
    orders = os.fdopen(os.dup(0), "rb", buffering=0)
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)
    serve(orders, replies)


if __name__ == "__main__":
    main()
