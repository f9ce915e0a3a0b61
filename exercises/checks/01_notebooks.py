"""Exercise 01: a practice round. Three small answers, on which each message of a check is met."""

from nncheck import call, catch, question, wrong

USES = "numpy"


# --------------------------------------------------------------------------- unfinished, right


def right_double(number):
    return 2 * number


def right_double_as_a_sum(number):
    return number + number


@question(
    points=0,
    right=right_double,
    also=(right_double_as_a_sum,),
    hints=(
        "What must stand behind `return`, so that double(5) is 10?",
        "The number plus itself, or 2 times the number. In Python, times is written *.",
        "return 2 * number",
    ),
)
def double(rng):
    """Twice a number."""
    yield call, float(rng.integers(3, 9))
    yield call, rng.uniform(3, 9)
    yield call, -rng.uniform(3, 9)
    yield call, rng.uniform(3, 9) * 1e-3


@wrong(double, sneaky=True)
def squared(number):
    """You multiplied the number by itself. That is the same for 2, and for 0, and for nothing
    else: twice 5 is 10, and 5 times 5 is 25."""
    return number * number


@wrong(double, like=squared)
def squared_as_a_power(number):
    return number**2


@wrong(double, sneaky=True)
def two_more(number):
    """You added 2. That is the same for 2 only. Twice a number is the number plus itself."""
    return number + 2


@wrong(double, like=two_more)
def two_more_as_a_sum(number):
    return sum([number, 1, 1])


@wrong(double)
def unchanged(number):
    """This is the number itself, as it came in."""
    return number


@wrong(double)
def halved(number):
    """You divided by 2. Twice the number is more, not less."""
    return number / 2


# ------------------------------------------------------------------------------ a known mistake


def right_mean(a, b):
    return (a + b) / 2


def right_mean_from_a_on(a, b):
    return a + (b - a) / 2


@question(
    points=0,
    right=right_mean,
    also=(right_mean_from_a_on,),
    hints=(
        "Add the two numbers first. Then halve the whole sum.",
        "Python divides before it adds. Brackets say what comes first.",
        "The sum in brackets, and after the brackets / 2.",
    ),
)
def mean(rng):
    """The number in the middle between two numbers."""
    yield call, rng.uniform(3, 9), rng.uniform(11, 19)
    yield call, rng.uniform(11, 19), -rng.uniform(3, 9)
    yield call, rng.uniform(3, 9) * 1e-3, rng.uniform(11, 19) * 1e-3
    yield call, int(2 * rng.integers(3, 9) + 1), int(2 * rng.integers(11, 19))  # an odd sum


@wrong(mean, sneaky=True)
def only_b_halved(a, b):
    """Python divides before it adds, so only b was halved, and all of a was added. Put the sum in
    brackets. With a = 0 the two are equal, so such a test would not show it."""
    return a + b / 2


@wrong(mean, like=only_b_halved)
def only_b_halved_by_a_product(a, b):
    return 0.5 * b + a


@wrong(mean)
def only_a_halved(a, b):
    """You halved only a, and added all of b. Halve the sum of both."""
    return a / 2 + b


@wrong(mean)
def not_halved(a, b):
    """This is the sum. The mean is half of it."""
    return a + b


@wrong(mean, sneaky=True)
def cut_off(a, b):
    """// divides and cuts off what stands behind the point, so the mean of 3 and 4 became 3. A
    single / keeps it. With 3 and 5 you would not have seen it."""
    return (a + b) // 2


@wrong(mean, like=cut_off)
def cut_off_by_divmod(a, b):
    return divmod(a + b, 2)[0]


@wrong(mean)
def half_the_distance(a, b):
    """This is half the distance from a to b. The mean lies in the middle between them: add them,
    and halve the sum."""
    return (b - a) / 2


# ---------------------------------------------------------------------------- changed, gone


def right_seconds(minutes, rest):
    return 60 * minutes + rest


def right_seconds_step_by_step(minutes, rest):
    total = rest
    for _ in range(60):
        total = total + minutes
    return total


@question(
    points=0,
    right=right_seconds,
    also=(right_seconds_step_by_step,),
    hints=(
        "How many seconds are in one minute? In as many minutes as `minutes` says?",
        "Turn the minutes into seconds. Then add the rest, which are seconds already.",
        "return 60 * minutes + rest",
    ),
)
def seconds(rng):
    """How many seconds some minutes and a rest in seconds are together."""
    yield call, int(rng.integers(3, 9)), int(rng.integers(11, 59))
    yield call, int(rng.integers(11, 59)), int(rng.integers(3, 9))
    yield call, rng.uniform(3, 9) * 1e-3, rng.uniform(11, 59) * 1e-3


@wrong(seconds, sneaky=True)
def the_other_way_round(minutes, rest):
    """You multiplied the rest by 60, and took the minutes as seconds. It is the other way round:
    the minutes must be turned into seconds. With 3 minutes and 3 seconds nobody would see it."""
    return minutes + 60 * rest


@wrong(seconds, like=the_other_way_round)
def the_other_way_round_in_steps(minutes, rest):
    rest *= 60
    return rest + minutes


@wrong(seconds)
def rest_forgotten(minutes, rest):
    """These are the seconds of the minutes alone. Add the rest."""
    return 60 * minutes


@wrong(seconds)
def both_times_sixty(minutes, rest):
    """You multiplied the rest by 60 too. It is in seconds already. Python multiplies before it
    adds, if no brackets say otherwise."""
    return 60 * (minutes + rest)


@wrong(seconds)
def hundred_to_the_minute(minutes, rest):
    """A minute has 60 seconds, not 100."""
    return 100 * minutes + rest


@wrong(seconds)
def not_converted(minutes, rest):
    """You added minutes to seconds. Turn the minutes into seconds first."""
    return minutes + rest


@wrong(seconds)
def in_minutes(minutes, rest):
    """This is the time in minutes. The question asks for seconds."""
    return minutes + rest / 60


# ------------------------------------------------------------------------------- catch it


@catch(
    points=1,
    right=right_double,
    wrong=squared,
    size=1,
    largest=100.0,
    hints=(
        "What might somebody do with 2 to get 4, other than double it?",
        "2 + 2 and 2 * 2 are both 4. Is there another number for which that holds?",
        "Try 5: twice 5 is 10, and 5 times 5 is 25.",
    ),
)
def caught():
    """A number for which the broken one does not give twice the number."""
    return 5.0


@wrong(caught, when=lambda number: number == 2)
def two_again():
    """That is the number it was tested with, and for 2 the reply is right. Look for another."""
    return 2.0


@wrong(caught, when=lambda number: number == 0)
def zero():
    """For 0 the broken one gives 0, and twice 0 is 0. Many mistakes give the right reply for 0.
    Look for another number."""
    return 0.0
