"""Sets of examples, batches of them, and the course's own data sets. Nothing is downloaded."""

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from nnlib import random
from nnlib.check import whole
from nnlib.tensor import Tensor

XY = tuple[np.ndarray, np.ndarray]  # the examples, and what is to be said of each


class Dataset:
    """Examples that can be counted and asked for by number: define `__len__` and `__getitem__`.

    An example is an array, a number, or a tuple of these such as (x, y).

    Example:
        >>> class Squares(Dataset):
        ...     def __len__(self):
        ...         return 5
        ...
        ...     def __getitem__(self, i):
        ...         return float(i), float(i * i)
        >>> x, y = next(iter(DataLoader(Squares(), batch_size=3)))
        >>> y.data
        array([0., 1., 4.], dtype=float32)
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__(). Define it.")

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__(). Define it.")


class TensorDataset(Dataset):
    """Rows of arrays that belong together: example i is row i of each.

    Args:
        tensors: arrays or Tensors with the same first axis.

    Example:
        >>> dataset = TensorDataset(np.zeros((5, 3), np.float32), np.arange(5))
        >>> x, y = dataset[2]
        >>> len(dataset), x.shape, y.item()
        (5, (3,), 2)
    """

    def __init__(self, *tensors: Any):
        self.tensors = tuple(t if isinstance(t, Tensor) else Tensor(t) for t in tensors)
        _same_length([t.shape for t in self.tensors], "TensorDataset")

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        """One example; with a slice or an array of numbers, a batch of them."""
        return tuple(t[index] for t in self.tensors)


class DataLoader:
    """Go through a dataset in batches, in a new order each time if `shuffle`.

    Args:
        dataset: a Dataset, or anything else that has a length and gives example i for [i].
        batch_size: how many examples are stacked into one batch.
        shuffle: whether to deal them out in random order.
        drop_last: leave the last batch out if it is smaller than the others.
        generator: draws the order, such as np.random.default_rng(0); nnlib's own, which
            nnlib.manual_seed seeds, if not given.

    Example:
        >>> X, y = np.zeros((10, 3), np.float32), np.arange(10)
        >>> loader = DataLoader(TensorDataset(X, y), batch_size=4)
        >>> [xb.shape for xb, yb in loader], len(loader)
        ([(4, 3), (4, 3), (2, 3)], 3)
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        generator: Generator | None = None,
    ):
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            need = "a dataset with a length and examples [i], such as TensorDataset(X, y)"
            raise TypeError(f"DataLoader needs {need}; got {type(dataset).__name__}.")
        self.dataset = dataset
        self.batch_size = whole("DataLoader", "batch_size", batch_size)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = _drawing(generator, "DataLoader")

    def __len__(self) -> int:
        """The number of batches."""
        n = len(self.dataset)
        return n // self.batch_size if self.drop_last else math.ceil(n / self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        n = len(self.dataset)
        order = self.generator.permutation(n) if self.shuffle else np.arange(n)
        for i in range(len(self)):
            batch = order[i * self.batch_size : (i + 1) * self.batch_size]
            if isinstance(self.dataset, TensorDataset):
                yield self.dataset[batch]  # all rows at once
            else:
                yield _stack([self.dataset[int(j)] for j in batch])


def _stack(examples: list[Any]) -> Any:
    """A batch of these examples: tuples become a tuple of batches, numbers and arrays a Tensor."""
    if isinstance(examples[0], tuple):
        return tuple(_stack(list(column)) for column in zip(*examples, strict=True))
    arrays = [e.data if isinstance(e, Tensor) else e for e in examples]
    shapes = {np.shape(a) for a in arrays}
    if len(shapes) > 1:
        got = " and ".join(map(str, sorted(shapes)))
        raise ValueError(f"DataLoader cannot stack shapes {got}. Pad or crop them in __getitem__.")
    return Tensor(np.stack(arrays) if isinstance(arrays[0], (np.ndarray, np.generic)) else arrays)


