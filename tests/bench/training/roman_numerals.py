"""Claim: over three seeds, attention translates >= .65 of lines of 3 Roman numerals; without: 0.

The task: a line of one to three Roman numerals, letter by letter, becomes one of Arabic numbers,
digit by digit. A GRU reads the line, a second one starts from the state of the first and writes.
Without attention that state is all it knows of the line. With attention each step also gets a mean
of the states at all letters. The test lines are made of numbers that occur in no training line. In
the same 400 steps both translate nearly all single numerals; from two on attention is far ahead.
"""

import numpy as np

from nnlib import Tensor, cat, manual_seed, nn, no_grad, optim
from nnlib.functional import cross_entropy, scaled_dot_product_attention

LETTERS, DIGITS = "_ IVXLCDM", "0123456789 ._"  # _ fills up and starts, . ends
ROMAN = {1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC", 50: "L", 40: "XL"}
ROMAN |= {10: "X", 9: "IX", 5: "V", 4: "IV", 1: "I"}
STEPS, BATCH, LR, WIDTH = 400, 64, 0.01, 48


def roman(n: int) -> str:
    """A number in Roman letters."""
    written = ""
    for size, letters in ROMAN.items():
        written += n // size * letters
        n %= size
    return written


def lines(rng: np.random.Generator, numbers: np.ndarray, count: int, B: int = BATCH):
    """B lines of `count` numerals, x (T, B), and what they should become, y (L, B)."""
    rows = rng.choice(numbers, (B, count)).tolist()
    sources = [" ".join(map(roman, row)) for row in rows]
    targets = [" ".join(map(str, row)) + "." for row in rows]
    T, L = max(map(len, sources)), max(map(len, targets))
    x = np.array([[LETTERS.index(c) for c in line.rjust(T, "_")] for line in sources]).T
    y = np.array([[DIGITS.index(c) for c in line.ljust(L, ".")] for line in targets]).T
    return x, y


class Translator(nn.Module):
    """Two GRUs, and between them one state, or with attention all states."""

    def __init__(self, attend: bool):
        super().__init__()
        self.letters, self.digits = nn.Embedding(9, 16), nn.Embedding(13, 16)
        self.encoder, self.decoder = nn.GRU(16, WIDTH), nn.GRU(16, WIDTH)
        self.head = nn.Linear(2 * WIDTH if attend else WIDTH, 12)
        self.attend = attend

    def forward(self, x: np.ndarray, written: np.ndarray) -> Tensor:
        states, last = self.encoder(self.letters(x))  # (T, B, H)
        h, _ = self.decoder(self.digits(written), last)  # (L, B, H)
        if self.attend:
            q, k = h.transpose(0, 1), states.transpose(0, 1)  # (B, L, H), (B, T, H)
            seen = (x != 0).T[:, None, :]  # (B, 1, T)
            found = scaled_dot_product_attention(q, k, k, seen)
            h = cat([h, found.transpose(0, 1)], dim=-1)  # (L, B, 2H)
        return self.head(h)


def shifted(y: np.ndarray) -> np.ndarray:
    """What has been written when each character of y is to come."""
    return np.concatenate([np.full((1, y.shape[1]), 12), y[:-1]])


def train(attend: bool, seed: int, numbers: np.ndarray, steps: int = STEPS) -> Translator:
    """A translator after `steps` batches of lines of one to three numerals."""
    manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Translator(attend)
    optimizer = optim.Adam(model.parameters(), LR)
    for _ in range(steps):
        x, y = lines(rng, numbers, int(rng.integers(1, 4)))
        optimizer.zero_grad()
        cross_entropy(model(x, shifted(y)).reshape(-1, 12), y.reshape(-1)).backward()
        optimizer.step()
    return model


def translate(model: Translator, x: np.ndarray, L: int) -> np.ndarray:
    """The L most likely characters, each after those before it, (L, B)."""
    written = np.full((1, x.shape[1]), 12)
    with no_grad():
        for _ in range(L):
            best = model(x, written).data[-1].argmax(axis=-1)
            written = np.concatenate([written, best[None]])
    return written[1:]


def run(seeds: tuple[int, ...] = (0, 1, 2)) -> list[dict[str, float]]:
    """One row per seed: the share of 200 new lines without a mistake, by their length and model."""
    rows = []
    for seed in seeds:
        numbers = np.random.default_rng(seed).permutation(np.arange(1, 1000))
        row: dict[str, float] = {"seed": seed}
        for name in ("without", "attention"):
            model = train(name == "attention", seed, numbers[200:])
            for count in (1, 2, 3):
                x, y = lines(np.random.default_rng(9), numbers[:200], count, 200)
                right = translate(model, x, len(y)) == y
                row[f"{name}, {count}"] = float(right.all(axis=0).mean())
        rows.append(row)
    return rows


if __name__ == "__main__":
    rows = run()
    print(*(f"{column:>12}" for column in rows[0]))
    for row in rows:
        print(*(f"{value:12.2f}" for value in row.values()))
