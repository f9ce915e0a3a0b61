"""Batches hold every example, splits do not leak, loaders give what they promise."""

import gzip
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.datasets import make_moons
from sklearn.preprocessing import StandardScaler as SklearnScaler

import nnlib
from nnlib import data
from nnlib.tensor import Tensor

X = np.arange(30, dtype=np.float32).reshape(10, 3)
y = np.arange(10)


class Squares(data.Dataset):
    def __len__(self):
        return 7

    def __getitem__(self, i):
        return float(i), i * i


# Datasets and loaders


def test_an_example_is_a_row_of_each_tensor():
    dataset = data.TensorDataset(X, Tensor(y))
    row, label = dataset[4]
    assert isinstance(row, Tensor)
    assert row.data.tolist() == [12, 13, 14]
    assert label.item() == 4
    assert len(dataset) == 10


def test_batches_are_tensors_that_keep_their_dtype():
    xb, yb = next(iter(data.DataLoader(data.TensorDataset(X, y), batch_size=4)))
    assert isinstance(xb, Tensor)
    assert (xb.shape, xb.data.dtype) == ((4, 3), np.float32)
    assert (yb.shape, yb.data.dtype) == ((4,), np.int64)


@given(
    n=st.integers(0, 20),
    batch_size=st.integers(1, 25),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
)
def test_every_example_comes_once_and_stays_with_its_label(n, batch_size, shuffle, drop_last):
    rows = np.arange(n, dtype=np.float32)
    loader = data.DataLoader(
        data.TensorDataset(rows, rows * 2), batch_size, shuffle, drop_last=drop_last
    )
    batches = [(xb.data, yb.data) for xb, yb in loader]
    assert len(batches) == len(loader)
    assert all(len(xb) == batch_size for xb, _ in batches[: -1 if not drop_last else None])
    assert all((yb == 2 * xb).all() for xb, yb in batches)
    seen = np.concatenate([xb for xb, _ in batches] or [rows[:0]])
    assert len(set(seen)) == len(seen)
    assert len(seen) == (n - n % batch_size if drop_last else n)
    if not shuffle:
        assert seen.tolist() == rows[: len(seen)].tolist()


def order(loader):
    return np.concatenate([batch.data for (batch,) in loader]).tolist()


def test_shuffling_gives_a_new_order_each_time():
    loader = data.DataLoader(data.TensorDataset(np.arange(50)), 8, shuffle=True)
    assert order(loader) != order(loader)


def test_the_seed_fixes_the_order():
    loader = data.DataLoader(data.TensorDataset(np.arange(50)), 8, shuffle=True)
    nnlib.manual_seed(3)
    first = order(loader)
    nnlib.manual_seed(3)
    assert order(loader) == first


def test_a_generator_of_ones_own_leaves_nnlibs_alone():
    def make():
        rng = np.random.default_rng(5)
        return data.DataLoader(data.TensorDataset(np.arange(50)), 8, shuffle=True, generator=rng)

    nnlib.manual_seed(3)
    expected = nnlib.random.generator.random()
    nnlib.manual_seed(3)
    assert order(make()) == order(make())
    assert nnlib.random.generator.random() == expected


def test_any_dataset_is_stacked_into_tensors():
    x, square = next(iter(data.DataLoader(Squares(), batch_size=3)))
    assert (x.data.dtype, x.data.tolist()) == (np.float32, [0, 1, 2])
    assert (square.data.dtype, square.data.tolist()) == (np.int64, [0, 1, 4])


def test_a_plain_list_of_arrays_is_a_dataset_too():
    (batch,) = data.DataLoader([np.ones(3, np.float32), np.zeros(3, np.float32)], batch_size=2)
    assert batch.data.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_libraries_for_special_tasks_are_imported_only_when_they_are_used():
    modules = "nnlib.nn, nnlib.optim, nnlib.data, nnlib.metrics, nnlib.train"
    heavy = "{'sklearn', 'tqdm', 'torch', 'matplotlib'}"
    code = f"import sys, {modules}; sys.exit(repr({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stderr.strip() == "set()"