def split(
    *arrays: Any, parts: Sequence[float] = (0.8, 0.2), generator: Generator | None = None
) -> list[tuple[Any, ...]]:
    """Deal the rows out at random, each row to one part; what belongs together stays together.

    Args:
        arrays: arrays or Tensors with the same first axis.
        parts: the share of each part; they sum to 1.
        generator: draws the order, such as np.random.default_rng(0); nnlib's own if not given.

    Returns:
        One tuple per part, with that part's rows of every array.

    Example:
        >>> X, y = np.zeros((10, 3)), np.arange(10)
        >>> (X_train, y_train), (X_test, y_test) = split(X, y, parts=(0.7, 0.3))
        >>> X_train.shape, y_test.shape
        ((7, 3), (3,))
    """
    rows = [a if hasattr(a, "shape") else np.asarray(a) for a in arrays]
    n = _same_length([a.shape for a in rows], "split")
    if not math.isclose(sum(parts), 1, abs_tol=1e-6) or min(parts) < 0:
        raise ValueError(f"split needs parts that sum to 1, such as (0.7, 0.3); got {parts}.")
    ends = [round(share * n) for share in np.cumsum(parts)]
    if np.diff(ends, prepend=0).min() < 1:
        raise ValueError(f"split of {n} rows into {parts} leaves a part without any row.")
    order = _drawing(generator, "split").permutation(n)
    return [tuple(a[part] for a in rows) for part in np.split(order, ends[:-1])]


class StandardScaler:
    """Shift and scale each column to mean 0 and standard deviation 1, as measured by `fit`.

    Fit it on the training rows only; a column that never varies is shifted but not scaled.

    Attributes:
        mean_, scale_: of each column, float64.

    Example:
        >>> scaler = StandardScaler().fit(np.array([[1.0, 50.0], [3.0, 70.0]]))
        >>> scaler.transform(np.array([[2.0, 80.0]]))
        array([[0., 2.]])
    """

    mean_: np.ndarray
    scale_: np.ndarray

    def fit(self, X: np.ndarray) -> "StandardScaler":
        """Measure mean and standard deviation of the columns of X (B, D)."""
        if np.ndim(X) != 2 or len(X) == 0:
            got = f"X has shape {np.shape(X)}. For one column: X.reshape(-1, 1)."
            raise ValueError(f"StandardScaler needs rows and columns (B, D), B at least 1; {got}")
        X = np.asarray(X, np.float64)
        self.mean_, std = X.mean(axis=0), X.std(axis=0)
        # Rounding can leave a constant column with a standard deviation just above 0.
        constant = std <= 1e-12 * np.abs(self.mean_)
        self.scale_ = np.where(constant, 1.0, std)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """(X - mean) / std, in the dtype of X if that is a float."""
        self._check(X)
        return ((X - self.mean_) / self.scale_).astype(_float(X), copy=False)

    def fit_transform(self, X: np.ndarray) -> np.ndarray:
        """`fit(X)`, then `transform(X)`: for the training rows only."""
        return self.fit(X).transform(X)

    def inverse_transform(self, Z: np.ndarray) -> np.ndarray:
        """Back to the original units."""
        self._check(Z)
        return (Z * self.scale_ + self.mean_).astype(_float(Z), copy=False)

    def _check(self, X: np.ndarray) -> None:
        if not hasattr(self, "mean_"):
            raise RuntimeError("StandardScaler has not measured anything yet: call fit(X) first.")
        if np.ndim(X) != 2 or np.shape(X)[1] != len(self.mean_):
            got = f"this array has shape {np.shape(X)}. Pass rows with the same columns."
            raise ValueError(f"StandardScaler was fitted on {len(self.mean_)} columns; {got}")


# Measured data, bundled with scikit-learn


