"""The graph of a computation, and the walk that carries gradients back through it.

Every result remembers what it was made from. From the last result back to the first inputs, each
operation hands its gradient on to what it was made from: that walk is backpropagation.
"""

from collections.abc import Iterator, Sequence
from contextlib import ContextDecorator
from dataclasses import dataclass
from itertools import count
from operator import attrgetter
from typing import Any, ClassVar, Self

SPENT = (
    "this graph is spent: backward() went through it and let go of what it held. "
    "To look at it, show it before backward(), or pass retain_graph=True to the first backward(); "
    "to train on, compute the loss again."
)

births = count()  # a node's `order` is the next of these: an input always comes before its result


class Node:
    """A number or an array that remembers how it was computed.

    Two kinds exist: `Value`, one number, and `Tensor`, an array. Each has `data`, the plain number
    or array; `grad`, the gradient (None until a walk arrives); `label`, your name for it in a
    picture; `order`, its place among all nodes ever made; `symbol` and `inputs`, the operation that
    made it and the nodes it was made from ("" and () for a leaf).
    """

    __slots__ = ("__weakref__", "data", "grad", "label", "order")
    __array_ufunc__ = None  # so that `ndarray * node` asks the node, and the graph is not lost

    data: Any
    grad: Any
    label: str
    order: int
    symbol: Any
    inputs: Any
    locals: Any  # the local derivatives, one number per input; None for a Tensor
    requires_grad: Any

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Find how much this result moves when each leaf moves, and add that to the leaf's `grad`.

        Args:
            gradient: the gradient to start from; 1 if this is a single number.
            retain_graph: keep what a Tensor's graph holds, so that it can be walked again. The
                graph of a Value is always kept.
        """
        for _ in self.backward_steps(gradient, retain_graph):
            pass

    def backward_steps(
        self, gradient: Any = None, retain_graph: bool = False
    ) -> "Iterator[BackwardStep]":
        """The walk of `backward()`, one operation at a time, the newest first.

        Example:
            >>> from nnlib import Value
            >>> a = Value(3.0, label="a")
            >>> for step in (a * a).backward_steps():
            ...     for c in step.contributions:
            ...         print(f"{c.to.label}: {c.before} + {c.amount} = {c.after}")
            a: 0.0 + 3.0 = 3.0
            a: 3.0 + 3.0 = 6.0
        """
        return _walk(self, self._seed(gradient), topological(self), retain_graph)

    def retain_grad(self) -> None:
        """Keep the `grad` of this result of an operation for looking, as a Value always does."""

    def detach(self) -> Self:
        """The same data as a new leaf, cut off from the graph."""
        raise NotImplementedError

    def item(self) -> Any:
        """The plain number."""
        return self.data

    def __float__(self) -> float:
        return float(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    # What the walk asks of a node. It never looks into the data itself.

    def _seed(self, gradient: Any) -> Any:
        """The gradient with which a walk from here starts."""
        raise NotImplementedError

    def _share(self, grad: Any) -> Sequence[Any]:
        """What each input gets when this node's gradient is `grad`."""
        raise NotImplementedError

    def _fit(self, grad: Any, source: Any) -> Any:
        """`grad` in the form in which this node keeps it. An operation made it from `source`."""
        return grad

    def _passed(self, retain_graph: bool) -> None:
        """The walk has passed: let go of what nobody needs any more."""

    def _result(self, data: Any, fn: "Function | None") -> "Node":
        """A node for `data`, which `fn` made from this one and perhaps others."""
        raise NotImplementedError