# Splits and scalers


@given(st.integers(10, 60), st.sampled_from([(0.8, 0.2), (0.7, 0.15, 0.15), (0.5, 0.5), (1.0,)]))
def test_a_split_deals_out_every_row_once_and_keeps_rows_together(n, parts):
    rows = np.arange(n)
    pieces = data.split(rows, rows * 2, parts=parts)
    assert sorted(np.concatenate([a for a, _ in pieces])) == rows.tolist()
    assert all((b == 2 * a).all() for a, b in pieces)
    assert all(abs(len(a) - share * n) <= 1 for (a, _), share in zip(pieces, parts, strict=True))


def test_a_split_is_random_and_the_seed_fixes_it():
    nnlib.manual_seed(1)
    first = data.split(y)[0][0].tolist()
    second = data.split(y)[0][0].tolist()
    nnlib.manual_seed(1)
    assert data.split(y)[0][0].tolist() == first != second
    seeded = [data.split(y, generator=np.random.default_rng(2))[0][0].tolist() for _ in range(2)]
    assert seeded[0] == seeded[1]


def test_a_split_takes_tensors_and_lists():
    (a, b), _ = data.split(Tensor(X), list(y))
    assert a.shape == (8, 3)
    np.testing.assert_array_equal(a.data[:, 0], 3 * b)


def test_the_scaler_is_scikit_learns():
    train, test = np.random.default_rng(0).normal(5, 3, (2, 20, 7))
    train[:, 2:5] = 0.1, 0, 1e6 / 3  # never vary
    train[:, 5] += 1.7e9  # varies by seconds, as times of day do
    test[:, 5] += 1.7e9
    ours, theirs = data.StandardScaler(), SklearnScaler()
    np.testing.assert_allclose(ours.fit_transform(train), theirs.fit_transform(train), atol=1e-9)
    np.testing.assert_allclose(ours.transform(test), theirs.transform(test), atol=1e-6)
    np.testing.assert_allclose(ours.inverse_transform(ours.transform(test)), test, atol=1e-6)


def test_the_scaler_keeps_float32_and_turns_whole_numbers_into_it():
    assert data.StandardScaler().fit_transform(X).dtype == np.float32
    assert data.StandardScaler().fit_transform(X.astype(np.int64)).dtype == np.float32


# The course's data sets


@pytest.mark.parametrize(
    ("load", "shape", "classes"),
    [
        (data.digits, (1797, 64), 10),
        (data.iris, (150, 4), 3),
        (data.wine, (178, 13), 3),
        (data.breast_cancer, (569, 30), 2),
        (data.moons, (200, 2), 2),
        (data.spirals, (300, 2), 3),
    ],
)
def test_a_set_of_classes_has_the_shapes_it_promises(load, shape, classes):
    rows, labels = load()
    assert (rows.shape, rows.dtype) == (shape, np.float32)
    assert (labels.shape, labels.dtype) == (shape[:1], np.int64)
    assert np.unique(labels).tolist() == list(range(classes))
    assert np.isfinite(rows).all()
    assert f"X {shape} float32" in load.__doc__ or "X (n, 2) float32" in load.__doc__
    assert "int64" in load.__doc__


def test_digits_are_between_0_and_1():
    rows, _ = data.digits()
    assert (rows.min(), rows.max()) == (0, 1)


def test_diabetes_is_in_the_units_it_promises():
    rows, progress = data.diabetes()
    assert (rows.shape, rows.dtype) == ((442, 10), np.float32)
    assert (progress.shape, progress.dtype) == ((442,), np.float32)
    assert (progress.min(), progress.max()) == (25, 346)
    assert rows[:, 0].min() > 18  # years
    assert set(rows[:, 1]) == {1, 2}


def test_sunspots_are_one_number_for_each_year_with_a_peak_about_every_eleven():
    years, numbers = data.sunspots()
    assert (years.shape, years.dtype) == ((309,), np.int64)
    assert (numbers.shape, numbers.dtype) == ((309,), np.float32)
    assert (np.diff(years) == 1).all()
    assert (numbers.min(), round(float(numbers.max()), 1)) == (0, 190.2)
    assert years[numbers.argmax()] == 1957
    spectrum = np.abs(np.fft.rfft(numbers - numbers.mean()))
    assert 10 < len(numbers) / spectrum.argmax() < 12