def digits() -> XY:
    """Handwritten digits, 8x8 pixels each.

    Returns:
        X (1797, 64) float32, how dark each pixel is, 0 (white) to 1; row by row, so
        X.reshape(-1, 8, 8) are the pictures. y (1797,) int64, the digit, 0..9.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository, 1998 (its test part, from 13 people), as bundled with scikit-learn.

    Example:
        >>> X, y = digits()
        >>> X.shape, y.shape
        ((1797, 64), (1797,))
    """
    X, y = _bundled("digits")
    return X / 16, y


def iris() -> XY:
    """Three kinds of iris flowers, by the size of their sepals and petals.

    Returns:
        X (150, 4) float32: sepal length, sepal width, petal length, petal width, in cm.
        y (150,) int64: 0 setosa, 1 versicolor, 2 virginica; 50 of each, in this order.

    Source: R. A. Fisher, The use of multiple measurements in taxonomic problems, 1936, as bundled
    with scikit-learn.

    Example:
        >>> X, y = iris()
        >>> X.shape, y.shape
        ((150, 4), (150,))
    """
    return _bundled("iris")


def wine() -> XY:
    """Wines of three growers in one region of Italy, by chemical analysis.

    Returns:
        X (178, 13) float32: alcohol, malic acid, ash, alcalinity of ash, magnesium, total phenols,
        flavanoids, nonflavanoid phenols, proanthocyanins, colour intensity, hue, OD280/OD315 of
        diluted wines, proline. The source gives no units; the columns differ 1000-fold in size.
        y (178,) int64: the grower, 0..2 (59, 71 and 48 wines, in this order).

    Source: M. Forina et al., PARVUS, 1988; UCI Machine Learning Repository (Wine), as bundled with
    scikit-learn.

    Example:
        >>> X, y = wine()
        >>> X.shape, y.shape
        ((178, 13), (178,))
    """
    return _bundled("wine")


def breast_cancer() -> XY:
    """Cell nuclei from breast tumours, measured in microscope pictures.

    Returns:
        X (569, 30) float32: ten measures (radius, texture, perimeter, area, smoothness,
        compactness, concavity, concave points, symmetry, fractal dimension), first their mean over
        the picture (columns 0-9), then the standard error (10-19), then the mean of the three
        largest (20-29). Lengths are in pixels of the picture; the others have no unit.
        y (569,) int64: 0 malignant (212), 1 benign (357).

    Source: W. Wolberg, W. Street and O. Mangasarian, Breast Cancer Wisconsin (Diagnostic), UCI
    Machine Learning Repository, 1995, as bundled with scikit-learn.

    Example:
        >>> X, y = breast_cancer()
        >>> X.shape, y.shape
        ((569, 30), (569,))
    """
    return _bundled("breast_cancer")


def diabetes() -> XY:
    """Ten measures of a person with diabetes, and how far the disease had gone a year later.

    Returns:
        X (442, 10) float32, not scaled: age in years, sex (1 or 2), body mass index in kg/m², mean
        blood pressure, and six blood measures s1 (total cholesterol), s2 (LDL), s3 (HDL),
        s4 (total cholesterol / HDL), s5 (log of triglycerides), s6 (blood sugar).
        y (442,) float32: a score of progression after one year, 25 to 346, without unit.

    Source: B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least Angle Regression, 2004, as
    bundled with scikit-learn.

    Example:
        >>> X, y = diabetes()
        >>> X.shape, y.shape
        ((442, 10), (442,))
    """
    return _bundled("diabetes", np.float32, scaled=False)


def _bundled(name: str, y_type: type = np.int64, **options: Any) -> XY:
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True, **options)
    return X.astype(np.float32), y.astype(y_type)


