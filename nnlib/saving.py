"""Arrays in a file: `save(model.state_dict(), "model.npz")`, and back by `load`.

The file is NumPy's .npz, which holds numbers and nothing else: unlike a pickle, which torch.load
reads, it cannot run code when it is opened.
"""

import os
from typing import Any

import numpy as np


def save(state: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write named arrays to a file, such as `model.state_dict()`.

    The file is complete or not there: an interrupted save leaves what was there before.

    Example:
        >>> import tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "numbers.npz")
        >>> save({"weight": np.array([1.0, 2.0])}, path)
        >>> load(path)
        {'weight': array([1., 2.])}
    """
    import zipfile

    arrays = {name: np.asarray(getattr(value, "data", value)) for name, value in state.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise TypeError(f"save writes numbers; {name} is a {type(state[name]).__name__}.")
    unfinished = f"{os.fspath(path)}.unfinished"
    with zipfile.ZipFile(unfinished, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    os.replace(unfinished, path)


def load(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read what `save` wrote, or another .npz file of numbers.

    Raises:
        ValueError: it is no such file, or damaged.

    Example:
        >>> import tempfile
        >>> from nnlib import nn
        >>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
        >>> save(nn.Linear(3, 2).state_dict(), path)
        >>> model = nn.Linear(3, 2)
        >>> model.load_state_dict(load(path))
    """
    import zipfile

    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        got = f"{path} is not a file of numbers that nnlib.save wrote, or it is damaged ({error})"
        raise ValueError(f"{got}. Save the model again.") from error
