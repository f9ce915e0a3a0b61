"""Exercise 23: walk downhill, keep the best place, roll with momentum, and look around."""

import numpy as np

from nncheck import catch, question, wrong

USES = "numpy"

SAME_RING = "the directions come in opposite pairs, so the places around are the same"
equivalent = {
    "descend: f(w) < f(best) -> f(w) <= f(best)": "of two places equally low, either is the lowest",
    "kind_of_place: x + h * dx -> x - h * dx": SAME_RING,
    "kind_of_place: y + h * dy -> y - h * dy": SAME_RING,
}


def gradients(w, b, x, y):
    """How the average squared gap of the line w * x + b changes with w and with b.

    The notebook gives this function.
    """
    gap = w * x + b - y
    return 2 * np.mean(gap * x), 2 * np.mean(gap)


# The sixteen directions in which to look around. The notebook gives them.
directions = [(i, j) for i in range(-2, 3) for j in range(-2, 3) if max(abs(i), abs(j)) == 2]


# ------------------------------------------------------------------------ one step of a line


def right_step(w, b, x, y, lr):
    slope_w, slope_b = gradients(w, b, x, y)
    return w - lr * slope_w, b - lr * slope_b


def right_step_as_one_array(w, b, x, y, lr):
    return np.array([w, b]) - lr * np.array(gradients(w, b, x, y))


def one_step(step, gradients, w, b, x, y, lr):
    new_w, new_b = step(w, b, x, y, lr)
    return new_w, new_b


@question(
    points=2,
    right=right_step,
    also=(right_step_as_one_array,),
    hints=(
        "The slope says which way is uphill. You want to go the other way, by lr times the slope.",
        "Call gradients(w, b, x, y) once, and keep both slopes before you move anything.",
        "After slope_w, slope_b = gradients(w, b, x, y): w - lr * slope_w is the new w. The same "
        "for b.",
    ),
)
def step(rng):
    """One step of gradient descent for the line w * x + b."""
    yield one_step, *rng.normal(size=2), rng.normal(size=5) + 2, rng.normal(size=5), 0.15
    yield one_step, *rng.normal(size=2), rng.normal(size=7) - 1, rng.normal(size=7), 0.7
    yield one_step, 0.0, 0.0, rng.normal(size=3) * 1e-3, rng.normal(size=3) * 1e-3, 0.3


@wrong(step, sneaky=True)
def uphill(w, b, x, y, lr):
    """You went uphill. The slope points to where the loss grows, so the step goes against it:
    `w - lr * slope`, with a minus."""
    slope_w, slope_b = gradients(w, b, x, y)
    return w + lr * slope_w, b + lr * slope_b


@wrong(step, like=uphill)
def uphill_in_place(w, b, x, y, lr):
    slopes = gradients(w, b, x, y)
    w += lr * slopes[0]
    b += lr * slopes[1]
    return [w, b]


@wrong(step, sneaky=True)
def b_after_w(w, b, x, y, lr):
    """Your w is right. But b was moved by a slope that was measured after w had moved, at another
    place. Measure both slopes first, then move both."""
    w = w - lr * gradients(w, b, x, y)[0]
    b = b - lr * gradients(w, b, x, y)[1]
    return w, b


@wrong(step, like=b_after_w)
def b_after_w_by_hand(w, b, x, y, lr):
    w = w - lr * 2 * sum(x * (w * x + b - y)) / len(x)
    return w, b - lr * 2 * sum(w * x + b - y) / len(x)


@wrong(step, sneaky=True)
def w_after_b(w, b, x, y, lr):
    """Your b is right. But w was moved by a slope that was measured after b had moved, at another
    place. Measure both slopes first, then move both."""
    b = b - lr * gradients(w, b, x, y)[1]
    w = w - lr * gradients(w, b, x, y)[0]
    return w, b


@wrong(step, like=w_after_b)
def w_after_b_by_hand(w, b, x, y, lr):
    new_b = b - lr * 2 * np.mean(w * x + b - y)
    return w - lr * 2 * np.mean((w * x + new_b - y) * x), new_b


