"""Exercise 22: build the engine behind `Value`: local derivatives, an order, a walk."""

from collections import deque

from nncheck import catch, question, wrong

USES = "numpy"


class Value:
    """A number that remembers how it was made. The notebook gives this class."""

    def __init__(self, data, inputs=(), locals=()):
        self.data = data
        self.grad = 0.0
        self.inputs = inputs
        self.locals = locals


# ---------------------------------------------------------------- one operation at a time


def right_mul(a, b):
    return Value(a.data * b.data, (a, b), (b.data, a.data))


def right_mul_listed_backwards(a, b):
    return Value(b.data * a.data, [b, a], [a.data, b.data])


def product(mul, Value, a, b):
    x, y = Value(a), Value(b)
    z = mul(x, y)
    slope_for_a = sum(d for i, d in zip(z.inputs, z.locals, strict=False) if i is x)
    slope_for_b = sum(d for i, d in zip(z.inputs, z.locals, strict=False) if i is y)
    return [z.data, slope_for_a, slope_for_b]


@question(
    points=1,
    right=right_mul,
    also=(right_mul_listed_backwards,),
    hints=(
        "Nudge a by a little and hold b still. How far does a * b move?",
        "If b is 5, a nudge of 1 in a moves the product by 5. So what is the slope for a?",
        "Each input's slope is the *other* input's number: (b.data, a.data).",
    ),
)
def mul(rng):
    """The product of two Values, with its two local derivatives."""
    yield product, rng.normal(), rng.normal() + 3
    yield product, rng.normal() * 1e-3, rng.normal() * 5


@wrong(mul, sneaky=True)
def own_data(a, b):
    """You gave each input its own number as its slope. The slope for a is the number it is
    multiplied by, and that is b. With a = b the two agree, so a square would not show it."""
    return Value(a.data * b.data, (a, b), (a.data, b.data))


@wrong(mul, like=own_data)
def own_data_in_a_loop(a, b):
    made = Value(a.data * b.data)
    made.inputs, made.locals = [b, a], [i.data for i in (b, a)]
    return made


@wrong(mul)
def slopes_of_a_sum(a, b):
    """Both slopes are 1 here. That is the rule for a + b; in a product, a nudge in a is
    stretched by b."""
    return Value(a.data * b.data, (a, b), (1.0, 1.0))


@wrong(mul)
def whole_product(a, b):
    """You used the product itself as the slope. Nudge a by 1: a * b grows by b, not by a * b."""
    return Value(a.data * b.data, (a, b), (a.data * b.data, a.data * b.data))


def right_power(a, k):
    return Value(a.data**k, (a,), (k * a.data ** (k - 1),))


def right_power_by_quotient(a, k):
    made = a.data**k
    return Value(made, [a], [k * made / a.data])


def powered(power, Value, a, k):
    x = Value(a)
    z = power(x, k)
    slope = sum(d for i, d in zip(z.inputs, z.locals, strict=False) if i is x)
    return [z.data, slope]


@question(
    points=1,
    right=right_power,
    also=(right_power_by_quotient,),
    hints=(
        "What is the slope of x squared at 3? And of x cubed?",
        "The exponent comes down in front, and one less stays up.",
        "k * a.data ** (k - 1), in a tuple with one number: (slope,)",
    ),
)
def power(rng):
    """A Value raised to a plain number k, with its local derivative."""
    yield powered, rng.uniform(0.5, 3), rng.uniform(1.5, 4)
    yield powered, -rng.uniform(0.5, 3), 3
    yield powered, rng.uniform(0.5, 3), -1


@wrong(power)
def exponent_not_lowered(a, k):
    """The k came down in front, but the exponent stayed k. It should drop to k - 1."""
    return Value(a.data**k, (a,), (k * a.data**k,))


@wrong(power)
def factor_forgotten(a, k):
    """The exponent dropped to k - 1, but the factor k in front is missing."""
    return Value(a.data**k, (a,), (a.data ** (k - 1),))


@wrong(power, sneaky=True)
def always_a_square(a, k):
    """Your slope is 2 * a.data. That is right for k = 2 and for no other exponent."""
    return Value(a.data**k, (a,), (2 * a.data,))


@wrong(power, like=always_a_square)
def always_a_square_summed(a, k):
    return Value(a.data**k, [a], [a.data + a.data])


