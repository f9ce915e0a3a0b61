"""Exercise 35: torch's state as arrays, a Module of layers, an epoch of training, and reading."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from nncheck import catch, question, wrong

USES = "torch"


# -------------------------------------------------------------------------- the state out


def right_arrays_of(model):
    return {name: values.numpy().copy() for name, values in model.state_dict().items()}


def right_arrays_of_by_array(model):
    arrays = {}
    for name in model.state_dict():
        arrays[name] = np.array(model.state_dict()[name].detach().cpu())
    return arrays


def taken_and_changed(arrays_of, weights, mean):
    """What is taken from a model, looked at after the model has changed."""
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    with torch.no_grad():
        model[0].weight.copy_(torch.from_numpy(weights))
        model[0].bias.copy_(torch.from_numpy(weights[:, 0]))
        model[1].running_mean.copy_(torch.from_numpy(mean))
    arrays = arrays_of(model)
    if not isinstance(arrays, dict):
        return arrays
    with torch.no_grad():
        for values in model.state_dict().values():
            values.add_(1)
    kinds = {name: isinstance(values, np.ndarray) for name, values in arrays.items()}
    return {"arrays": arrays, "are they NumPy's": kinds}


@question(
    points=2,
    right=right_arrays_of,
    also=(right_arrays_of_by_array,),
    hints=(
        "model.state_dict() has everything, by name. Its tensors are the model's own numbers. What "
        "happens to your arrays when the model learns on?",
        "values.numpy() makes an array that looks at the same memory. You need one of its own.",
        "{name: values.numpy().copy() for name, values in model.state_dict().items()}",
    ),
)
def arrays_of(rng):
    """Everything that a torch model has learned, as NumPy arrays of their own."""
    yield taken_and_changed, rng.normal(size=(4, 3)), rng.normal(size=4)
    yield taken_and_changed, rng.normal(size=(4, 3)) * 1e-4, rng.normal(size=4) * 100


@wrong(arrays_of, sneaky=True)
def same_memory(model):
    """Your arrays look at the model's own memory. When the model learns on, they change with it,
    and nothing of the old weights is left. Copy each one."""
    return {name: values.numpy() for name, values in model.state_dict().items()}


@wrong(arrays_of, like=same_memory)
def same_memory_by_asarray(model):
    arrays = {}
    for name, values in model.state_dict().items():
        arrays[name] = np.asarray(values)
    return arrays


@wrong(arrays_of, sneaky=True)
def parameters_only(model):
    """You took the parameters. A model may also have numbers that it keeps without a gradient, such
    as running averages, called buffers. state_dict() has both."""
    return {name: p.detach().numpy().copy() for name, p in model.named_parameters()}


@wrong(arrays_of, like=parameters_only)
def parameters_only_by_name(model):
    learned = [name for name, _ in model.named_parameters()]
    state = model.state_dict()
    return {name: np.array(state[name]) for name in learned}


@wrong(arrays_of)
def still_tensors(model):
    """These are copies, but they are still torch's tensors. Make NumPy arrays of them: .numpy()."""
    return {name: values.clone() for name, values in model.state_dict().items()}


@wrong(arrays_of)
def without_names(model):
    """You returned the arrays without their names. Whoever loads them has to know which is which:
    return a dict, with the names of state_dict()."""
    return [values.numpy().copy() for values in model.state_dict().values()]


# -------------------------------------------------------------------------------- a Module


class RightStack(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(sizes)])

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