@wrong(step)
def rate_forgotten(w, b, x, y, lr):
    """You stepped by the whole slope. The step is lr times the slope, and lr is small for a
    reason: the slope is that of this place, and changes on the way."""
    slope_w, slope_b = gradients(w, b, x, y)
    return w - slope_w, b - slope_b


@wrong(step)
def slopes_exchanged(w, b, x, y, lr):
    """The slopes are exchanged: `gradients` returns that of w first, then that of b."""
    slope_b, slope_w = gradients(w, b, x, y)
    return w - lr * slope_w, b - lr * slope_b


@wrong(step, sneaky=True)
def b_stays(w, b, x, y, lr):
    """Your w is right, but b never moves. The line can turn, and its height at x = 0 stays."""
    return w - lr * gradients(w, b, x, y)[0], b


@wrong(step, like=b_stays)
def b_stays_by_hand(w, b, x, y, lr):
    slope = sum(2 * (w * a + b - c) * a for a, c in zip(x, y, strict=True)) / len(x)
    return [w - lr * slope, b]


@wrong(step)
def only_the_step(w, b, x, y, lr):
    """You returned the step itself. The new w is the old w plus the step."""
    slope_w, slope_b = gradients(w, b, x, y)
    return -lr * slope_w, -lr * slope_b


# --------------------------------------------------------------------- many steps, the best


def right_descend(f, slope, w, lr, steps):
    best = w
    for _ in range(steps):
        w = w - lr * slope(w)
        if f(w) < f(best):
            best = w
    return best


def right_descend_with_a_list(f, slope, w, lr, steps):
    places = [w]
    while len(places) <= steps:
        places.append(places[-1] - lr * slope(places[-1]))
    return min(places, key=f)


def down_a_bowl(descend, a, c, w, lr, steps):
    """f(u) = a * (u - c)², and slope(u) is its slope."""
    return descend(lambda u: a * (u - c) ** 2, lambda u: 2 * a * (u - c), w, lr, steps)


def down_two_wells(descend, tilt, w, lr, steps):
    """f(u) = (u² - 1)² + tilt * u has two wells, and the learning rate is too large for both."""
    return descend(
        lambda u: (u * u - 1) ** 2 + tilt * u, lambda u: 4 * u * (u * u - 1) + tilt, w, lr, steps
    )


def to_and_fro(rng):
    """Two wells and a start from which the lowest place is passed in the middle of the walk."""
    while True:
        tilt, w, lr, steps = rng.uniform(0.2, 0.5), rng.uniform(-1.2, 1.2), 0.4, 9

        def f(u, tilt=tilt):
            return (u * u - 1) ** 2 + tilt * u

        places = [w]
        for _ in range(steps):
            u = places[-1]
            places.append(u - lr * (4 * u * (u * u - 1) + tilt))
        heights = [f(u) for u in places]
        lowest = int(np.argmin(heights))
        rises = int(np.argmax(np.diff(heights) > 0))
        flattest = int(np.argmin([abs(4 * u * (u * u - 1) + tilt) for u in places]))
        apart = np.sort(heights)[1] - heights[lowest] > 1e-2
        if 2 < lowest < steps - 1 and 0 < rises < lowest and flattest != lowest and apart:
            return tilt, w, lr, steps


@question(
    points=3,
    right=right_descend,
    also=(right_descend_with_a_list,),
    hints=(
        "The place where the walk ends need not be the lowest. Which place must you remember on "
        "the way?",
        "Begin with best = w. After each step, ask: is it lower here than at best?",
        "In the loop: w = w - lr * slope(w), then `if f(w) < f(best): best = w`. Return best.",
    ),
)
def descend(rng):
    """Many steps downhill, and the lowest place that was passed."""
    c = rng.normal()
    yield down_a_bowl, rng.uniform(0.5, 1.5), c, c + rng.uniform(1, 2), 0.1, 6
    yield down_two_wells, *to_and_fro(rng)
    yield down_a_bowl, 1.0, c, c - rng.uniform(1, 2), 1.1, 5
    yield down_a_bowl, 1.0, c * 1e-3, c * 1e-3 + rng.uniform(1, 2) * 1e-3, 0.3, 4