def right_relu(a):
    return Value(max(0.0, a.data), (a,), (1.0 if a.data > 0 else 0.0,))


def right_relu_by_product(a):
    on = float(a.data > 0)
    return Value(on * a.data, [a], [on])


def rectified(relu, Value, a):
    x = Value(a)
    z = relu(x)
    slope = sum(d for i, d in zip(z.inputs, z.locals, strict=False) if i is x)
    return [z.data, slope]


@question(
    points=1,
    right=right_relu,
    also=(right_relu_by_product,),
    hints=(
        "Draw relu. How steep is it to the right of zero, and how steep to the left?",
        "Two cases: for a positive number relu copies, for a negative one it answers 0.",
        "The slope is 1.0 if a.data > 0 else 0.0.",
    ),
)
def relu(rng):
    """max(0, a), with its local derivative."""
    yield rectified, rng.uniform(1.5, 4)
    yield rectified, -rng.uniform(1.5, 4)
    yield rectified, rng.uniform(0.1, 0.9) * 1e-3
    yield rectified, -rng.uniform(0.1, 0.9) * 1e-3
    yield rectified, 0.0


@wrong(relu, sneaky=True)
def slope_one_everywhere(a):
    """Your slope is 1 for negative numbers too. There relu is flat: a nudge moves nothing."""
    return Value(max(0.0, a.data), (a,), (1.0,))


@wrong(relu, like=slope_one_everywhere)
def slope_one_by_default(a):
    made = Value(a.data if a.data > 0 else 0.0)
    made.inputs, made.locals = [a], [1]
    return made


@wrong(relu)
def output_as_slope(a):
    """You used relu's output as its slope. At 3 the output is 3, but a nudge of 0.001 moves it
    by 0.001: the slope is 1."""
    return Value(max(0.0, a.data), (a,), (max(0.0, a.data),))


@wrong(relu)
def not_clipped(a):
    """The slopes are right, but negative numbers pass through. relu answers 0 for them."""
    return Value(a.data, (a,), (1.0 if a.data > 0 else 0.0,))


# ------------------------------------------------------------------------------- the order


def right_order(root):
    done, seen = [], set()

    def visit(value):
        if value in seen:
            return
        seen.add(value)
        for i in value.inputs:
            visit(i)
        done.append(value)

    visit(root)
    return done


def right_order_without_recursion(root):
    done, stack = [], [(root, False)]
    while stack:
        value, inputs_done = stack.pop()
        if inputs_done and value not in done:
            done.append(value)
        elif value not in done:
            stack.append((value, True))
            stack.extend((i, False) for i in value.inputs)
    return done


def walk_along(order, Value, a, b, flipped):
    """The check walks back over your order. Some of the numbers are used more than once."""
    x, y = Value(a), Value(b)
    u = Value(a * a, (x, x), (a, a))
    w = Value(u.data * a, (u, x), (a, u.data))
    v = Value(w.data * b, (y, w), (w.data, b))
    if flipped:
        root = Value(w.data + u.data + v.data, (v, w, u), (1.0, 1.0, 1.0))
    else:
        root = Value(w.data + u.data + v.data, (u, w, v), (1.0, 1.0, 1.0))
    root.grad = 1.0
    for value in reversed(order(root)):
        for i, local in zip(value.inputs, value.locals, strict=True):
            i.grad += value.grad * local
    return [x.grad, y.grad, u.grad, w.grad]


@question(
    points=2,
    right=right_order,
    also=(right_order_without_recursion,),
    hints=(
        "A Value that is used twice is reached twice. How do you notice the second time?",
        "A Value may join the list only when all its inputs are in it.",
        "First: `if value in seen: return`, then `seen.add(value)`. Last: `done.append(value)`.",
    ),
)
def order(rng):
    """Every Value behind root, once, each after its inputs."""
    yield walk_along, rng.uniform(1.5, 3), rng.uniform(-3, -1.5), False
    yield walk_along, rng.uniform(1.5, 3), rng.uniform(-3, -1.5), True


@wrong(order, sneaky=True)
def no_visited_set(root):
    """You list a Value again each time it is used. In the walk back it then passes its gradient
    on once per listing, so everything behind it gets too much."""
    done = []

    def visit(value):
        for i in value.inputs:
            visit(i)
        done.append(value)

    visit(root)
    return done


@wrong(order, like=no_visited_set)
def lists_added_up(root):
    return sum((lists_added_up(i) for i in root.inputs), []) + [root]