def test_glyphs_are_36_centred_characters_in_16_fonts():
    X, labels, font = data.glyphs()
    assert (X.shape, X.dtype) == ((16 * 36, 28, 28), np.float32)
    assert (labels.dtype, font.dtype) == (np.int64, np.int64)
    assert set(zip(font.tolist(), labels.tolist(), strict=True)) == set(np.ndindex(16, 36))
    assert (X.min(), X.max()) == (0, 1)
    assert (X[:, 2:-2, 2:-2] > 0).sum() == (X > 0).sum()  # so a shift by two pixels loses nothing
    top, bottom = X[labels == 29].reshape(16, 2, -1).sum(2).T  # T has its bar at the top
    assert (top > bottom).all()


@pytest.mark.parametrize("n", [200, 11])
def test_moons_without_noise_are_scikit_learns(n):
    ours, labels = data.moons(n, noise=0)
    theirs, their_labels = make_moons(n, shuffle=False)
    for c in (0, 1):  # which class gets the odd point is a matter of taste
        a, b = ours[labels == c], theirs[their_labels == c]
        np.testing.assert_allclose(a[[0, -1]], b[[0, -1]], atol=1e-6)
        if len(a) == len(b):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_spirals_have_equal_arms_that_no_line_separates():
    rows, labels = data.spirals(301, classes=4, noise=0)
    assert np.ptp(np.bincount(labels)) <= 1
    assert np.linalg.norm(rows, axis=1).max() <= 1 + 1e-6
    flat = np.c_[rows, np.ones(len(rows))]
    guess = (flat @ np.linalg.lstsq(flat, np.eye(4)[labels], rcond=None)[0]).argmax(1)
    assert (guess == labels).mean() < 0.6


@pytest.mark.parametrize("make", [data.moons, data.spirals])
def test_generated_data_follow_the_seed_or_the_generator(make):
    nnlib.manual_seed(1)
    first, other = make()[0], make()[0]
    nnlib.manual_seed(1)
    np.testing.assert_array_equal(make()[0], first)
    assert (other != first).any()
    a, b = (make(generator=np.random.default_rng(4))[0] for _ in range(2))
    np.testing.assert_array_equal(a, b)


# MNIST's files


def write_idx(path, array, code=0x08):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    body = array.astype(array.dtype.newbyteorder(">")).tobytes()
    content = header + body
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_mnist(folder, ending=""):
    rng = np.random.default_rng(0)
    for part, n in (("train", 5), ("t10k", 3)):
        images = rng.integers(0, 256, (n, 28, 28)).astype(np.uint8)
        images[0, 0, :2] = 0, 255
        write_idx(folder / f"{part}-images-idx3-ubyte{ending}", images)
        labels = np.arange(n, dtype=np.uint8)
        write_idx(folder / f"{part}-labels-idx1-ubyte{ending}", labels)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_mnist_is_read_from_files_that_are_there(tmp_path, ending):
    write_mnist(tmp_path, ending)
    (X_train, y_train), (X_test, y_test) = data.mnist(tmp_path)
    assert (X_train.shape, X_train.dtype) == ((5, 28, 28), np.float32)
    assert (X_train.min(), X_train.max()) == (0, 1)
    assert (y_train.tolist(), y_train.dtype) == ([0, 1, 2, 3, 4], np.int64)
    assert (X_test.shape, y_test.shape) == ((3, 28, 28), (3,))


@pytest.mark.parametrize(
    ("code", "dtype"),
    [(0x08, "u1"), (0x09, "i1"), (0x0B, "i2"), (0x0C, "i4"), (0x0D, "f4"), (0x0E, "f8")],
)
def test_idx_reads_every_type_of_number(tmp_path, code, dtype):
    array = np.array([[1, 2, 3], [-4 if dtype != "u1" else 4, 5, 100]], dtype)
    found = data.idx(write_idx(tmp_path / "numbers", array, code))
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, array)


