"""Exercise 61: a recurrent step, the way back through time, and windows of a series."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


def weights(rng, D, H, scale=1.0):
    """W_ih (H, D), W_hh (H, H) and b (H,)."""
    return (
        rng.normal(size=(H, D)) * scale,
        rng.normal(size=(H, H)) * scale,
        rng.normal(size=H) * scale,
    )


# --------------------------------------------------------------------------------- one step


def right_step(x, h, W_ih, W_hh, b):
    return np.tanh(x @ W_ih.T + h @ W_hh.T + b)


def right_step_in_one_product(x, h, W_ih, W_hh, b):
    return np.tanh(np.concatenate([x, h], axis=1) @ np.concatenate([W_ih, W_hh], axis=1).T + b)


@question(
    points=1,
    right=right_step,
    also=(right_step_in_one_product,),
    hints=(
        "Three things are added up: something of x, something of h, and b. Which shapes meet?",
        "x is (B, D) and W_ih is (H, D), so turn W_ih round. A row of W_hh belongs to a neuron, "
        "too: turn it round as well.",
        "np.tanh(x @ W_ih.T + h @ W_hh.T + b)",
    ),
)
def step(rng):
    """One step of a recurrent layer: the new state, from the input and the old state."""
    yield call, rng.normal(size=(5, 3)), rng.normal(size=(5, 4)), *weights(rng, 3, 4, 0.5)
    yield call, rng.normal(size=(3, 6)), rng.normal(size=(3, 5)), *weights(rng, 6, 5, 0.3)
    yield call, rng.normal(size=(4, 3)), rng.normal(size=(4, 5)), *weights(rng, 3, 5, 1e-3)


@wrong(step, sneaky=True)
def state_ignored(x, h, W_ih, W_hh, b):
    """Your step does not look at h. Nothing of what was read before reaches the new state, so this
    is an ordinary layer. With h = 0, as in the first step of a sequence, nobody can see it."""
    return np.tanh(x @ W_ih.T + b)


@wrong(step, like=state_ignored)
def state_ignored_by_zeros(x, h, W_ih, W_hh, b):
    h = np.zeros_like(h)
    return np.tanh(np.dot(x, W_ih.T) + np.dot(h, W_hh.T) + b)


@wrong(step, sneaky=True)
def w_hh_as_it_stands(x, h, W_ih, W_hh, b):
    """You wrote h @ W_hh, without turning W_hh round. W_hh is square, so the shapes do not
    complain. A row of W_hh belongs to a neuron, as in W_ih: h @ W_hh.T."""
    return np.tanh(x @ W_ih.T + h @ W_hh + b)


@wrong(step, like=w_hh_as_it_stands)
def w_hh_as_it_stands_in_steps(x, h, W_ih, W_hh, b):
    total = np.matmul(x, np.transpose(W_ih))
    total = total + np.matmul(h, W_hh)
    return np.tanh(total + b)


@wrong(step)
def no_tanh(x, h, W_ih, W_hh, b):
    """That is the weighted sum. Put tanh around all of it, or the state can grow without end."""
    return x @ W_ih.T + h @ W_hh.T + b


@wrong(step)
def no_bias(x, h, W_ih, W_hh, b):
    """You did not add b."""
    return np.tanh(x @ W_ih.T + h @ W_hh.T)


@wrong(step)
def tanh_of_each(x, h, W_ih, W_hh, b):
    """You took tanh of two parts and added them up. First add everything, then take tanh once: the
    new state must stay between -1 and 1."""
    return np.tanh(x @ W_ih.T + b) + np.tanh(h @ W_hh.T)


@wrong(step)
def state_outside(x, h, W_ih, W_hh, b):
    """Your tanh closes too early: what comes from h is added after it. It belongs inside, with x
    and b."""
    return np.tanh(x @ W_ih.T + b) + h @ W_hh.T


# ---------------------------------------------------------------------------- a whole sequence


def right_unroll(x, h, W_ih, W_hh, b):
    states = []
    for x_t in x:
        h = step(x_t, h, W_ih, W_hh, b)
        states.append(h)
    return np.stack(states)


def right_unroll_into_an_array(x, h, W_ih, W_hh, b):
    states = np.empty((len(x), *np.shape(h)))
    for t in range(len(x)):
        states[t] = step(x[t], states[t - 1] if t else h, W_ih, W_hh, b)
    return states


def unrolled(unroll, step, x, h, W_ih, W_hh, b):
    """The states after each step."""
    return unroll(x, h, W_ih, W_hh, b)


def sequence(rng, T, B, D, H, scale=0.5):
    return rng.normal(size=(T, B, D)), rng.normal(size=(B, H)), *weights(rng, D, H, scale)


@question(
    points=1,
    right=right_unroll,
    also=(right_unroll_into_an_array,),
    hints=(
        "Go through x with a loop: for x_t in x gives the input of one time after the other, "
        "(B, D) each.",
        "The state that comes out of a step goes into the next one: h = step(x_t, h, ...). Keep "
        "each h in a list.",
        "At the end np.stack(states) makes one array of the list, (T, B, H).",
    ),
)
def unroll(rng):
    """All states of a recurrent layer that reads a sequence."""
    yield unrolled, *sequence(rng, 6, 5, 3, 4)
    yield unrolled, *sequence(rng, 3, 4, 6, 5)
    yield unrolled, *sequence(rng, 5, 3, 4, 6, scale=1e-3)


@wrong(unroll, sneaky=True)
def starts_again(x, h, W_ih, W_hh, b):
    """Each of your steps begins with the first h. What a step gives must go into the next one. With
    a sequence of one step nobody can see it."""
    return np.stack([step(x_t, h, W_ih, W_hh, b) for x_t in x])


@wrong(unroll, like=starts_again)
def starts_again_in_a_loop(x, h, W_ih, W_hh, b):
    states = []
    for t in range(len(x)):
        new = step(x[t], h, W_ih, W_hh, b)
        states.append(new)
    return np.array(states)


@wrong(unroll)
def last_state_only(x, h, W_ih, W_hh, b):
    """That is the last state. The way back will ask for all of them: keep each one, and stack
    them."""
    for x_t in x:
        h = step(x_t, h, W_ih, W_hh, b)
    return h


@wrong(unroll)
def start_included(x, h, W_ih, W_hh, b):
    """Your result begins with the h that you were given, so it has one state too many. Keep the
    states that come out of a step."""
    return np.concatenate([h[None], right_unroll(x, h, W_ih, W_hh, b)])


@wrong(unroll)
def states_that_went_in(x, h, W_ih, W_hh, b):
    """You kept each state before its step: the first of yours is the h that you were given, and
    the last one is missing. Keep h after the step."""
    return np.concatenate([h[None], right_unroll(x, h, W_ih, W_hh, b)])[:-1]


@wrong(unroll)
def read_backwards(x, h, W_ih, W_hh, b):
    """You began with the last input. Read from the first to the last."""
    return right_unroll(x[::-1], h, W_ih, W_hh, b)


# -------------------------------------------------------------------------- one step, backwards


def right_step_backward(dh, x, h_old, h_new, W_hh):
    dz = dh * (1 - h_new**2)
    return dz @ W_hh, dz.T @ x, dz.T @ h_old, dz.sum(axis=0)


def right_step_backward_row_by_row(dh, x, h_old, h_new, W_hh):
    slope = (1 - h_new) * (1 + h_new)
    rows = [d * s for d, s in zip(dh, slope, strict=True)]
    dW_ih = sum(np.outer(row, x_b) for row, x_b in zip(rows, x, strict=True))
    dW_hh = sum(np.outer(row, h_b) for row, h_b in zip(rows, h_old, strict=True))
    return np.stack([W_hh.T @ row for row in rows]), dW_ih, dW_hh, sum(rows)


def states(rng, *shape, scale=1.0):
    """Numbers between -1 and 1, as tanh gives them."""
    return np.tanh(rng.normal(size=shape) * scale)


def kept(rng, B, D, H, scale=1.0):
    """What one step has kept for the way back."""
    return (
        rng.normal(size=(B, H)),
        rng.normal(size=(B, D)),
        states(rng, B, H, scale=scale),
        states(rng, B, H, scale=scale),
        rng.normal(size=(H, H)),
    )


@question(
    points=2,
    right=right_step_backward,
    also=(right_step_backward_row_by_row,),
    hints=(
        "First back through tanh: dz, (B, H). What is the slope of tanh where its output is h_new? "
        "h_new has been through tanh already.",
        "dz = dh * (1 - h_new**2). The rest are the three gradients of a layer (lesson 25), for "
        "x and once more for h_old.",
        "dz @ W_hh, dz.T @ x, dz.T @ h_old, dz.sum(axis=0)",
    ),
)
def step_backward(rng):
    """Back through one step: the gradients of the old state and of the weights."""
    yield call, *kept(rng, 5, 3, 4)
    yield call, *kept(rng, 3, 6, 5, scale=2.0)
    dh, *rest = kept(rng, 4, 3, 6)
    yield call, dh * 1e-4, *rest


@wrong(step_backward, sneaky=True)
def tanh_twice(dh, x, h_old, h_new, W_hh):
    """You wrote 1 - tanh(h_new)**2. h_new has been through tanh already, so the slope is
    1 - h_new**2. Yours is too large, most where the state is close to 1 or -1; where it is close
    to 0 the two agree. Training hides it."""
    dz = dh * (1 - np.tanh(h_new) ** 2)
    return dz @ W_hh, dz.T @ x, dz.T @ h_old, dz.sum(axis=0)


@wrong(step_backward, like=tanh_twice)
def tanh_twice_by_cosh(dh, x, h_old, h_new, W_hh):
    dz = dh / np.cosh(h_new) ** 2
    return np.dot(dz, W_hh), np.dot(dz.T, x), np.dot(dz.T, h_old), np.sum(dz, axis=0)


@wrong(step_backward, sneaky=True)
def slope_of_the_old_state(dh, x, h_old, h_new, W_hh):
    """You took the slope of tanh from h_old. What came out of this step's tanh is h_new."""
    dz = dh * (1 - h_old**2)
    return dz @ W_hh, dz.T @ x, dz.T @ h_old, dz.sum(axis=0)