@wrong(order)
def root_first(root):
    """Your list begins with the root: each Value joined before its inputs. Walked back from its
    end, it starts at the leaves, which have no gradient to pass on yet."""
    done, seen = [], set()

    def visit(value):
        if value in seen:
            return
        seen.add(value)
        done.append(value)
        for i in value.inputs:
            visit(i)

    visit(root)
    return done


@wrong(order, sneaky=True)
def by_distance(root):
    """You ordered the Values by their distance from the root. A Value close to the root can still
    be waiting for a gradient that takes the long way round; it must not pass on before."""
    done, queue = [], deque([root])
    while queue:
        value = queue.popleft()
        if value not in done:
            done.append(value)
            queue.extend(value.inputs)
    return done[::-1]


@wrong(order, like=by_distance)
def by_level(root):
    done, level = [], [root]
    while level:
        fresh = []
        for value in level:
            if value not in done and value not in fresh:
                fresh.append(value)
        done += fresh
        level = [i for value in fresh for i in value.inputs]
    return done[::-1]


# -------------------------------------------------------------------------------- the walk


def right_backward(root):
    steps = right_order(root)
    for value in steps:
        if value.inputs:
            value.grad = 0.0
    root.grad = 1.0
    for value in reversed(steps):
        for i, local in zip(value.inputs, value.locals, strict=True):
            i.grad += value.grad * local


def right_backward_collected(root):
    arrived = {root: 1.0}
    for value in reversed(right_order(root)):
        for i, local in zip(value.inputs, value.locals, strict=True):
            arrived[i] = arrived.get(i, 0.0) + arrived[value] * local
    for value, grad in arrived.items():
        value.grad = grad if value.inputs else value.grad + grad


def shared(backward, order, Value, a, b):
    """x reaches the root along several paths, y along one."""
    x, y = Value(a), Value(b)
    u = Value(a * a, (x, x), (a, a))
    w = Value(u.data * b, (u, y), (b, u.data))
    root = Value(w.data + u.data + a, (w, u, x), (1.0, 1.0, 1.0))
    backward(root)
    return [x.grad, y.grad, u.grad, w.grad]


def chain(backward, order, Value, a, slopes):
    """A chain: one input each, so nothing is ever added up."""
    x = value = Value(a)
    for slope in slopes:
        value = Value(value.data * slope, (value,), (slope,))
    backward(value)
    return x.grad


def twice(backward, order, Value, a, b):
    """backward(root) is called twice. The leaves add up, u starts again."""
    x, y = Value(a), Value(b)
    u = Value(a * b, (x, y), (b, a))
    root = Value(u.data * a, (u, x), (a, u.data))
    backward(root)
    first_x, first_y = x.grad, y.grad
    backward(root)
    return [first_x, first_y, x.grad, y.grad, u.grad]


@question(
    points=3,
    right=right_backward,
    also=(right_backward_collected,),
    hints=(
        "Which gradient do you know before the walk begins? How far does the root move when you "
        "nudge the root itself?",
        "Go through reversed(order(root)). What does a Value send to each of its inputs?",
        "The heart is one line: i.grad += value.grad * local. Before the walk: grad = 0.0 for each "
        "Value that has inputs, then root.grad = 1.0.",
    ),
)
def backward(rng):
    """Give every Value behind root its gradient."""
    yield chain, rng.normal(), rng.uniform(1.5, 3, size=4).tolist()
    yield shared, rng.uniform(1.5, 3), rng.uniform(-3, -1.5)
    yield twice, rng.uniform(1.5, 3), rng.uniform(-3, -1.5)


@wrong(backward, sneaky=True)
def assigned(root):
    """You wrote = where += belongs. A Value that is used twice receives two amounts; the second
    wiped out the first."""
    steps = right_order(root)
    for value in steps:
        value.grad = value.grad if not value.inputs else 0.0
    root.grad = 1.0
    for value in reversed(steps):
        for i, local in zip(value.inputs, value.locals, strict=True):
            i.grad = value.grad * local


@wrong(backward, like=assigned)
def assigned_by_index(root):
    root.grad = 1
    for value in right_order(root)[::-1]:
        for n in range(len(value.inputs)):
            value.inputs[n].grad = value.locals[n] * value.grad


