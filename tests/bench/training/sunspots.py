"""Claim: over three seeds, a linear model forecasts unseen sunspots better than an RNN.

From the yearly numbers of eleven years the next one is forecast. Targets up to 1949 are for
training, from 1950 on for testing; errors are root mean squares in spots. Persistence says "as last
year", and the linear model is least squares on the eleven numbers. An RNN of 24 has 673 numbers to
learn from 239 windows, and after 500 steps it has learned their chance as well. It does not win
either when it is trained on targets before 1920, and stopped at the step that is best on 1920 to
1949 (`stopped`, against `linear_1919` from the same years).
"""

import numpy as np

from nnlib import Tensor, data, manual_seed, nn, no_grad, optim
from nnlib.functional import mse_loss

WINDOW, HIDDEN, STEPS, LR = 11, 24, 500, 0.01

YEARS, SPOTS = data.sunspots()
SERIES = SPOTS.astype(float) / 100
X = np.stack([SERIES[i : i + WINDOW] for i in range(len(SERIES) - WINDOW)])  # (n, WINDOW)
Y = SERIES[WINDOW:]
TARGET = YEARS[WINDOW:]
TRAIN, TEST = TARGET < 1950, TARGET >= 1950
BEFORE, HELD_BACK = TARGET < 1920, (TARGET >= 1920) & (TARGET < 1950)


class Forecast(nn.Module):
    """A recurrent layer, and a linear one that reads its last state."""

    def __init__(self):
        super().__init__()
        self.layer = nn.RNN(1, HIDDEN)
        self.head = nn.Linear(HIDDEN, 1)

    def forward(self, x: Tensor) -> Tensor:
        output, _ = self.layer(x)  # (T, B, H)
        return self.head(output[-1])[:, 0]  # (B,)


def off_by(forecast: np.ndarray, rows: np.ndarray) -> float:
    """The root of the mean squared error on these windows, in spots."""
    return 100 * float(np.sqrt(np.mean((forecast[rows] - Y[rows]) ** 2)))


def linear(rows: np.ndarray) -> float:
    """The test error of the least squares fit on these windows."""
    inputs = np.c_[X, np.ones(len(X))]
    best, *_ = np.linalg.lstsq(inputs[rows], Y[rows], rcond=None)
    return off_by(inputs @ best, TEST)


def forecasts(seed: int, rows: np.ndarray) -> list[np.ndarray]:
    """What an RNN trained on these windows says to all of them, after 10, 20 ... STEPS steps."""
    manual_seed(seed)
    model = Forecast()
    for p in model.parameters():
        p.data = p.data.astype(float)  # in float32, rounding shows after a few hundred steps
    optimizer = optim.Adam(model.parameters(), LR)
    x, found = X.T[:, :, None], []  # (T, n, 1)
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        mse_loss(model(Tensor(x[:, rows])), Tensor(Y[rows])).backward()
        optimizer.step()
        if step % 10 == 0:
            with no_grad():
                found.append(model(Tensor(x)).data)
    return found


def row(seed: int) -> dict[str, float]:
    fixed, choice = forecasts(seed, TRAIN), forecasts(seed, BEFORE)
    return {
        "seed": seed,
        "persistence": off_by(X[:, -1], TEST),
        "linear": linear(TRAIN),
        "rnn": off_by(fixed[-1], TEST),
        "linear_1919": linear(BEFORE),
        "stopped": off_by(min(choice, key=lambda said: off_by(said, HELD_BACK)), TEST),
    }


def run(seeds: tuple[int, ...] = (0, 1, 2)) -> list[dict[str, float]]:
    """One row per seed: the error of each model on 1950 to 2008, in spots."""
    return [row(seed) for seed in seeds]


if __name__ == "__main__":
    for found in run():
        print(*(f"{name} {value:.1f}" for name, value in found.items()), sep="   ")