@wrong(step_backward, like=slope_of_the_old_state)
def slope_of_the_old_state_in_steps(dh, x, h_old, h_new, W_hh):
    slope = np.ones_like(h_old) - h_old * h_old
    dz = slope * dh
    return dz @ W_hh, dz.T @ x, dz.T @ h_old, sum(dz)


@wrong(step_backward)
def past_tanh(dh, x, h_old, h_new, W_hh):
    """You went past tanh as if it were not there. Where the state is close to 1 or -1, tanh is flat
    and lets hardly anything through: dz = dh * (1 - h_new**2)."""
    return dh @ W_hh, dh.T @ x, dh.T @ h_old, dh.sum(axis=0)


@wrong(step_backward)
def not_squared(dh, x, h_old, h_new, W_hh):
    """You wrote 1 - h_new. The slope of tanh is 1 - h_new**2: the same for h and -h, and never
    above 1."""
    dz = dh * (1 - h_new)
    return dz @ W_hh, dz.T @ x, dz.T @ h_old, dz.sum(axis=0)


@wrong(step_backward, sneaky=True)
def w_hh_turned_round(dh, x, h_old, h_new, W_hh):
    """You sent dz @ W_hh.T to the old state. Forward it was h @ W_hh.T, so back it is dz @ W_hh,
    one turn less. W_hh is square, so the shapes do not complain."""
    dz = dh * (1 - h_new**2)
    return dz @ W_hh.T, dz.T @ x, dz.T @ h_old, dz.sum(axis=0)


