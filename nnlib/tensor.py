"""Arrays in a graph: NumPy does the arithmetic, and every result remembers how it was computed."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from nnlib import ops
from nnlib.graph import SPENT, Function, Node, births, no_grad
from nnlib.random import generator

Array = np.ndarray

# torch's words, and ours
LEAF_IN_PLACE = "a leaf Variable that requires grad is being used in an in-place operation."
UPDATE = "To update a parameter, stop recording first: with no_grad(): p -= lr * p.grad"

# Operators that differ in the operation alone


def _arithmetic(op: type[Function], ufunc: np.ufunc):
    """An operation's three methods: `x + y`, `y + x` where only x is a tensor, and `x += y`."""

    def made(x: Any, y: Any) -> "Tensor":
        x, y = _pair(x, y)
        if op is ops.Div:  # whole numbers, too, divide into floats
            x, y = _floating(x), _floating(y)
        try:
            return op.apply(x, y)
        except ValueError:
            got = f"{op.symbol}: shapes {x.shape} and {y.shape} do not fit"
            rule = "From the right, two axes must have equal lengths, or one of them length 1."
            raise ValueError(f"{got}. {rule}") from None

    def reflected(x: "Tensor", y: Any) -> "Tensor":
        return made(y, x)

    def in_place(x: "Tensor", y: Any) -> Any:
        recorded = x.requires_grad or (isinstance(y, Tensor) and y.requires_grad)
        if recorded and not no_grad.depth:  # a graph must not change behind its own back
            if x.requires_grad and x.is_leaf:
                raise RuntimeError(f"{LEAF_IN_PLACE} {UPDATE}")
            return NotImplemented  # so that Python writes x = x + y, which is recorded
        ufunc(x.data, _bare(y), out=x.data)
        return x

    return made, reflected, in_place


def _comparison(ufunc: np.ufunc):
    """The method that compares two tensors number by number, and gives a tensor of bools."""

    def compared(x: "Tensor", y: Any) -> "Tensor":
        return NotImplemented if y is None else x._result(ufunc(x.data, _bare(y)), None)

    return compared