@wrong(descend, sneaky=True)
def last_for_best(f, slope, w, lr, steps):
    """You returned the last place. With a learning rate that is too large the walk can pass a low
    place and leave it again: remember the lowest."""
    for _ in range(steps):
        w = w - lr * slope(w)
    return w


@wrong(descend, like=last_for_best)
def last_of_a_list(f, slope, w, lr, steps):
    places = [w]
    while len(places) <= steps:
        places.append(places[-1] - lr * slope(places[-1]))
    return places[-1]


@wrong(descend)
def lowest_height(f, slope, w, lr, steps):
    """You returned how low it was, f(best). Asked for is where that was."""
    return f(right_descend(f, slope, w, lr, steps))


@wrong(descend, sneaky=True)
def start_not_counted(f, slope, w, lr, steps):
    """You did not count the start. If every step leads upward, the start is the lowest place."""
    w = best = w - lr * slope(w)
    for _ in range(steps - 1):
        w = w - lr * slope(w)
        if f(w) < f(best):
            best = w
    return best


@wrong(descend, like=start_not_counted)
def start_not_in_the_list(f, slope, w, lr, steps):
    places = []
    for _ in range(steps):
        w -= lr * slope(w)
        places.append(w)
    return min(places, key=f)


@wrong(descend, sneaky=True)
def end_not_counted(f, slope, w, lr, steps):
    """You compared before each step, so nobody looked at the place after the last one. Step first,
    then compare."""
    best = w
    for _ in range(steps):
        if f(w) < f(best):
            best = w
        w = w - lr * slope(w)
    return best


@wrong(descend, like=end_not_counted)
def end_not_in_the_list(f, slope, w, lr, steps):
    places = []
    for _ in range(steps):
        places.append(w)
        w -= lr * slope(w)
    return min(places, key=f)


@wrong(descend)
def slope_of_the_start(f, slope, w, lr, steps):
    """You measured the slope once, at the start. It is another one at every place: call slope(w)
    again for each step."""
    once, best = slope(w), w
    for _ in range(steps):
        w = w - lr * once
        if f(w) < f(best):
            best = w
    return best


@wrong(descend)
def climbs(f, slope, w, lr, steps):
    """You went uphill: the step goes against the slope, with a minus."""
    best = w
    for _ in range(steps):
        w = w + lr * slope(w)
        if f(w) < f(best):
            best = w
    return best


@wrong(descend)
def highest(f, slope, w, lr, steps):
    """You kept the highest place. A place is better if f is smaller there."""
    best = w
    for _ in range(steps):
        w = w - lr * slope(w)
        if f(w) > f(best):
            best = w
    return best


@wrong(descend, sneaky=True)
def gives_up(f, slope, w, lr, steps):
    """You stopped at the first step that led upward. A lower place can come after it: make all the
    steps, and remember the lowest place."""
    for _ in range(steps):
        new = w - lr * slope(w)
        if f(new) >= f(w):
            break
        w = new
    return w


@wrong(descend, like=gives_up)
def gives_up_by_condition(f, slope, w, lr, steps):
    while steps > 0 and f(w - lr * slope(w)) < f(w):
        w, steps = w - lr * slope(w), steps - 1
    return w


@wrong(descend, sneaky=True)
def flattest(f, slope, w, lr, steps):
    """You kept the place where the slope is closest to 0. It can be flat on a hump as well. Compare
    f, the height."""
    best = w
    for _ in range(steps):
        w = w - lr * slope(w)
        if abs(slope(w)) < abs(slope(best)):
            best = w
    return best


@wrong(descend, like=flattest)
def flattest_of_a_list(f, slope, w, lr, steps):
    places = [w]
    for _ in range(steps):
        places.append(places[-1] - lr * slope(places[-1]))
    return sorted(places, key=lambda u: slope(u) ** 2)[0]


# -------------------------------------------------------------------------------- momentum


def right_roll(slope, w, lr, keep, steps):
    v = 0.0
    for _ in range(steps):
        v = keep * v + slope(w)
        w = w - lr * v
    return w


def right_roll_by_the_last_move(slope, w, lr, keep, steps):
    before = w
    for _ in range(steps):
        before, w = w, w + keep * (w - before) - lr * slope(w)
    return w