@wrong(step_backward, like=w_hh_turned_round)
def w_hh_turned_round_in_steps(dh, x, h_old, h_new, W_hh):
    dz = dh - dh * h_new * h_new
    back = (W_hh @ dz.T).T
    return back, np.dot(dz.T, x), np.dot(dz.T, h_old), dz.sum(0)


@wrong(step_backward, sneaky=True)
def dw_hh_turned_round(dh, x, h_old, h_new, W_hh):
    """Your dW_hh holds the right numbers, turned round. It is square, so its shape does not tell. A
    row belongs to a neuron: dz.T @ h_old, as in dz.T @ x."""
    dz = dh * (1 - h_new**2)
    return dz @ W_hh, dz.T @ x, h_old.T @ dz, dz.sum(axis=0)


@wrong(step_backward, like=dw_hh_turned_round)
def dw_hh_turned_round_in_steps(dh, x, h_old, h_new, W_hh):
    dz = dh * (1 - np.square(h_new))
    dW_hh = sum(np.outer(h, d) for h, d in zip(h_old, dz, strict=True))
    return dz @ W_hh, dz.T @ x, dW_hh, dz.sum(axis=0)


@wrong(step_backward, sneaky=True)
def weights_met_the_new_state(dh, x, h_old, h_new, W_hh):
    """Your dW_hh uses h_new. In this step W_hh was multiplied by the state that came in: h_old."""
    dz = dh * (1 - h_new**2)
    return dz @ W_hh, dz.T @ x, dz.T @ h_new, dz.sum(axis=0)


