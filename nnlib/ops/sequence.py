"""Recurrent layers: one operation for a whole sequence, and what it does at each time.

The inputs of all times are known before the layer starts, so W_ih meets them in one large product.
Only the product with the state is left inside the loop. On the way back the gradients of all times
are gathered first, and those of the weights are one large product each.
"""

from typing import Any

import numpy as np

from nnlib.graph import Function
from nnlib.ops.product import flat


class _Recurrent(Function):
    """s_t = step(z_t, a_t, s_t-1), where z_t = W_ih x_t + b_ih + b_hh and a_t = W_hh h_t-1.

    h is the first of the states s. A subclass writes `step`, which fills in the `new` states and
    returns what `step_back` will want to see, and `step_back`, which finds in `ds` the gradient of
    the new states. It fills in `dz` and `da`, and leaves in `ds` the gradient of the old states,
    except for what h does through a.

    Shape:
        x (T, B, D), W_ih (G·H, D), W_hh (G·H, H), b_ih and b_hh (G·H,), each of the S states in
        `start` (B, H); the result (S, T+1, B, H): all states, from the given ones on.
    """

    step: Any
    step_back: Any
    apart = False  # whether a is not simply added to z; then b_hh is its part, and da is not dz

    def forward(self, x, W_ih, W_hh, b_ih, b_hh, *start):
        self.x, self.W_ih, self.W_hh, self.b_hh = x, W_ih, W_hh, b_hh
        T, B, _ = x.shape
        z = flat(x) @ W_ih.T
        z += b_ih if self.apart else b_ih + b_hh
        z = z.reshape(T, B, len(W_ih))
        s = np.empty((len(start), T + 1, *start[0].shape), x.dtype)
        s[:, 0], W = start, np.ascontiguousarray(W_hh.T)  # in the order in which it is read
        self.seen = [self.step(z[t], s[0, t] @ W, s[:, t], s[:, t + 1]) for t in range(T)]
        return s

    def backward(self, grad):
        s, (T, B, _) = self.out, self.x.shape
        dz = np.empty((T, B, len(self.W_hh)), grad.dtype)
        da = np.empty_like(dz) if self.apart else dz
        ds = grad[:, T].copy()
        for t in reversed(range(T)):
            self.step_back(self.seen[t], s[:, t], s[:, t + 1], ds, dz[t], da[t])
            ds[0] += da[t] @ self.W_hh
            ds += grad[:, t]
        dx = (flat(dz) @ self.W_ih).reshape(self.x.shape) if self.needs[0] else None
        ones, dz, da = np.ones(T * B, dz.dtype), flat(dz), flat(da)
        return dx, dz.T @ flat(self.x), da.T @ flat(s[0, :T]), ones @ dz, ones @ da, *ds


class RNN(_Recurrent):
    """h_t = tanh(z_t + a_t) (Elman, 1990)

    Shape:
        as for _Recurrent, with G = 1 and S = 1.

    Example:
        >>> x, W, b, h = np.ones((6, 5, 3)), np.ones((4, 3)), np.zeros(4), np.zeros((5, 4))
        >>> RNN().forward(x, W, np.ones((4, 4)), b, b, h).shape
        (1, 7, 5, 4)
    """

    symbol = "rnn"

    def step(self, z, a, old, new):
        new[0] = np.tanh(z + a)

    def step_back(self, seen, old, new, ds, dz, da):
        dz[:] = ds[0] * (1 - new[0] * new[0])
        ds[0] = 0


class ReluRNN(_Recurrent):
    """h_t = max(0, z_t + a_t)

    Shape:
        as for _Recurrent, with G = 1 and S = 1.

    Example:
        >>> x, W, b, h = np.ones((6, 5, 3)), np.ones((4, 3)), np.zeros(4), np.zeros((5, 4))
        >>> ReluRNN().forward(x, W, np.ones((4, 4)), b, b, h).shape
        (1, 7, 5, 4)
    """

    symbol = "relu_rnn"

    def step(self, z, a, old, new):
        new[0] = np.maximum(z + a, 0)

    def step_back(self, seen, old, new, ds, dz, da):
        dz[:] = ds[0] * ~(new[0] <= 0)  # not new[0] > 0: a nan goes on
        ds[0] = 0


class LSTM(_Recurrent):
    """c_t = f·c_t-1 + i·g and h_t = o·tanh(c_t) (Hochreiter & Schmidhuber, 1997; Gers et al., 2000)

    The four parts of z_t + a_t give the gates i, f, o by σ and the candidate g by tanh, in the
    order i, f, g, o. Where f is 1, the gradient of c passes unchanged, however long ago.

    Shape:
        as for _Recurrent, with G = 4 and S = 2: h, then c.

    Example:
        >>> x, W, b, h = np.ones((6, 5, 3)), np.ones((16, 3)), np.zeros(16), np.zeros((5, 4))
        >>> LSTM().forward(x, W, np.ones((16, 4)), b, b, h, h).shape
        (2, 7, 5, 4)
    """

    symbol = "lstm"

    def step(self, z, a, old, new):
        i, f, g, o = _parts(z + a, 4)
        i, f, g, o = _gate(i), _gate(f), np.tanh(g), _gate(o)
        new[1] = f * old[1] + i * g
        squashed = np.tanh(new[1])
        new[0] = o * squashed
        return i, f, g, o, squashed

    def step_back(self, seen, old, new, ds, dz, da):
        (i, f, g, o, squashed), (dh, dc) = seen, ds
        dc += dh * o * (1 - squashed * squashed)
        di, df, dg, do = dc * g, dc * old[1], dc * i, dh * squashed
        parts = di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)
        np.concatenate(parts, axis=1, out=dz)
        dc *= f
        dh[:] = 0


class GRU(_Recurrent):
    """h_t = (1 - u)·n + u·h_t-1, with n = tanh(z_n + r·a_n) (Cho et al., 2014)

    The gates r and u are σ of their parts of z_t + a_t. The order of the parts is r, u, n.

    Shape:
        as for _Recurrent, with G = 3 and S = 1.

    Example:
        >>> x, W, b, h = np.ones((6, 5, 3)), np.ones((12, 3)), np.zeros(12), np.zeros((5, 4))
        >>> GRU().forward(x, W, np.ones((12, 4)), b, b, h).shape
        (1, 7, 5, 4)
    """

    symbol = "gru"
    apart = True

    def step(self, z, a, old, new):
        (z_r, z_u, z_n), (a_r, a_u, a_n) = _parts(z, 3), _parts(a + self.b_hh, 3)
        r, u = _gate(z_r + a_r), _gate(z_u + a_u)
        n = np.tanh(z_n + r * a_n)
        new[0] = n + u * (old[0] - n)
        return r, u, n, a_n

    def step_back(self, seen, old, new, ds, dz, da):
        (r, u, n, a_n), dh = seen, ds[0]
        dn = dh * (1 - u) * (1 - n * n)
        du = dh * (old[0] - n) * u * (1 - u)
        dr = dn * a_n * r * (1 - r)
        np.concatenate((dr, du, dn), axis=1, out=dz)
        np.concatenate((dr, du, dn * r), axis=1, out=da)
        dh *= u


def _parts(x: np.ndarray, n: int) -> np.ndarray:
    """The n blocks of x (B, n·H), each (B, H)."""
    return x.reshape(len(x), n, x.shape[1] // n).swapaxes(0, 1)


def _gate(x: np.ndarray) -> np.ndarray:
    """σ(x) as (1 + tanh(x/2)) / 2: fast, and exact enough for a factor between 0 and 1."""
    return 0.5 * np.tanh(0.5 * x) + 0.5