def in_a_bowl(roll, a, c, w, lr, keep, steps):
    """slope(u) = 2 * a * (u - c)."""
    return roll(lambda u: 2 * a * (u - c), w, lr, keep, steps)


def in_two_wells(roll, tilt, w, lr, keep, steps):
    """slope(u) = 4 * u * (u² - 1) + tilt."""
    return roll(lambda u: 4 * u * (u * u - 1) + tilt, w, lr, keep, steps)


@question(
    points=2,
    right=right_roll,
    also=(right_roll_by_the_last_move,),
    hints=(
        "v must live longer than one step. Where in your function does it become 0?",
        "Three lines in the right order: v = 0.0 before the loop; in it first the new v, then the "
        "new w.",
        "In the loop: v = keep * v + slope(w), then w = w - lr * v.",
    ),
)
def roll(rng):
    """Where a walk with momentum is after some steps."""
    c = rng.normal()
    yield in_a_bowl, rng.uniform(0.5, 1.5), c, c + rng.uniform(1, 2), 0.1, 0.8, 3
    yield in_two_wells, rng.uniform(0.2, 0.5), rng.uniform(1.3, 1.6), 0.02, 0.7, 5
    yield in_a_bowl, rng.uniform(0.5, 1.5), 0.0, rng.uniform(1, 2) * 1e-3, 0.2, 0.5, 4


@wrong(roll, sneaky=True)
def v_forgotten(slope, w, lr, keep, steps):
    """Your v begins with 0 at each step, so nothing is kept and this is plain descent. Set it to 0
    once, before the loop."""
    for _ in range(steps):
        v = 0.0
        v = keep * v + slope(w)
        w = w - lr * v
    return w


@wrong(roll, like=v_forgotten)
def plain_descent(slope, w, lr, keep, steps):
    for _ in range(steps):
        w -= lr * slope(w)
    return w


@wrong(roll, sneaky=True)
def keeps_everything(slope, w, lr, keep, steps):
    """You added up all slopes and let none of them fade. v keeps only `keep` of itself at each
    step: keep * v + slope(w)."""
    v = 0.0
    for _ in range(steps):
        v += slope(w)
        w = w - lr * v
    return w


@wrong(roll, like=keeps_everything)
def keeps_a_list(slope, w, lr, keep, steps):
    slopes = []
    for _ in range(steps):
        slopes.append(slope(w))
        w -= lr * sum(slopes)
    return w


@wrong(roll, sneaky=True)
def an_average(slope, w, lr, keep, steps):
    """You made v an average: the new slope counts only (1 - keep). Some books do that, and need a
    larger learning rate for it. Here, as in PyTorch, the new slope counts in full."""
    v = 0.0
    for _ in range(steps):
        v = keep * v + (1 - keep) * slope(w)
        w = w - lr * v
    return w


@wrong(roll, like=an_average)
def an_average_by_difference(slope, w, lr, keep, steps):
    v = 0.0
    for _ in range(steps):
        here = slope(w)
        v = here + keep * (v - here)
        w -= v * lr
    return w


@wrong(roll, sneaky=True)
def moves_first(slope, w, lr, keep, steps):
    """You moved w by the old v, and then worked out the new one. The first step then goes nowhere:
    v first, w after it."""
    v = 0.0
    for _ in range(steps):
        w, v = w - lr * v, keep * v + slope(w)
    return w


@wrong(roll, like=moves_first)
def moves_first_from_zero(slope, w, lr, keep, steps):
    v = 0.0
    for _ in range(steps):
        moved = lr * v
        v = slope(w) + v * keep
        w -= moved
    return w


@wrong(roll, sneaky=True)
def looks_ahead(slope, w, lr, keep, steps):
    """You measured the slope where v would carry w, not where w is. That is Nesterov's variant.
    Here the slope is that of the place itself, slope(w)."""
    v = 0.0
    for _ in range(steps):
        v = keep * v + slope(w - lr * keep * v)
        w = w - lr * v
    return w


@wrong(roll, like=looks_ahead)
def looks_ahead_in_two_moves(slope, w, lr, keep, steps):
    v = 0.0
    for _ in range(steps):
        w -= lr * keep * v
        here = slope(w)
        w, v = w - lr * here, keep * v + here
    return w


