"""The same numbers in another shape: the gradient goes the same way back."""

import numpy as np

from nnlib.graph import Function


class Reshape(Function):
    """z = the numbers of x, in the same order, in another shape

    Shape:
        x any, z `shape`, with as many numbers.

    Example:
        >>> Reshape().forward(np.array([1, 2, 3, 4]), shape=(2, 2))
        array([[1, 2],
               [3, 4]])
    """

    symbol = "reshape"

    def forward(self, x, shape):
        self.shape = x.shape
        return x.reshape(shape)

    def backward(self, grad):
        return (grad.reshape(self.shape),)


class Permute(Function):
    """z = x with its axes in another order: axis i of z is axis dims[i] of x

    Shape:
        x any, z the same lengths in another order.

    Example:
        >>> Permute().forward(np.zeros((3, 4, 5)), dims=(2, 0, 1)).shape
        (5, 3, 4)
    """

    symbol = "permute"

    def forward(self, x, dims):
        self.dims = dims
        return x.transpose(dims)

    def backward(self, grad):
        return (grad.transpose(np.argsort(self.dims)),)


class Index(Function):
    """z = x[index]. A number that was picked twice gets both gradients, one not picked gets 0.

    Shape:
        x any, z that of x[index].

    Example:
        >>> Index().forward(np.array([10, 20, 30]), index=[2, 0, 2])
        array([30, 10, 30])
    """

    symbol = "[ ]"

    def forward(self, x, index):
        self.x, self.index = x, index
        return x[index]

    def backward(self, grad):
        dx = np.zeros_like(self.x)
        if np.may_share_memory(self.out, self.x):  # slices: a view, which picks nothing twice
            dx[self.index] = grad
        else:
            np.add.at(dx, self.index, grad)
        return (dx,)


class Cat(Function):
    """z = the inputs one after another along the axis `dim`

    Shape:
        xs alike but for the axis `dim`, where z is as long as all together.

    Example:
        >>> Cat().forward(np.array([1, 2]), np.array([3]), dim=0)
        array([1, 2, 3])
    """

    symbol = "cat"

    def forward(self, *xs, dim):
        self.dim, self.ends = dim, np.cumsum([x.shape[dim] for x in xs])
        return np.concatenate(xs, axis=dim)

    def backward(self, grad):
        return tuple(np.split(grad, self.ends[:-1], axis=self.dim))


class Stack(Function):
    """z = the inputs side by side along a new axis `dim`

    Shape:
        xs all alike, z with an axis `dim` more, as long as there are xs.

    Example:
        >>> Stack().forward(np.array([1, 2]), np.array([3, 4]), dim=0)
        array([[1, 2],
               [3, 4]])
    """

    symbol = "stack"

    def forward(self, *xs, dim):
        self.dim = dim
        return np.stack(xs, axis=dim)

    def backward(self, grad):
        return tuple(np.moveaxis(grad, self.dim, 0))


class Embedding(Function):
    """z = the rows W[ids]. A row gets the sum of the gradients from wherever it was used.

    Its composed form is `W[ids]`.

    Shape:
        W (V, D), ids (...), z (..., D).

    Example:
        >>> Embedding().forward(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 0, 1]), None)
        array([[3., 4.],
               [1., 2.],
               [3., 4.]])
    """

    symbol = "embedding"

    def forward(self, W, ids, padding):
        self.W, self.ids, self.padding = W, ids, padding
        return W[ids]

    def backward(self, grad):
        dW = np.zeros_like(self.W)
        order = np.argsort(self.ids, axis=None, kind="stable")  # the uses of a row side by side
        used, starts = np.unique(self.ids.reshape(-1)[order], return_index=True)
        dW[used] = np.add.reduceat(grad.reshape(-1, grad.shape[-1])[order], starts)
        if self.padding is not None:
            dW[self.padding] = 0
        return (dW,)
