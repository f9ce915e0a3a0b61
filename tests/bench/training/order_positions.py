"""Claim: over three seeds, self-attention that sees all needs positions, and a causal one does not.

The task: 12 letters with one A and one B among them; does the A come first? The mean over all
positions is read; chance is .5.

- One block that sees all, without positions: at most .55. It cannot do better than .5, because a
  row and its reverse look the same to it. With sinusoidal positions: at least .95.
- With a causal mask: at least .95, with positions and without. B looks back and finds the A or not.
- Causal, without positions, and only the last position is read: with one block at most .65 (it
  knows where the last letter is an A or a B, and guesses elsewhere: 7/12), with two at least .95.
- Three blocks that see all, with positions, whose parts replace what runs through instead of adding
  to it: at most .55, and with the residual at least .95.
"""

import numpy as np

from nnlib import Tensor, manual_seed, nn, no_grad, optim
from nnlib.functional import causal_mask, cross_entropy

LETTERS, LENGTH, D = 8, 12, 16
STEPS, BATCH, LR = 300, 32, 0.01


class Forgetful(nn.TransformerEncoderLayer):
    """A block, norm first, whose parts replace what runs through."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        h = self.norm1(x)
        x, _ = self.self_attn(h, h, h, attn_mask=mask, need_weights=False)
        return self.linear2(self.linear1(self.norm2(x)).relu())


class Reader(nn.Module):
    """Letters, perhaps positions, blocks, and two logits from the mean or the last position."""

    def __init__(
        self,
        positions: bool = False,
        causal: bool = False,
        blocks: int = 1,
        last: bool = False,
        block: type[nn.TransformerEncoderLayer] = nn.TransformerEncoderLayer,
    ):
        super().__init__()
        self.embedding = nn.Embedding(LETTERS, D)
        self.positions = nn.SinusoidalPositions(D, LENGTH) if positions else None
        self.blocks = nn.ModuleList(
            block(D, 2, 2 * D, dropout=0.0, batch_first=True, norm_first=True)
            for _ in range(blocks)
        )
        self.head = nn.Linear(D, 2)
        self.causal, self.last = causal, last

    def forward(self, x: np.ndarray) -> Tensor:
        h = self.embedding(x)  # (B, T, D)
        h = self.positions(h) if self.positions else h
        for block in self.blocks:
            h = block(h, causal_mask(LENGTH) if self.causal else None)
        return self.head(h[:, -1] if self.last else h.mean(1))  # (B, 2)


MODELS = {
    "all": {},
    "all_positions": {"positions": True},
    "causal": {"causal": True},
    "causal_positions": {"causal": True, "positions": True},
    "causal_last_1": {"causal": True, "last": True},
    "causal_last_2": {"causal": True, "last": True, "blocks": 2},
    "all_positions_3": {"positions": True, "blocks": 3},
    "no_residual_3": {"positions": True, "blocks": 3, "block": Forgetful},
}


def examples(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """n rows of letters (n, T), A is 0 and B is 1; and 1 where the A comes first, else 0."""
    x = rng.integers(2, LETTERS, (n, LENGTH))
    a, b = rng.random((n, LENGTH)).argsort(axis=1)[:, :2].T
    x[np.arange(n), a], x[np.arange(n), b] = 0, 1
    return x, (a < b).astype(int)


def accuracy(name: str, seed: int) -> float:
    """The share of 2,000 new rows that the trained model gets right."""
    manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Reader(**MODELS[name])
    optimizer = optim.Adam(model.parameters(), LR)
    for _ in range(STEPS):
        x, y = examples(rng, BATCH)
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        optimizer.step()
    x, y = examples(rng, 2000)
    with no_grad():
        return float((model(x).data.argmax(1) == y).mean())


def run(seeds: tuple[int, ...] = (0, 1, 2)) -> list[dict[str, float]]:
    """One row per seed: the accuracy of each model."""
    return [{"seed": seed} | {name: accuracy(name, seed) for name in MODELS} for seed in seeds]


if __name__ == "__main__":
    rows = run()
    print(*(f"{column:>16}" for column in rows[0]))
    for row in rows:
        print(
            *(
                f"{value:16.2f}" if isinstance(value, float) else f"{value:16}"
                for value in row.values()
            )
        )