@wrong(roll)
def climbs_with_momentum(slope, w, lr, keep, steps):
    """You went uphill: w moves against v, with a minus."""
    v = 0.0
    for _ in range(steps):
        v = keep * v + slope(w)
        w = w + lr * v
    return w


@wrong(roll)
def rate_inside_too(slope, w, lr, keep, steps):
    """The learning rate is in it twice: once in v, and once in the step. One of them is enough."""
    v = 0.0
    for _ in range(steps):
        v = keep * v + lr * slope(w)
        w = w - lr * v
    return w


# --------------------------------------------------------------------------- looking around


def right_kind(f, x, y, h):
    here = f(x, y)
    changes = [f(x + h * dx, y + h * dy) - here for dx, dy in directions]
    if min(changes) >= 0:
        return "minimum"
    if max(changes) <= 0:
        return "maximum"
    return "saddle"


def right_kind_by_counting(f, x, y, h):
    around = [f(x + h * dx, y + h * dy) for dx, dy in directions]
    up, down = any(a > f(x, y) for a in around), any(a < f(x, y) for a in around)
    return "saddle" if up and down else "minimum" if up else "maximum"


def look_around(kind_of_place, a, b, c, height, x, y, h):
    """From (x, y), which has this height, f changes by a * dx² + b * dx * dy + c * dy²."""

    def f(u, v):
        return a * (u - x) ** 2 + b * (u - x) * (v - y) + c * (v - y) ** 2 + height

    return kind_of_place(f, x, y, h)


def of_each_kind(rng):
    """a, b and c for every kind of place there is."""
    a, c, small, large = *rng.uniform(0.7, 1.2, size=2), rng.uniform(-1, 1), rng.uniform(3, 5)
    return [
        (a, small, c),  # a bowl
        (-a, small, -c),  # a hill
        (a, small, -2 * c),  # a saddle, along the axes
        (-a, small, 2 * c),
        (a, large, c),  # a saddle, and a bowl if one looks along the axes
        (a, -large, c),
        (-a, large, -c),  # a saddle, and a hill if one looks along the axes
        (0.0, 0.0, c),  # a valley
        (a, 0.0, 0.0),
        (0.0, 0.0, -c),  # a ridge
    ]


@question(
    points=2,
    right=right_kind,
    also=(right_kind_by_counting,),
    hints=(
        "The slope is 0 at all three kinds of place. What differs is what lies around.",
        "For each (dx, dy) of directions: what is f(x + h * dx, y + h * dy) minus f(x, y)?",
        'Collect these sixteen changes in a list. None below 0: "minimum". None above 0: '
        '"maximum". Some of each: "saddle".',
    ),
)
def kind_of_place(rng):
    """What kind of place with slope 0 this is."""
    kinds = of_each_kind(rng)
    for i in [*rng.permutation(len(kinds)), *rng.integers(len(kinds), size=10)]:
        height = rng.uniform(50, 60) * rng.choice([-1, 1])
        yield look_around, *kinds[i], height, *rng.normal(size=2), rng.uniform(0.1, 0.3)


@wrong(kind_of_place, sneaky=True)
def flat_so_minimum(f, x, y, h):
    """The slope is 0 here, so you said "minimum". The top of a hill and a saddle have slope 0 too.
    Look around before you say."""
    return "minimum"


@wrong(kind_of_place, like=flat_so_minimum)
def flat_so_minimum_measured(f, x, y, h):
    slope_x = (f(x + h, y) - f(x - h, y)) / (2 * h)
    slope_y = (f(x, y + h) - f(x, y - h)) / (2 * h)
    return "minimum" if abs(slope_x) + abs(slope_y) < 1e-6 else "saddle"


@wrong(kind_of_place, sneaky=True)
def along_the_axes(f, x, y, h):
    """You looked along x and along y only. A saddle can lie across: up in these four directions,
    and down in between. Look in all sixteen."""
    changes = [f(x + u, y + v) - f(x, y) for u, v in ((h, 0), (-h, 0), (0, h), (0, -h))]
    if min(changes) >= 0:
        return "minimum"
    return "maximum" if max(changes) <= 0 else "saddle"