class Function:
    """One operation: what it computes and, beside it, how it hands a gradient back.

    A subclass writes `forward` and `backward`. The instance is its result's `grad_fn`: `forward`
    leaves in attributes what `backward` needs. It also finds there `out`, what forward returned,
    and `needs`, which says for each input whether anyone wants its gradient.
    """

    symbol: str = ""
    inputs: tuple[Node, ...] | None = None  # None once the walk has passed
    out: Any
    needs: tuple[bool, ...]

    def forward(self, *arrays: Any, **params: Any) -> Any:
        """Compute the result from plain arrays."""
        raise NotImplementedError

    def backward(self, grad: Any) -> tuple[Any, ...]:
        """From the gradient of the result, the gradient of each input, in their order.

        Each is a new array, or `grad` itself or a view of it. A broadcast input's gradient may keep
        the result's shape: the walk sums it. Where `needs` is False anything will do.
        """
        raise NotImplementedError

    @classmethod
    def apply(cls, *inputs: Any, **params: Any) -> Any:
        """Run the operation on nodes and record it, if a gradient can be asked for."""
        fn = cls()
        fn.needs = tuple([x.requires_grad for x in inputs])
        fn.out = fn.forward(*[x.data for x in inputs], **params)
        if no_grad.depth or True not in fn.needs:
            return inputs[0]._result(fn.out, None)
        fn.inputs = inputs
        return inputs[0]._result(fn.out, fn)


class no_grad(ContextDecorator):
    """Compute without recording: `with no_grad(): ...`, or `@no_grad()` above a function.

    Example:
        >>> from nnlib import Value, no_grad
        >>> a = Value(3.0)
        >>> with no_grad():
        ...     b = a * a
        >>> b.inputs
        ()
    """

    depth: ClassVar[int] = 0  # how many are open: they may be nested

    def __enter__(self) -> None:
        no_grad.depth += 1

    def __exit__(self, *error: object) -> None:
        no_grad.depth -= 1


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """One `+=` of the walk: the gradient of `to` goes from `before` to `after`, by `amount`.

    Between two Values `local` is the derivative on the edge, and `amount = local · grad`; for
    tensors it is None.
    """

    to: Node
    local: float | None
    amount: Any
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, eq=False)
class BackwardStep:
    """One step of the walk: the gradient `grad` of `node` is complete, and its inputs get theirs.

    `given` is what happened, as (to, amount, before); `contributions` is the same, made to be read.
    """

    node: Node
    grad: Any
    given: list[tuple[Node, Any, Any]]

    @property
    def contributions(self) -> tuple[Contribution, ...]:
        """Each `+=` of this step, in the order of the node's inputs."""
        slopes = self.node.locals or [None] * len(self.given)
        return tuple(
            Contribution(to, slope, amount, before, before + amount)
            for slope, (to, amount, before) in zip(slopes, self.given, strict=True)
        )


def topological(root: Node) -> list[Node]:
    """Every node that `root` was computed from, and `root` itself, in the order they were made.

    A node is made after its inputs, so going through the list backwards meets each operation only
    when all that used its result have been met: an order for the walk, and no recursion.
    """
    found, seen = [root], {root}
    for node in found:  # which grows as we go along it
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                found.append(x)
    found.sort(key=attrgetter("order"))
    return found


def rehearse(root: Node, gradient: Any = None) -> list[BackwardStep]:
    """The steps that `root.backward(gradient)` would take, leaving each `grad` and the graph alone.

    Example:
        >>> from nnlib import Value
        >>> a = Value(3.0)
        >>> [step.node.symbol for step in rehearse(a * a + 1)], a.grad
        (['+', '*'], None)
    """
    found = {node: node.grad for node in topological(root)}
    try:
        return list(root.backward_steps(gradient, retain_graph=True))
    finally:
        for node, grad in found.items():
            node.grad = grad


def _walk(root: Node, seed: Any, nodes: list[Node], retain_graph: bool) -> Iterator[BackwardStep]:
    """Hand gradients back from `root` through `nodes`, the newest first."""
    for node in nodes:
        if node.inputs:
            node.grad = None  # only a leaf's gradient adds up from walk to walk
    root.grad = seed if root.grad is None else root.grad + seed
    while nodes:
        node = nodes.pop()
        inputs, grad = node.inputs, node.grad
        if not inputs:
            continue
        given = []
        for x, amount in zip(inputs, node._share(grad), strict=True):
            if x.requires_grad:
                amount, before = x._fit(amount, grad), x.grad
                # Never `+=`: on an array it would change `before`, which others may hold.
                x.grad = amount if before is None else x._fit(before + amount, None)
                given.append((x, amount, 0.0 if before is None else before))
        yield BackwardStep(node, grad, given)
        node._passed(retain_graph)
