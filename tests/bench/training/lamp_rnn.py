"""Claim: over three seeds, an RNN of 4 recalls the last press of a button with accuracy >= .98.

A lamp has two buttons, on (1) and off (-1); in 19 of 20 steps nobody presses (0). At the end the
model must say whether the lamp is on. The RNN learns from sequences of 30 steps, and is as good on
300. A network that sees the last 11 steps stays at .69 to .73 whatever it learns: in .57 of all
cases the last press is not among them.
"""

import numpy as np

from nnlib import Tensor, manual_seed, nn, no_grad, optim
from nnlib.functional import cross_entropy

HIDDEN, WINDOW = 4, 11
STEPS, BATCH, LR = 300, 32, 0.01


class Recurrent(nn.Module):
    """A recurrent layer, and a linear one that reads its last state."""

    def __init__(self):
        super().__init__()
        self.layer = nn.RNN(1, HIDDEN)
        self.head = nn.Linear(HIDDEN, 2)

    def forward(self, x: Tensor) -> Tensor:
        output, _ = self.layer(x)  # (T, B, H)
        return self.head(output[-1])  # (B, 2)


class Window(nn.Module):
    """A network with one hidden layer that sees the last steps."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(WINDOW, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x[-WINDOW:, :, 0].transpose(0, 1))  # (B, WINDOW) -> (B, 2)


def examples(rng: np.random.Generator, times: int, n: int) -> tuple[Tensor, np.ndarray]:
    """Presses (times, n, 1), one of them in the first step, and whether the lamp is on (n,)."""
    pressed = rng.random((times, n)) < 0.05
    pressed[0] = True
    x = pressed * rng.choice([-1, 1], size=(times, n))
    last = times - 1 - np.abs(x[::-1]).argmax(axis=0)
    on = (x[last, np.arange(n)] > 0).astype(int)
    return Tensor(x[:, :, None].astype(np.float32)), on


def trained(model: nn.Module, seed: int) -> nn.Module:
    rng = np.random.default_rng(seed)
    optimizer = optim.Adam(model.parameters(), LR)
    for _ in range(STEPS):
        x, on = examples(rng, 30, BATCH)
        optimizer.zero_grad()
        cross_entropy(model(x), on).backward()
        optimizer.step()
    return model


def share_right(model: nn.Module, times: int) -> float:
    x, on = examples(np.random.default_rng(99), times, 2000)
    with no_grad():
        return float((model(x).data.argmax(1) == on).mean())


def run(seeds: tuple[int, ...] = (0, 1, 2)) -> list[dict[str, float]]:
    """One row per seed: the share of 2,000 new sequences that each model gets right."""
    rows = []
    for seed in seeds:
        manual_seed(seed)
        window, recurrent = trained(Window(), seed), trained(Recurrent(), seed)
        rows.append(
            {"seed": seed, "window_30": share_right(window, 30)}
            | {f"rnn_{times}": share_right(recurrent, times) for times in (30, 300)}
        )
    return rows


if __name__ == "__main__":
    for found in run():
        print(*(f"{name} {value:.2f}" for name, value in found.items()), sep="   ")