@wrong(kind_of_place, like=along_the_axes)
def along_the_axes_by_bends(f, x, y, h):
    bends = (
        f(x + h, y) + f(x - h, y) - 2 * f(x, y),
        f(x, y + h) + f(x, y - h) - 2 * f(x, y),
    )
    up, down = any(bend > 1e-9 for bend in bends), any(bend < -1e-9 for bend in bends)
    return "saddle" if up and down else "maximum" if down else "minimum"


@wrong(kind_of_place, sneaky=True)
def on_average(f, x, y, h):
    """You went by the average of the places around. At a saddle it can be above or below, and says
    nothing. One direction that goes down is enough to be no minimum."""
    total = sum(f(x + h * dx, y + h * dy) - f(x, y) for dx, dy in directions)
    return "minimum" if total > 0 else "maximum"


@wrong(kind_of_place, like=on_average)
def on_average_by_mean(f, x, y, h):
    around = np.mean([f(x + h * dx, y + h * dy) for dx, dy in directions])
    if around == f(x, y):
        return "saddle"
    return ["maximum", "minimum"][int(around > f(x, y))]


@wrong(kind_of_place)
def against_zero(f, x, y, h):
    """You compared the places around with 0. Compare them with the place itself, f(x, y)."""
    around = [f(x + h * dx, y + h * dy) for dx, dy in directions]
    if min(around) >= 0:
        return "minimum"
    return "maximum" if max(around) <= 0 else "saddle"


@wrong(kind_of_place)
def names_exchanged(f, x, y, h):
    """The names are exchanged: if everything around is higher, you stand at a minimum."""
    kind = right_kind(f, x, y, h)
    return {"minimum": "maximum", "maximum": "minimum"}.get(kind, kind)


@wrong(kind_of_place, sneaky=True)
def one_way_down(f, x, y, h):
    """You have no saddle: whatever has a way down is a "maximum" for you. A saddle has ways down
    and ways up."""
    changes = [f(x + h * dx, y + h * dy) - f(x, y) for dx, dy in directions]
    return "minimum" if min(changes) >= 0 else "maximum"


@wrong(kind_of_place, like=one_way_down)
def one_way_down_by_any(f, x, y, h):
    lower = any(f(x + h * dx, y + h * dy) < f(x, y) for dx, dy in directions)
    return "maximum" if lower else "minimum"


# ------------------------------------------------------------------------------- catch it


def walk(w, lr, steps, clear):
    """Steps down w * w; without `clear` each slope is added to those before it."""
    if not isinstance(steps, int) or not 0 <= steps <= 50:
        raise ValueError(f"steps must be a whole number from 0 to 50; got {steps}")
    grad = 0.0
    for _ in range(steps):
        grad = 2 * w if clear else grad + 2 * w
        w = w - lr * grad
    return float(w)


def descent(w, lr, steps):
    return walk(w, lr, steps, clear=True)


def descent_without_zero_grad(w, lr, steps):
    return walk(w, lr, steps, clear=False)


@catch(
    points=1,
    right=descent,
    wrong=descent_without_zero_grad,
    size=3,
    largest=100.0,
    hints=(
        "When is an old slope still there? What must have happened before?",
        "The first step is always right. How many steps show the mistake?",
        "w = 1.0 with lr = 0.1 and 2 steps: the right one is at 0.64.",
    ),
)
def caught():
    """A start, a learning rate and a number of steps that show a forgotten zero_grad."""
    return 3.0, 0.2, 2


@wrong(caught, when=lambda w, lr, steps: w == 0 or lr == 0)
def nothing_moves():
    """Nothing moves here, with or without the mistake: the slope at 0 is 0, and with a learning
    rate of 0 no step has a length."""
    return 0.0, 0.1, 10


@wrong(caught, when=lambda w, lr, steps: steps < 2)
def too_few_steps():
    """At the first step there is no old slope that could be left over. One step never shows this
    mistake."""
    return 1.0, 0.1, 1


@wrong(caught, when=lambda w, lr, steps: True)
def at_the_same_place():
    """The two go different ways, and at this very step they stand at the same place. Take one step
    more, or another learning rate."""
    return 1.0, 0.5, 4
