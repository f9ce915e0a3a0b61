"""The source of a check file's answers as a notebook cell, so that gates can run them in a worker.

Only gates and tests use this: in a learner's check nothing of a check file ever leaves our process,
except the probes.
"""

import ast
import inspect
import textwrap

from nncheck.exercise import Exercise
from nncheck.worker import ALLOWED


def cell_with(exercise: Exercise, **answers) -> str:
    """One cell that defines the check file's helpers, and these answers by their questions' names.

    An answer is a function or class of the check file, or source that defines the name itself.
    Append it to the cells of a solution to try a wrong answer there.
    """
    parts = [_helpers(exercise)]
    for name, answer in answers.items():
        if isinstance(answer, str):
            parts.append(answer)
        elif answer.__module__ == exercise.module.__name__:
            parts.append(_without_decorators(answer))
            if answer.__name__ != name:
                parts.append(f"{name} = {answer.__name__}")
        else:
            module = getattr(answer, "__module__", "numpy")
            parts.append(f"from {module} import {answer.__name__} as {name}")
    return "\n\n".join(parts) + "\n"


def _helpers(exercise):
    tree = ast.parse(exercise.path.read_text(encoding="utf-8"))
    closed = {"nncheck", "nnlib", "torch"} - set(ALLOWED[exercise.uses])
    body: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else None
            modules = modules or [alias.name for alias in node.names]
            if any(str(m).split(".")[0] in closed for m in modules):
                continue
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            ours = [_called(d) for d in node.decorator_list]
            if "question" in ours or "catch" in ours:
                continue
            node.decorator_list = [d for d in node.decorator_list if _called(d) != "wrong"]
        body.append(node)
    return "\n\n".join(ast.unparse(node) for node in body)


def _without_decorators(thing):
    node = ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]
    assert isinstance(node, (ast.FunctionDef, ast.ClassDef))
    node.decorator_list = [
        d for d in node.decorator_list if _called(d) not in ("question", "catch", "wrong")
    ]
    return ast.unparse(node)


def _called(decorator):
    """The name of what a decorator calls: "wrong" for @wrong(mul)."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return function.id if isinstance(function, ast.Name) else ""
