"""Exercise 04: sums of logs, an average that survives a zero, the best chance, running means."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


# ------------------------------------------------------------------- a sum instead of a product


def right_log_likelihood(p):
    return np.sum(np.log(p))


def right_log_likelihood_by_loop(p):
    total = 0.0
    for chance in p:
        total += np.log(chance)
    return total


@question(
    points=1,
    right=right_log_likelihood,
    also=(right_log_likelihood_by_loop,),
    hints=(
        "The log of a product is a sum. A sum of what?",
        "Take the log of each chance first, and then add up. Do not multiply at all.",
        "np.sum(np.log(p))",
    ),
)
def log_likelihood(rng):
    """The log of the product of all chances, without multiplying them."""
    yield call, rng.uniform(0.2, 0.9, size=5)
    yield call, rng.uniform(0.2, 0.9, size=6) * 1e-3
    yield call, rng.uniform(0.2, 0.9, size=2000)


@wrong(log_likelihood, sneaky=True)
def log_of_the_product(p):
    """You multiplied first and took the log afterwards. On paper that is the same. But the product
    of 2000 chances is too small for a float: it becomes 0, and the log of 0 is -inf. Take the logs
    first, and add them up."""
    return np.log(np.prod(p))


@wrong(log_likelihood, like=log_of_the_product)
def log_of_the_product_by_loop(p):
    product = 1.0
    for chance in p:
        product = product * chance
    return np.log(product)


@wrong(log_likelihood, sneaky=True)
def product_of_the_logs(p):
    """You multiplied the logs. A log turns a product into a *sum*: log(a * b) is log(a) +
    log(b)."""
    return np.prod(np.log(p))


@wrong(log_likelihood, like=product_of_the_logs)
def product_of_the_logs_by_loop(p):
    product = 1.0
    for chance in p:
        product *= np.log(chance)
    return product


@wrong(log_likelihood, sneaky=True)
def log_of_the_sum(p):
    """You added the chances and then took the log. The chance that all of them happen is their
    product, and its log is the sum of the logs: first the logs, then the sum."""
    return np.log(np.sum(p))


@wrong(log_likelihood, like=log_of_the_sum)
def log_of_the_sum_from_the_mean(p):
    return np.log(np.mean(p)) + np.log(len(p))


@wrong(log_likelihood, sneaky=True)
def mean_for_sum(p):
    """You took the mean of the logs. The log of the product is their sum: here each further sample
    makes the whole less likely."""
    return np.mean(np.log(p))


@wrong(log_likelihood, like=mean_for_sum)
def mean_for_sum_by_division(p):
    return sum(np.log(p)) / len(p)


@wrong(log_likelihood)
def sign_turned(p):
    """You turned the sign round. The log of a chance below 1 is negative, and so is the sum. The
    minus comes in the next question."""
    return -np.sum(np.log(p))


@wrong(log_likelihood)
def the_likelihood(p):
    """That is the likelihood itself, the product. The question asks for its log, as a sum."""
    return np.prod(p)


@wrong(log_likelihood, sneaky=True)
def another_base(p):
    """You took the log to the base 10. In this course log means the natural one, to the base e:
    np.log."""
    return np.sum(np.log10(p))


@wrong(log_likelihood, like=another_base)
def another_base_by_division(p):
    return np.sum(np.log(p)) / np.log(10)


# ----------------------------------------------------------------------- the average surprise


def right_surprise(p):
    return -np.mean(np.log(np.maximum(p, 1e-12)))


def right_surprise_by_loop(p):
    total = 0.0
    for chance in p:
        total -= np.log(chance if chance > 1e-12 else 1e-12)
    return total / len(p)


@question(
    points=2,
    right=right_surprise,
    also=(right_surprise_by_loop,),
    hints=(
        "Three steps: keep every chance at 1e-12 or above, take the logs, average. Where does the "
        "minus go?",
        "np.maximum(p, 1e-12) takes the larger one of the two, number by number.",
        "-np.mean(np.log(np.maximum(p, 1e-12)))",
    ),
)
def surprise(rng):
    """The mean of -log p, where a chance of 0 counts as 1e-12."""
    yield call, rng.uniform(0.1, 0.9, size=5)
    yield call, rng.uniform(0.1, 0.9, size=7)
    yield call, rng.uniform(0.1, 0.9, size=3) * 1e-6
    yield call, rng.permutation([*rng.uniform(0.1, 0.9, size=3), 0.0])


@wrong(surprise, sneaky=True)
def log_of_zero(p):
    """As long as no chance is 0 this is right. But log(0) is -inf, and one such sample makes the
    whole average infinite. Keep the chances at 1e-12 or above: np.maximum(p, 1e-12)."""
    return -np.mean(np.log(p))


@wrong(surprise, like=log_of_zero)
def log_of_zero_by_division(p):
    return np.sum(np.log(1 / p)) / len(p)


@wrong(surprise, sneaky=True)
def not_averaged(p):
    """You added the surprises up. A sum grows with every sample, so nobody can compare 5 samples
    with 500. Divide by how many there are."""
    return -np.sum(np.log(np.maximum(p, 1e-12)))


@wrong(surprise, like=not_averaged)
def not_averaged_by_loop(p):
    return sum(-np.log(max(chance, 1e-12)) for chance in p)


@wrong(surprise, sneaky=True)
def minus_lost(p):
    """The minus is missing. The log of a chance is negative, and a surprise should be larger, not
    smaller, when the chance is small."""
    return np.mean(np.log(np.maximum(p, 1e-12)))


@wrong(surprise, like=minus_lost)
def minus_lost_by_loop(p):
    return sum(np.log(max(chance, 1e-12)) for chance in p) / len(p)


@wrong(surprise, sneaky=True)
def log_of_the_mean(p):
    """You averaged the chances and then took the log. Then one confident mistake hides behind many
    good answers. First the logs, then the mean."""
    return -np.log(np.mean(np.maximum(p, 1e-12)))


@wrong(surprise, like=log_of_the_mean)
def log_of_the_mean_in_steps(p):
    kept = np.maximum(p, 1e-12)
    return np.log(len(p)) - np.log(kept.sum())


@wrong(surprise, sneaky=True)
def zeros_left_out(p):
    """You left out the samples with the chance 0. They are the worst mistakes of all: something
    happened that was called impossible. Let them count, as 1e-12."""
    return -np.mean(np.log(p[p > 0]))


@wrong(surprise, like=zeros_left_out)
def zeros_left_out_by_loop(p):
    logs = [np.log(chance) for chance in p if chance > 0]
    return -sum(logs) / len(logs)


@wrong(surprise, sneaky=True)
def zeros_cost_nothing(p):
    """A chance of 0 costs nothing in your answer, as if it had been a sure and right one. It is the
    worst mistake of all: let it count as 1e-12."""
    return -np.mean(np.log(np.where(p > 0, p, 1.0)))


@wrong(surprise, like=zeros_cost_nothing)
def zeros_cost_nothing_by_loop(p):
    return -sum(np.log(chance) for chance in p if chance > 0) / len(p)


@wrong(surprise)
def what_is_missing_to_one(p):
    """You averaged 1 - p. That is never above 1, however sure the mistake was. The surprise is -log
    p."""
    return np.mean(1 - p)


# ------------------------------------------------------------------------- the best chance


def right_best_p(heads, throws, candidates):
    logs = heads * np.log(candidates) + (throws - heads) * np.log(1 - candidates)
    return candidates[np.argmax(logs)]


def right_best_p_by_loop(heads, throws, candidates):
    best, most = None, -np.inf
    for p in candidates:
        log = heads * np.log(p) + (throws - heads) * np.log(1 - p)
        if log > most:
            best, most = p, log
    return best


@question(
    points=2,
    right=right_best_p,
    also=(right_best_p_by_loop,),
    hints=(
        "What is the chance of one head, if the coin is p? And of one tail? Write down the log of "
        "the whole product.",
        "heads * log(p) + tails * log(1 - p), for all candidates at once. Then find the largest.",
        "np.argmax(logs) gives the place of the largest; candidates[np.argmax(logs)] the p itself.",
    ),
)
def best_p(rng):
    """Of some candidates, the one that makes what was seen most likely."""
    grid = np.linspace(0.05, 0.95, 19)
    for low, high, throws in ((0.55, 0.7, 40), (0.3, 0.45, 60), (0.4, 0.6, 7000)):
        yield call, int(rng.uniform(low, high) * throws), throws, grid
    throws = int(rng.integers(9, 13))  # the nearest candidate is not the likeliest one
    yield call, 1, throws, rng.permutation([0.5 / throws, 1.6 / throws, rng.uniform(0.6, 0.8)])


@wrong(best_p, sneaky=True)
def only_heads(heads, throws, candidates):
    """You counted the heads only. Then a coin that always shows heads explains everything best. The
    tails were seen too: each has the chance 1 - p."""
    return candidates[np.argmax(heads * np.log(candidates))]


@wrong(best_p, like=only_heads)
def only_heads_by_loop(heads, throws, candidates):
    return max(candidates, key=lambda p: heads * np.log(p))


@wrong(best_p)
def its_place(heads, throws, candidates):
    """That is the *place* of the best one in the list. np.argmax gives a place: take the candidate
    that stands there."""
    logs = heads * np.log(candidates) + (throws - heads) * np.log(1 - candidates)
    return np.argmax(logs)


@wrong(best_p)
def least_likely(heads, throws, candidates):
    """You took the candidate with the smallest log-likelihood: the worst explanation, not the
    best. A log rises with its number, so the largest log belongs to the largest likelihood."""
    logs = heads * np.log(candidates) + (throws - heads) * np.log(1 - candidates)
    return candidates[np.argmin(logs)]


@wrong(best_p, sneaky=True)
def likelihoods_vanish(heads, throws, candidates):
    """With few throws this is right. With 7000 every likelihood is too small for a float: all are
    0, and argmax takes the first. Compare the logs instead."""
    return candidates[np.argmax(candidates**heads * (1 - candidates) ** (throws - heads))]


@wrong(best_p, like=likelihoods_vanish)
def likelihoods_vanish_by_loop(heads, throws, candidates):
    tails = throws - heads
    return max(candidates, key=lambda p: float(p) ** heads * float(1 - p) ** tails)


@wrong(best_p, sneaky=True)
def throws_for_tails(heads, throws, candidates):
    """You gave each of the throws the chance 1 - p. Only the tails have it, and they are throws -
    heads."""
    return candidates[np.argmax(heads * np.log(candidates) + throws * np.log(1 - candidates))]


@wrong(best_p, like=throws_for_tails)
def throws_for_tails_by_loop(heads, throws, candidates):
    return max(candidates, key=lambda p: heads * np.log(p) + throws * np.log(1 - p))


@wrong(best_p, sneaky=True)
def nearest(heads, throws, candidates):
    """You took the candidate nearest to heads / throws. With many candidates that is mostly the
    same. But likely is not the same as near: half of it and one and a half times as much are not
    equally likely. Compare the log-likelihoods."""
    return candidates[np.argmin(np.abs(candidates - heads / throws))]


@wrong(best_p, like=nearest)
def nearest_by_square(heads, throws, candidates):
    return min(candidates, key=lambda p: (throws * p - heads) ** 2)


@wrong(best_p)
def not_a_candidate(heads, throws, candidates):
    """heads / throws is the best of *all* numbers. The question asks for the best of the
    candidates."""
    return heads / throws


# --------------------------------------------------------------------------- running means


def right_running_mean(x):
    return np.cumsum(x) / np.arange(1, len(x) + 1)


def right_running_mean_step_by_step(x):
    means, mean = [], 0.0
    for k, number in enumerate(x, start=1):
        mean = mean + (number - mean) / k
        means.append(mean)
    return np.array(means)


@question(
    points=1,
    right=right_running_mean,
    also=(right_running_mean_step_by_step,),
    hints=(
        "The third number is the mean of the first three. What is the sum of the first three?",
        "np.cumsum(x) holds the sums of the first one, the first two, and so on. By what is each "
        "of them divided?",
        "By 1, 2, 3 ...: np.arange(1, len(x) + 1).",
    ),
)
def running_mean(rng):
    """The mean of the first number, of the first two, of the first three, and so on."""
    yield call, rng.uniform(1, 6, size=5)
    yield call, rng.normal(size=7) * 1e-3
    yield call, rng.uniform(1, 6, size=30)


@wrong(running_mean, sneaky=True)
def divided_by_all(x):
    """You divided every sum by the number of all samples. The mean of the first three is their sum
    divided by 3. Only your last number is right."""
    return np.cumsum(x) / len(x)


@wrong(running_mean, like=divided_by_all)
def divided_by_all_first(x):
    return np.cumsum(np.asarray(x) / len(x))


@wrong(running_mean)
def counted_from_zero(x):
    """Your counting begins at 0, so the first sum is divided by 0 and every mean is too large. The
    first mean is over 1 sample: np.arange(1, len(x) + 1)."""
    return np.cumsum(x) / np.arange(len(x))


@wrong(running_mean)
def sums_only(x):
    """These are the sums. Divide each by how many samples went into it."""
    return np.cumsum(x)


@wrong(running_mean)
def the_last_one(x):
    """That is the mean of all samples, the last of the running means. There should be one for each
    sample."""
    return np.mean(x)


@wrong(running_mean, sneaky=True)
def halfway(x):
    """You averaged each new sample with the mean so far. That gives the newest sample half of the
    weight, whatever came before. With two samples that is right, with three it is not."""
    means = [x[0]]
    for number in x[1:]:
        means.append((means[-1] + number) / 2)
    return np.array(means)


@wrong(running_mean, like=halfway)
def halfway_by_steps(x):
    means, mean = [], x[0]
    for number in x:
        mean += (number - mean) / 2
        means.append(mean)
    return np.array(means)


@wrong(running_mean)
def neighbours(x):
    """You averaged each sample with its neighbour. A running mean goes back to the very first
    one."""
    return np.array([x[0], *(x[1:] + x[:-1]) / 2])


# ------------------------------------------------------------------------------- catch it


def mean_of_logs(p):
    return float(-np.mean(np.log(np.asarray(p, dtype=float))))


def log_of_mean(p):
    return float(-np.log(np.mean(np.asarray(p, dtype=float))))


def must_be_chances(p):
    if np.ndim(p) != 1 or len(p) == 0 or not all(0 < chance <= 1 for chance in p):
        return "This input does not count: p is a flat list of chances, above 0 and at most 1."
    return None


@catch(
    points=1,
    right=mean_of_logs,
    wrong=log_of_mean,
    size=10,
    largest=1.0,
    allow=must_be_chances,
    hints=(
        "The broken one averages first and takes the log then. When does the order not matter?",
        "If all chances are equal, their mean is that chance, in either order. Let them differ.",
        "Two sure answers, and one sure mistake: [0.9, 0.9, 0.01].",
    ),
)
def caught():
    """Chances for which the log of the mean is not the mean of the logs."""
    return [0.9, 0.01]


@wrong(caught, when=lambda p: len(p) == 1)
def a_single_chance():
    """With a single sample there is nothing to average, so the order does not matter."""
    return [0.3]


@wrong(caught, when=lambda p: min(p) == max(p))
def all_alike():
    """Your chances are all the same. Then the mean is that chance, before the log and after it.
    That is why the test was blind."""
    return [0.25, 0.25, 0.25]