@wrong(step_backward, like=weights_met_the_new_state)
def weights_met_the_new_state_in_steps(dh, x, h_old, h_new, W_hh):
    dz = np.multiply(dh, 1 - h_new * h_new)
    dW_ih, dW_hh = (np.einsum("bh,bk->hk", dz, came) for came in (x, h_new))
    return np.dot(dz, W_hh), dW_ih, dW_hh, np.sum(dz, axis=0)


@wrong(step_backward)
def bias_averaged(dh, x, h_old, h_new, W_hh):
    """You took the mean for db. b is used once in every row, and amounts are added up."""
    dz = dh * (1 - h_new**2)
    return dz @ W_hh, dz.T @ x, dz.T @ h_old, dz.mean(axis=0)


# ------------------------------------------------------------------------------- through time


def right_bptt(dH, x, H, W_hh):
    dW_ih, dW_hh, db, dh_next = 0, 0, 0, 0
    for t in reversed(range(len(x))):
        back = step_backward(dH[t] + dh_next, x[t], H[t], H[t + 1], W_hh)
        dh_next = back[0]
        dW_ih, dW_hh, db = dW_ih + back[1], dW_hh + back[2], db + back[3]
    return dW_ih, dW_hh, db


def right_bptt_all_at_once(dH, x, H, W_hh):
    """First dz of every step, then one product for each weight."""
    dZ, dh = np.empty(np.shape(dH)), np.zeros(np.shape(H)[1:])
    for t in range(len(x) - 1, -1, -1):
        dZ[t] = (dH[t] + dh) * (1 - H[t + 1] ** 2)
        dh = dZ[t] @ W_hh
    return (
        np.einsum("tbh,tbd->hd", dZ, x),
        np.einsum("tbh,tbk->hk", dZ, H[:-1]),
        dZ.sum(axis=(0, 1)),
    )


def back_through(bptt, step_backward, dH, x, H, W_hh):
    """The gradients of the weights of a whole sequence."""
    return bptt(dH, x, H, W_hh)


def run(rng, T, B, D, H, scale=0.5):
    """The gradients from the loss, the inputs, all states with the first one, and W_hh."""
    x, h, W_ih, W_hh, b = sequence(rng, T, B, D, H, scale)
    h = np.tanh(h)
    return rng.normal(size=(T, B, H)), x, np.stack([h, *right_unroll(x, h, W_ih, W_hh, b)]), W_hh


