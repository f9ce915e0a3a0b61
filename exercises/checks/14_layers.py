"""Exercise 14: a layer, a row of layers, how many numbers they hold, and which of them collapse."""

from itertools import pairwise

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


# ----------------------------------------------------------------------------- one layer


def right_linear(X, W, b):
    return np.asarray(X) @ np.asarray(W).T + b


def right_linear_by_neuron(X, W, b):
    return np.stack([X @ w + b_i for w, b_i in zip(W, b, strict=True)], axis=1)


def one_layer(rng, n_in, n_out, scale=1.0):
    """The weights (n_out, n_in) and the biases (n_out,) of a layer."""
    return rng.normal(size=(n_out, n_in)) * scale, rng.normal(size=n_out) * scale


@question(
    points=1,
    right=right_linear,
    also=(right_linear_by_neuron,),
    hints=(
        "Write the two shapes side by side: X is (B, in), W is (out, in). Which numbers must meet "
        "in the middle of a product?",
        "X @ W.T is (B, in) @ (in, out), and that is (B, out). The biases have the shape (out,).",
        "sums = X @ W.T, and then sums + b: NumPy adds b to every row.",
    ),
)
def linear(rng):
    """What every neuron of a layer says to every row, before the activation."""
    yield call, rng.normal(size=(3, 5)), *one_layer(rng, 5, 4)
    yield call, rng.normal(size=(4, 4)), *one_layer(rng, 4, 4)
    yield call, rng.normal(size=(6, 3)) * 1e-3, *one_layer(rng, 3, 4, scale=1e-3)


@wrong(linear, sneaky=True)
def not_transposed(X, W, b):
    """You multiplied by W, not by W.T. A neuron's weights are a *row* of W, and a product takes
    rows times columns. Only if W is square is there no error; then each neuron gets the weights of
    another one's inputs."""
    return X @ W + b


@wrong(linear, like=not_transposed)
def not_transposed_by_sum(X, W, b):
    return sum(X[:, [i]] * W[i] for i in range(len(W))) + b


@wrong(linear)
def bias_forgotten(X, W, b):
    """The weighted sums are right, but nobody adds the biases."""
    return X @ W.T


@wrong(linear, sneaky=True)
def bias_down_the_rows(X, W, b):
    """You added the biases down the rows: the first bias to the first example, and so on. Each bias
    belongs to a neuron, and so to a column. With the shape (out,) it goes there by itself."""
    return X @ W.T + b.reshape(-1, 1)


@wrong(linear, like=bias_down_the_rows)
def bias_down_the_rows_turned(X, W, b):
    return ((X @ W.T).T + b).T


@wrong(linear)
def biases_added_up(X, W, b):
    """You added the sum of all biases to every number. Each neuron has a bias of its own."""
    return X @ W.T + b.sum()


@wrong(linear)
def bias_to_the_inputs(X, W, b):
    """You added the biases to the inputs. First the weighted sum, then the bias: a neuron adds its
    bias to its own sum."""
    return (X + b) @ W.T


@wrong(linear)
def one_row_for_each_neuron(X, W, b):
    """The numbers are right, but they lie on their side: one row for each neuron. The next layer
    wants one row for each example, (B, out)."""
    return W @ X.T + b.reshape(-1, 1)


# ----------------------------------------------------------------------------- how many


def right_parameter_count(sizes):
    return sum(n_in * n_out + n_out for n_in, n_out in pairwise(sizes))


def right_parameter_count_by_neuron(sizes):
    count, inputs = 0, sizes[0]
    for neurons in sizes[1:]:
        count += neurons * (inputs + 1)
        inputs = neurons
    return count


