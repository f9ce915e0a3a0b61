"""What is measured: training steps, written once for `nnlib` and `torch`. `lib` is either of them.

Each workload has a goal: nnlib's time for a step, as a share of the reference's, is at most that.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Workload:
    """What is computed, and by whom.

    `build(lib)` gives a model, `batch(rng)` arrays x and y, and `loss` names a class of lib.nn.
    """

    what: str
    goal: float
    build: Any = None
    batch: Any = None
    loss: str = "CrossEntropyLoss"
    reference: str = "torch"
    peers: tuple[str, ...] = ("kept",)


def training(lib, name: str) -> Callable[[], float]:
    """A function that takes one training step and returns the loss before it."""
    workload = WORKLOADS[name]
    model, loss_fn = workload.build(lib), getattr(lib.nn, workload.loss)()
    own = {key: lib.tensor(weights(key, tuple(t.shape))) for key, t in model.state_dict().items()}
    model.load_state_dict(own)
    optimizer = lib.optim.Adam(model.parameters(), lr=1e-3)
    ready = cycle([(lib.tensor(x), lib.tensor(y)) for x, y in batches(name)])

    def step() -> float:
        x, y = next(ready)
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def first_step(lib) -> None:
    """A step of one neuron: what a library loads only when it is used is loaded afterwards."""
    model = lib.nn.Linear(1, 1)
    optimizer = lib.optim.Adam(model.parameters())
    model(lib.tensor([[1.0]])).sum().backward()
    optimizer.step()


def weights(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """The first weights under this key of a `state_dict`, the same for every implementation."""
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    bound = np.prod(shape[1:] or shape) ** -0.5
    centre = 1.0 if len(shape) == 1 and "norm" in key and key.endswith("weight") else 0.0
    return rng.uniform(centre - bound, centre + bound, shape).astype(np.float32)


def batches(name: str, n: int = 4) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    return [WORKLOADS[name].batch(rng) for _ in range(n)]


# ---- models


SIZES = {"mlp_small": (20, 64, 32, 1), "mlp": (784, 256, 128, 10)}


def mlp(*sizes: int):
    def build(lib):
        nn = lib.nn
        layers = []
        for n_in, n_out in pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return build


def cnn(side: int):
    def build(lib):
        nn = lib.nn
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),  # (B, 16, H, W)
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),  # (B, 32, H/2, W/2)
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * (side // 4) ** 2, 10),
        )

    return build


def lstm(d: int, hidden: int):
    def build(lib):
        nn = lib.nn

        class Reader(nn.Module):
            def __init__(self):
                super().__init__()
                self.lstm = nn.LSTM(d, hidden, batch_first=True)
                self.head = nn.Linear(hidden, 10)

            def forward(self, x):
                out, _ = self.lstm(x)  # (B, T, hidden)
                return self.head(out[:, -1])

        return Reader()

    return build


def gpt(layers: int, d: int, heads: int, T: int, V: int):
    def build(lib):
        nn = lib.nn

        class GPT(nn.Module):
            def __init__(self):
                super().__init__()
                self.token, self.place = nn.Embedding(V, d), nn.Embedding(T, d)
                options = {"activation": "gelu", "batch_first": True, "norm_first": True}
                self.blocks = nn.ModuleList(
                    nn.TransformerEncoderLayer(d, heads, 4 * d, dropout=0.0, **options)
                    for _ in range(layers)
                )
                self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, V, bias=False)

            def forward(self, x):  # (B, T)
                later = lib.tensor(np.triu(np.ones((T, T), bool), 1))  # True: must not be seen
                x = self.token(x) + self.place(lib.arange(T))  # (B, T, d)
                for block in self.blocks:
                    x = block(x, src_mask=later, is_causal=True)
                return self.head(self.norm(x)).reshape(-1, V)

        return GPT()

    return build


# ---- batches


def numbers(*shape: int, classes: int = 10):
    def batch(rng):
        x = rng.normal(size=shape).astype(np.float32)
        if classes == 1:
            return x, rng.normal(size=(shape[0], 1)).astype(np.float32)
        return x, rng.integers(0, classes, shape[0])

    return batch


def text(B: int, T: int, V: int):
    return lambda rng: (rng.integers(0, V, (B, T)), rng.integers(0, V, B * T))


WORKLOADS = {
    "mlp_small": Workload(
        "20-64-32-1, ReLU, mean squared error, batch 32",
        0.30,
        mlp(*SIZES["mlp_small"]),
        numbers(32, 20, classes=1),
        loss="MSELoss",
        peers=("kept", "composed", "autograd", "mygrad", "scikit-learn"),
    ),
    "mlp": Workload(
        "784-256-128-10, ReLU, batch 64",
        0.80,
        mlp(*SIZES["mlp"]),
        numbers(64, 784),
        peers=("kept", "composed", "autograd", "mygrad", "scikit-learn"),
    ),
    "cnn8": Workload(
        "8×8 images, twice conv 3×3 (16, 32), ReLU, pool, then linear, batch 32",
        0.40,
        cnn(8),
        numbers(32, 1, 8, 8),
        peers=("kept", "mygrad"),
    ),
    "cnn28": Workload(
        "the same on 28×28 images", 0.80, cnn(28), numbers(32, 1, 28, 28), peers=("kept", "mygrad")
    ),
    "lstm": Workload(
        "LSTM, T 32, 64 features, 128 hidden, the last step classified, batch 32",
        1.3,
        lstm(64, 128),
        numbers(32, 32, 64),
    ),
    "gpt_s": Workload(
        "2 blocks, d 64, 4 heads, T 64, V 65, batch 16",
        0.75,
        gpt(2, 64, 4, 64, 65),
        text(16, 64, 65),
    ),
    "gpt_m": Workload(
        "4 blocks, d 128, 4 heads, T 128, V 65, batch 16",
        0.80,
        gpt(4, 128, 4, 128, 65),
        text(16, 128, 65),
    ),
}


# ---- the path that learners build, under the same names


def composed(lib):
    """`lib` with layers put together from + and @, where its own do that in one operation."""
    nn = lib.nn

    class Linear(nn.Linear):
        def forward(self, x):
            return x @ self.weight.T + self.bias

    class CrossEntropyLoss(nn.Module):
        def forward(self, logits, y):
            log_p = logits - logits.exp().sum(1, keepdim=True).log()  # (B, V)
            return -log_p[np.arange(len(y)), y].mean()

    own = vars(nn) | {"Linear": Linear, "CrossEntropyLoss": CrossEntropyLoss}
    return SimpleNamespace(**vars(lib) | {"nn": SimpleNamespace(**own)})
