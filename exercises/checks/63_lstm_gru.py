"""Exercise 63: an LSTM step, a GRU step, the way back through the carry, and a bias that keeps."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


def sigmoid(z):
    """The notebook gives this one."""
    return 0.5 * np.tanh(0.5 * z) + 0.5


# ------------------------------------------------------------------------------------- LSTM


def right_lstm_step(x, h, c, W_ih, W_hh, b):
    i, f, g, o = np.split(x @ W_ih.T + h @ W_hh.T + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def right_lstm_step_gate_by_gate(x, h, c, W_ih, W_hh, b):
    H = np.shape(h)[1]
    parts = []
    for k in range(4):
        rows = slice(k * H, (k + 1) * H)
        parts.append(x @ W_ih[rows].T + h @ W_hh[rows].T + b[rows])
    i, f, o = (1 / (1 + np.exp(-parts[k])) for k in (0, 1, 3))
    kept, written = f * c, i * np.tanh(parts[2])
    return o * np.tanh(kept + written), kept + written


def gates(x, h, W_ih, W_hh, b):
    """i, f, g, o as they should be."""
    i, f, g, o = np.split(x @ W_ih.T + h @ W_hh.T + b, 4, axis=1)
    return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)


def lstm_case(rng, B, D, H, scale=0.7):
    return (
        rng.normal(size=(B, D)),
        np.tanh(rng.normal(size=(B, H))),
        rng.normal(size=(B, H)) * 1.5,
        rng.normal(size=(4 * H, D)) * scale,
        rng.normal(size=(4 * H, H)) * scale,
        rng.normal(size=4 * H) * scale,
    )


@question(
    points=3,
    right=right_lstm_step,
    also=(right_lstm_step_gate_by_gate,),
    hints=(
        "One weighted sum gives all four parts, (B, 4H): x @ W_ih.T + h @ W_hh.T + b. Then "
        "np.split(z, 4, axis=1) gives the four blocks. In which order?",
        "i, f, g, o. Three of them are gates and go through sigmoid. g is what is written: it "
        "goes through tanh. The new c is what was kept plus what is written.",
        "c = sigmoid(f) * c + sigmoid(i) * np.tanh(g), and the new h is sigmoid(o) * np.tanh(c), "
        "with the new c.",
    ),
)
def lstm_step(rng):
    """One step of an LSTM: the new h and the new c."""
    yield call, *lstm_case(rng, 4, 5, 3)
    yield call, *lstm_case(rng, 5, 3, 4)
    yield call, *lstm_case(rng, 3, 6, 5, scale=1e-3)


@wrong(lstm_step)
def candidate_by_sigmoid(x, h, c, W_ih, W_hh, b):
    """You put g through sigmoid. Then only positive numbers can be written, and c can never be
    lowered by writing. g is no gate: it goes through tanh."""
    i, f, g, o = np.split(x @ W_ih.T + h @ W_hh.T + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * sigmoid(g)
    return sigmoid(o) * np.tanh(c), c


@wrong(lstm_step, sneaky=True)
def keeps_one_minus_f(x, h, c, W_ih, W_hh, b):
    """You kept 1 - f of c. f says how much is kept: with f = 1 everything stays. It is called the
    forget gate, but it opens to keep. With f = 0.5, as at a start without biases, the two agree."""
    i, f, g, o = gates(x, h, W_ih, W_hh, b)
    c = (1 - f) * c + i * g
    return o * np.tanh(c), c


@wrong(lstm_step, like=keeps_one_minus_f)
def keeps_one_minus_f_in_steps(x, h, c, W_ih, W_hh, b):
    z = np.dot(x, W_ih.T) + np.dot(h, W_hh.T) + b
    H = z.shape[1] // 4
    forgotten = sigmoid(z[:, H : 2 * H]) * c
    new = c - forgotten + sigmoid(z[:, :H]) * np.tanh(z[:, 2 * H : 3 * H])
    return sigmoid(z[:, 3 * H :]) * np.tanh(new), new


@wrong(lstm_step, sneaky=True)
def memory_not_carried(x, h, c, W_ih, W_hh, b):
    """Your new c is only what this step writes; the old c is gone. The sum that is carried along is
    the whole idea of an LSTM. In the first step, where c is 0, nobody can see it."""
    i, f, g, o = gates(x, h, W_ih, W_hh, b)
    c = i * g
    return o * np.tanh(c), c


@wrong(lstm_step, like=memory_not_carried)
def memory_not_carried_in_steps(x, h, c, W_ih, W_hh, b):
    z = x @ W_ih.T + h @ W_hh.T + b
    i, f, g, o = np.split(z, 4, axis=1)
    memory = np.zeros_like(c)
    memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(memory), memory


@wrong(lstm_step, sneaky=True)
def state_ignored(x, h, c, W_ih, W_hh, b):
    """Your gates do not look at h. They then open and close by the input alone, whatever is
    remembered. In the first step, where h is 0, nobody can see it."""
    i, f, g, o = gates(x, 0 * h, W_ih, W_hh, b)
    c = f * c + i * g
    return o * np.tanh(c), c


@wrong(lstm_step, like=state_ignored)
def state_ignored_in_steps(x, h, c, W_ih, W_hh, b):
    i, f, g, o = np.split(np.matmul(x, W_ih.T) + b, 4, axis=1)
    new = sigmoid(i) * np.tanh(g)
    new = new + sigmoid(f) * c
    return np.tanh(new) * sigmoid(o), new


@wrong(lstm_step, sneaky=True)
def bias_pasted(x, h, c, W_ih, W_hh, b):
    """Your forget gate has the bias of the input gate: the first block of b instead of the second.
    With biases of 0 the two agree. But the forget gate's own bias decides how long it remembers."""
    H = h.shape[1]
    pasted = np.concatenate([b[:H], b[:H], b[2 * H :]])
    i, f, g, o = gates(x, h, W_ih, W_hh, pasted)
    c = f * c + i * g
    return o * np.tanh(c), c