@question(
    points=1,
    right=right_parameter_count,
    also=(right_parameter_count_by_neuron,),
    hints=(
        "Take one layer first. How many numbers are in W, and how many in b?",
        "A layer from 5 to 3 has 3 * 5 weights and 3 biases. Its 3 outputs are the inputs of the "
        "next one.",
        "pairwise(sizes) gives the pair (n_in, n_out) of each layer. Add up n_in * n_out + n_out.",
    ),
)
def parameter_count(rng):
    """How many weights and biases a row of layers has."""
    for length in (2, 3, 4, 5):
        yield call, rng.permutation(np.arange(3, 12))[:length].tolist()


@wrong(parameter_count)
def biases_not_counted(sizes):
    """You counted the weights. Each neuron has one bias besides."""
    return sum(a * b for a, b in pairwise(sizes))


@wrong(parameter_count)
def one_bias_for_a_layer(sizes):
    """You counted one bias for each layer. Each *neuron* has one."""
    return sum(a * b + 1 for a, b in pairwise(sizes))


@wrong(parameter_count)
def inputs_with_biases(sizes):
    """You gave the inputs biases too. An input is only a number that comes in; the biases begin
    with the first layer of neurons."""
    return sum(a * b for a, b in pairwise(sizes)) + sum(sizes)


@wrong(parameter_count)
def biases_of_the_other_side(sizes):
    """You counted a bias for each *input* of a layer. It has one for each of its outputs, which are
    its neurons."""
    return sum(a * b + a for a, b in pairwise(sizes))


@wrong(parameter_count)
def only_neurons(sizes):
    """You counted the neurons. Each has a weight for every one of its inputs, and a bias."""
    return sum(sizes[1:])


@wrong(parameter_count)
def all_multiplied(sizes):
    """You multiplied all sizes with one another. A layer only touches the one before it, so
    multiply neighbours, and add up."""
    return int(np.prod(sizes))


# ----------------------------------------------------------------------------- in a row


def right_network(X, layers):
    *hidden, (W, b) = layers
    for W_i, b_i in hidden:
        X = np.maximum(right_linear(X, W_i, b_i), 0)
    return right_linear(X, W, b)


def right_network_by_number(X, layers):
    signal = X
    for i in range(len(layers)):
        signal = right_linear(signal, *layers[i])
        if i < len(layers) - 1:
            signal = signal * (signal > 0)
    return signal


def two_in_a_row(network, linear, X, W1, b1, W2, b2):
    """Your network of two layers, which calls your linear."""
    return network(X, [(W1, b1), (W2, b2)])


def three_in_a_row(network, linear, X, W1, b1, W2, b2, W3, b3):
    """Your network of three layers, which calls your linear."""
    return network(X, [(W1, b1), (W2, b2), (W3, b3)])


def several(rng, *sizes, scale=1.0):
    """The weights and biases of layers of these sizes: W1, b1, W2, b2 ..."""
    return [part for a, b in pairwise(sizes) for part in one_layer(rng, a, b, scale)]


@question(
    points=2,
    right=right_network,
    also=(right_network_by_number,),
    hints=(
        "What a layer says is what the next one hears. Which variable carries it along?",
        "relu(z) is np.maximum(z, 0). It comes between two layers. The last layer has none behind "
        "it.",
        "for W, b in layers[:-1]: X = np.maximum(linear(X, W, b), 0). And then the last layer, "
        "layers[-1], without relu.",
    ),
)
def network(rng):
    """Layers in a row, with relu between them."""
    yield three_in_a_row, rng.normal(size=(5, 4)), *several(rng, 4, 7, 6, 3)
    yield two_in_a_row, rng.normal(size=(6, 4)), *several(rng, 4, 4, 4)
    yield two_in_a_row, rng.normal(size=(7, 3)) * 1e-3, *several(rng, 3, 8, 4, scale=1e-3)


@wrong(network, sneaky=True)
def relu_at_the_end(X, layers):
    """There is a relu behind the last layer too. So your network can never answer with a number
    below 0. Leave the last layer as it is."""
    for W, b in layers:
        X = np.maximum(right_linear(X, W, b), 0)
    return X


@wrong(network, like=relu_at_the_end)
def relu_at_the_end_by_product(X, layers):
    out = right_network(X, layers)
    return out * (out > 0)