class Tensor(Node):
    """An array in a graph. Its methods have torch's names and meaning.

    Args:
        data: an array, which keeps its dtype, or a number or nested lists, which become float32
            (whole numbers int64). It is copied.
        requires_grad: whether `backward()` should find its gradient. Only floats have one.
        label: your name for it in a picture.

    Example:
        >>> x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        array([[2., 4.],
               [6., 8.]], dtype=float32)
    """

    __slots__ = ("grad_fn", "kept", "requires_grad")

    data: Array
    grad: Array | None
    requires_grad: bool
    grad_fn: Function | None  # the operation that made it; None for a leaf
    kept: bool  # whether the gradient of a result stays after the walk
    locals = None

    def __init__(self, data: Any, requires_grad: bool = False, label: str = "") -> None:
        self.data = _array(data)
        self.grad = None
        self.label = label
        self.order = next(births)
        self.grad_fn, self.kept = None, False
        self.requires_grad_(requires_grad)

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        """How long each axis is."""
        return self.data.shape

    @property
    def dtype(self) -> Any:
        """The kind of number it holds, a NumPy dtype."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return self.data.ndim

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by hand and not by an operation."""
        return self.grad_fn is None

    @property
    def symbol(self) -> str:
        """The operation that made it, "" for a leaf."""
        return self.grad_fn.symbol if self.grad_fn else ""

    @property
    def inputs(self) -> tuple["Node", ...]:
        """What it was made from, () for a leaf."""
        if self.grad_fn is None:
            return ()
        if self.grad_fn.inputs is None:
            raise RuntimeError(SPENT)
        return self.grad_fn.inputs

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """How many axes it has."""
        return self.data.ndim

    def numel(self) -> int:
        """How many numbers it holds."""
        return self.data.size

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a tensor with a single number has no length.")
        return len(self.data)

    def __repr__(self) -> str:
        text = np.array2string(self.data, precision=4, separator=", ", threshold=40, edgeitems=2)
        # On one line, without padding
        text = " ".join(text.split()).replace("[ ", "[").replace(" ,", ",").replace(" ]", "]")
        shape = f", shape={self.shape}" if self.data.size > 40 else ""
        dtype = "" if self.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.dtype}"
        leaf = ", requires_grad=True" if self.requires_grad and self.is_leaf else ""
        made = f", grad_fn={type(self.grad_fn).__name__}" if self.grad_fn else ""
        return f"{type(self).__name__}({text}{shape}{dtype}{leaf}{made})"

    # Out of the graph

    def item(self) -> Any:
        """The plain number, if it holds a single one."""
        if self.data.size != 1:
            fix = "Pick one by an index, take .sum() or .mean(), or use .tolist()."
            raise ValueError(f"item() needs a single number; this has shape {self.shape}. {fix}")
        return self.data.item()

    def tolist(self) -> Any:
        """Plain numbers in nested lists."""
        return self.data.tolist()

    def numpy(self) -> Array:
        """The array itself, not a copy."""
        if self.requires_grad:
            raise RuntimeError("this tensor requires grad. Leave its graph by .detach().numpy().")
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype, copy=copy)

    def detach(self) -> "Tensor":
        """The same numbers as a new leaf, cut off from the graph. It shares its array."""
        result = self._result(self.data, None)
        result.label = self.label
        return result

    def __bool__(self) -> bool:
        return bool(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return self.item().__index__()

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    # Gradients

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Say whether `backward()` should find the gradient of this leaf."""
        if requires_grad and self.data.dtype.kind != "f":
            raise RuntimeError(f"only floats can require grad; this is {self.dtype}: use .float().")
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Keep the `grad` of this result of an operation, which a walk lets go when it has passed.

        It is that of the latest walk, as for a Value. (torch adds up over walks here too.)
        """
        self.kept = True

    def _seed(self, gradient: Any) -> Array:
        if not self.requires_grad:
            got = "backward() needs something that requires grad, and nothing in this graph does"
            fix = "Make a leaf with requires_grad=True; no_grad(), detach() and .data cut it off."
            raise RuntimeError(f"{got}. {fix}")
        if gradient is None:
            if self.data.size != 1:
                got = f"backward() starts at a single number; this tensor has shape {self.shape}"
                raise RuntimeError(f"{got}. Call .sum() or .mean() first, or pass gradient=.")
            return np.ones_like(self.data)
        seed = np.array(_bare(gradient), self.dtype)
        if seed.shape != self.shape:
            raise ValueError(f"gradient= needs this tensor's shape {self.shape}; got {seed.shape}.")
        return seed

    def _share(self, grad: Array) -> Sequence[Any]:
        assert self.grad_fn is not None
        return self.grad_fn.backward(grad)

    def _fit(self, grad: Any, source: Any) -> Any:
        data = self.data
        if grad.shape != data.shape:
            grad = unbroadcast(grad, data.shape)
        if grad.dtype != data.dtype:
            self.requires_grad_()  # which refuses whole numbers
            grad = grad.astype(data.dtype)
        if self.grad_fn is None or self.kept:
            # Whoever keeps a gradient owns its array, so it is no one else's, nor a view of one.
            shared = grad is source or grad.base is not None
            return np.array(grad) if shared else np.asarray(grad)
        return grad

    def _passed(self, retain_graph: bool) -> None:
        if not self.kept:
            self.grad = None
        if not retain_graph:
            vars(self.grad_fn).clear()  # its saved arrays and its inputs

    def _result(self, data: Any, fn: Function | None) -> "Tensor":
        result = _new(Tensor)  # never a Parameter; it skips __init__, whose checks take time
        result.data = data if type(data) is Array else np.asarray(data)
        result.grad = None
        result.label = ""
        result.order = next(births)
        result.requires_grad, result.grad_fn, result.kept = fn is not None, fn, False
        return result

    # Arithmetic, element by element

    __add__, __radd__, __iadd__ = _arithmetic(ops.Add, np.add)
    __sub__, __rsub__, __isub__ = _arithmetic(ops.Sub, np.subtract)
    __mul__, __rmul__, __imul__ = _arithmetic(ops.Mul, np.multiply)
    __truediv__, __rtruediv__, __itruediv__ = _arithmetic(ops.Div, np.divide)

    def __neg__(self) -> "Tensor":
        return ops.Neg.apply(self)

    def __pow__(self, n: float) -> "Tensor":
        """xⁿ for a plain number n."""
        if isinstance(n, (Tensor, Array)):
            raise TypeError("x ** n needs a plain number n. For arrays write (n * x.log()).exp().")
        whole = float(n).is_integer() and n >= 0
        return ops.Pow.apply(self if whole else _floating(self), n=int(n) if whole else float(n))

    pow = __pow__

    def __rpow__(self, base: float) -> "Tensor":
        return (self * math.log(base)).exp()

    # Comparisons

    __eq__: Any = _comparison(np.equal)
    __ne__: Any = _comparison(np.not_equal)
    __lt__ = _comparison(np.less)
    __le__ = _comparison(np.less_equal)
    __gt__ = _comparison(np.greater)
    __ge__ = _comparison(np.greater_equal)
    __and__ = _comparison(np.logical_and)
    __or__ = _comparison(np.logical_or)

    def __invert__(self) -> "Tensor":
        return Tensor(~self.data)

    __hash__ = Node.__hash__  # a tensor is found in a set by being the same one

    # Functions of one number, applied to each

    def exp(self) -> "Tensor":
        """eˣ"""
        return ops.Exp.apply(_floating(self))

    def log(self) -> "Tensor":
        """ln x"""
        return ops.Log.apply(_floating(self))

    def sqrt(self) -> "Tensor":
        """√x"""
        return ops.Sqrt.apply(_floating(self))

    def abs(self) -> "Tensor":
        """|x|"""
        return ops.Abs.apply(self)

    def tanh(self) -> "Tensor":
        """tanh x, in (-1, 1)"""
        return ops.Tanh.apply(_floating(self))

    def sigmoid(self) -> "Tensor":
        """1 / (1 + e⁻ˣ), in (0, 1)"""
        return ops.Sigmoid.apply(_floating(self))

    def relu(self) -> "Tensor":
        """max(0, x)"""
        return ops.Relu.apply(self)

    def clamp(self, min: float | None = None, max: float | None = None) -> "Tensor":
        """x, but not below min and not above max."""
        return ops.Clamp.apply(self, low=_plain(min), high=_plain(max))

    def masked_fill(self, mask: Any, value: float) -> "Tensor":
        """x, but `value` where the mask is True."""
        return where(mask, value, self)

    def softmax(self, dim: int) -> "Tensor":
        """eˣ / Σ eˣ along an axis: positive numbers that sum to 1."""
        x = needs_floats("softmax", self)
        return ops.Softmax.apply(x, dim=_axis("softmax", x.shape, dim))

    def log_softmax(self, dim: int) -> "Tensor":
        """ln softmax(x), without overflow."""
        x = needs_floats("log_softmax", self)
        return ops.LogSoftmax.apply(x, dim=_axis("log_softmax", x.shape, dim))

    # Many numbers into fewer: along the axes `dim`, or all

    def sum(self, dim: ops.Dim = None, keepdim: bool = False) -> "Tensor":
        """Σ x"""
        return ops.Sum.apply(self, dim=_axes(dim), keepdim=keepdim)

    def mean(self, dim: ops.Dim = None, keepdim: bool = False) -> "Tensor":
        """Σ x / n"""
        return ops.Mean.apply(needs_floats("mean", self), dim=_axes(dim), keepdim=keepdim)

    def var(self, dim: ops.Dim = None, *, correction: int = 1, keepdim: bool = False) -> "Tensor":
        """The variance, Σ (x - mean)² / (n - correction)."""
        mean = self.mean(dim, keepdim=True)
        d = self - mean
        return (d * d).sum(dim, keepdim) / (self.numel() // mean.numel() - correction)

    def std(self, dim: ops.Dim = None, *, correction: int = 1, keepdim: bool = False) -> "Tensor":
        """The standard deviation, the root of the variance."""
        return self.var(dim, correction=correction, keepdim=keepdim).sqrt()

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The largest number; along one axis the pair `(values, indices)`.

        Equal ones share the gradient. (torch does that for all, and for `amax`; along an axis it
        gives everything to the one whose index it returns.)
        """
        best = ops.Max.apply(self, dim=dim, keepdim=keepdim)
        return best if dim is None else Extreme(best, self.argmax(dim, keepdim))

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The smallest number; along one axis the pair `(values, indices)`. See `max`."""
        best = ops.Min.apply(self, dim=dim, keepdim=keepdim)
        return best if dim is None else Extreme(best, self.argmin(dim, keepdim))

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Where the largest number is; of equal ones, the first."""
        return Tensor(np.argmax(self.data, axis=dim, keepdims=keepdim))

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Where the smallest number is; of equal ones, the first."""
        return Tensor(np.argmin(self.data, axis=dim, keepdims=keepdim))

    def all(self) -> "Tensor":
        """Whether every number is true."""
        return Tensor(self.data.all())

    def any(self) -> "Tensor":
        """Whether some number is true."""
        return Tensor(self.data.any())

    # The same numbers in another shape, or some of them

    def reshape(self, *shape: Any) -> "Tensor":
        """The numbers in the same order in another shape; one length may be -1, "what is left"."""
        return ops.Reshape.apply(self, shape=_unpacked(shape))

    view = reshape

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> "Tensor":
        """All axes from `start_dim` to `end_dim` in one."""
        shape = self.shape or (1,)
        start, end = _axis("flatten", shape, start_dim), _axis("flatten", shape, end_dim) + 1
        return self.reshape(*shape[:start], math.prod(shape[start:end]), *shape[end:])

    def unsqueeze(self, dim: int) -> "Tensor":
        """With a new axis of length 1 at `dim`."""
        return self.reshape(np.expand_dims(self.data, dim).shape)

    def squeeze(self, dim: int | None = None) -> "Tensor":
        """Without the axes of length 1, or without this one if its length is 1."""
        if dim is not None and self.shape[dim] != 1:
            return self
        return self.reshape(np.squeeze(self.data, dim).shape)

    def permute(self, *dims: Any) -> "Tensor":
        """With the axes in this order."""
        return ops.Permute.apply(self, dims=_unpacked(dims))

    def transpose(self, dim0: int, dim1: int) -> "Tensor":
        """With two axes swapped."""
        dims = list(range(self.ndim))
        dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
        return self.permute(dims)

    @property
    def T(self) -> "Tensor":
        """With the axes in reverse order: the transpose of a matrix."""
        return self.permute(range(self.ndim)[::-1])

    def __getitem__(self, index: Any) -> "Tensor":
        index = tuple(map(_bare, index)) if isinstance(index, tuple) else _bare(index)
        return ops.Index.apply(self, index=index)

    # Another kind of number

    def float(self) -> "Tensor":
        """As float32."""
        return _cast(self, np.float32)

    def double(self) -> "Tensor":
        """As float64."""
        return _cast(self, np.float64)

    def long(self) -> "Tensor":
        """As int64, cutting off what follows the point."""
        return _cast(self, np.int64)

    def bool(self) -> "Tensor":
        """As True, or False for 0."""
        return _cast(self, np.bool_)

    def clone(self) -> "Tensor":
        """A copy, still in the graph."""
        return ops.Copy.apply(self, dtype=self.dtype)

    # Sums of products

    def __matmul__(self, other: Any) -> "Tensor":
        """The product of matrices; see `ops.MatMul` for the shapes."""
        x, y = self, other if isinstance(other, Tensor) else Tensor(other)
        same_dtype("matmul", x, y)
        if not (x.ndim and y.ndim) or x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
            rule = "The last axis of the first must be as long as the last but one of the second."
            raise ValueError(f"matmul: {x.shape} @ {y.shape} does not fit. {rule} Is a .T missing?")
        return ops.MatMul.apply(x, y)

    def __rmatmul__(self, other: Any) -> "Tensor":
        return Tensor(other) @ self

    matmul = __matmul__


class Extreme(NamedTuple):
    """What `max` and `min` give along an axis."""

    values: Tensor
    indices: Tensor


# Making tensors


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, label: str = "") -> Tensor:
    """A tensor with a copy of this data. See `Tensor`.

    Example:
        >>> tensor([1, 2, 3]), tensor([1.0, 2.0]), tensor(np.zeros(2))
        (Tensor([1, 2, 3]), Tensor([1., 2.]), Tensor([0., 0.], dtype=float64))
    """
    return Tensor(data if dtype is None else _array(data, dtype), requires_grad, label)


def zeros(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros.

    Example:
        >>> zeros(2, 3)
        Tensor([[0., 0., 0.], [0., 0., 0.]])
    """
    return Tensor(np.zeros(_unpacked(shape), dtype), requires_grad)


def ones(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """A tensor of ones.

    Example:
        >>> ones(2)
        Tensor([1., 1.])
    """
    return Tensor(np.ones(_unpacked(shape), dtype), requires_grad)


def randn(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """A tensor of random numbers from the standard normal distribution.

    Example:
        >>> randn(2, 3).shape
        (2, 3)
    """
    return Tensor(generator.standard_normal(_unpacked(shape)).astype(dtype), requires_grad)


def arange(start: float, end: float | None = None, step: float = 1) -> Tensor:
    """start, start + step, ... up to but not including end; `arange(n)` is 0 .. n-1.

    Example:
        >>> arange(4), arange(0, 1, 0.25)
        (Tensor([0, 1, 2, 3]), Tensor([0., 0.25, 0.5, 0.75]))
    """
    return Tensor(np.arange(start, end, step).tolist())


# Several tensors into one


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after another along an axis.

    Example:
        >>> cat([tensor([1, 2]), tensor([3])])
        Tensor([1, 2, 3])
    """
    same_dtype("cat", *tensors)
    return ops.Cat.apply(*tensors, dim=dim)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new axis.

    Example:
        >>> stack([tensor([1, 2]), tensor([3, 4])])
        Tensor([[1, 2], [3, 4]])
    """
    same_dtype("stack", *tensors)
    return ops.Stack.apply(*tensors, dim=dim)


def where(condition: Any, x: Any, y: Any) -> Tensor:
    """x where the condition holds, y elsewhere.

    Example:
        >>> where([True, False], tensor([1.0, 2.0]), 0.0)
        Tensor([1., 0.])
    """
    x = x if isinstance(x, Tensor) or isinstance(y, Tensor) else Tensor(x)
    return ops.Where.apply(*_pair(x, y), condition=_bare(condition))


# What the methods share


def unbroadcast(grad: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient back to the shape that an array had before it was broadcast.

    A number that broadcasting used many times moves the result through each use, so its gradient
    is the sum of theirs.

    Example:
        >>> unbroadcast(np.ones((4, 3)), (3,)), unbroadcast(np.ones((4, 3)), (4, 1)).shape
        (array([4., 4., 4.]), (4, 1))
    """
    new = grad.ndim - len(shape)  # axes that broadcasting put in front
    used = tuple([i for i in range(grad.ndim) if i < new or shape[i - new] == 1])
    return grad.sum(axis=used, keepdims=True).reshape(shape)


def same_dtype(name: str, *tensors: Tensor) -> None:
    """Raise unless all tensors hold the same kind of number, as torch does in layers."""
    if len({x.data.dtype for x in tensors}) > 1:
        got = ", ".join(str(x.dtype) for x in tensors)
        raise TypeError(f"{name} needs tensors of one dtype; got {got}. Use .float() or .double().")


def expect(owner: str, x: Any, *forms: str, fix: str, called: str = "x", **lengths: int) -> None:
    """Raise unless `x` is a tensor of one of these forms, whose letters stand for its axes.

    Args:
        owner: who asks, for the message.
        forms: such as "B C H W" and, without a batch, "C H W".
        fix: what to do about a wrong one, a sentence.
        called: the name of `x` where it is asked for.
        lengths: how long an axis must be, by its letter.

    Example:
        >>> expect("Conv2d", zeros(2, 8, 8, 3), "B C H W", fix="Move the last axis.", C=3)
        Traceback (most recent call last):
        ValueError: Conv2d needs x (B, C=3, H, W); it has shape (2, 8, 8, 3). Move the last axis.
    """
    if not isinstance(x, Tensor):
        got = type(x).__name__
        raise TypeError(f"{owner} needs a Tensor; got a {got}. Wrap it: nnlib.tensor(x).")
    for letters in map(str.split, forms):
        wanted = tuple(lengths.get(a, n) for a, n in zip(letters, x.shape, strict=False))
        if len(letters) == x.ndim and wanted == x.shape:
            return
    axes = {a: f"{a}={n}" for a, n in lengths.items()}
    shapes = ") or (".join(", ".join(axes.get(a, a) for a in form.split()) for form in forms)
    raise ValueError(f"{owner} needs {called} ({shapes}); it has shape {x.shape}. {fix}")


def needs_floats(name: str, x: Tensor) -> Tensor:
    """The tensor, if it holds floats."""
    if x.data.dtype.kind != "f":
        raise TypeError(f"{name} needs floats; this tensor is {x.dtype}. Use .float() first.")
    return x


def _axis(name: str, shape: tuple[int, ...], dim: int) -> int:
    """The axis `dim` counted from the front, if there is one."""
    if not -len(shape) <= dim < len(shape):
        raise ValueError(f"{name}: shape {shape} has no axis {dim}. Choose 0 to {len(shape) - 1}.")
    return dim % len(shape)


def _array(data: Any, dtype: Any = None) -> Array:
    """A new array. Unless told otherwise, arrays keep their dtype and other floats are float32."""
    if isinstance(data, Node):
        raise TypeError(f"this is a {type(data).__name__} already; for a copy use .clone().")
    if isinstance(data, (list, tuple)) and any(isinstance(x, Node) for x in data):
        raise TypeError("this list holds tensors; join them by nnlib.stack(list).")
    array = np.array(data, dtype)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a tensor holds numbers; got {type(data).__name__} {data!r:.60}.")
    if dtype is None and array.dtype == np.float64 and not isinstance(data, (Array, np.generic)):
        return array.astype(np.float32)  # a Python float does not ask for 64 bits
    return array


_new = object.__new__
_NUMBER = (int, float, np.number, np.bool_)


def _pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors whose dtypes NumPy will combine as torch would."""
    if not isinstance(x, Tensor):
        x = _constant(x, y)
    elif not isinstance(y, Tensor):
        y = _constant(y, x)
    if x.data.dtype is not y.data.dtype and x.data.dtype != y.data.dtype:
        dtype = max(x, y, key=_rank).dtype
        x, y = _cast(x, dtype), _cast(y, dtype)
    return x, y


def _rank(x: Tensor) -> tuple[int, bool, int]:
    """torch's rule: floats win over ints, then arrays over single numbers, then the wider type."""
    return "buif".index(x.dtype.kind), x.ndim > 0, x.dtype.itemsize


def _constant(number: Any, other: Tensor) -> Tensor:
    """A number or array as a tensor; a single number never changes the other's dtype."""
    if not isinstance(number, _NUMBER):
        return Tensor(number)
    dtype = other.data.dtype
    if dtype.kind != "f":
        number = _plain(number)
        dtype = np.float32 if isinstance(number, float) else np.result_type(dtype, number)
    return other._result(np.array(number, dtype), None)


def _plain(number: Any) -> Any:
    """A NumPy number as Python's, which never changes the dtype of an array."""
    return number.item() if isinstance(number, np.generic) else number


def _cast(x: Tensor, dtype: Any) -> Tensor:
    return x if x.data.dtype == dtype else ops.Copy.apply(x, dtype=dtype)


def _floating(x: Tensor) -> Tensor:
    return x if x.data.dtype.kind == "f" else x.float()


def _bare(x: Any) -> Any:
    """The array of a tensor; anything else as it is."""
    return x.data if isinstance(x, Tensor) else x


def _axes(dim: Any) -> ops.Dim:
    return tuple(dim) if isinstance(dim, list) else dim


def _unpacked(numbers: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` mean the same."""
    if len(numbers) == 1 and not isinstance(numbers[0], (int, np.integer)):
        return tuple(numbers[0])
    return numbers