@question(
    points=3,
    right=right_bptt,
    also=(right_bptt_all_at_once,),
    hints=(
        "Go through the steps in reverse. Two amounts come back to a state: one from the loss, and "
        "one from the step after it. What do you do with two amounts?",
        "Begin with dh_next = 0. In each step dh = dH[t] + dh_next, and step_backward gives the "
        "next dh_next first. Which two states of H belong to step t?",
        "step_backward(dH[t] + dh_next, x[t], H[t], H[t + 1], W_hh). The same weights are used in "
        "every step, so add up what comes back: dW_ih = dW_ih + ..., and so on.",
    ),
)
def bptt(rng):
    """Backprop through time: the gradients of the weights, over all steps."""
    yield back_through, *run(rng, 6, 5, 3, 4)
    yield back_through, *run(rng, 4, 3, 5, 6, scale=0.3)
    dH, *rest = run(rng, 5, 4, 3, 6)
    yield back_through, dH * 1e-4 * (np.arange(5) == 4)[:, None, None], *rest


@wrong(bptt, sneaky=True)
def nothing_carried(dH, x, H, W_hh):
    """You did not carry dh_next on to the step before. Each step then learns only from its own
    loss, as if nothing came after it. Training often works all the same, until something has to be
    remembered for several steps."""
    parts = [step_backward(dH[t], x[t], H[t], H[t + 1], W_hh)[1:] for t in reversed(range(len(x)))]
    return tuple(sum(part) for part in zip(*parts, strict=True))


@wrong(bptt, like=nothing_carried)
def nothing_carried_by_zero(dH, x, H, W_hh):
    dW_ih, dW_hh, db = 0, 0, 0
    dh_next = np.zeros_like(H[0])
    for t in reversed(range(len(x))):
        _, a, b, c = step_backward(dH[t] + dh_next, x[t], H[t], H[t + 1], W_hh)
        dW_ih, dW_hh, db = dW_ih + a, dW_hh + b, db + c
    return dW_ih, dW_hh, db


@wrong(bptt, sneaky=True)
def last_loss_only(dH, x, H, W_hh):
    """You took what the loss sends to the last state, and left out dH of the steps before. If the
    loss reads the last state only, nobody can see it. In each step: dH[t] + dh_next."""
    later = np.zeros(np.shape(dH))
    later[-1] = dH[-1]
    return right_bptt(later, x, H, W_hh)


@wrong(bptt, like=last_loss_only)
def last_loss_only_in_a_loop(dH, x, H, W_hh):
    dh = dH[-1]
    total = [0, 0, 0]
    for t in range(len(x) - 1, -1, -1):
        dh, *back = step_backward(dh, x[t], H[t], H[t + 1], W_hh)
        total = [a + g for a, g in zip(total, back, strict=True)]
    return tuple(total)


@wrong(bptt, sneaky=True)
def overwritten(dH, x, H, W_hh):
    """You replaced the gradients in each step, so only the first step of the sequence is left. All
    steps use the same weights: add up what comes back from each."""
    dh_next = 0
    for t in reversed(range(len(x))):
        dh_next, dW_ih, dW_hh, db = step_backward(dH[t] + dh_next, x[t], H[t], H[t + 1], W_hh)
    return dW_ih, dW_hh, db


@wrong(bptt, like=overwritten)
def overwritten_in_a_list(dH, x, H, W_hh):
    back = [0]
    for t in range(len(x))[::-1]:
        dh = back[0] + dH[t]
        back = step_backward(dh, x[t], H[t], H[t + 1], W_hh)
    return tuple(back)[1:]


@wrong(bptt, sneaky=True)
def forwards(dH, x, H, W_hh):
    """You went from the first step to the last. A gradient travels the other way: what a step sends
    back must reach the step before it."""
    dW_ih, dW_hh, db, dh_next = 0, 0, 0, 0
    for t in range(len(x)):
        dh_next, a, b, c = step_backward(dH[t] + dh_next, x[t], H[t], H[t + 1], W_hh)
        dW_ih, dW_hh, db = dW_ih + a, dW_hh + b, db + c
    return dW_ih, dW_hh, db


@wrong(bptt, like=forwards)
def forwards_with_zip(dH, x, H, W_hh):
    total, dh = None, np.zeros_like(dH[0])
    for d, x_t, old, new in zip(dH, x, H[:-1], H[1:], strict=True):
        dh, *back = step_backward(d + dh, x_t, old, new, W_hh)
        total = back if total is None else [a + g for a, g in zip(total, back, strict=True)]
    return tuple(total)