@wrong(network, sneaky=True)
def no_relu(X, layers):
    """There is no relu in it. Your layers are all there, and yet they are worth one layer: this is
    what the lesson was about."""
    for W, b in layers:
        X = right_linear(X, W, b)
    return X


@wrong(network, like=no_relu)
def relu_thrown_away(X, layers):
    for W, b in layers:
        z = right_linear(X, W, b)
        np.maximum(z, 0)
        X = z
    return X


@wrong(network, sneaky=True)
def relu_before_each_layer(X, layers):
    """Your relu stands before each layer, so it also cuts the inputs. Pixels are never below 0, and
    there nobody would notice. Other inputs are, and they lose what they had to say."""
    for W, b in layers:
        X = right_linear(np.maximum(X, 0), W, b)
    return X


@wrong(network, like=relu_before_each_layer)
def relu_on_the_inputs(X, layers):
    return right_network(np.asarray(X) * (np.asarray(X) > 0), layers)


@wrong(network)
def every_layer_sees_the_inputs(X, layers):
    """Every layer gets X, the inputs. Only the first one should: what a layer says is the input of
    the next. Store it in the variable that you pass on."""
    for W, b in layers[:-1]:
        np.maximum(right_linear(X, W, b), 0)
    return right_linear(X, *layers[-1])


@wrong(network)
def first_layer_only(X, layers):
    """You return what the first layer says. A `return` inside the loop ends it at once."""
    for W, b in layers:
        return np.maximum(right_linear(X, W, b), 0)


@wrong(network)
def last_layer_missing(X, layers):
    """You return what the last hidden layer says. One layer is still to come, without a relu."""
    for W, b in layers[:-1]:
        X = np.maximum(right_linear(X, W, b), 0)
    return X


# ----------------------------------------------------------------------------- collapse


def right_collapse(layers):
    (W, b), *others = layers
    for W_next, b_next in others:
        W, b = W_next @ W, W_next @ b + b_next
    return W, b


def right_collapse_by_asking(layers):
    def through(X):
        for W, b in layers:
            X = X @ W.T + b
        return X

    n_in = layers[0][0].shape[1]
    b = through(np.zeros((1, n_in)))[0]
    return (through(np.eye(n_in)) - b).T, b


def two_into_one(collapse, W1, b1, W2, b2):
    """Two layers multiplied out."""
    return collapse([(W1, b1), (W2, b2)])


def three_into_one(collapse, W1, b1, W2, b2, W3, b3):
    """Three layers multiplied out."""
    return collapse([(W1, b1), (W2, b2), (W3, b3)])


@question(
    points=3,
    right=right_collapse,
    also=(right_collapse_by_asking,),
    hints=(
        "Do it for two layers on paper: put z = W1 x + b1 into W2 z + b2, and multiply out.",
        "W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2). The later matrix stands on the left. With "
        "more layers, do the same again with the result.",
        "Begin with W, b = layers[0]. For each W_next, b_next after it: "
        "W, b = W_next @ W, W_next @ b + b_next, both in one line.",
    ),
)
def collapse(rng):
    """One layer that says the same as several layers without an activation."""
    yield three_into_one, *several(rng, 5, 4, 6, 3)
    yield three_into_one, *several(rng, 4, 4, 4, 4)
    yield two_into_one, *several(rng, 3, 6, 4, scale=1e-2)


@wrong(collapse, sneaky=True)
def first_on_the_left(layers):
    """Your matrices stand in the order of the layers: W1 W2. The input meets W1 first, and it
    stands on the right: W2 (W1 x). So the product is W2 W1. With square matrices there is no error
    message, only another network."""
    (W, b), *others = layers
    for W_next, b_next in others:
        W, b = W @ W_next, W_next @ b + b_next
    return W, b