@wrong(backward, sneaky=True)
def no_seed(root):
    """Nothing starts the walk: the root's own gradient is 0, and everything behind it is 0 times
    something. Nudge the root by 1 and it moves by 1, so its gradient is 1."""
    steps = right_order(root)
    for value in steps:
        if value.inputs:
            value.grad = 0.0
    for value in reversed(steps):
        for i, local in zip(value.inputs, value.locals, strict=True):
            i.grad += value.grad * local


@wrong(backward, like=no_seed)
def seed_wiped_out(root):
    root.grad = 1.0
    for value in right_order(root):
        if value.inputs:
            value.grad = 0.0
    for value in reversed(right_order(root)):
        for n, i in enumerate(value.inputs):
            i.grad += value.locals[n] * value.grad


@wrong(backward)
def forwards(root):
    """You walked from the leaves to the root. The gradient starts at the root: go through
    reversed(order(root))."""
    steps = right_order(root)
    for value in steps:
        if value.inputs:
            value.grad = 0.0
    root.grad = 1.0
    for value in steps:
        for i, local in zip(value.inputs, value.locals, strict=True):
            i.grad += value.grad * local


@wrong(backward)
def local_only(root):
    """You passed on the local derivative alone. The chain rule multiplies it by the gradient of
    the Value that it leads to: value.grad * local."""
    steps = right_order(root)
    for value in steps:
        if value.inputs:
            value.grad = 0.0
    root.grad = 1.0
    for value in reversed(steps):
        for i, local in zip(value.inputs, value.locals, strict=True):
            i.grad += local


@wrong(backward, sneaky=True)
def stale(root):
    """The first call is right, the second is not: the Values in between kept their old gradient
    and sent it on again. Set grad to 0.0 where a Value has inputs, before the walk."""
    root.grad = 1.0
    for value in reversed(right_order(root)):
        for i, local in zip(value.inputs, value.locals, strict=True):
            i.grad += value.grad * local


@wrong(backward, like=stale)
def stale_by_index(root):
    root.grad = 1
    for value in right_order(root)[::-1]:
        for n in range(len(value.inputs)):
            value.inputs[n].grad += value.locals[n] * value.grad


@wrong(backward, sneaky=True)
def leaves_cleared(root):
    """You set every gradient back to 0, the leaves' too. A leaf keeps what it has and adds to it,
    so that two losses can share their weights; only Values with inputs start again."""
    steps = right_order(root)
    for value in steps:
        value.grad = 0.0
    root.grad = 1.0
    for value in reversed(steps):
        for i, local in zip(value.inputs, value.locals, strict=True):
            i.grad += value.grad * local


@wrong(backward, like=leaves_cleared)
def leaves_overwritten(root):
    arrived = {root: 1.0}
    for value in reversed(right_order(root)):
        for i, local in zip(value.inputs, value.locals, strict=True):
            arrived[i] = arrived.get(i, 0.0) + arrived[value] * local
    for value, grad in arrived.items():
        value.grad = grad


# -------------------------------------------------------------------------------- catch it


def follow(recipe, assign):
    """The gradients of the two inputs 2 and 3 for a recipe of steps ("+" or "*", i, j)."""
    made = [Value(2.0), Value(3.0)]
    for symbol, i, j in recipe:
        a, b = made[i], made[j]
        if symbol == "*":
            made.append(right_mul(a, b))
        elif symbol == "+":
            made.append(Value(a.data + b.data, (a, b), (1.0, 1.0)))
        else:
            raise ValueError(f'a step begins with "+" or "*", not {symbol!r}')
    (assigned if assign else right_backward)(made[-1])
    return [made[0].grad, made[1].grad]


def engine(recipe):
    return follow(recipe, assign=False)


def engine_that_assigns(recipe):
    return follow(recipe, assign=True)


@catch(
    points=1,
    right=engine,
    wrong=engine_that_assigns,
    hints=(
        "The engine is right as long as every number is used once. When is it not?",
        'Use one number in two steps, or twice in one: ("+", 0, 0).',
        'return [("+", 0, 0)] is enough. Find a second recipe that does it in another way.',
    ),
)
def caught():
    """A recipe on which an engine that writes = for += gives a wrong gradient."""


@wrong(caught)
def each_used_once():
    """Here every number is used once, so each gradient receives one amount, and = and += do the
    same. That is why this mistake survives so many tests."""
    return [("*", 0, 1)]