@wrong(bptt)
def averaged_over_steps(dH, x, H, W_hh):
    """You divided by the number of steps. Amounts are added up; if the loss is a mean, its division
    has already come in with dH."""
    return tuple(g / len(x) for g in right_bptt(dH, x, H, W_hh))


@wrong(bptt)
def one_state_too_late(dH, x, H, W_hh):
    """You took the states one place too late: H[0] is the state before the first step. Step t goes
    from H[t] to H[t + 1]."""
    dW_ih, dW_hh, db, dh_next = 0, 0, 0, 0
    for t in reversed(range(len(x))):
        new = H[min(t + 2, len(x))]
        dh_next, a, b, c = step_backward(dH[t] + dh_next, x[t], H[t + 1], new, W_hh)
        dW_ih, dW_hh, db = dW_ih + a, dW_hh + b, db + c
    return dW_ih, dW_hh, db


# --------------------------------------------------------------------------------- windows


def right_windows(series, T, first):
    X = np.stack([series[i : i + T] for i in range(len(series) - T)])
    y = series[T:]
    n = first - T
    return X[:n], y[:n], X[n:], y[n:]


def right_windows_by_target(series, T, first):
    def part(targets):
        return np.array([series[t - T : t] for t in targets]), np.array(
            [series[t] for t in targets]
        )

    return *part(range(T, first)), *part(range(first, len(series)))


@question(
    points=2,
    right=right_windows,
    also=(right_windows_by_target,),
    hints=(
        "The window that begins at i holds the places i to i + T - 1. Where is the target?",
        "Its target is at i + T. So for which i does the target come before `first`? Where do the "
        "windows end, so that each has a target?",
        "There are len(series) - T windows, and y = series[T:]. The first test window is number "
        "first - T.",
    ),
)
def windows(rng):
    """Windows of a series and what follows each, divided in time."""
    yield call, rng.normal(size=23) * 3, 4, 15
    yield call, rng.normal(size=17) * 1e-3, 3, 9
    yield call, rng.normal(size=29), 5, 11


@wrong(windows, sneaky=True)
def across_the_split(series, T, first):
    """You divided where a window begins. The last windows of your training part then have targets
    from `first` on: numbers that the model will be tested on. Divide by the target: window
    first - T is the first to be tested on."""
    X = np.stack([series[i : i + T] for i in range(len(series) - T)])
    y = series[T:]
    return X[:first], y[:first], X[first:], y[first:]


@wrong(windows, like=across_the_split)
def across_the_split_in_a_loop(series, T, first):
    X_train, y_train, X_test, y_test = [], [], [], []
    for i in range(len(series) - T):
        (X_train if i < first else X_test).append(series[i : i + T])
        (y_train if i < first else y_test).append(series[i + T])
    return np.array(X_train), np.array(y_train), np.array(X_test), np.array(y_test)


@wrong(windows, sneaky=True)
def target_inside(series, T, first):
    """Your target is the last number of its own window. The model only has to copy it, and its
    error will be near 0. The target is the number after the window."""
    X = np.stack([series[i : i + T] for i in range(len(series) - T)])
    y = X[:, -1].copy()
    n = first - T
    return X[:n], y[:n], X[n:], y[n:]


@wrong(windows, like=target_inside)
def target_inside_by_slice(series, T, first):
    n = first - T
    X, y = [], series[T - 1 : len(series) - 1]
    for i in range(len(series) - T):
        X.append(series[i : i + T])
    return np.array(X[:n]), y[:n], np.array(X[n:]), y[n:]


@wrong(windows)
def last_one_lost(series, T, first):
    """The last window is missing: its target is the last number of the series. There are
    len(series) - T windows."""
    return tuple(
        part[: len(part) - (k > 1)] for k, part in enumerate(right_windows(series, T, first))
    )


