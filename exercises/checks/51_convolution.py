"""Exercise 51: how large the output is, a convolution, and its way back."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

equivalent = {}


# ------------------------------------------------------------------------ how large is it


def right_output_size(n, kernel, stride, padding):
    return (n + 2 * padding - kernel) // stride + 1


def right_output_size_by_counting(n, kernel, stride, padding):
    return len(range(0, n + padding + padding - kernel + 1, stride))


@question(
    points=1,
    right=right_output_size,
    also=(right_output_size_by_counting,),
    hints=(
        "Begin without padding and with stride 1. A window of 3 in a row of 5 fits at 3 places. "
        "Now count for a window of 4.",
        "Padding makes the row longer, on both sides. The window begins at 0, and its last "
        "possible beginning is length - kernel. How many steps of `stride` fit between the two?",
        "(n + 2 * padding - kernel) // stride counts the steps. There is one more place than "
        "there are steps.",
    ),
)
def output_size(rng):
    """At how many places a window fits along one side of an image."""
    for rest in (0, 1, 2):
        stride, padding, places = rng.integers(4, 7), rng.integers(3, 6), rng.integers(3, 9)
        kernel = rng.integers(3, 8)
        n = places * stride + rest + kernel - 2 * padding + 12 * stride
        yield call, int(n), int(kernel), int(stride), int(padding)
    yield call, int(rng.integers(20, 40)), int(rng.integers(3, 8)), 1, int(rng.integers(3, 6))


@wrong(output_size, sneaky=True)
def stride_forgotten(n, kernel, stride, padding):
    """You count every place. With a stride the window jumps: it stands at 0, at stride, at twice
    stride. Divide the way that it can go by the stride."""
    return n + 2 * padding - kernel + 1


@wrong(output_size, like=stride_forgotten)
def stride_forgotten_by_counting(n, kernel, stride, padding):
    return len(range(n + 2 * padding - kernel + 1))


@wrong(output_size, sneaky=True)
def padding_ignored(n, kernel, stride, padding):
    """You left the padding out. It makes the row longer, so the window fits at more places."""
    return (n - kernel) // stride + 1


@wrong(output_size, like=padding_ignored)
def padding_ignored_by_counting(n, kernel, stride, padding):
    return len(range(0, n - kernel + 1, stride))


@wrong(output_size)
def padding_on_one_side(n, kernel, stride, padding):
    """You added the padding once. It stands on both sides of the row: 2 * padding."""
    return (n + padding - kernel) // stride + 1


@wrong(output_size)
def steps_for_places(n, kernel, stride, padding):
    """You counted the steps of the window. It stands somewhere before its first step too, so there
    is one place more."""
    return (n + 2 * padding - kernel) // stride


@wrong(output_size, sneaky=True)
def one_too_early(n, kernel, stride, padding):
    """You added the 1 before you divided. With stride 1 that is the same. Otherwise the first place
    counts as one pixel, and not as one place."""
    return (n + 2 * padding - kernel + 1) // stride


@wrong(output_size, like=one_too_early)
def one_too_early_in_steps(n, kernel, stride, padding):
    last = n + padding * 2 - (kernel - 1)
    return last // stride


@wrong(output_size)
def rounded_up(n, kernel, stride, padding):
    """You rounded up. Where the rest is too short for a whole stride, the window does not fit there
    any more. Round down: //."""
    return -(-(n + 2 * padding - kernel) // stride) + 1


@wrong(output_size)
def a_fraction(n, kernel, stride, padding):
    """You divided with /, so this can be a fraction, and there is no half a place. Use //, which
    leaves the rest away."""
    return (n + 2 * padding - kernel) / stride + 1


# ---------------------------------------------------------------------------- convolution


def right_conv2d(x, w, stride=1, padding=0):
    _, _, K, M = w.shape
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    H, W = output_size(x.shape[1], K, stride, 0), output_size(x.shape[2], M, stride, 0)
    z = np.zeros((len(w), H, W))
    for i, j in np.ndindex(H, W):
        seen = x[:, i * stride : i * stride + K, j * stride : j * stride + M]
        z[:, i, j] = (w * seen).sum(axis=(1, 2, 3))
    return z


def right_conv2d_by_shifts(x, w, stride=1, padding=0):
    padded = np.zeros(np.add(x.shape, (0, 2 * padding, 2 * padding)))
    padded[:, padding : padding + x.shape[1], padding : padding + x.shape[2]] = x
    z = 0.0
    for k, m in np.ndindex(w.shape[2:]):
        last_row = padded.shape[1] - w.shape[2] + k + 1
        last_column = padded.shape[2] - w.shape[3] + m + 1
        seen = padded[:, k:last_row:stride, m:last_column:stride]
        z = z + np.tensordot(w[:, :, k, m], seen, axes=1)
    return z


def places(x, w, stride, padding):
    """The padded image, and how often the window fits."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    return x, ((x.shape[1] - w.shape[2]) // stride + 1, (x.shape[2] - w.shape[3]) // stride + 1)


def convolved(conv2d, output_size, x, w, stride, padding):
    """A convolution with this stride and padding."""
    return conv2d(x, w, stride, padding)


def as_it_is(conv2d, output_size, x, w):
    """A convolution with stride 1 and no padding."""
    return conv2d(x, w)


@question(
    points=3,
    right=right_conv2d,
    also=(right_conv2d_by_shifts,),
    hints=(
        "Put the zeros around each channel first, with np.pad. Then everything else may forget "
        "that there was padding. How large is the output now?",
        "Go through the places (i, j) of the output. The window there begins at row i * stride and "
        "column j * stride of the padded image. It sees all channels: (C, K, M).",
        "seen = x[:, top : top + K, left : left + M], and z[:, i, j] = (w * seen).sum(axis=(1, 2, "
        "3)): one number for each filter.",
    ),
)
def conv2d(rng):
    """A convolution: filters (O, C, K, M) over an image (C, H, W)."""
    yield as_it_is, rng.normal(size=(4, 8, 6)), rng.normal(size=(5, 4, 3, 3))
    yield convolved, rng.normal(size=(3, 11, 9)), rng.normal(size=(4, 3, 5, 3)), 3, 0
    yield convolved, rng.normal(size=(3, 5, 6)), rng.normal(size=(4, 3, 4, 5)), 1, 3
    yield convolved, rng.normal(size=(3, 6, 4)) * 1e-3, rng.normal(size=(5, 3, 4, 4)), 2, 3


@wrong(conv2d, sneaky=True)
def flipped(x, w, stride=1, padding=0):
    """You turned the filter by 180 degrees. In mathematics that is what convolution means. In
    networks, and in PyTorch, the filter lies on the image as it is: upper left on upper left."""
    return right_conv2d(x, w[:, :, ::-1, ::-1], stride, padding)


@wrong(conv2d, like=flipped)
def flipped_by_index(x, w, stride=1, padding=0):
    x, (H, W) = places(x, w, stride, padding)
    _, C, K, M = w.shape
    z = np.zeros((len(w), H, W))
    for o, i, j in np.ndindex(z.shape):
        for c, k, m in np.ndindex(C, K, M):
            z[o, i, j] += w[o, c, K - 1 - k, M - 1 - m] * x[c, i * stride + k, j * stride + m]
    return z


@wrong(conv2d, sneaky=True)
def transposed(x, w, stride=1, padding=0):
    """Your filter lies on its side: rows and columns are swapped. A filter for upright edges then
    finds lying ones. The first index of a filter goes down the image, the second across."""
    _, C, K, M = w.shape
    z = np.zeros_like(right_conv2d(x, w, stride, padding))
    x, _ = places(x, w, stride, padding)
    for o, i, j in np.ndindex(z.shape):
        seen = x[:, i * stride : i * stride + K, j * stride : j * stride + M]
        z[o, i, j] = sum((seen[c].T * w[o, c]).sum() for c in range(C))
    return z


@wrong(conv2d, like=transposed)
def transposed_filters(x, w, stride=1, padding=0):
    x, (H, W) = places(x, w, stride, padding)
    _, C, K, M = w.shape
    z = np.zeros((len(w), H, W))
    for o, i, j in np.ndindex(z.shape):
        for c, k, m in np.ndindex(C, K, M):
            z[o, i, j] += w[o, c, m, k] * x[c, i * stride + k, j * stride + m]
    return z


@wrong(conv2d, sneaky=True)
def without_padding(x, w, stride=1, padding=0):
    """You ignored `padding`. Without it each convolution makes the image smaller, and the pixels at
    the edge are seen from fewer places."""
    return right_conv2d(x, w, stride)


@wrong(conv2d, like=without_padding)
def without_padding_by_shifts(x, w, stride=1, padding=0):
    return right_conv2d_by_shifts(np.asarray(x), w, stride)


@wrong(conv2d, sneaky=True)
def stride_not_in_the_index(x, w, stride=1, padding=0):
    """Your output has the right size, but the window moves one pixel at a time: it begins at i and
    j. With a stride it begins at i * stride and j * stride. You see the upper left part of the
    image only."""
    x, (H, W) = places(x, w, stride, padding)
    return right_conv2d(x, w)[:, :H, :W]


@wrong(conv2d, like=stride_not_in_the_index)
def stride_not_in_the_index_by_loop(x, w, stride=1, padding=0):
    x, (H, W) = places(x, w, stride, padding)
    z = np.zeros((len(w), H, W))
    for i, j in np.ndindex(H, W):
        seen = x[:, i : i + w.shape[2], j : j + w.shape[3]]
        z[:, i, j] = np.einsum("ockm,ckm->o", w, seen)
    return z


@wrong(conv2d, sneaky=True)
def every_place(x, w, stride=1, padding=0):
    """You ignored `stride`: the window stops at every pixel, and the output is too large. It should
    stop at every stride-th only."""
    return right_conv2d(x, w, 1, padding)


@wrong(conv2d, like=every_place)
def every_place_by_shifts(x, w, stride=1, padding=0):
    x, _ = places(x, w, stride, padding)
    return right_conv2d_by_shifts(x, w)


@wrong(conv2d, sneaky=True)
def first_channel_only(x, w, stride=1, padding=0):
    """You looked at the first channel only. A filter has one sheet of weights for each channel, and
    its sum runs over all of them. A grey image has one channel, so it does not show this."""
    return right_conv2d(x[:1], w[:, :1], stride, padding)


@wrong(conv2d, like=first_channel_only)
def first_channel_only_by_index(x, w, stride=1, padding=0):
    x, (H, W) = places(x, w, stride, padding)
    z = np.zeros((len(w), H, W))
    for o, i, j in np.ndindex(z.shape):
        top, left = i * stride, j * stride
        z[o, i, j] = (w[o, 0] * x[0, top : top + w.shape[2], left : left + w.shape[3]]).sum()
    return z


@wrong(conv2d, sneaky=True)
def first_filter_for_all(x, w, stride=1, padding=0):
    """All your outputs are alike: each was made with the first filter. Output o belongs to filter
    w[o]."""
    return np.repeat(right_conv2d(x, w[:1], stride, padding), len(w), axis=0)


@wrong(conv2d, like=first_filter_for_all)
def first_filter_for_all_by_loop(x, w, stride=1, padding=0):
    x, (H, W) = places(x, w, stride, padding)
    z = np.zeros((len(w), H, W))
    for i, j in np.ndindex(H, W):
        seen = x[:, i * stride :, j * stride :][:, : w.shape[2], : w.shape[3]]
        z[:, i, j] = np.sum(seen * w[0])
    return z


@wrong(conv2d)
def mean_for_sum(x, w, stride=1, padding=0):
    """You took the mean of the products. A neuron adds them up, and so does a convolution: its
    output is a weighted sum."""
    return right_conv2d(x, w, stride, padding) / w[0].size


@wrong(conv2d)
def edge_repeated(x, w, stride=1, padding=0):
    """You padded with the pixels at the edge. Padding is zeros here: np.pad does that by itself if
    you say nothing else."""
    return right_conv2d(np.pad(x, ((0, 0), *[(padding, padding)] * 2), mode="edge"), w, stride)


# --------------------------------------------------------------------------- the way back


def right_conv2d_backward(dz, x, w, stride=1):
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for o, i, j in np.ndindex(dz.shape):
        rows = slice(i * stride, i * stride + w.shape[2])
        columns = slice(j * stride, j * stride + w.shape[3])
        dx[:, rows, columns] += dz[o, i, j] * w[o]
        dw[o] += dz[o, i, j] * x[:, rows, columns]
    return dx, dw


def right_conv2d_backward_by_shifts(dz, x, w, stride=1):
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    down, across = stride * dz.shape[1], stride * dz.shape[2]
    for k, m in np.ndindex(w.shape[2:]):
        part = (slice(None), slice(k, k + down, stride), slice(m, m + across, stride))
        rows, columns = dx[part].shape[1:]
        dx[part] += np.tensordot(w[:, :, k, m], dz[:, :rows, :columns], axes=(0, 0))
        dw[:, :, k, m] = np.tensordot(dz[:, :rows, :columns], x[part], axes=((1, 2), (1, 2)))
    return dx, dw


def collected(conv2d_backward, dz, x, w, stride):
    """The gradients of image and filters, with this stride."""
    dx, dw = conv2d_backward(dz, x, w, stride)
    return dx, dw


def collected_as_it_is(conv2d_backward, dz, x, w):
    """The gradients of image and filters, with stride 1."""
    dx, dw = conv2d_backward(dz, x, w)
    return dx, dw


@question(
    points=3,
    right=right_conv2d_backward,
    also=(right_conv2d_backward_by_shifts,),
    hints=(
        "Take one number of the output, z[o, i, j]. Which pixels and which weights is it made of? "
        "Each of them gets something back from dz[o, i, j].",
        "z[o, i, j] is the sum of w[o] times what the window saw. So each pixel there gets "
        "dz[o, i, j] times its weight, and each weight dz[o, i, j] times its pixel.",
        "Start with zeros in the shapes of x and w. Go through np.ndindex(dz.shape). A pixel is "
        "seen from several places and a weight is used at all of them, so collect with +=.",
    ),
)
def conv2d_backward(rng):
    """The gradients of image and filters, where z = conv2d(x, w, stride)."""
    yield (
        collected_as_it_is,
        rng.normal(size=(5, 6, 4)),
        rng.normal(size=(4, 8, 6)),
        rng.normal(size=(5, 4, 3, 3)),
    )
    yield (
        collected,
        rng.normal(size=(4, 3, 5)),
        rng.normal(size=(3, 9, 13)),
        rng.normal(size=(4, 3, 5, 4)),
        2,
    )
    yield (
        collected,
        rng.normal(size=(4, 4, 3)) * 1e-3,
        rng.normal(size=(3, 12, 10)),
        rng.normal(size=(4, 3, 3, 4)),
        3,
    )


def each_place(dz, x, w, stride):
    """For each number of dz: its filter's number, itself, and where the window lies."""
    for o, i, j in np.ndindex(dz.shape):
        rows = slice(i * stride, i * stride + w.shape[2])
        yield o, dz[o, i, j], (slice(None), rows, slice(j * stride, j * stride + w.shape[3]))


@wrong(conv2d_backward, sneaky=True)
def overlaps_overwritten(dz, x, w, stride=1):
    """Windows overlap, and you keep only the last one: dx was set where it should grow. A pixel
    gets something back from each place that saw it, and from each filter. Write +=."""
    dx = np.zeros(x.shape)
    for o, d, window in each_place(dz, x, w, stride):
        dx[window] = d * w[o]
    return dx, right_conv2d_backward(dz, x, w, stride)[1]


@wrong(conv2d_backward, like=overlaps_overwritten)
def overlaps_overwritten_by_place(dz, x, w, stride=1):
    dx, K, M = np.zeros(x.shape), *w.shape[2:]
    for i, j in np.ndindex(dz.shape[1:]):
        share = np.tensordot(dz[:, i, j], w, axes=1)
        dx[:, i * stride : i * stride + K, j * stride : j * stride + M] = share
    return dx, right_conv2d_backward_by_shifts(dz, x, w, stride)[1]


@wrong(conv2d_backward, sneaky=True)
def last_place_only(dz, x, w, stride=1):
    """Your dw comes from the last place alone: it was set at each place where it should grow. A
    filter is used at every place, that is what sharing means. Write +=."""
    dw = np.zeros(w.shape)
    for o, d, window in each_place(dz, x, w, stride):
        dw[o] = d * x[window]
    return right_conv2d_backward(dz, x, w, stride)[0], dw


@wrong(conv2d_backward, like=last_place_only)
def last_place_only_by_index(dz, x, w, stride=1):
    top, left = (dz.shape[1] - 1) * stride, (dz.shape[2] - 1) * stride
    seen = x[:, top : top + w.shape[2], left : left + w.shape[3]]
    return right_conv2d_backward(dz, x, w, stride)[0], dz[:, -1, -1, None, None, None] * seen


@wrong(conv2d_backward, sneaky=True)
def filter_averaged(dz, x, w, stride=1):
    """You divided dw by the number of places. Amounts are added up: the filter is used at each of
    them. The filters would learn that many times too slowly."""
    dx, dw = right_conv2d_backward(dz, x, w, stride)
    return dx, dw / dz[0].size


@wrong(conv2d_backward, like=filter_averaged)
def filter_averaged_by_place(dz, x, w, stride=1):
    dw, n = np.zeros(w.shape), dz.shape[1] * dz.shape[2]
    for o, d, window in each_place(dz, x, w, stride):
        dw[o] += d / n * x[window]
    return right_conv2d_backward(dz, x, w, stride)[0], dw


@wrong(conv2d_backward, sneaky=True)
def flipped_on_the_way_back(dz, x, w, stride=1):
    """You turned the filter by 180 degrees for dx. Books do so when they write dx as another
    convolution. You hand out what came back, place by place, so each pixel needs the weight that
    lay on it."""
    dx, _ = right_conv2d_backward(dz, x, w[:, :, ::-1, ::-1], stride)
    return dx, right_conv2d_backward(dz, x, w, stride)[1]


@wrong(conv2d_backward, like=flipped_on_the_way_back)
def flipped_on_the_way_back_by_loop(dz, x, w, stride=1):
    dx = np.zeros(x.shape)
    for o, d, window in each_place(dz, x, w, stride):
        dx[window] += d * np.rot90(w[o], 2, axes=(1, 2))
    return dx, right_conv2d_backward(dz, x, w, stride)[1]


@wrong(conv2d_backward, sneaky=True)
def stride_lost_on_the_way_back(dz, x, w, stride=1):
    """You handed out the gradients at i and j, as if the stride were 1. The window lay at
    i * stride and j * stride."""
    return right_conv2d_backward(dz, x, w)


@wrong(conv2d_backward, like=stride_lost_on_the_way_back)
def stride_lost_on_the_way_back_by_loop(dz, x, w, stride=1):
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for o, d, window in each_place(dz, x, w, 1):
        dx[window] += d * w[o]
        dw[o] += d * x[window]
    return dx, dw


@wrong(conv2d_backward)
def nothing_came_back(dz, x, w, stride=1):
    """You added weights and pixels as they are. By the chain rule each is multiplied by what came
    back to that place, dz[o, i, j]."""
    return right_conv2d_backward(np.ones(dz.shape), x, w, stride)


@wrong(conv2d_backward)
def weights_first(dz, x, w, stride=1):
    """The two gradients are right, but in the wrong order. Return dx, then dw."""
    return right_conv2d_backward(dz, x, w, stride)[::-1]


# --------------------------------------------------------------------------------- catch it


def convolution(image, kernel):
    x, w = np.asarray(image, dtype=float), np.asarray(kernel, dtype=float)
    return right_conv2d(x[None], w[None, None])[0]


def convolution_flipped(image, kernel):
    return convolution(image, np.asarray(kernel)[::-1, ::-1])


def fits(image, kernel):
    shapes = np.shape(image), np.shape(kernel)
    if any(len(shape) != 2 for shape in shapes) or np.less(*shapes).any() or 0 in shapes[1]:
        return (
            f"Both have rows and columns, and the kernel fits into the image; yours have {shapes}."
        )
    return None


@catch(
    points=1,
    right=convolution,
    wrong=convolution_flipped,
    allow=fits,
    size=60,
    largest=10.0,
    hints=(
        "The broken one turns the kernel by 180 degrees. Which kernels look the same afterwards?",
        "Take a kernel that does not look the same, and an image that is not the same everywhere.",
        "The kernel [[1, 0]] takes the left of two pixels. Turned, it takes the right one.",
    ),
)
def caught():
    """An image and a kernel on which a convolution that turns its kernel round is wrong."""
    return np.array([[1.0, 2.0, 4.0]]), np.array([[3.0, 1.0]])


@wrong(caught, when=lambda image, kernel: np.array_equal(kernel, np.asarray(kernel)[::-1, ::-1]))
def looks_the_same_turned_round():
    """Your kernel looks the same when it is turned by 180 degrees, so nobody can see whether it was
    turned. A kernel of ones is of this kind, and many tests use one."""
    return np.arange(9.0).reshape(3, 3), np.ones((3, 3))


@wrong(caught, when=lambda image, kernel: np.ptp(image) == 0)
def same_everywhere():
    """Your image is the same everywhere. Then each place sees the same number again and again, and
    only the sum of the kernel matters, turned or not."""
    return np.full((4, 5), 3.0), np.array([[1.0, 2.0, 3.0]])