def test_idx_reads_a_file_without_any_numbers(tmp_path):
    assert data.idx(write_idx(tmp_path / "none", np.zeros((0, 3), np.uint8))).shape == (0, 3)


def test_a_missing_file_is_named(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match=r"no file t10k-labels-idx1-ubyte or .*\.gz"):
        data.mnist(tmp_path)


def test_images_and_labels_of_different_sets_are_refused(tmp_path):
    write_mnist(tmp_path)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.arange(4, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"shapes \(5, 28, 28\) and \(4,\)"):
        data.mnist(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda b: b[:-1], r"should hold 6 bytes .* shape \(2, 3\), and holds 5"),
        (lambda b: b"<html>" + b, "not an IDX file: it starts with b'<htm'"),
        (lambda b: b"", "not an IDX file"),
        (lambda b: b[:3], "not an IDX file"),
        (lambda b: b[:4], "not an IDX file"),
        (lambda b: b[:9], "not an IDX file"),
        (lambda b: gzip.compress(b)[:-4], "damaged gzip file"),
        (lambda b: gzip.compress(b * 99)[:20] + b"\xff" * 60, "damaged gzip file"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, damage, message):
    path = write_idx(tmp_path / "numbers", np.arange(6, dtype=np.uint8).reshape(2, 3))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=message) as error:
        data.idx(path)
    assert str(path) in str(error.value)


# What goes wrong


class Ragged(data.Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return np.zeros(i + 1)


class Empty(data.Dataset):
    pass


fitted = data.StandardScaler().fit(X)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: data.TensorDataset(X, y[:4]), ValueError, r"got shapes \(10, 3\), \(4,\)"),
        (lambda: data.TensorDataset(), ValueError, "got shapes none"),
        (lambda: data.DataLoader(iter([1])), TypeError, r"TensorDataset.*got list_iterator"),
        (lambda: data.DataLoader([1], 0), ValueError, "batch_size .* from 1 up; got 0"),
        (lambda: data.DataLoader([1], 2.0), ValueError, "batch_size .* got 2.0"),
        (lambda: data.DataLoader([1], generator=3), TypeError, r"default_rng\(0\); got 3"),
        (lambda: list(data.DataLoader(Ragged(), 3)), ValueError, r"shapes \(1,\) and \(2,\)\. Pad"),
        (lambda: len(Empty()), NotImplementedError, r"Empty has no __len__\(\)"),
        (lambda: Empty()[0], NotImplementedError, r"Empty has no __getitem__\(\)"),
        (lambda: data.split(X, y[:4]), ValueError, r"split needs arrays .* \(10, 3\), \(4,\)"),
        (lambda: data.split(X, parts=(0.5, 0.6)), ValueError, r"sum to 1.*got \(0.5, 0.6\)"),
        (lambda: data.split(X, parts=(1.5, -0.5)), ValueError, "sum to 1"),
        (lambda: data.split(X, parts=(0.99, 0.01)), ValueError, "10 rows .* without any row"),
        (lambda: data.split(X, generator=1), TypeError, "split needs a NumPy generator"),
        (lambda: data.StandardScaler().transform(X), RuntimeError, r"call fit\(X\) first"),
        (lambda: data.StandardScaler().fit(y), ValueError, r"shape \(10,\).*reshape\(-1, 1\)"),
        (lambda: data.StandardScaler().fit(X[:0]), ValueError, r"at least 1; .* \(0, 3\)"),
        (lambda: fitted.transform(X[:, :2]), ValueError, r"on 3 columns; .* shape \(10, 2\)"),
        (lambda: fitted.inverse_transform(X[0]), ValueError, r"on 3 columns; .* shape \(3,\)"),
        (lambda: data.moons(1), ValueError, "moons needs n to be a whole number from 2 up; got 1"),
        (lambda: data.spirals(2), ValueError, "spirals needs n .* from 3 up; got 2"),
        (lambda: data.spirals(9, classes=0), ValueError, "classes .* from 1 up; got 0"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
