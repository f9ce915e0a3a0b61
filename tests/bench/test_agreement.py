"""Every workload computes the same in nnlib and in torch: five steps, the same losses."""

import pytest
import torch

import nnlib
from tests.bench import moons, workloads
from tests.bench.turns import TOLERANCE


def losses(step, n=5):
    return [step() for _ in range(n)]


@pytest.mark.parametrize("name", workloads.WORKLOADS)
def test_five_steps_have_the_losses_of_torch(name):
    own = losses(workloads.training(nnlib, name))
    assert own == pytest.approx(losses(workloads.training(torch, name)), rel=TOLERANCE)
    assert len(set(own)) == 5  # something is learned


@pytest.mark.parametrize("name", workloads.SIZES)
def test_the_path_that_learners_build_has_them_too(name):
    own = losses(workloads.training(workloads.composed(nnlib), name))
    assert own == pytest.approx(losses(workloads.training(torch, name)), rel=TOLERANCE)


@pytest.mark.parametrize("engine", [moons.nnlib, moons.composed])
def test_the_scalar_engine_learns_as_arrays_of_torch_do(engine):
    points, signs = (torch.tensor(x, dtype=torch.float64) for x in moons.data())
    n_in, sizes = 2, (16, 16, 1)
    flat = torch.tensor(moons.first_weights(337), dtype=torch.float64)
    rows, at = [], 0  # each neuron's weights, then its bias
    for n_out in sizes:
        rows.append(flat[at : at + n_out * (n_in + 1)].reshape(n_out, n_in + 1).requires_grad_())
        at, n_in = at + rows[-1].numel(), n_out

    def step():
        x = points
        for w in rows:
            x = (x if w is rows[0] else x.relu()) @ w[:, :-1].T + w[:, -1]
        loss = (1 - signs * x[:, 0]).relu().mean() + 1e-4 * sum((w * w).sum() for w in rows)
        for w, slope in zip(rows, torch.autograd.grad(loss, rows), strict=True):
            w.data -= 0.1 * slope
        return loss.item()

    assert losses(engine()) == pytest.approx(losses(step), rel=1e-9)