def sunspots() -> XY:
    """How many spots the sun showed, year by year.

    Returns:
        years (309,) int64, 1700..2008. numbers (309,) float32, the mean sunspot number of the year,
        0 to 190.2, without unit: each group of spots counts as ten spots more.

    Source: World Data Center SILSO, Royal Observatory of Belgium, and NOAA's National Geophysical
    Data Center; the series as it stood before its revision of 2015 (see nnlib/sets/README.md).

    Example:
        >>> years, numbers = sunspots()
        >>> years[[0, -1]].tolist(), numbers[:3].tolist()
        ([1700, 2008], [5.0, 11.0, 16.0])
    """
    path = os.path.join(os.path.dirname(__file__), "sets", "sunspots.csv")
    years, numbers = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
    return years.astype(np.int64), numbers.astype(np.float32)


# Generated data


def moons(n: int = 200, noise: float = 0.1, generator: Generator | None = None) -> XY:
    """Two half circles that reach into each other: no straight line separates them.

    Args:
        n: how many points, half of them (rounded up) of class 0.
        noise: the standard deviation of the jitter; the half circles have radius 1.
        generator: draws the jitter; nnlib's own if not given.

    Returns:
        X (n, 2) float32, y (n,) int64 of 0 (upper moon) and 1 (lower moon).

    Source: the shapes are those of scikit-learn's make_moons.

    Example:
        >>> X, y = moons(5, noise=0.0)
        >>> X.round(1).tolist(), y.tolist()
        ([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.5], [2.0, 0.5]], [0, 0, 0, 1, 1])
    """
    n = whole("moons", "n", n, least=2)
    draw = _drawing(generator, "moons")
    y, angle = _lines(n, 2, np.pi)
    X = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    X[y == 1] = [1, 0.5] - X[y == 1]  # the lower moon: turned round, and moved
    return (X + draw.normal(0, noise, X.shape)).astype(np.float32), y


def spirals(
    n: int = 300, classes: int = 3, noise: float = 0.1, generator: Generator | None = None
) -> XY:
    """Spiral arms, one per class, wound around each other about two thirds of a turn.

    Args:
        n: how many points in all; the classes' shares differ by one at most.
        classes: how many arms.
        noise: the standard deviation of the jitter of the angle, in radians.
        generator: draws the jitter; nnlib's own if not given.

    Returns:
        X (n, 2) float32 within the unit circle, y (n,) int64 of 0..classes-1.

    Example:
        >>> X, y = spirals(7, classes=3)
        >>> X.shape, y.tolist()
        ((7, 2), [0, 0, 0, 1, 1, 2, 2])
    """
    classes = whole("spirals", "classes", classes)
    n = whole("spirals", "n", n, least=classes)
    draw = _drawing(generator, "spirals")
    y, radius = _lines(n, classes, 1)
    angle = 2 * np.pi * y / classes + 4 * radius + draw.normal(0, noise, n)
    X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return X.astype(np.float32), y


def _lines(n: int, classes: int, end: float) -> XY:
    """The class of each of n points, and its place: those of a class go evenly from 0 to `end`."""
    y = np.sort(np.arange(n) % classes)
    return y, np.concatenate([np.linspace(0, end, size) for size in np.bincount(y)])


# Drawn data


