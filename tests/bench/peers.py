"""The same steps in other libraries. Each function returns one that steps and returns the loss."""

from itertools import cycle, pairwise

import numpy as np

from tests.bench import moons, workloads


def nnlib(name: str):
    import nnlib

    return moons.nnlib() if name in moons.WORKLOADS else workloads.training(nnlib, name)


def composed(name: str):
    """nnlib again, with the path that learners build in place of its layers in one operation."""
    import nnlib

    if name in moons.WORKLOADS:
        return moons.composed()
    return workloads.training(workloads.composed(nnlib), name)


def torch(name: str):
    import torch

    torch.set_num_threads(1)
    return workloads.training(torch, name)


def autograd(name: str):
    import autograd.numpy as anp
    from autograd import value_and_grad

    def loss(params, x, y):
        for i in range(0, len(params), 2):
            x = (anp.maximum(0, x) if i else x) @ params[i].T + params[i + 1]
        if name == "mlp_small":
            return anp.mean((x - y) ** 2)
        x = x - x.max(1, keepdims=True)
        return anp.mean(anp.log(anp.exp(x).sum(1)) - x[anp.arange(len(y)), y])

    params, optimizer, ready = mlp_weights(name), Adam(), cycle(workloads.batches(name))
    slopes = value_and_grad(loss)

    def step():
        value, grads = slopes(params, *next(ready))
        optimizer.step(params, grads)
        return float(value)

    return step


def mygrad(name: str):
    import mygrad as mg
    from mygrad.nnet.activations import relu
    from mygrad.nnet.layers import conv_nd, max_pool
    from mygrad.nnet.losses import softmax_crossentropy

    def mlp(x):
        for i in range(0, len(params), 2):
            x = (relu(x) if i else x) @ params[i].T + params[i + 1]
        return x

    def cnn(x):
        for kernel, bias in (params[:2], params[2:4]):
            x = conv_nd(x, kernel, stride=1, padding=1) + bias.reshape(1, -1, 1, 1)
            x = max_pool(relu(x), (2, 2), 2)
        return x.reshape(len(x), -1) @ params[4].T + params[5]

    model, arrays = (mlp, mlp_weights) if name in workloads.SIZES else (cnn, cnn_weights)
    params, optimizer = [mg.tensor(w) for w in arrays(name)], Adam()
    ready = cycle(workloads.batches(name))

    def step():
        x, y = next(ready)
        out = model(x)
        loss = ((out - y) ** 2).mean() if name == "mlp_small" else softmax_crossentropy(out, y)
        loss.backward()
        optimizer.step([p.data for p in params], [p.grad for p in params])
        return float(loss.data)

    return step


def scikit_learn(name: str):
    """One `partial_fit` is one step. Its squared error is half of ours: Adam does not mind."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    sizes = workloads.SIZES[name]
    kind = MLPRegressor if name == "mlp_small" else MLPClassifier
    # Its Adam does not correct epsilon for the start, as the paper's and ours do.
    model = kind(hidden_layer_sizes=sizes[1:-1], alpha=0, shuffle=False, epsilon=1e-9)
    more = {} if name == "mlp_small" else {"classes": np.arange(sizes[-1])}
    x, y = workloads.batches(name)[0]
    model.partial_fit(x, y.ravel(), **more)  # makes the arrays; now as if nothing had been learned
    arrays = mlp_weights(name)
    model.coefs_ = [np.ascontiguousarray(w.T) for w in arrays[::2]]
    model.intercepts_ = arrays[1::2]
    del model._optimizer
    ready = cycle(workloads.batches(name))

    def step():
        x, y = next(ready)
        model.partial_fit(x, y.ravel())
        return float(model.loss_) * (2 if name == "mlp_small" else 1)

    return step


def micrograd(name: str):
    return moons.micrograd()


class Adam:
    """Adam for libraries that have none, in place."""

    def __init__(self):
        self.t, self.m, self.v = 0, None, None

    def step(self, params, grads):
        self.m = self.m or [np.zeros_like(p) for p in params]
        self.v = self.v or [np.zeros_like(p) for p in params]
        self.t += 1
        rate, scale = 1e-3 / (1 - 0.9**self.t), 1 / (1 - 0.999**self.t)
        for p, g, m, v in zip(params, grads, self.m, self.v, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            p -= rate * m / (np.sqrt(v * scale) + 1e-8)


def mlp_weights(name: str) -> list[np.ndarray]:
    """W, b, W, b ..., under the keys that a Sequential of Linear and ReLU gives them."""
    sizes, found = workloads.SIZES[name], []
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        found.append(workloads.weights(f"{2 * i}.weight", (n_out, n_in)))
        found.append(workloads.weights(f"{2 * i}.bias", (n_out,)))
    return found


def cnn_weights(name: str) -> list[np.ndarray]:
    flat = 32 * (int(name[3:]) // 4) ** 2
    found = []
    for i, shape in {0: (16, 1, 3, 3), 3: (32, 16, 3, 3), 7: (10, flat)}.items():
        found.append(workloads.weights(f"{i}.weight", shape))
        found.append(workloads.weights(f"{i}.bias", shape[:1]))
    return found


# What each implementation imports, and the function above.
PEERS = {
    "nnlib": ("nnlib", nnlib),
    "torch": ("torch", torch),
    "kept": ("nnlib", nnlib),  # in a process that keeps freed memory, see turns.py
    "composed": ("nnlib", composed),
    "autograd": ("autograd", autograd),
    "mygrad": ("mygrad", mygrad),
    "scikit-learn": ("sklearn.neural_network", scikit_learn),
    "micrograd": ("micrograd", micrograd),
}
