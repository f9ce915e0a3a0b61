"""Small changes to a right answer, such as a tired person makes: the checks should catch them."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
ORDER_MATTERS = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SYMMETRIC = {"max", "min", "maximum", "minimum", "isclose", "allclose"}
GUARDS = {"strict"}  # keywords that can only raise: no reply depends on them
DROPPED = (ast.Expr, ast.Assign, ast.AugAssign, ast.For, ast.While, ast.If, ast.Return, ast.Raise)


@dataclass(frozen=True)
class Mutant:
    """One change: `change` says what became what, `code` runs it."""

    change: str
    code: CodeType


def mutants(source: str, lines: set[int]) -> Iterator[Mutant]:
    """Every small change to what stands on these lines of a cell.

    >>> for m in mutants("def half(x):\\n    return x.sum() / 2", {2}): print(m.change)
    return x.sum() / 2 -> pass
    x.sum() / 2 -> x.sum() * 2
    x.sum() / 2 -> 2 / x.sum()
    x.sum() / 2 -> x.sum() / 3
    x.sum() / 2 -> x.sum() / 1
    """
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for parent, node in list(nodes(tree)):
        if node.lineno not in lines:
            continue
        for new in variants(node):
            alone = isinstance(node, ast.Constant)  # a number says little without what is around it
            before = first_line(parent if alone else node)
            replace(tree, node, new)
            change = f"{before} -> {first_line(parent if alone else new)}"
            code = compile(ast.fix_missing_locations(tree), "<mutant>", "exec")
            replace(tree, new, node)
            seen[change] += 1
            yield Mutant(change + (f" ({seen[change]})" if seen[change] > 1 else ""), code)


def nodes(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.stmt | ast.expr]]:
    """Each statement and expression of a tree, after what it is a part of."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.keyword) and child.arg in GUARDS:
            continue
        if isinstance(child, (ast.stmt, ast.expr)):
            yield tree, child
        yield from nodes(child)


def first_line(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node)).splitlines()[0]


def replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    class Swap(ast.NodeTransformer):
        def visit(self, node):
            return new if node is old else self.generic_visit(node)

    Swap().visit(tree)


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What may come in place of one statement or expression."""
    if isinstance(node, DROPPED) and not is_text(node):
        yield ast.Pass()
    match node:
        case ast.BinOp(left, op, right):
            if type(op) in OPERATORS:
                yield ast.BinOp(left, OPERATORS[type(op)](), right)
            if isinstance(op, ORDER_MATTERS):
                yield ast.BinOp(right, op, left)
        case ast.AugAssign(target, op, value):
            if type(op) in OPERATORS:
                yield ast.AugAssign(target, OPERATORS[type(op)](), value)
            yield ast.Assign([target], value)
        case ast.Compare(left, [op], right):
            for other in COMPARISONS[type(op)]:
                yield ast.Compare(left, [other()], right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
            yield operand
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Call(func, args, keywords):
            for i in range(len(args) - 1 if name_of(func) not in SYMMETRIC else 0):
                swapped = [*args[:i], args[i + 1], args[i], *args[i + 2 :]]
                yield ast.Call(func, swapped, keywords)
            for i, keyword in enumerate(keywords):
                if keyword.arg not in GUARDS:
                    yield ast.Call(func, args, keywords[:i] + keywords[i + 1 :])


def name_of(function: ast.expr) -> str:
    return ast.unparse(function).rpartition(".")[2]


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
