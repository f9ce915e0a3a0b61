"""Exercise 52: move a picture, back through max-pooling, and the length of what is left."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

equivalent = {}


# ------------------------------------------------------------------------- move a picture


def right_shift(x, rows, columns):
    H, W = x.shape
    r, c = abs(rows), abs(columns)
    padded = np.pad(x, ((r, r), (c, c)))
    return padded[r - rows : r - rows + H, c - columns : c - columns + W]


def right_shift_pixel_by_pixel(x, rows, columns):
    moved = np.zeros(x.shape)
    for i, j in np.ndindex(x.shape):
        if 0 <= i - rows < x.shape[0] and 0 <= j - columns < x.shape[1]:
            moved[i, j] = x[i - rows, j - columns]
    return moved


@question(
    points=2,
    right=right_shift,
    also=(right_shift_pixel_by_pixel,),
    hints=(
        "What stands at (i, j) afterwards stood at (i - rows, j - columns) before, if there is "
        "such a pixel. Otherwise it is 0.",
        "You can go pixel by pixel. Or put enough zeros on all four sides with np.pad, and cut a "
        "picture of the old size out again.",
        "With r = abs(rows) zeros above and below, the picture begins at row r. Cut at row "
        "r - rows instead, and everything lies `rows` further down.",
    ),
)
def shift(rng):
    """The picture moved down by `rows` and right by `columns`, with zeros coming in."""
    yield call, rng.normal(size=(5, 7)), 3, -4
    yield call, rng.normal(size=(7, 6)), -3, 4
    yield call, rng.normal(size=(6, 5)), 0, 3
    yield call, rng.normal(size=(5, 6)) * 1e-3, -4, 0
    yield call, rng.normal(size=(4, 7)), 6, -3


@wrong(shift, sneaky=True)
def rolled(x, rows, columns):
    """What you push out on one side comes back on the other: np.roll moves in a circle. Around a
    letter there is white paper, so there it does not show. Zeros should come in."""
    return np.roll(x, (rows, columns), axis=(0, 1))


@wrong(shift, like=rolled)
def rolled_by_index(x, rows, columns):
    H, W = x.shape
    return x[(np.arange(H) - rows) % H][:, (np.arange(W) - columns) % W]


@wrong(shift, sneaky=True)
def the_other_way(x, rows, columns):
    """You moved the picture the other way. With rows = 3 what stood in row 0 should stand in row 3:
    further down."""
    return right_shift(x, -rows, -columns)


@wrong(shift, like=the_other_way)
def the_other_way_by_pixel(x, rows, columns):
    moved = np.zeros(x.shape)
    for i, j in np.ndindex(x.shape):
        if 0 <= i + rows < x.shape[0] and 0 <= j + columns < x.shape[1]:
            moved[i, j] = x[i + rows, j + columns]
    return moved


@wrong(shift, sneaky=True)
def axes_swapped(x, rows, columns):
    """You moved down by `columns` and right by `rows`. The first axis counts rows, the second
    columns. With two equal numbers it does not show."""
    return right_shift(x, columns, rows)


@wrong(shift, like=axes_swapped)
def axes_swapped_by_transposing(x, rows, columns):
    return right_shift_pixel_by_pixel(x.T, rows, columns).T


@wrong(shift, sneaky=True)
def edge_repeated(x, rows, columns):
    """You filled up with copies of the edge. Zeros should come in: white paper. Where the edge is
    white already, the two are the same."""
    H, W = x.shape
    r, c = abs(rows), abs(columns)
    padded = np.pad(x, ((r, r), (c, c)), mode="edge")
    return padded[r - rows : r - rows + H, c - columns : c - columns + W]


@wrong(shift, like=edge_repeated)
def edge_repeated_by_clipping(x, rows, columns):
    H, W = x.shape
    down, across = np.arange(H) - rows, np.arange(W) - columns
    return x[np.clip(down, 0, H - 1)][:, np.clip(across, 0, W - 1)]


@wrong(shift)
def never_back(x, rows, columns):
    """Your picture moves down and right only. A negative number moves it up or left."""
    return right_shift(x, max(rows, 0), max(columns, 0))


@wrong(shift)
def cut_off(x, rows, columns):
    """You cut the picture. What leaves is gone, but as much white paper comes in on the other side:
    the picture keeps its shape."""
    H, W = x.shape
    return x[max(-rows, 0) : max(H - rows, 0), max(-columns, 0) : W - columns]


# --------------------------------------------------------------------- back through pooling


def right_max_pool_backward(dz, x, size):
    dx = np.zeros(x.shape)
    for c, i, j in np.ndindex(dz.shape):
        top, left = i * size, j * size
        seen = x[c, top : top + size, left : left + size]
        k, m = np.unravel_index(seen.argmax(), seen.shape)
        dx[c, top + k, left + m] = dz[c, i, j]
    return dx


def right_max_pool_backward_by_blocks(dz, x, size):
    C, H, W = dz.shape
    blocks = x[:, : H * size, : W * size].reshape(C, H, size, W, size).transpose(0, 1, 3, 2, 4)
    blocks = blocks.reshape(C, H, W, size * size)
    shares = np.eye(size * size)[blocks.argmax(axis=-1)] * dz[..., None]
    shares = shares.reshape(C, H, W, size, size).transpose(0, 1, 3, 2, 4)
    dx = np.zeros(x.shape)
    dx[:, : H * size, : W * size] = shares.reshape(C, H * size, W * size)
    return dx


@question(
    points=2,
    right=right_max_pool_backward,
    also=(right_max_pool_backward_by_blocks,),
    hints=(
        "A nudge of the largest pixel in a window moves the output just as far. A nudge of another "
        "one moves nothing. So who gets dz[c, i, j]?",
        "Start with zeros of the shape of x. For each number of dz look at its window of x again, "
        "and find the place of the largest.",
        "seen.argmax() counts through the window row by row. np.unravel_index(seen.argmax(), "
        "seen.shape) makes a row and a column of it, counted from the window's corner.",
    ),
)
def max_pool_backward(rng):
    """The gradient of x, where z is the largest number of each window of size by size."""
    yield call, rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 12, 15)), 3
    yield call, rng.normal(size=(4, 3, 5)), -rng.uniform(1, 2, size=(4, 11, 17)), 3
    grey = rng.permutation(3 * 7 * 6 * 9).reshape(3, 7 * 3, 6 * 3) % 4.0
    yield call, rng.normal(size=(3, 7, 6)), grey, 3
    yield call, rng.normal(size=(3, 5, 4)) * 1e-3, rng.normal(size=(3, 20, 16)), 4


def each_window(dz, x, size):
    """For each number of dz: itself, the window that it came from, and what was seen there."""
    for c, i, j in np.ndindex(dz.shape):
        window = c, slice(i * size, (i + 1) * size), slice(j * size, (j + 1) * size)
        yield dz[c, i, j], window, x[window]


@wrong(max_pool_backward, sneaky=True)
def all_equals_get_it(dz, x, size):
    """Where several pixels are equally large, you gave all of them the whole gradient, so more goes
    out than came in. On white paper that is every pixel of a window. One of them gets it: here, as
    in PyTorch, the first."""
    dx = np.zeros(x.shape)
    for d, window, seen in each_window(dz, x, size):
        dx[window] = d * (seen == seen.max())
    return dx


@wrong(max_pool_backward, like=all_equals_get_it)
def all_equals_get_it_by_where(dz, x, size):
    dx = np.zeros(x.shape)
    for c, i, j in np.ndindex(dz.shape):
        top, left = i * size, j * size
        largest = x[c, top : top + size, left : left + size].max()
        for k, m in np.ndindex(size, size):
            if x[c, top + k, left + m] == largest:
                dx[c, top + k, left + m] += dz[c, i, j]
    return dx


@wrong(max_pool_backward, sneaky=True)
def equals_share(dz, x, size):
    """Where several pixels are equally large, you shared the gradient among them. That can be
    defended, and nnlib's max does it. Pooling, in nnlib and PyTorch, gives all of it to the first
    one."""
    dx = np.zeros(x.shape)
    for d, window, seen in each_window(dz, x, size):
        largest = seen == seen.max()
        dx[window] = d * largest / largest.sum()
    return dx


@wrong(max_pool_backward, like=equals_share)
def equals_share_by_mean(dz, x, size):
    dx = np.zeros(x.shape)
    for d, window, seen in each_window(dz, x, size):
        places = np.argwhere(seen == seen.max())
        for k, m in places:
            dx[window][k, m] = d / len(places)
    return dx


@wrong(max_pool_backward, sneaky=True)
def last_of_equals(dz, x, size):
    """Where several pixels are equally large, you took the last one. PyTorch takes the first, row
    by row, and so does argmax."""
    dx = np.zeros(x.shape)
    for d, window, seen in each_window(dz, x, size):
        k, m = np.argwhere(seen == seen.max())[-1]
        dx[window][k, m] = d
    return dx


@wrong(max_pool_backward, like=last_of_equals)
def last_of_equals_by_loop(dz, x, size):
    dx = np.zeros(x.shape)
    for d, window, seen in each_window(dz, x, size):
        best = (0, 0)
        for place in np.ndindex(seen.shape):
            if seen[place] >= seen[best]:
                best = place
        dx[window][best] = d
    return dx


@wrong(max_pool_backward, sneaky=True)
def everyone_gets_it(dz, x, size):
    """Each pixel of a window got the whole gradient. Only the largest moved the output; the others
    were not passed on, so they get 0."""
    dx = np.zeros(x.shape)
    for d, window, _ in each_window(dz, x, size):
        dx[window] = d
    return dx


@wrong(max_pool_backward, like=everyone_gets_it)
def everyone_gets_it_by_repeat(dz, x, size):
    dx = np.zeros(x.shape)
    grown = dz.repeat(size, axis=1).repeat(size, axis=2)
    dx[:, : grown.shape[1], : grown.shape[2]] = grown
    return dx


@wrong(max_pool_backward, sneaky=True)
def as_for_the_mean(dz, x, size):
    """You divided the gradient among all pixels of a window. That belongs to pooling by the mean.
    The largest number alone made the output, so it gets everything."""
    dx = np.zeros(x.shape)
    for d, window, seen in each_window(dz, x, size):
        dx[window] = d / seen.size
    return dx


@wrong(max_pool_backward, like=as_for_the_mean)
def as_for_the_mean_by_repeat(dz, x, size):
    dx = np.zeros(x.shape)
    grown = np.kron(dz, np.ones((1, size, size))) / size**2
    dx[:, : grown.shape[1], : grown.shape[2]] = grown
    return dx


@wrong(max_pool_backward, sneaky=True)
def farthest_from_zero(dz, x, size):
    """You looked for the number farthest from 0. After relu that is the largest one. With negative
    numbers it is not: the largest of -3 and 1 is 1."""
    dx = np.zeros(x.shape)
    for d, window, seen in each_window(dz, x, size):
        dx[window].flat[np.abs(seen).argmax()] = d
    return dx


@wrong(max_pool_backward, like=farthest_from_zero)
def farthest_from_zero_by_square(dz, x, size):
    return right_max_pool_backward(dz, np.square(x), size)


@wrong(max_pool_backward, sneaky=True)
def one_channel_wins(dz, x, size):
    """You looked for the largest number in all channels at once. Each channel is pooled by itself,
    and has a largest number of its own. With one channel it does not show."""
    dx = np.zeros(x.shape)
    for d, (c, rows, columns), _ in each_window(dz, x, size):
        seen = x[:, rows, columns]
        if seen.argmax() // size**2 == c:
            dx[c, rows, columns].flat[seen.argmax() % size**2] = d
    return dx


@wrong(max_pool_backward, like=one_channel_wins)
def one_channel_wins_by_maximum(dz, x, size):
    dx = right_max_pool_backward(dz, x, size)
    for _, (c, rows, columns), seen in each_window(dz, x, size):
        if x[:, rows, columns].max() > seen.max():
            dx[c, rows, columns] = 0
    return dx


@wrong(max_pool_backward, sneaky=True)
def window_at_i_and_j(dz, x, size):
    """Your windows begin at i and j, so they overlap. They lie side by side: the window of
    dz[c, i, j] begins at row i * size and column j * size."""
    dx = np.zeros(x.shape)
    for c, i, j in np.ndindex(dz.shape):
        seen = x[c, i : i + size, j : j + size]
        k, m = np.unravel_index(seen.argmax(), seen.shape)
        dx[c, i + k, j + m] += dz[c, i, j]
    return dx


@wrong(max_pool_backward, like=window_at_i_and_j)
def window_at_i_and_j_set(dz, x, size):
    dx = np.zeros(x.shape)
    for c, i, j in np.ndindex(dz.shape):
        window = dx[c, i : i + size, j : j + size]
        window.flat[x[c, i : i + size, j : j + size].argmax()] = dz[c, i, j]
    return dx


@wrong(max_pool_backward)
def in_the_corner(dz, x, size):
    """You put the gradient into the upper left corner of each window. It belongs where the largest
    number stood."""
    dx = np.zeros(x.shape)
    for d, window, _ in each_window(dz, x, size):
        dx[window][0, 0] = d
    return dx


@wrong(max_pool_backward)
def largest_itself(dz, x, size):
    """You put the largest number itself there. On the way back it is the gradient that travels:
    dz[c, i, j]."""
    return right_max_pool_backward(np.ones(dz.shape), x, size) * x


# ------------------------------------------------------------------- how long is the row?


def right_flat_size(shape, layers):
    C, H, W = shape
    for kind, *numbers in layers:
        if kind == "conv":
            C, kernel, padding = numbers
            H, W = H + 2 * padding - kernel + 1, W + 2 * padding - kernel + 1
        else:
            H, W = H // numbers[0], W // numbers[0]
    return C * H * W


def right_flat_size_one_side_at_a_time(shape, layers):
    sizes = list(shape[1:])
    for layer in layers:
        for side in range(2):
            if layer[0] == "pool":
                sizes[side] = sizes[side] // layer[1]
            else:
                sizes[side] += 2 * layer[3] - (layer[2] - 1)
    channels = [layer[1] for layer in layers if layer[0] == "conv"]
    return [shape[0], *channels][-1] * sizes[0] * sizes[1]


@question(
    points=2,
    right=right_flat_size,
    also=(right_flat_size_one_side_at_a_time,),
    hints=(
        "Carry three numbers along: channels, height, width. What does a convolution do to each of "
        "them, and what does pooling?",
        "A convolution sets the channels to its number of filters. A side n becomes "
        "n + 2 * padding - kernel + 1. Pooling leaves the channels; a side n becomes n // size.",
        "`for kind, *numbers in layers:` takes a layer apart. For a convolution, numbers are its "
        "filters, kernel and padding; for pooling, its size.",
    ),
)
def flat_size(rng):
    """How many numbers are left of a picture after convolutions and pooling."""
    yield call, [3, 27, 31], [["conv", 4, 3, 0], ["pool", 3]]
    a, b, kernel, size = (int(n) for n in rng.integers(3, 6, size=4))
    H, W = (int(n) for n in rng.permutation(np.arange(41, 59))[:2])
    yield call, [3, H, W], [["conv", a, kernel, 3], ["pool", size], ["conv", b + 3, 4, 0]]
    yield call, [4, W, H], [["pool", size], ["conv", a, 5, 4], ["conv", b + 6, 3, 0], ["pool", 3]]
    yield call, [5, 28, 34], [["conv", b + 4, 3, 3], ["pool", 5]]


def carried(shape, layers, conv, pool):
    """The three numbers at the end, when each kind of layer changes a side in this way."""
    C, H, W = shape
    for kind, *numbers in layers:
        if kind == "conv":
            C, kernel, padding = numbers
            H, W = conv(H, kernel, padding), conv(W, kernel, padding)
        else:
            H, W = pool(H, numbers[0]), pool(W, numbers[0])
    return C, H, W


def convolved(n, kernel, padding):
    return n + 2 * padding - kernel + 1


def pooled(n, size):
    return n // size


@wrong(flat_size, sneaky=True)
def channels_of_the_picture(shape, layers):
    """You counted the channels of the picture. Each convolution makes as many channels as it has
    filters, and the last one decides."""
    _, H, W = carried(shape, layers, convolved, pooled)
    return shape[0] * H * W


@wrong(flat_size, like=channels_of_the_picture)
def channels_of_the_picture_by_division(shape, layers):
    C, H, W = carried(shape, layers, convolved, pooled)
    return C * H * W // C * shape[0]


@wrong(flat_size, sneaky=True)
def one_feature_map(shape, layers):
    """You counted one feature map. All of them stand in the row, one after the other: times the
    channels."""
    _, H, W = carried(shape, layers, convolved, pooled)
    return H * W


@wrong(flat_size, like=one_feature_map)
def one_feature_map_by_sides(shape, layers):
    return right_flat_size(shape, layers) // carried(shape, layers, convolved, pooled)[0]


@wrong(flat_size, sneaky=True)
def padding_ignored(shape, layers):
    """You ignored the padding of the convolutions. It stands on both sides: a side grows by
    2 * padding before the window slides."""
    C, H, W = carried(shape, layers, lambda n, kernel, _: n - kernel + 1, pooled)
    return C * H * W


@wrong(flat_size, like=padding_ignored)
def padding_ignored_by_layers(shape, layers):
    return right_flat_size(shape, [[*x[:3], 0] if x[0] == "conv" else x for x in layers])


@wrong(flat_size, sneaky=True)
def size_kept(shape, layers):
    """You let every convolution keep the size of its picture. It does so with just the right
    padding, 1 for a kernel of 3. Otherwise a side becomes n + 2 * padding - kernel + 1."""
    C, H, W = carried(shape, layers, lambda n, *_: n, pooled)
    return C * H * W


@wrong(flat_size, like=size_kept)
def size_kept_by_layers(shape, layers):
    return right_flat_size(shape, [[*x[:2], 1, 0] if x[0] == "conv" else x for x in layers])


@wrong(flat_size)
def padding_on_one_side(shape, layers):
    """You added the padding once. It stands on both sides: 2 * padding."""
    C, H, W = carried(shape, layers, lambda n, kernel, padding: n + padding - kernel + 1, pooled)
    return C * H * W


@wrong(flat_size)
def places_less_one(shape, layers):
    """You subtracted the whole kernel. A window of 3 in a row of 5 fits at 3 places, not at 2:
    n - kernel + 1."""
    C, H, W = carried(shape, layers, lambda n, k, p: n + 2 * p - k, pooled)
    return C * H * W


@wrong(flat_size, sneaky=True)
def rest_pooled_too(shape, layers):
    """You rounded up when pooling. A rest that is too short for a window is left out: n // size."""
    C, H, W = carried(shape, layers, convolved, lambda n, size: -(-n // size))
    return C * H * W


@wrong(flat_size, like=rest_pooled_too)
def rest_pooled_too_by_sum(shape, layers):
    C, H, W = carried(shape, layers, convolved, lambda n, size: (n + size - 1) // size)
    return W * H * C


@wrong(flat_size, sneaky=True)
def square(shape, layers):
    """You took the picture for a square: height times height. Carry height and width along, each by
    itself."""
    C, H, _ = carried(shape, layers, convolved, pooled)
    return C * H * H


@wrong(flat_size, like=square)
def square_by_power(shape, layers):
    C, H, _ = carried([shape[0], shape[1], shape[1]], layers, convolved, pooled)
    return C * H**2


# --------------------------------------------------------------------------------- catch it


def moved(picture, rows, columns):
    return right_shift(np.asarray(picture, dtype=float), rows, columns)


def moved_in_a_circle(picture, rows, columns):
    return np.roll(np.asarray(picture, dtype=float), (rows, columns), axis=(0, 1))


def a_picture_and_two_numbers(picture, rows, columns):
    if np.ndim(picture) != 2 or 0 in np.shape(picture):
        return f"A picture has rows and columns; yours has the shape {np.shape(picture)}."
    if any(np.ndim(n) or int(n) != n for n in (rows, columns)):
        return f"Move by whole numbers of pixels; yours are {rows} and {columns}."
    return None


@catch(
    points=1,
    right=moved,
    wrong=moved_in_a_circle,
    allow=a_picture_and_two_numbers,
    size=60,
    largest=10.0,
    hints=(
        "The broken one moves in a circle. When does it matter what comes in on the other side?",
        "It matters when the part that leaves the picture is not white.",
        "Put ink into the last column, and move the picture to the right.",
    ),
)
def caught():
    """A picture and a shift on which np.roll is wrong."""
    return np.array([[0.0, 3.0], [4.0, 5.0]]), 0, 1


@wrong(caught, when=lambda picture, rows, columns: rows == 0 and columns == 0)
def not_moved():
    """You did not move the picture. Both leave it as it is then."""
    return np.ones((3, 4)), 0, 0


@wrong(caught, when=lambda picture, rows, columns: True)
def white_leaves():
    """Only white paper leaves the picture here, so white paper comes in, with a circle or without.
    Letters with a margin are all of this kind."""
    return np.pad(np.ones((3, 3)), 2), 1, -2