@wrong(collapse, like=first_on_the_left)
def first_on_the_left_backwards(layers):
    W, b = layers[-1]
    for W_before, _ in layers[-2::-1]:
        W = W_before @ W
    b = layers[0][1]
    for W_next, b_next in layers[1:]:
        b = W_next @ b + b_next
    return W, b


@wrong(collapse, sneaky=True)
def biases_only_added(layers):
    """You added the biases up as they are. The bias of the first layer goes through all the layers
    behind it, so each W behind it multiplies it: W2 b1 + b2."""
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W, b = W_next @ W, b + b_next
    return W, b


@wrong(collapse, like=biases_only_added)
def biases_only_added_by_sum(layers):
    return right_collapse(layers)[0], sum(b for _, b in layers)


@wrong(collapse, sneaky=True)
def product_used_too_early(layers):
    """You changed W first and then used the new W for the bias. The bias must be multiplied by the
    *next* layer's matrix alone. Do both in one line, or the bias first."""
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W = W_next @ W
        b = W @ b + b_next
    return W, b


@wrong(collapse, like=product_used_too_early)
def product_used_too_early_by_number(layers):
    products = [layers[0][0]]
    for i in range(1, len(layers)):
        products.append(layers[i][0] @ products[-1])
    b = layers[0][1]
    for i in range(1, len(layers)):
        b = products[i] @ b + layers[i][1]
    return products[-1], b


@wrong(collapse)
def last_bias_only(layers):
    """You kept the bias of the last layer alone. The earlier ones arrive at the output too,
    multiplied by every W on their way."""
    return right_collapse(layers)[0], layers[-1][1]


@wrong(collapse)
def no_bias(layers):
    """The weights are right, but the biases are gone. Put x = 0 in: the layers answer with
    something, and yours with 0."""
    W, b = right_collapse(layers)
    return W, np.zeros_like(b)


@wrong(collapse)
def new_bias_multiplied(layers):
    """You multiplied the next layer's own bias by its matrix as well. It is added after that
    product: W2 b1 + b2."""
    (W, b), *others = layers
    for W_next, b_next in others:
        W, b = W_next @ W, W_next @ (b + b_next)
    return W, b


@wrong(collapse)
def place_by_place(layers):
    """You multiplied the matrices place by place, with *. Layers in a row need the matrix product,
    @: rows times columns."""
    (W, b), *others = layers
    for W_next, b_next in others:
        W, b = W_next * W, W_next @ b + b_next
    return W, b


@wrong(collapse)
def on_its_side(layers):
    """Your W is transposed: (in, out). Everywhere in this lesson a row of W holds the weights of
    one neuron, so its shape is (out, in)."""
    W, b = right_collapse(layers)
    return W.T, b


# ------------------------------------------------------------------------------- catch it

W1, B1 = np.array([[1.0, 1.0], [1.0, -1.0]]), np.array([1.0, 0.0])


def hidden_sums(x):
    if np.shape(x) != (2,):
        raise ValueError("x must be a list of two numbers, such as [3.0, 1.0]")
    return W1 @ np.asarray(x, dtype=float) + B1


def with_relu(x):
    return float(np.maximum(hidden_sums(x), 0) @ [2.0, 3.0] + 1)


def multiplied_out(x):
    return float(hidden_sums(x) @ [2.0, 3.0] + 1)


@catch(
    points=1,
    right=with_relu,
    wrong=multiplied_out,
    size=2,
    largest=10.0,
    hints=(
        "relu changes nothing above 0. So when does it matter?",
        "The hidden sums are x1 + x2 + 1 and x1 - x2. Which inputs bring one of them below 0?",
        "Make the second number larger than the first.",
    ),
)
def caught():
    """Two inputs for which a network with relu and its layers multiplied out differ."""
    return [1.0, 2.0]


@wrong(caught, when=lambda x: (hidden_sums(x) >= 0).all())
def relu_asleep():
    """No hidden sum is below 0 there, so relu passes everything on, and the two networks are the
    same. The tests of the broken one were all of this kind."""
    return [4.0, 1.0]