@wrong(lstm_step, like=bias_pasted)
def bias_pasted_gate_by_gate(x, h, c, W_ih, W_hh, b):
    H = h.shape[1]
    z = x @ W_ih.T + h @ W_hh.T
    i = sigmoid(z[:, :H] + b[:H])
    f = sigmoid(z[:, H : 2 * H] + b[:H])
    g = np.tanh(z[:, 2 * H : 3 * H] + b[2 * H : 3 * H])
    o = sigmoid(z[:, 3 * H :] + b[3 * H :])
    c = f * c + i * g
    return o * np.tanh(c), c


@wrong(lstm_step, sneaky=True)
def blocks_i_f_o_g(x, h, c, W_ih, W_hh, b):
    """You took the blocks in the order i, f, o, g. Other programs have them like that. Here, as in
    PyTorch, it is i, f, g, o. A network that you train yourself works in any order; weights from
    elsewhere do not."""
    i, f, o, g = np.split(x @ W_ih.T + h @ W_hh.T + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


@wrong(lstm_step, like=blocks_i_f_o_g)
def blocks_i_f_o_g_by_slices(x, h, c, W_ih, W_hh, b):
    H = h.shape[1]
    z = x @ W_ih.T + h @ W_hh.T + b
    s = sigmoid(z[:, : 3 * H])
    c = s[:, H : 2 * H] * c + s[:, :H] * np.tanh(z[:, 3 * H :])
    return s[:, 2 * H :] * np.tanh(c), c


@wrong(lstm_step)
def read_without_tanh(x, h, c, W_ih, W_hh, b):
    """Your new h is o * c. c can grow beyond 1, so it is squashed before it is read:
    o * tanh(c)."""
    i, f, g, o = gates(x, h, W_ih, W_hh, b)
    c = f * c + i * g
    return o * c, c


@wrong(lstm_step)
def read_too_early(x, h, c, W_ih, W_hh, b):
    """You read the old c. First write, then read: h comes from the new c."""
    i, f, g, o = gates(x, h, W_ih, W_hh, b)
    return o * np.tanh(c), f * c + i * g


# -------------------------------------------------------------------------------------- GRU


def right_gru_step(x, h, W_ih, W_hh, b_ih, b_hh):
    x_r, x_z, x_n = np.split(x @ W_ih.T + b_ih, 3, axis=1)
    h_r, h_z, h_n = np.split(h @ W_hh.T + b_hh, 3, axis=1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h


def right_gru_step_gate_by_gate(x, h, W_ih, W_hh, b_ih, b_hh):
    H = np.shape(h)[1]
    R, Z, N = slice(0, H), slice(H, 2 * H), slice(2 * H, 3 * H)
    r = 1 / (1 + np.exp(-(x @ W_ih[R].T + b_ih[R] + h @ W_hh[R].T + b_hh[R])))
    z = 1 / (1 + np.exp(-(x @ W_ih[Z].T + b_ih[Z] + h @ W_hh[Z].T + b_hh[Z])))
    n = np.tanh(x @ W_ih[N].T + b_ih[N] + r * (h @ W_hh[N].T + b_hh[N]))
    return n + z * (h - n)


def gru_parts(x, h, W_ih, W_hh, b_ih, b_hh):
    """r, z and n as they should be."""
    x_r, x_z, x_n = np.split(x @ W_ih.T + b_ih, 3, axis=1)
    h_r, h_z, h_n = np.split(h @ W_hh.T + b_hh, 3, axis=1)
    r = sigmoid(x_r + h_r)
    return r, sigmoid(x_z + h_z), np.tanh(x_n + r * h_n)


def gru_case(rng, B, D, H, scale=0.7):
    return (
        rng.normal(size=(B, D)),
        np.tanh(rng.normal(size=(B, H))),
        rng.normal(size=(3 * H, D)) * scale,
        rng.normal(size=(3 * H, H)) * scale,
        rng.normal(size=3 * H) * scale,
        rng.normal(size=3 * H) * scale,
    )


@question(
    points=2,
    right=right_gru_step,
    also=(right_gru_step_gate_by_gate,),
    hints=(
        "Two weighted sums, kept apart: one of x and one of h. Split each into three blocks, r, z "
        "and n.",
        "r and z are gates: sigmoid of both parts. In n the part of h is multiplied by r first: "
        "tanh(x_n + r * h_n).",
        "(1 - z) * n + z * h: here z says how much of the old state is kept.",
    ),
)
def gru_step(rng):
    """One step of a GRU: the new h."""
    yield call, *gru_case(rng, 4, 5, 3)
    yield call, *gru_case(rng, 5, 3, 4)
    yield call, *gru_case(rng, 3, 6, 5, scale=1e-3)


@wrong(gru_step, sneaky=True)
def z_the_other_way_round(x, h, W_ih, W_hh, b_ih, b_hh):
    """You kept 1 - z of the old state, and took z of the new one. Some papers write it like that.
    In PyTorch, and here, z is the share that is kept: (1 - z) * n + z * h. With z = 0.5 the two
    agree."""
    r, z, n = gru_parts(x, h, W_ih, W_hh, b_ih, b_hh)
    return z * n + (1 - z) * h


@wrong(gru_step, like=z_the_other_way_round)
def z_the_other_way_round_in_steps(x, h, W_ih, W_hh, b_ih, b_hh):
    r, z, n = gru_parts(x, h, W_ih, W_hh, b_ih, b_hh)
    new = h.copy()
    new = new + z * (n - h)
    return new


@wrong(gru_step, sneaky=True)
def reset_before_the_product(x, h, W_ih, W_hh, b_ih, b_hh):
    """You multiplied h by r before the product with W_hh. The paper has it like that. PyTorch, and
    we, multiply what comes out of the product, its bias included: r * h_n."""
    H = h.shape[1]
    r, z, _ = gru_parts(x, h, W_ih, W_hh, b_ih, b_hh)
    n = np.tanh((x @ W_ih.T + b_ih)[:, 2 * H :] + (r * h) @ W_hh[2 * H :].T + b_hh[2 * H :])
    return (1 - z) * n + z * h


@wrong(gru_step, like=reset_before_the_product)
def reset_before_the_product_in_steps(x, h, W_ih, W_hh, b_ih, b_hh):
    H = h.shape[1]
    inputs, b = x @ W_ih.T, b_ih + b_hh
    r = sigmoid(inputs[:, :H] + h @ W_hh[:H].T + b[:H])
    z = sigmoid(inputs[:, H : 2 * H] + h @ W_hh[H : 2 * H].T + b[H : 2 * H])
    n = np.tanh(inputs[:, 2 * H :] + np.dot(h * r, W_hh[2 * H :].T) + b[2 * H :])
    return n - z * n + z * h


@wrong(gru_step, sneaky=True)
def bias_outside_the_reset(x, h, W_ih, W_hh, b_ih, b_hh):
    """You added both biases of n together. b_hh belongs to the part of h, and r multiplies that
    part as a whole. This is why a GRU has two biases and one would not do. With biases of 0 nobody
    can see it."""
    H = h.shape[1]
    r, z, _ = gru_parts(x, h, W_ih, W_hh, b_ih, b_hh)
    n = np.tanh(x @ W_ih[2 * H :].T + r * (h @ W_hh[2 * H :].T) + b_ih[2 * H :] + b_hh[2 * H :])
    return (1 - z) * n + z * h


@wrong(gru_step, like=bias_outside_the_reset)
def bias_outside_the_reset_in_steps(x, h, W_ih, W_hh, b_ih, b_hh):
    x_r, x_z, x_n = np.split(x @ W_ih.T + b_ih + b_hh, 3, axis=1)
    h_r, h_z, h_n = np.split(h @ W_hh.T, 3, axis=1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h


@wrong(gru_step, sneaky=True)
def blocks_z_r_n(x, h, W_ih, W_hh, b_ih, b_hh):
    """You took the blocks in the order z, r, n. Here, as in PyTorch, it is r, z, n. A network that
    you train yourself works in any order; weights from elsewhere do not."""
    x_z, x_r, x_n = np.split(x @ W_ih.T + b_ih, 3, axis=1)
    h_z, h_r, h_n = np.split(h @ W_hh.T + b_hh, 3, axis=1)
    z = sigmoid(x_z + h_z)
    n = np.tanh(x_n + sigmoid(x_r + h_r) * h_n)
    return (1 - z) * n + z * h


@wrong(gru_step, like=blocks_z_r_n)
def blocks_z_r_n_by_slices(x, h, W_ih, W_hh, b_ih, b_hh):
    H = h.shape[1]
    a, b = x @ W_ih.T + b_ih, h @ W_hh.T + b_hh
    both = sigmoid(a[:, : 2 * H] + b[:, : 2 * H])
    n = np.tanh(a[:, 2 * H :] + both[:, H:] * b[:, 2 * H :])
    return n + both[:, :H] * (h - n)


@wrong(gru_step)
def reset_ignored(x, h, W_ih, W_hh, b_ih, b_hh):
    """You did not use r. It says how much of the old state goes into the candidate:
    tanh(x_n + r * h_n)."""
    H = h.shape[1]
    _, z, _ = gru_parts(x, h, W_ih, W_hh, b_ih, b_hh)
    n = np.tanh((x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)[:, 2 * H :])
    return (1 - z) * n + z * h


@wrong(gru_step)
def nothing_kept(x, h, W_ih, W_hh, b_ih, b_hh):
    """You left out z * h. Then nothing of the old state is carried to the new one."""
    r, z, n = gru_parts(x, h, W_ih, W_hh, b_ih, b_hh)
    return (1 - z) * n


@wrong(gru_step)
def nothing_faded(x, h, W_ih, W_hh, b_ih, b_hh):
    """You added n as a whole to z * h. It is a mixture: z of the old state and 1 - z of the new
    one, so that it stays between -1 and 1."""
    r, z, n = gru_parts(x, h, W_ih, W_hh, b_ih, b_hh)
    return n + z * h


# ------------------------------------------------------------------- back through the carry


def right_carry_backward(dh, dc, f, o, c):
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    return dc * f


def right_carry_backward_by_cosh(dh, dc, f, o, c):
    return f * dc + f * o * dh / np.cosh(c) ** 2


@question(
    points=2,
    right=right_carry_backward,
    also=(right_carry_backward_by_cosh,),
    hints=(
        "The new c was used twice: by the next step, from which dc comes, and for h = o * tanh(c), "
        "from which dh comes. What do you do with two amounts?",
        "Back through h = o * tanh(c): dh * o * (1 - tanh(c)**2). Add it to dc. Then one step "
        "further: c = f * c_old + ...",
        "f * (dc + dh * o * (1 - np.tanh(c) ** 2))",
    ),
)
def carry_backward(rng):
    """The gradient of the old c, from those of the new h and the new c."""
    for B, H, size in ((5, 3, 1.0), (3, 4, 2.0), (4, 5, 1.0)):
        dh, dc, c = rng.normal(size=(3, B, H)) * np.reshape([1.0, 1.0, size], (3, 1, 1))
        f, o = sigmoid(rng.normal(size=(2, B, H)) * 2)
        tiny = 1e-4 if H == 5 else 1.0
        yield call, dh * tiny, dc * tiny, f, o, c


@wrong(carry_backward, sneaky=True)
def read_forgotten(dh, dc, f, o, c):
    """You left out dh. The new c was also read in this step, for h = o * tanh(c), and from there a
    second amount comes back. If the loss sees only the last h, all gradient enters by this way."""
    return f * dc


@wrong(carry_backward, like=read_forgotten)
def read_forgotten_in_steps(dh, dc, f, o, c):
    back = np.zeros_like(dc)
    back += dc
    return back * f


@wrong(carry_backward, sneaky=True)
def gate_forgotten(dh, dc, f, o, c):
    """That is the gradient of the new c. The old one was multiplied by f on its way: multiply by f
    on the way back, too. Where f is close to 1 it hardly shows."""
    return dc + dh * o * (1 - np.tanh(c) ** 2)


@wrong(carry_backward, like=gate_forgotten)
def gate_forgotten_by_cosh(dh, dc, f, o, c):
    return o * dh / np.cosh(c) ** 2 + dc


@wrong(carry_backward, sneaky=True)
def tanh_passed_by(dh, dc, f, o, c):
    """You went past tanh as if it were not there. h = o * tanh(c), so its slope comes in:
    1 - tanh(c)**2. Where c is close to 0 it hardly shows."""
    return f * (dc + dh * o)


@wrong(carry_backward, like=tanh_passed_by)
def tanh_passed_by_in_steps(dh, dc, f, o, c):
    total = f * dc
    total = total + f * o * dh
    return total


@wrong(carry_backward)
def c_taken_for_its_tanh(dh, dc, f, o, c):
    """You wrote 1 - c**2. c has not been through tanh: it can be larger than 1. The slope is
    1 - tanh(c)**2."""
    return f * (dc + dh * o * (1 - c**2))


@wrong(carry_backward)
def output_gate_forgotten(dh, dc, f, o, c):
    """You left out o. Only o of tanh(c) was read, so only o of dh comes back."""
    return f * (dc + dh * (1 - np.tanh(c) ** 2))


@wrong(carry_backward)
def gate_on_one_part(dh, dc, f, o, c):
    """You multiplied only dc by f. What comes from dh belongs to the new c as well. Add the two
    first, and then go back through f."""
    return f * dc + dh * o * (1 - np.tanh(c) ** 2)


@wrong(carry_backward)
def one_minus_f(dh, dc, f, o, c):
    """You multiplied by 1 - f. The old c was multiplied by f."""
    return (1 - f) * (dc + dh * o * (1 - np.tanh(c) ** 2))


# ----------------------------------------------------------------------------- the bias


def right_forget_bias(b_ih, b_hh, value):
    H = len(b_ih) // 4
    b_ih, b_hh = b_ih.copy(), b_hh.copy()
    b_ih[H : 2 * H] = 0
    b_hh[H : 2 * H] = value
    return b_ih, b_hh


def right_forget_bias_by_halves(b_ih, b_hh, value):
    forget = np.repeat([False, True, False, False], len(b_ih) // 4)
    return np.where(forget, value / 2, b_ih), np.where(forget, value / 2, b_hh)


def opened(forget_bias, b_ih, b_hh, value):
    """The sum of your two biases."""
    b_ih, b_hh = forget_bias(b_ih, b_hh, value)
    return np.asarray(b_ih) + np.asarray(b_hh)


@question(
    points=1,
    right=right_forget_bias,
    also=(right_forget_bias_by_halves,),
    hints=(
        "The blocks are i, f, g, o, of H numbers each. Which numbers belong to f?",
        "From H to 2 * H. The layer adds both biases up, so what counts is their sum. Work on "
        "copies: b_ih = b_ih.copy().",
        "b_ih[H : 2 * H] = 0 and b_hh[H : 2 * H] = value.",
    ),
)
def forget_bias(rng):
    """Biases of an LSTM whose forget gates start open."""
    for H in (3, 5, 4):
        yield opened, *(rng.normal(size=(2, 4 * H)) * 0.3), float(rng.uniform(1, 3))


@wrong(forget_bias, sneaky=True)
def set_in_both(b_ih, b_hh, value):
    """You set the value in both biases. The layer adds them up, so the gate gets twice the value.
    Set it in one of them, and 0 in the other."""
    H = len(b_ih) // 4
    b_ih, b_hh = b_ih.copy(), b_hh.copy()
    b_ih[H : 2 * H] = b_hh[H : 2 * H] = value
    return b_ih, b_hh


@wrong(forget_bias, like=set_in_both)
def set_in_both_by_where(b_ih, b_hh, value):
    block = np.arange(len(b_ih)) // (len(b_ih) // 4)
    return tuple(np.where(block == 1, value, b) for b in (b_ih, b_hh))


@wrong(forget_bias, sneaky=True)
def other_bias_left(b_ih, b_hh, value):
    """You set one bias and left the other as it was. The layer adds them up: set the other to 0 in
    this block. As a start it would do; it is not what was asked for."""
    H = len(b_ih) // 4
    b_hh = b_hh.copy()
    b_hh[H : 2 * H] = value
    return b_ih.copy(), b_hh


@wrong(forget_bias, like=other_bias_left)
def other_bias_left_by_where(b_ih, b_hh, value):
    block = np.arange(len(b_ih)) // (len(b_ih) // 4)
    return b_ih * 1, np.where(block == 1, value, b_hh)


@wrong(forget_bias)
def input_gate(b_ih, b_hh, value):
    """You set the first block. It belongs to the input gate; the blocks are i, f, g, o."""
    H = len(b_ih) // 4
    b_ih, b_hh = b_ih.copy(), b_hh.copy()
    b_ih[:H], b_hh[:H] = 0, value
    return b_ih, b_hh


@wrong(forget_bias)
def candidate_block(b_ih, b_hh, value):
    """You set the third block. It belongs to g, what is written; the blocks are i, f, g, o."""
    H = len(b_ih) // 4
    b_ih, b_hh = b_ih.copy(), b_hh.copy()
    b_ih[2 * H : 3 * H], b_hh[2 * H : 3 * H] = 0, value
    return b_ih, b_hh


@wrong(forget_bias)
def every_block(b_ih, b_hh, value):
    """You set every number. Only those of the forget gates should change, from H to 2 * H."""
    return np.zeros_like(b_ih), np.full_like(b_hh, value)


# --------------------------------------------------------------------------------- catch it


def arrays(r, h, W):
    return (np.asarray(part, dtype=float) for part in (r, h, W))


def reset_after(r, h, W):
    r, h, W = arrays(r, h, W)
    return r * (W @ h)


def reset_before(r, h, W):
    r, h, W = arrays(r, h, W)
    return W @ (r * h)


def fitting(r, h, W):
    H = np.size(h)
    if np.shape(r) != (H,) or np.shape(h) != (H,) or np.shape(W) != (H, H):
        return (
            f"r and h are lists of H numbers, W has H rows of H numbers; yours have the shapes "
            f"{np.shape(r)}, {np.shape(h)} and {np.shape(W)}."
        )
    if np.min(r) < 0 or np.max(r) > 1:
        return "r holds gates: numbers from 0 to 1."
    return None


@catch(
    points=1,
    right=reset_after,
    wrong=reset_before,
    allow=fitting,
    size=60,
    largest=10.0,
    hints=(
        "One multiplies each number that comes out of W by its gate, the other each number that "
        "goes in. When does that not matter?",
        "If all gates are equal, they can be pulled out of the product. If W only has numbers on "
        "its diagonal, each number meets only its own gate.",
        "Two numbers, r = [0, 1], and a W with a number beside its diagonal.",
    ),
)
def caught():
    """Gates, a state and a weight for which it matters where the reset gate stands."""
    return [0.0, 1.0, 0.5], [1.0, -1.0, 2.0], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]


@wrong(caught, when=lambda r, h, W: np.size(h) == 1)
def one_number():
    """With a state of one number, a product of three numbers is all there is, and its order does
    not matter. Take at least two."""
    return [0.5], [2.0], [[3.0]]


@wrong(caught, when=lambda r, h, W: not np.any(h))
def no_state():
    """The state is 0, so both give 0. In the first step of a sequence it is always so."""
    return [0.2, 0.9], [0.0, 0.0], [[1.0, 2.0], [3.0, 4.0]]


@wrong(caught, when=lambda r, h, W: np.ptp(r) == 0)
def equal_gates():
    """All gates are equal here. Such a factor can stand before the product or after it. Without
    biases every gate starts at 0.5, and a test of a fresh layer is blind."""
    return [0.5, 0.5], [1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]


@wrong(caught, when=lambda r, h, W: not np.any(np.asarray(W) - np.diag(np.diag(W))))
def diagonal():
    """W has numbers on its diagonal only, so each number of the state meets its own gate, before or
    after."""
    return [0.2, 0.9], [1.0, 2.0], [[3.0, 0.0], [0.0, 4.0]]


@wrong(caught, when=lambda r, h, W: True)
def no_difference():
    """These numbers happen to give the same. Look for a number of the state that goes, through W,
    to a place with another gate."""
    return [0.2, 0.9, 0.9], [0.0, 1.0, 2.0], [[5.0, 0.0, 0.0], [0.0, 1.0, 2.0], [0.0, 3.0, 4.0]]