@wrong(windows)
def one_too_few_in_training(series, T, first):
    """You divided one window too early. The window whose target is at first - 1 may still be
    learned from."""
    X_train, y_train, X_test, y_test = right_windows(series, T, first - 1)
    return X_train, y_train, X_test, y_test


@wrong(windows)
def nothing_from_before(series, T, first):
    """You left out the test windows that reach back before `first`. They may: in the year of a
    forecast the years before are known. Only the target must be unseen."""
    X_train, y_train, X_test, y_test = right_windows(series, T, first)
    return X_train, y_train, X_test[T:], y_test[T:]


@wrong(windows)
def side_by_side(series, T, first):
    """Your windows stand side by side. The next window begins one place later, not T places
    later."""
    starts = range(0, len(series) - T, T)
    X, y = np.stack([series[i : i + T] for i in starts]), np.array([series[i + T] for i in starts])
    n = sum(i + T < first for i in starts)
    return X[:n], y[:n], X[n:], y[n:]


# --------------------------------------------------------------------------------- catch it


def gradient_of_w(x, dh, carried):
    """That of w, where h = tanh(x + w h) from h = 0 and w = 0.5, and dh comes from the loss."""
    x, dh, w = np.asarray(x, dtype=float), np.asarray(dh, dtype=float), 0.5
    h = [0.0]
    for number in x:
        h.append(np.tanh(number + w * h[-1]))
    total, dh_next = 0.0, 0.0
    for t in reversed(range(len(x))):
        dz = (dh[t] + carried * dh_next) * (1 - h[t + 1] ** 2)
        total, dh_next = total + dz * h[t], dz * w
    return float(total)


def bptt_of_w(x, dh):
    return gradient_of_w(x, dh, carried=1)


def bptt_of_w_without_carry(x, dh):
    return gradient_of_w(x, dh, carried=0)


def two_lists(x, dh):
    if np.ndim(x) != 1 or np.shape(x) != np.shape(dh) or not len(x):
        return (
            f"x and dh are lists of equal length, a number for each step; yours have the shapes "
            f"{np.shape(x)} and {np.shape(dh)}."
        )
    return None


@catch(
    points=1,
    right=bptt_of_w,
    wrong=bptt_of_w_without_carry,
    allow=two_lists,
    size=40,
    largest=10.0,
    hints=(
        "The broken one is right wherever nothing would come back from a later step, and wherever "
        "what comes back does not matter to w.",
        "In step 1, w is multiplied by h = 0, so whatever comes back to step 1 is lost on w. How "
        "many steps do you need, so that a gradient travels back to step 2?",
        "Three steps, an input of 1 in each, and a dh of 1 in the last.",
    ),
)
def caught():
    """Inputs and gradients on which a BPTT that carries nothing is wrong."""
    return [1.0, 0.5, -0.5], [0.0, 0.0, 1.0]


@wrong(caught, when=lambda x, dh: not np.any(dh))
def no_gradient():
    """The loss sends nothing back here: dh is 0 throughout, so every gradient is 0."""
    return [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]


@wrong(caught, when=lambda x, dh: len(x) < 3)
def too_short():
    """Two steps are too few. In step 1, w is multiplied by the state 0, so what comes back to step
    1 makes no difference to w. A test with one or two steps cannot find this mistake."""
    return [1.0, 1.0], [1.0, 1.0]


@wrong(caught, when=lambda x, dh: not np.any(np.asarray(dh)[2:]))
def early_loss():
    """The loss only reads the first two states here. What comes after them sends nothing back."""
    return [1.0, 1.0, 1.0], [1.0, 1.0, 0.0]


@wrong(caught, when=lambda x, dh: not np.any(np.asarray(x)[:-2]))
def nothing_to_remember():
    """The state is still 0 wherever a gradient comes back to: the inputs before are 0. Then w was
    multiplied by 0 there, and nothing depends on it."""
    return [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]


@wrong(caught, when=lambda x, dh: True)
def flat():
    """So little comes back here that the two cannot be told apart: the states are close to 1 or -1,
    where tanh is flat. Take smaller inputs."""
    return [10.0, 10.0, 10.0], [0.0, 0.0, 1.0]
