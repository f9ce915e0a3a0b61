"""One generator, one seed."""

import numpy as np
import pytest

import nnlib
from nnlib import functional, random


def draw():
    """Something from each place that draws."""
    return [
        random.generator.normal(),
        nnlib.Neuron(3).w[0].data,
        nnlib.randn(3).tolist(),
        functional.dropout(nnlib.ones(50)).tolist(),
    ]


def test_the_same_seed_gives_the_same_numbers_everywhere():
    nnlib.manual_seed(5)
    first = draw()
    assert draw() != first
    nnlib.manual_seed(5)
    assert draw() == first
    nnlib.manual_seed(6)
    assert draw() != first


def test_seeding_reaches_whoever_already_holds_the_generator():
    held = random.generator
    nnlib.manual_seed(5)
    first = held.normal()
    nnlib.manual_seed(5)
    assert random.generator is held
    assert held.normal() == first


def test_the_numbers_are_those_of_numpys_default_generator():
    nnlib.manual_seed(np.int64(5))
    assert random.generator.normal() == np.random.default_rng(5).normal()


def test_the_rest_of_numpys_random_numbers_is_left_alone():
    np.random.seed(0)  # noqa: NPY002
    first = np.random.rand()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    nnlib.manual_seed(5)
    draw()
    assert np.random.rand() == first  # noqa: NPY002


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed needs seed to be a whole number from 0 up; got"):
        nnlib.manual_seed(seed)