def glyphs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Printed characters: the digits and the capital letters, in 16 fonts.

    Returns:
        X (576, 28, 28) float32, how dark each pixel is, 0 (white) to 1, with the ink in the middle.
        y (576,) int64: 0..9 the digits, 10..35 the letters A..Z.
        font (576,) int64, 0..15: four each of DejaVu Sans, DejaVu Sans Mono, DejaVu Serif and STIX,
        namely plain, bold, slanted, bold and slanted.

    Source: rendered by docs/glyphs.py from fonts that come with matplotlib; both are free, see
    nnlib/sets/README.md.

    Example:
        >>> X, y, font = glyphs()
        >>> X[y == 10].shape, font[y == 10].tolist()  # the letter A
        ((16, 28, 28), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    """
    with np.load(os.path.join(os.path.dirname(__file__), "sets", "glyphs.npz")) as file:
        pictures = file["pictures"]  # (fonts, characters, 28, 28) uint8
    font, y = np.indices(pictures.shape[:2]).reshape(2, -1)
    return pictures.reshape(-1, 28, 28) / np.float32(255), y, font


# Files that you have


def mnist(folder: str | os.PathLike[str]) -> tuple[XY, XY]:
    """MNIST, or a set in the same form such as Fashion-MNIST, from four files that you have.

    They are train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
    t10k-labels-idx1-ubyte, as they are or with .gz at the end.

    Returns:
        (X_train, y_train), (X_test, y_test). X (n, 28, 28) float32, how bright each pixel is, 0 to
        1; y (n,) int64, the class, 0..9. There are 60000 and 10000 of them.

    Raises:
        FileNotFoundError: a file is not there; the message names it.
        ValueError: a file is damaged, or images and labels do not belong together.

    Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-Based Learning Applied to
    Document Recognition, 1998.
    """
    return _mnist_part(folder, "train"), _mnist_part(folder, "t10k")


def _mnist_part(folder: Any, part: str) -> XY:
    images = idx(_find(folder, f"{part}-images-idx3-ubyte"))
    labels = idx(_find(folder, f"{part}-labels-idx1-ubyte"))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        got = f"shapes {images.shape} and {labels.shape}. Take both from the same set."
        raise ValueError(f"{part} files in {folder} need images (n, H, W), labels (n,); got {got}")
    return (images / np.float32(255)).astype(np.float32, copy=False), labels.astype(np.int64)


def _find(folder: Any, name: str) -> str:
    for path in (os.path.join(folder, name), os.path.join(folder, f"{name}.gz")):
        if os.path.isfile(path):
            return path
    why = "mnist() reads files that you put there, and downloads nothing. digits() needs no file."
    raise FileNotFoundError(f"{folder} has no file {name} or {name}.gz. {why}")


def idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read one file in MNIST's IDX format, compressed by gzip or not.

    The file says what it holds: two zero bytes, one for the type of number, one for the number of
    axes, four per axis for its length, then the numbers, all with the highest byte first.

    Raises:
        ValueError: it is no such file, or has been cut short.
    """
    import gzip
    import zlib

    with open(path, "rb") as file:
        content = file.read()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file ({error}). Fetch it again.") from error
    header = 4 + 4 * content[3] if len(content) > 3 else 4
    if len(content) < header or content[:2] != b"\0\0" or content[2] not in _IDX_TYPES:
        need = "two zero bytes, a type and a number of axes. Is it the file you meant?"
        raise ValueError(f"{path} is not an IDX file: it starts with {content[:4]!r}, not {need}")
    dtype = np.dtype(_IDX_TYPES[content[2]])
    shape = tuple(int(n) for n in np.frombuffer(content[4:header], ">u4"))
    body = content[header:]
    expected = math.prod(shape) * dtype.itemsize
    if len(body) != expected:
        got = f"and holds {len(body)}. It was cut short or damaged: fetch it again."
        raise ValueError(f"{path} should hold {expected} bytes of numbers for shape {shape}, {got}")
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="))


_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


# Checks


def _float(X: np.ndarray) -> np.dtype:
    """The dtype for numbers computed from X: its own if it is a float, else float32."""
    dtype = np.asarray(X).dtype
    return dtype if dtype.kind == "f" else np.dtype(np.float32)


def _same_length(shapes: list[tuple[int, ...]], owner: str) -> int:
    if not shapes or any(len(s) == 0 or s[0] != shapes[0][0] for s in shapes):
        got = f"shapes {', '.join(map(str, shapes)) or 'none'}. Each row is one example."
        raise ValueError(f"{owner} needs arrays with the same number of rows; got {got}")
    return shapes[0][0]


def _drawing(generator: Generator | None, owner: str) -> Generator:
    if not isinstance(generator, Generator | None):
        need = "a NumPy generator such as np.random.default_rng(0)"
        raise TypeError(f"{owner} needs {need}; got {generator!r}.")
    return generator or random.generator
