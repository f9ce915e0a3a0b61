"""What was saved comes back, and a bad file is named."""

import io
import pickle

import numpy as np
import pytest
import torch

import nnlib
from nnlib import Tensor, nn


def model():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_a_saved_model_gives_the_same_results(tmp_path):
    first, second = model(), model()
    first(Tensor(np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)))
    nnlib.save(first.state_dict(), tmp_path / "model.npz")
    second.load_state_dict(nnlib.load(tmp_path / "model.npz"))
    x = Tensor(np.ones((5, 3), np.float32))
    np.testing.assert_array_equal(first.eval()(x).data, second.eval()(x).data)
    assert second[1].num_batches_tracked.item() == 1
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


def test_a_file_goes_both_ways_with_torch(tmp_path):
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)
    )
    nnlib.save(theirs.state_dict(), tmp_path / "model.npz")
    ours = model()
    ours.load_state_dict(nnlib.load(tmp_path / "model.npz"))
    theirs.load_state_dict({k: torch.tensor(v + 1) for k, v in ours.state_dict().items()})
    np.testing.assert_array_equal(theirs[0].weight.detach().numpy(), ours[0].weight.data + 1)


@pytest.mark.parametrize("name", ["file", "allow_pickle", "a/b", "größe"])
def test_any_name_will_do(name, tmp_path):
    nnlib.save({name: np.arange(3)}, tmp_path / "x")
    assert nnlib.load(tmp_path / "x")[name].tolist() == [0, 1, 2]


def test_an_interrupted_save_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    nnlib.save({"a": np.arange(3)}, path)

    def full(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="no space"):
        nnlib.save({"a": np.zeros(3)}, path)
    assert nnlib.load(path)["a"].tolist() == [0, 1, 2]


def test_only_numbers_are_saved(tmp_path):
    with pytest.raises(TypeError, match="save writes numbers; model is a Linear"):
        nnlib.save({"model": nn.Linear(1, 1)}, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("a pickle was opened",)


def inside(write, array):
    file = io.BytesIO()
    write(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("hello"),
        lambda path: path.write_bytes(pickle.dumps(Bomb())),
        lambda path: path.write_bytes(inside(np.save, np.arange(3))),
        lambda path: path.write_bytes(inside(np.savez, np.array([Bomb()], dtype=object))),
    ],
)
def test_a_bad_file_is_named_and_nothing_in_it_runs(write, tmp_path):
    path = tmp_path / "model.npz"
    write(path)
    with pytest.raises(ValueError, match=r"model\.npz is not a file of numbers .* Save the model"):
        nnlib.load(path)


def test_a_cut_file_is_named(tmp_path):
    path = tmp_path / "model.npz"
    nnlib.save({"a": np.arange(1000)}, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="damaged"):
        nnlib.load(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        nnlib.load(tmp_path / "model.npz")
