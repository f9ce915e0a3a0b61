"""Exercise 32: momentum, Adam for one array, Adam for a whole network, and decoupled decay."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


# --------------------------------------------------------------------------------- momentum


def right_momentum(w, g, v, lr, keep):
    v = keep * v + g
    return w - lr * v, v


def right_momentum_in_one_line(w, g, v, lr, keep):
    return w - lr * g - lr * keep * v, g + keep * v


def several(momentum, w, v, gs, lrs, keep):
    """Some steps, one for each gradient, and each with a learning rate of its own."""
    places = []
    for g, lr in zip(gs, lrs):
        w, v = momentum(w, g, v, lr, keep)
        places.append(w)
    return tuple(places), v


@question(
    points=2,
    right=right_momentum,
    also=(right_momentum_in_one_line,),
    hints=(
        "The new v is made of the old v and of g. Which of the two fades?",
        "v is a sum of slopes without any learning rate in it. lr comes in when w moves.",
        "v = keep * v + g, and then w - lr * v with the new v. Return both.",
    ),
)
def momentum(rng):
    """One step with momentum: the new w, and the new v."""
    yield call, *rng.normal(size=(3, 4, 3)), rng.uniform(0.1, 0.5), rng.uniform(0.6, 0.9)
    gs = rng.normal(size=(5, 3, 4))
    yield several, rng.normal(size=(3, 4)), np.zeros((3, 4)), gs, rng.uniform(0.1, 0.5, 5), 0.7
    gs = rng.normal(size=(4, 6)) * 1e-5
    yield several, rng.normal(size=6) * 1e-5, np.zeros(6), gs, rng.uniform(0.1, 0.5, 4), 0.9


@wrong(momentum, sneaky=True)
def v_reset(w, g, v, lr, keep):
    """Your v begins anew at every step, so nothing of the earlier slopes is left: that is plain
    descent. The old v comes in as an argument. Keep a part of it."""
    return w - lr * g, g


@wrong(momentum, like=v_reset)
def v_reset_to_zeros(w, g, v, lr, keep):
    v = np.zeros_like(w)
    v = keep * v + g
    return w - lr * v, v


@wrong(momentum, sneaky=True)
def old_v_returned(w, g, v, lr, keep):
    """w is right, but the v that you return is the old one. So at the next step the memory is as
    empty as it was. Return the v that you moved by."""
    return w - lr * (keep * v + g), v


@wrong(momentum, like=old_v_returned)
def old_v_returned_by_name(w, g, v, lr, keep):
    new = keep * v
    new = new + g
    w = w - lr * new
    return w, v


@wrong(momentum, sneaky=True)
def averaged(w, g, v, lr, keep):
    """You took (1 - keep) * g: your v is an average. Momentum is a sum, v = keep * v + g. With
    keep = 0.9 the average is ten times smaller, and so are the steps. (Adam's m is an average.)"""
    v = keep * v + (1 - keep) * g
    return w - lr * v, v


@wrong(momentum, like=averaged)
def averaged_as_a_difference(w, g, v, lr, keep):
    v = v + (1 - keep) * (g - v)
    return w - lr * v, v


@wrong(momentum, sneaky=True)
def lr_inside(w, g, v, lr, keep):
    """Your v has the learning rate in it. That is the same walk as long as lr stays. When lr
    changes, old steps go on with the old one. Keep lr out of v: w - lr * v."""
    v = keep * v + lr * g
    return w - v, v


@wrong(momentum, like=lr_inside)
def lr_inside_as_a_step(w, g, v, lr, keep):
    step = keep * v - lr * g
    return w + step, step


@wrong(momentum)
def moved_too_early(w, g, v, lr, keep):
    """You moved w by the old v, and brought g in afterwards. So each slope counts one step too
    late. First the new v, then w."""
    return w - lr * v, keep * v + g


@wrong(momentum)
def looks_ahead(w, g, v, lr, keep):
    """You moved by g + keep * v with the new v. That is a relative, called Nesterov momentum. Here
    w moves by the new v itself."""
    v = keep * v + g
    return w - lr * (g + keep * v), v


@wrong(momentum)
def never_fades(w, g, v, lr, keep):
    """Your old slopes never fade: keep stands at g. It belongs to the old v."""
    v = v + keep * g
    return w - lr * v, v


@wrong(momentum)
def climbs(w, g, v, lr, keep):
    """You went uphill. v adds up slopes, so w moves against it, with a minus."""
    v = keep * v + g
    return w + lr * v, v


# ------------------------------------------------------------------------------------- Adam


def averages(g, m, v, b1, b2):
    """The running averages of the gradient and of its square."""
    return b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g


def right_adam(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    M = m / (1 - b1**t)
    V = v / (1 - b2**t)
    return w - lr * M / (np.sqrt(V) + eps), m, v


def right_adam_by_differences(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m = m + (g - m) * (1 - b1)
    v = v + (g**2 - v) * (1 - b2)
    size = (v / (1 - b2**t)) ** 0.5 + eps
    return w - lr / (1 - b1**t) * m / size, m, v


def adam_steps(adam, w, gs, lr):
    """Steps from the start, one for each gradient, with the usual b1, b2 and eps."""
    m, v, places = np.zeros_like(w), np.zeros_like(w), []
    for n, g in enumerate(gs):
        w, m, v = adam(w, g, m, v, n + 1, lr)
        places.append(w)
    return tuple(places), m, v


@question(
    points=3,
    right=right_adam,
    also=(right_adam_by_differences,),
    hints=(
        "Write the five lines of the lesson in their order: m, v, M, V, and then the move.",
        "The gradient is squared in v, so the root comes before the division. M and V are for this "
        "step only: m and v are what you return.",
        "M = m / (1 - b1**t) and V = v / (1 - b2**t); w - lr * M / (np.sqrt(V) + eps).",
    ),
)
def adam(rng):
    """One step of Adam: the new w, m and v."""
    for shape in ((3, 5), (4,)):
        w, g, m = rng.normal(size=(3, *shape))
        t, b1, b2 = rng.integers(3, 9), rng.uniform(0.5, 0.9), rng.uniform(0.91, 0.97)
        yield call, w, g, m, rng.uniform(0.5, 2, shape), int(t), 0.3, b1, b2, rng.uniform(0.1, 0.3)
    yield adam_steps, rng.normal(size=(4, 3)), rng.normal(size=(5, 4, 3)), rng.uniform(0.1, 0.2)
    yield adam_steps, rng.normal(size=5), rng.normal(size=(6, 5)) * 1e-4, rng.uniform(0.1, 0.2)


@wrong(adam, sneaky=True)
def no_correction(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """You moved by m and v as they are. Both begin at 0, and v takes longer to grow, so the first
    steps are several times too long. Divide by 1 - b1**t and by 1 - b2**t."""
    m, v = averages(g, m, v, b1, b2)
    return w - lr * m / (np.sqrt(v) + eps), m, v


@wrong(adam, like=no_correction)
def no_correction_line_by_line(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m = m + (1 - b1) * (g - m)
    v = v + (1 - b2) * (g**2 - v)
    size = v**0.5 + eps
    return w - lr / size * m, m, v


@wrong(adam, sneaky=True)
def only_m_corrected(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """You corrected m only. v begins at 0 as well, and it grows more slowly, so it needs the
    correction even more: without it the first step is about thirty times too long."""
    m, v = averages(g, m, v, b1, b2)
    return w - lr * m / (1 - b1**t) / (np.sqrt(v) + eps), m, v


@wrong(adam, like=only_m_corrected)
def only_m_corrected_line_by_line(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    M = m / (1 - b1**t)
    return w - lr * M / (v**0.5 + eps), m, v


@wrong(adam, sneaky=True)
def t_off_by_one(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """Your t is one ahead. At the first step t is 1 already: (1 - b1) * g divided by 1 - b1**1 is g
    again, exactly. Use t as it comes."""
    m, v = averages(g, m, v, b1, b2)
    M, V = m / (1 - b1 ** (t + 1)), v / (1 - b2 ** (t + 1))
    return w - lr * M / (np.sqrt(V) + eps), m, v


@wrong(adam, like=t_off_by_one)
def t_off_by_one_first_of_all(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    t += 1
    return right_adam(w, g, m, v, t, lr, b1, b2, eps)


@wrong(adam, sneaky=True)
def no_root(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """There is no square root. V is the size of the gradient *squared*, so a gradient of 0.001
    would make a step of 1000 times lr. Divide by np.sqrt(V) + eps."""
    m, v = averages(g, m, v, b1, b2)
    return w - lr * (m / (1 - b1**t)) / (v / (1 - b2**t) + eps), m, v


@wrong(adam, like=no_root)
def no_root_line_by_line(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    M, V = m / (1 - b1**t), v / (1 - b2**t)
    w = w - lr * M / (eps + V)
    return w, m, v


@wrong(adam, sneaky=True)
def size_not_squared(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """Your v takes the size of the gradient, without a square. It should be g * g, whose root is
    taken at the end. Where gradients are near 1 the two hardly differ."""
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * np.abs(g)
    return w - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps), m, v


@wrong(adam, like=size_not_squared)
def size_not_squared_and_no_root(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * np.sqrt(g * g)
    return w - lr * (m / (1 - b1**t)) / (v / (1 - b2**t) + eps), m, v


@wrong(adam, sneaky=True)
def eps_inside(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """You added eps inside the root: np.sqrt(V + eps). The root of 1e-8 is 1e-4, so gradients near
    1e-4 get steps that are too short; with larger ones nobody sees it. Root first, then eps."""
    m, v = averages(g, m, v, b1, b2)
    return w - lr * (m / (1 - b1**t)) / np.sqrt(v / (1 - b2**t) + eps), m, v


@wrong(adam, like=eps_inside)
def eps_inside_by_power(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    V = v / (1 - b2**t) + eps
    return w - lr * m / (1 - b1**t) * V**-0.5, m, v


@wrong(adam, sneaky=True)
def corrected_kept(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """You returned M and V, the corrected ones. They are for this step only. At the next step they
    would be corrected once more, and grow."""
    m, v = averages(g, m, v, b1, b2)
    M, V = m / (1 - b1**t), v / (1 - b2**t)
    return w - lr * M / (np.sqrt(V) + eps), M, V


@wrong(adam, like=corrected_kept)
def corrected_kept_by_name(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    m, v = m / (1 - b1**t), v / (1 - b2**t)
    return w - lr * m / (v**0.5 + eps), m, v


@wrong(adam)
def no_averages(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """The old m and v do not enter: your step looks at this gradient only, so every number moves by
    lr, up or down. m = b1 * m + (1 - b1) * g keeps a part of the old one."""
    m, v = averages(g, 0 * m, 0 * v, b1, b2)
    return w - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps), m, v


@wrong(adam)
def square_of_the_average(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """Your v averages m * m, the square of the average. It should average g * g. A gradient that
    goes up and down has a small m, and a large v all the same."""
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * m * m
    return w - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps), m, v


@wrong(adam)
def betas_exchanged(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """b1 and b2 are exchanged: b1 belongs to m, b2 to v."""
    return right_adam(w, g, m, v, t, lr, b2, b1, eps)


@wrong(adam)
def climbs_with_adam(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    """You went uphill. M points to where the loss grows, so w moves against it, with a minus."""
    return right_adam(w, g, m, v, t, -lr, b1, b2, eps)


# ---------------------------------------------------------------------- Adam for a network


def right_adam_step(params, grads, state, lr):
    t = state["t"] + 1
    moved, ms, vs = [], [], []
    for w, g, m, v in zip(params, grads, state["m"], state["v"], strict=True):
        w, m, v = adam(w, g, m, v, t, lr)
        moved.append(w)
        ms.append(m)
        vs.append(v)
    return moved, {"t": t, "m": ms, "v": vs}


def right_adam_step_in_place(params, grads, state, lr):
    state["t"] += 1
    new = list(params)
    for i, g in enumerate(grads):
        found = adam(params[i], g, state["m"][i], state["v"][i], state["t"], lr)
        new[i], state["m"][i], state["v"][i] = found
    return new, state


def adam_on_a_network(adam_step, adam, params, grads, lr):
    """Some steps of several arrays; grads has a list for each step."""
    zeros = [np.zeros_like(w) for w in params]
    state = {"t": 0, "m": zeros, "v": list(zeros)}
    places = []
    for gs in grads:
        params, state = adam_step(params, gs, state, lr)
        places.append(tuple(params))
    return tuple(places), state["t"], tuple(state["m"]), tuple(state["v"])


def gradients(rng, steps, shapes, size=1.0):
    """A list of arrays for each step."""
    return [[rng.normal(size=shape) * size for shape in shapes] for _ in range(steps)]


@question(
    points=3,
    right=right_adam_step,
    also=(right_adam_step_in_place,),
    hints=(
        "How many steps has the network made when this one is done? That is t, for all arrays.",
        "Count t once, before the loop. In the loop, call your adam for each array, with its own m "
        "and v.",
        "t = state['t'] + 1; zip params, grads, state['m'] and state['v']; collect what adam "
        "returns in three lists; return the first, and a dict with t and the other two.",
    ),
)
def adam_step(rng):
    """One step of Adam for all arrays of a network: the new arrays, and the new state."""
    for steps, shapes, size in ((4, ((3, 4), (3,), (5, 3)), 1.0), (3, ((4, 3), (4,)), 1e-4)):
        params = [rng.normal(size=shape) for shape in shapes]
        grads = gradients(rng, steps, shapes, size)
        yield adam_on_a_network, params, grads, rng.uniform(0.1, 0.2)


@wrong(adam_step, sneaky=True)
def t_once_per_parameter(params, grads, state, lr):
    """Your t counts arrays, not steps: it grows for every array of the network. The first array is
    right, the others get the correction of later steps. Count t once, before the loop."""
    new, ms, vs, t = [], [], [], state["t"]
    for w, g, m, v in zip(params, grads, state["m"], state["v"], strict=True):
        t += 1
        w, m, v = adam(w, g, m, v, t, lr)
        new.append(w)
        ms.append(m)
        vs.append(v)
    return new, {"t": t, "m": ms, "v": vs}


@wrong(adam_step, like=t_once_per_parameter)
def t_once_per_parameter_by_index(params, grads, state, lr):
    new = list(params)
    for i, g in enumerate(grads):
        state["t"] = state["t"] + 1
        found = adam(params[i], g, state["m"][i], state["v"][i], state["t"], lr)
        new[i], state["m"][i], state["v"][i] = found
    return new, state


@wrong(adam_step, sneaky=True)
def t_stands_still(params, grads, state, lr):
    """Your t stays where it was: every step is corrected as if it were the first. Return the new t
    in the state."""
    new, after = right_adam_step(params, grads, state, lr)
    return new, {**after, "t": state["t"]}


@wrong(adam_step, like=t_stands_still)
def t_stands_still_at_one(params, grads, state, lr):
    found = [
        adam(w, g, m, v, 1, lr)
        for w, g, m, v in zip(params, grads, state["m"], state["v"], strict=True)
    ]
    new, ms, vs = zip(*found, strict=True)
    return new, {"t": 1, "m": ms, "v": vs}


@wrong(adam_step, sneaky=True)
def memory_lost(params, grads, state, lr):
    """t is counted, but m and v are the old ones. So each step begins with an empty memory. What
    adam returns for each array goes into the new state."""
    new, after = right_adam_step(params, grads, state, lr)
    return new, {"t": after["t"], "m": state["m"], "v": state["v"]}


@wrong(adam_step, like=memory_lost)
def memory_lost_by_index(params, grads, state, lr):
    state["t"] += 1
    new = list(params)
    for i, g in enumerate(grads):
        new[i], _, _ = adam(params[i], g, state["m"][i], state["v"][i], state["t"], lr)
    return new, state


@wrong(adam_step)
def state_only(params, grads, state, lr):
    """The state is right, but the arrays are still the old ones. The first thing that adam returns
    is where the array moves to: collect these, and return them."""
    _, after = right_adam_step(params, grads, state, lr)
    return params, after


# ---------------------------------------------------------------------------------- decay


def right_adamw(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    return adam(w - lr * decay * w, g, m, v, t, lr, b1, b2, eps)


def right_adamw_line_by_line(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    m, v = averages(g, m, v, b1, b2)
    M, V = m / (1 - b1**t), v / (1 - b2**t)
    return (1 - lr * decay) * w - lr * M / (np.sqrt(V) + eps), m, v


def decayed(adamw, adam, w, g, m, v, t, lr, decay, b1, b2, eps):
    """One step with everything given."""
    return adamw(w, g, m, v, t, lr, decay, b1, b2, eps)


def decayed_steps(adamw, adam, w, gs, lr, decay):
    """Steps from the start, with the usual b1, b2 and eps."""
    m, v, places = np.zeros_like(w), np.zeros_like(w), []
    for n, g in enumerate(gs):
        w, m, v = adamw(w, g, m, v, n + 1, lr, decay)
        places.append(w)
    return tuple(places), m, v


@question(
    points=2,
    right=right_adamw,
    also=(right_adamw_line_by_line,),
    hints=(
        "What must m and v not see, so that the pull is the same for every number?",
        "First pull w a little towards 0: by lr * decay * w. Then make an Adam step from there.",
        "adam(w - lr * decay * w, g, m, v, t, lr, b1, b2, eps).",
    ),
)
def adamw(rng):
    """One step of AdamW: Adam, with a decay that stays outside the averages."""
    w, g, m = rng.normal(size=(3, 5, 3))
    v, t, lr, decay = rng.uniform(0.5, 2, (5, 3)), rng.integers(3, 9), 0.3, rng.uniform(0.4, 0.8)
    b1, b2, eps = rng.uniform(0.5, 0.9), rng.uniform(0.91, 0.97), rng.uniform(0.1, 0.3)
    yield decayed, w, g, m, v, int(t), lr, decay, b1, b2, eps
    w, gs = rng.normal(size=(3, 4)) * 3, rng.normal(size=(5, 3, 4)) * [1e-4, 1e-2, 1, 1e2]
    yield decayed_steps, w, gs, rng.uniform(0.1, 0.2), rng.uniform(0.4, 0.8)


@wrong(adamw, sneaky=True)
def coupled(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    """You put decay * w where it is divided by the size of the gradient too. So weights with large
    gradients are hardly pulled, and those with small ones far too much. Keep the pull outside:
    take lr * decay * w away from w."""
    return right_adam(w, g + decay * w, m, v, t, lr, b1, b2, eps)


@wrong(adamw, like=coupled)
def coupled_line_by_line(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    g = g + decay * w
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    return w - lr * m / (1 - b1**t) / ((v / (1 - b2**t)) ** 0.5 + eps), m, v


@wrong(adamw, like=coupled)
def coupled_after_the_averages(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    m, v = averages(g, m, v, b1, b2)
    M, V = m / (1 - b1**t), v / (1 - b2**t)
    return w - lr * (M + decay * w) / (np.sqrt(V) + eps), m, v


@wrong(adamw, sneaky=True)
def decay_without_lr(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    """You pulled by decay * w, without lr. Then the pull stays strong when the learning rate is
    made small. Multiply by both: lr * decay * w."""
    return right_adam(w - decay * w, g, m, v, t, lr, b1, b2, eps)


@wrong(adamw, like=decay_without_lr)
def decay_without_lr_as_a_share(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    new, m, v = right_adam(w, g, m, v, t, lr, b1, b2, eps)
    return new - decay * w, m, v


@wrong(adamw)
def decayed_afterwards(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    """You took the share from the new w, after Adam's step, so the step is made smaller as well.
    The share is one of the old w."""
    w, m, v = right_adam(w, g, m, v, t, lr, b1, b2, eps)
    return w - lr * decay * w, m, v


@wrong(adamw)
def pushed_away(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    """Your decay pushes w away from 0: take the share away from w, with a minus."""
    return right_adam(w + lr * decay * w, g, m, v, t, lr, b1, b2, eps)


@wrong(adamw)
def decay_forgotten(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    """This is Adam; nothing pulls w towards 0. Where does decay come in?"""
    return right_adam(w, g, m, v, t, lr, b1, b2, eps)


@wrong(adamw)
def sign_for_share(w, g, m, v, t, lr, decay, b1=0.9, b2=0.999, eps=1e-8):
    """You pulled every weight by the same amount, lr * decay. A weight decays by a share of itself:
    lr * decay * w."""
    return right_adam(w - lr * decay * np.sign(w), g, m, v, t, lr, b1, b2, eps)


# --------------------------------------------------------------------------------- catch it


def walk(gradients, inside):
    """Where Adam is after these gradients, from w = 0 with lr = 0.1."""
    w = m = v = 0.0
    for t, g in enumerate(np.asarray(gradients, dtype=float), 1):
        m, v = averages(float(g), m, v, 0.9, 0.999)
        V = v / (1 - 0.999**t)
        size = (V + 1e-8) ** 0.5 if inside else V**0.5 + 1e-8
        w = w - 0.1 * m / (1 - 0.9**t) / size
    return float(w)


def adam_walk(gradients):
    return walk(gradients, inside=False)


def adam_walk_with_eps_inside(gradients):
    return walk(gradients, inside=True)


def some_numbers(gradients):
    if np.ndim(gradients) != 1 or len(gradients) == 0:
        return "Return a list of numbers, such as [0.5, -0.25]."
    return None


@catch(
    points=1,
    right=adam_walk,
    wrong=adam_walk_with_eps_inside,
    allow=some_numbers,
    size=20,
    largest=1000.0,
    hints=(
        "The two differ in np.sqrt(V) + eps and np.sqrt(V + eps). eps is 1e-8. For which V does it "
        "matter where it stands?",
        "V is about the square of the gradient. How large is the gradient if its square is about "
        "as large as 1e-8?",
        "One gradient is enough: 1e-4, for example.",
    ),
)
def caught():
    """Gradients on which an Adam with eps inside the root goes astray."""
    return [1e-4, 2e-4]


@wrong(caught, when=lambda gradients: not np.any(gradients))
def all_zero():
    """With gradients of 0 nothing moves, wherever eps stands. It keeps the division finite, and
    that is all one can see here."""
    return [0.0, 0.0]


@wrong(caught, when=lambda gradients: True)
def too_large():
    """These gradients are too large. Beside their squares 1e-8 is nothing, inside the root or
    outside. Look for gradients whose squares are about as small as eps."""
    return [1.0, -0.5, 3.0]