class RightStackAsASequence(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        parts = []
        for n_in, n_out in zip(sizes[:-1], sizes[1:]):
            parts += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.layers = nn.Sequential(*parts[:-1])

    def forward(self, x):
        return self.layers(x)


def filled(Stack, sizes, weights, X):
    """What torch sees of it, and its output with given weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Stack(sizes)
    parameters = list(model.parameters())
    with torch.no_grad():
        for p, w in zip(parameters, weights):
            p.copy_(torch.from_numpy(w))
        out = model(torch.from_numpy(X).float())
    return {"parameters": [list(p.shape) for p in parameters], "output": out}


def weights_for(rng, sizes):
    """A weight and a bias for each layer."""
    weights = []
    for n_in, n_out in pairwise(sizes):
        weights += [rng.normal(size=(n_out, n_in)), rng.normal(size=n_out)]
    return weights


@question(
    points=2,
    right=RightStack,
    also=(RightStackAsASequence,),
    hints=(
        "model.parameters() is what the optimizer will get. Does torch look into a plain Python "
        "list?",
        "nn.ModuleList([...]) is a list that torch looks into. pairwise(sizes) gives the pairs of "
        "neighbours.",
        "In forward: x = torch.relu(layer(x)) for all layers but the last, self.layers[:-1]; then "
        "return self.layers[-1](x).",
    ),
)
def Stack(rng):
    """Linear layers of these sizes, with relu between them, as a Module of torch."""
    for sizes in ([4, 5, 3], [3, 6, 5, 4, 7]):
        yield filled, sizes, weights_for(rng, sizes), rng.normal(size=(6, sizes[0]))


@wrong(Stack, sneaky=True)
class PlainList(nn.Module):
    """Your layers stand in a plain list, and torch does not look into it. The model computes, but
    model.parameters() is empty: the optimizer moves nothing of it, and state_dict() saves nothing.
    Use nn.ModuleList."""

    def __init__(self, sizes):
        super().__init__()
        self.layers = [nn.Linear(a, b) for a, b in pairwise(sizes)]

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


@wrong(Stack, like=PlainList)
class PlainDict(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = {i: nn.Linear(sizes[i], sizes[i + 1]) for i in range(len(sizes) - 1)}

    def forward(self, x):
        for i, layer in self.layers.items():
            x = torch.relu(x) if i else x
            x = layer(x)
        return x


@wrong(Stack, sneaky=True)
class ReluAtTheEnd(RightStack):
    """There is a relu after the last layer too. Then no score can be below 0, and a class that the
    network is sure *not* to see cannot say so. Relu stands between the layers only."""

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


@wrong(Stack, like=ReluAtTheEnd)
class ReluAtTheEndByClamp(RightStack):
    def forward(self, x):
        for layer in self.layers:
            x = layer(x).clamp(min=0)
        return x


@wrong(Stack)
class NoRelu(RightStack):
    """There is no relu between the layers. Layers without an activation are together no more than
    one layer (lesson 14)."""

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


@wrong(Stack)
class NotAllSizes(RightStack):
    """There are only two layers, whatever sizes says. Each pair of neighbours in sizes is a
    layer."""

    def __init__(self, sizes):
        super().__init__([sizes[0], sizes[1], sizes[-1]])


# ----------------------------------------------------------------------- an epoch of training


def right_train_epoch(model, batches, optimizer):
    model.train()
    losses = []
    for X, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def right_train_epoch_cleared_after(model, batches, optimizer):
    losses, loss_fn = [], nn.CrossEntropyLoss()
    model.train()
    optimizer.zero_grad()
    for X, y in batches:
        scores = model(X)
        loss = loss_fn(scores, y)
        losses.append(float(loss.detach()))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return losses


def two_epochs(train_epoch, weights, batches, lr, p, seed):
    """Two epochs of a network with dropout, which comes in the mode for reading."""
    W1, b1, W2, b2 = map(torch.from_numpy, weights)
    n, m, k = W1.shape[1], len(b1), len(b2)
    model = torch.nn.Sequential(
        torch.nn.Linear(n, m), torch.nn.ReLU(), torch.nn.Dropout(p), torch.nn.Linear(m, k)
    ).double()
    model.load_state_dict({"0.weight": W1, "0.bias": b1, "3.weight": W2, "3.bias": b2})
    model.eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for w in model.parameters():
        w.grad = torch.ones_like(w)  # left over from somewhere
    pairs = [(torch.from_numpy(X), torch.from_numpy(y)) for X, y in batches]
    losses = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(2):
            found = train_epoch(model, pairs, optimizer)
            if not isinstance(found, list):
                return found
            losses += found
    kept = [bool(getattr(loss, "requires_grad", False)) for loss in losses]
    weights = {name: w.clone() for name, w in model.state_dict().items()}
    return {"losses": [float(loss) for loss in losses], "weights": weights, "has a graph": kept}


@question(
    points=3,
    right=right_train_epoch,
    also=(right_train_epoch_cleared_after,),
    hints=(
        "Four calls in each turn of the loop: clear, loss, back, move. And what must be said to "
        "the model before the first?",
        "model.train() first. nn.functional.cross_entropy takes the model's scores as they are. "
        "loss.item() is a plain number, without the graph behind it.",
        "In the loop: optimizer.zero_grad(); loss = nn.functional.cross_entropy(model(X), y); "
        "loss.backward(); optimizer.step(); losses.append(loss.item()).",
    ),
)
def train_epoch(rng):
    """One epoch of training; the loss of each batch."""
    for n, m, k, p, scale in ((4, 6, 3, 0.3, 1.0), (5, 7, 4, 0.5, 1e-2)):
        weights = [rng.normal(size=s) for s in ((m, n), (m,), (k, m), (k,))]
        batches = [
            (rng.normal(size=(rows, n)) * scale, rng.integers(k, size=rows)) for rows in (5, 3, 4)
        ]
        seed = int(rng.integers(1000))
        yield two_epochs, weights, batches, rng.uniform(0.2, 0.4), p, seed


@wrong(train_epoch, sneaky=True)
def no_zero_grad(model, batches, optimizer):
    """The gradients are not cleared before each batch, so every backward() adds to those of all
    batches before. A few steps look right, then it runs away. optimizer.zero_grad() belongs into
    the loop."""
    model.train()
    losses = []
    for X, y in batches:
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong(train_epoch, like=no_zero_grad)
def zero_grad_once(model, batches, optimizer):
    model.train()
    optimizer.zero_grad()
    losses = []
    for X, y in batches:
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong(train_epoch, sneaky=True)
def softmax_twice(model, batches, optimizer):
    """You gave cross_entropy probabilities. It takes the scores as they are, and makes the softmax
    itself. Twice, it is nearly flat: even a perfect answer keeps a large loss, and learning is
    slow."""
    model.train()
    losses = []
    for X, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X).softmax(dim=1), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong(train_epoch, like=softmax_twice)
def softmax_twice_by_hand(model, batches, optimizer):
    model.train()
    losses = []
    for X, y in batches:
        optimizer.zero_grad()
        p = torch.exp(model(X))
        p = p / p.sum(dim=1, keepdim=True)
        loss = nn.CrossEntropyLoss()(p, y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong(train_epoch, sneaky=True)
def graph_kept(model, batches, optimizer):
    """You kept the loss with its graph. Every step that led to it stays in memory for as long as
    your list does. Keep the number alone: loss.item()."""
    model.train()
    losses = []
    for X, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return losses


@wrong(train_epoch, like=graph_kept)
def graph_kept_in_a_copy(model, batches, optimizer):
    losses = []
    model.train()
    for X, y in batches:
        optimizer.zero_grad()
        losses.append(nn.CrossEntropyLoss()(model(X), y).clone())
        losses[-1].backward()
        optimizer.step()
    return losses


@wrong(train_epoch, sneaky=True)
def not_in_training_mode(model, batches, optimizer):
    """You did not say model.train(). The model came in the mode for reading, so its dropout was
    off. Whoever trains says so first."""
    losses = []
    for X, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong(train_epoch, like=not_in_training_mode)
def in_reading_mode(model, batches, optimizer):
    losses = []
    model.eval()
    for X, y in batches:
        model.zero_grad()
        scores = model(X)
        loss = nn.CrossEntropyLoss()(scores, y)
        loss.backward()
        optimizer.step()
        losses += [loss.item()]
    return losses


@wrong(train_epoch)
def nothing_moves(model, batches, optimizer):
    """The weights stay where they were. Either step() is missing, or zero_grad() stands between
    backward() and step(), so that step() finds no gradients. Clear before backward(), move after
    it."""
    model.train()
    losses = []
    for X, y in batches:
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong(train_epoch, like=nothing_moves)
def nothing_moves_without_step(model, batches, optimizer):
    model.train()
    losses = []
    for X, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        losses.append(loss.item())
    return losses


@wrong(train_epoch)
def step_once(model, batches, optimizer):
    """You moved once, after the last batch. step() belongs into the loop, after each backward()."""
    model.train()
    losses = []
    for X, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        losses.append(loss.item())
    optimizer.step()
    return losses


@wrong(train_epoch)
def summed(model, batches, optimizer):
    """Your loss is the sum over the rows of a batch. It should be their mean, as cross_entropy
    gives it if you ask for nothing else."""
    model.train()
    losses = []
    for X, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y, reduction="sum")
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# --------------------------------------------------------------------------------- reading


def right_evaluate(model, batches):
    model.eval()
    right = rows = 0
    with torch.no_grad():
        for X, y in batches:
            right += (model(X).argmax(dim=1) == y).sum().item()
            rows += len(y)
    return right / rows


@torch.no_grad()
def right_evaluate_with_a_list(model, batches):
    model.train(False)
    hits = [model(X).max(dim=1).indices == y for X, y in batches]
    return torch.cat(hits).double().mean().item()


def watched(evaluate, W, batches, p, seed):
    """The share, and what a model with dropout sees of how it is used."""

    class Watched(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(W.shape[1], W.shape[0], bias=False).double()
            self.dropout = torch.nn.Dropout(p)
            self.trains, self.graphs = [], []

        def forward(self, x):
            self.trains.append(self.training)
            self.graphs.append(torch.is_grad_enabled())
            return self.layer(self.dropout(x))

    model = Watched()
    model.load_state_dict({"layer.weight": torch.from_numpy(W)})
    pairs = [(torch.from_numpy(X), torch.from_numpy(y)) for X, y in batches]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        share = evaluate(model, pairs)
    if share is None:
        return None
    return {"share": share, "in training mode": model.trains, "makes a graph": model.graphs}


def rows_to_read(rng, k, n):
    """Weights, and batches of unequal size with different shares of rows that are read right."""
    W, sizes = rng.normal(size=(k, n)), (31, 13, 7)
    while True:
        counts = [int(rng.integers(1, size)) for size in sizes]
        shares = [right / size for right, size in zip(counts, sizes)]
        if abs(np.mean(shares) - sum(counts) / sum(sizes)) > 0.02:
            break
    batches = []
    for size, right in zip(sizes, counts):
        X = rng.normal(size=(size, n))
        y = (X @ W.T).argmax(axis=1)
        y[right:] = (y[right:] + rng.integers(1, k, size=size - right)) % k
        order = rng.permutation(size)
        batches.append((X[order], y[order]))
    return W, batches


@question(
    points=2,
    right=right_evaluate,
    also=(right_evaluate_with_a_list,),
    hints=(
        "Two things are said before reading: one to the model, one to torch. Which?",
        "model.eval() and with torch.no_grad(). Then count right rows and all rows over the "
        "batches, and divide once.",
        "(model(X).argmax(dim=1) == y).sum().item() is how many rows of a batch are right; len(y) "
        "is how many there are.",
    ),
)
def evaluate(rng):
    """The share of rows that a model reads correctly, over all batches."""
    for k, n in ((4, 5), (3, 7)):
        seed = int(rng.integers(1000))
        yield watched, *rows_to_read(rng, k, n), rng.uniform(0.4, 0.6), seed


@wrong(evaluate, sneaky=True)
def no_eval(model, batches):
    """You did not say model.eval(), so dropout goes on throwing numbers away while you read. The
    same row can get another answer each time."""
    right = rows = 0
    with torch.no_grad():
        for X, y in batches:
            right += (model(X).argmax(dim=1) == y).sum().item()
            rows += len(y)
    return right / rows


@wrong(evaluate, like=no_eval)
def no_eval_by_decorator(model, batches):
    hits = []
    with torch.no_grad():
        for X, y in batches:
            hits += (model(X).argmax(1) == y).tolist()
    return float(np.mean(hits))


@wrong(evaluate, sneaky=True)
def no_no_grad(model, batches):
    """The share is right, but torch built a graph for each batch, for a backward() that never
    comes. That costs time and memory. Read under `with torch.no_grad():`."""
    model.eval()
    right = rows = 0
    for X, y in batches:
        right += (model(X).argmax(dim=1) == y).sum().item()
        rows += len(y)
    return right / rows


@wrong(evaluate, like=no_no_grad)
def no_no_grad_detached(model, batches):
    model.eval()
    hits = [(model(X).detach().argmax(1) == y).numpy() for X, y in batches]
    return float(np.concatenate(hits).mean())


@wrong(evaluate, sneaky=True)
def mean_of_means(model, batches):
    """You took the mean of the batches' shares. The batches are not equally large: a row of a small
    batch counts more then. Add up right rows and all rows, and divide once."""
    model.eval()
    with torch.no_grad():
        shares = [(model(X).argmax(dim=1) == y).double().mean().item() for X, y in batches]
    return sum(shares) / len(shares)


@wrong(evaluate, like=mean_of_means)
def mean_of_means_added_up(model, batches):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for X, y in batches:
            total += (model(X).argmax(1) == y).sum().item() / len(y)
    return total / len(batches)


@wrong(evaluate)
def how_many(model, batches):
    """That is how many rows are right. Asked for is the share: divide by all rows."""
    model.eval()
    with torch.no_grad():
        return sum((model(X).argmax(dim=1) == y).sum().item() for X, y in batches)


@wrong(evaluate)
def last_batch_only(model, batches):
    """You returned the share of the last batch. Count over all of them."""
    model.eval()
    with torch.no_grad():
        for X, y in batches:
            share = (model(X).argmax(dim=1) == y).double().mean().item()
    return share


# --------------------------------------------------------------------------------- catch it


def through(first, second):
    return (second @ np.maximum(first @ np.array([1.0, 2.0, 3.0]), 0)).tolist()


def matrices(weights):
    return {name: np.asarray(values, dtype=float) for name, values in weights.items()}


def loaded_by_name(weights):
    return through(**matrices(weights))


def loaded_in_order(weights):
    first, second = matrices(weights).values()
    return through(first, second)


def two_matrices(weights):
    if not isinstance(weights, dict) or set(weights) != {"first", "second"}:
        return 'Return a dict with the two names "first" and "second".'
    shapes = [np.shape(values) for values in weights.values()]
    if shapes != [(3, 3), (3, 3)]:
        return f"Both are 3 times 3; yours have the shapes {shapes[0]} and {shapes[1]}."
    return None


@catch(
    points=1,
    right=loaded_by_name,
    wrong=loaded_in_order,
    allow=two_matrices,
    size=18,
    largest=10.0,
    hints=(
        "The broken one never looks at a name. When does it get the right matrix all the same?",
        "In the test the dict began with first. What if it does not?",
        'Take the matrices of the test, and write "second" before "first" in the dict.',
    ),
)
def caught():
    """Weights that are loaded into the wrong layers by who goes by their order."""
    second = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return {"second": second, "first": np.eye(3)[[2, 0, 1]]}


@wrong(caught, when=lambda weights: next(iter(weights)) == "first")
def in_the_usual_order():
    """Here "first" comes first. Then whoever goes by the order takes the right one. Loading weights
    by their order works as long as nobody orders them otherwise."""
    return {"first": np.eye(3), "second": np.ones((3, 3))}


@wrong(caught, when=lambda weights: True)
def as_good_either_way():
    """The order is turned round, but with these numbers both ways give the same. Two equal matrices
    are of this kind. Take two that do different things."""
    return {"second": np.ones((3, 3)), "first": np.ones((3, 3))}
