"""Tensor as torch's: dtypes, methods, in-place updates, what it refuses; random graphs."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import nnlib
from nnlib import Tensor, Value, arange, cat, no_grad, ones, randn, stack, tensor, where, zeros
from nnlib.tensor import unbroadcast

# dtypes


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"),
        ([1.0, 2], "float32"),
        ([[1.5], [2.5]], "float32"),
        (3, "int64"),
        ([1, 2], "int64"),
        (True, "bool"),
        ([True, False], "bool"),
        (np.ones(2), "float64"),
        (np.float64(1), "float64"),
        (np.ones(2, np.float32), "float32"),
        (np.ones(2, np.int32), "int32"),
        (np.ones(2, np.uint8), "uint8"),
        ([np.float64(1.0)], "float32"),
    ],
)
def test_lists_and_floats_become_float32_and_arrays_keep_their_dtype(data, dtype):
    assert Tensor(data).dtype == dtype
    assert tensor(data).dtype == dtype


def test_a_dtype_that_is_asked_for_is_exact():
    assert tensor([0.1], dtype=np.float64).item() == 0.1
    assert tensor([1, 2], dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("number", [2, 2.5, np.float32(2.5), np.float64(2.5), np.int64(2), True])
def test_a_single_number_never_changes_the_dtype_of_floats(dtype, number):
    x = tensor([1.0, 4.0], dtype=dtype, requires_grad=True)
    zero_d = tensor(2.5, dtype=np.float64)
    results = [
        x + number, number + x, x - number, number - x, x * number, number * x, x / number,
        number / x, x**number, number**x, x.clamp(0, number), x.masked_fill(x > 2, number),
        where(x > 2, number, x), nnlib.functional.leaky_relu(x, number), x * zero_d, zero_d - x,
        nnlib.functional.dropout(x, float(number) / 10),
    ]  # fmt: skip
    for y in results:
        assert y.dtype == dtype
    sum(y.sum() for y in results).backward()
    assert x.grad is not None
    assert x.grad.dtype == dtype


KINDS = ["bool", "int32", "int64", "float32", "float64"]


@pytest.mark.parametrize("a", KINDS)
@pytest.mark.parametrize("b", [*KINDS, True, 2, 2.5])
@pytest.mark.parametrize("shapes", [((3,), (3,)), ((), (3,)), ((3,), ()), ((), ())])
@pytest.mark.parametrize("op", [lambda x, y: x + y, lambda x, y: y * x, lambda x, y: x / y])
def test_mixed_dtypes_combine_as_in_torch(a, b, shapes, op):
    x = torch.ones(shapes[0], dtype=getattr(torch, a))
    y = torch.ones(shapes[1], dtype=getattr(torch, b)) if isinstance(b, str) else b
    theirs = op(x, y)
    y = tensor(np.ones(shapes[1], b)) if isinstance(b, str) else b
    ours = op(tensor(np.ones(shapes[0], a)), y)
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert ours.shape == tuple(theirs.shape)


def test_a_float32_input_of_a_float64_result_gets_a_float32_gradient():
    x = tensor([1.0, 2.0], requires_grad=True)
    y = tensor(np.array([3.0, 4.0]), requires_grad=True)
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


def test_matmul_linear_and_cat_refuse_mixed_dtypes():
    x, y = ones(3, 3), ones(3, 3, dtype=np.float64)
    with pytest.raises(TypeError, match=r"matmul needs tensors of one dtype; got float32, float64"):
        x @ y
    with pytest.raises(TypeError, match=r"got float64, float32. Use .float\(\) or .double\(\)"):
        np.ones((3, 3)) @ x
    with pytest.raises(TypeError, match="linear needs"):
        nnlib.functional.linear(x, y)
    with pytest.raises(TypeError, match="linear needs"):
        nnlib.functional.linear(x, x, ones(3, dtype=np.float64))
    for join in (cat, stack):
        with pytest.raises(TypeError, match="needs tensors of one dtype"):
            join([x, y])


def test_only_floats_may_require_grad():
    for make in (lambda: tensor([1, 2], requires_grad=True), lambda: tensor(True).requires_grad_()):
        with pytest.raises(RuntimeError, match=r"only floats can require grad.*\.float\(\)"):
            make()
    sneaky = tensor([1, 2])
    sneaky.requires_grad = True
    with pytest.raises(RuntimeError, match="only floats can require grad"):
        (sneaky * 2.5).sum().backward()


def test_float_double_long_and_bool_convert_and_keep_the_graph():
    x = tensor([0.0, -1.7], requires_grad=True)
    assert x.double().dtype == np.float64
    assert x.float() is x
    assert x.long().tolist() == [0, -1]
    assert x.bool().tolist() == [False, True]
    (x.double() * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert x.grad.dtype == np.float32


def test_where_without_a_tensor_combines_numbers_as_torch_does():
    ours, theirs = where([True, False], 2, 2.5), torch.where(torch.tensor([True, False]), 2, 2.5)
    assert ours.tolist() == theirs.tolist()
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")


def test_functions_of_whole_numbers_give_float32():
    x = tensor([1, 4])
    for y in (x.exp(), x.log(), x.sqrt(), x.tanh(), x.sigmoid(), x / 2, 2 / x, x**0.5, x**-1):
        assert y.dtype == np.float32
    assert (x**2).dtype == (x.sum()).dtype == np.int64
    with pytest.raises(TypeError, match=r"mean needs floats; this tensor is int64. Use .float"):
        x.mean()


# Gradients


def test_leaf_gradients_alias_nothing():
    a, b = ones(3, requires_grad=True), ones(3, requires_grad=True)
    y = a + b
    y.retain_grad()
    seed = np.ones(3, np.float32)
    y.backward(seed)
    kept = [a.grad, b.grad, y.grad, seed]
    for i, x in enumerate(kept):
        for other in kept[:i]:
            assert not np.shares_memory(x, other)
    a.grad += 1  # possible, and nobody else's business
    assert b.grad.tolist() == [1, 1, 1]


def test_the_first_gradient_of_a_leaf_is_writable():
    a = ones(3, requires_grad=True)
    a.sum().backward()
    a.grad *= 2
    assert a.grad.tolist() == [2, 2, 2]


def test_adding_to_a_gradient_leaves_an_array_that_someone_holds_alone():
    a = ones(3, requires_grad=True)
    (a * 2).sum().backward()
    held = a.grad
    (a * 2).sum().backward()
    assert held.tolist() == [2, 2, 2]
    assert a.grad.tolist() == [4, 4, 4]


def test_gradients_of_single_numbers_stay_arrays():
    a = tensor(3.0, requires_grad=True)
    y = a * a
    y.retain_grad()
    z = y * y * a
    z.backward()
    assert type(a.grad) is type(y.grad) is np.ndarray
    assert a.grad.shape == ()
    assert a.grad == 5 * 3**4


def test_interior_gradients_are_let_go_unless_retained():
    a = ones(3, requires_grad=True)
    u, v = a * 2, a * 3
    u.retain_grad()
    (u * v).sum().backward()
    assert v.grad is None
    assert u.grad.tolist() == [3, 3, 3]


def test_backward_from_more_than_one_number_says_what_to_do():
    y = ones(4, requires_grad=True) * 2
    with pytest.raises(RuntimeError) as error:
        y.backward()
    assert str(error.value) == (
        "backward() starts at a single number; this tensor has shape (4,). "
        "Call .sum() or .mean() first, or pass gradient=."
    )
    ones(1, 1, requires_grad=True).backward()


def test_backward_without_anything_that_requires_grad_says_so():
    with pytest.raises(RuntimeError, match=r"requires grad, and nothing .* does\. Make a leaf"):
        ones(3).sum().backward()


def test_gradient_needs_the_shape_of_the_tensor():
    y = ones(4, requires_grad=True) * 2
    with pytest.raises(ValueError, match=r"needs this tensor's shape \(4,\); got \(4, 1\)"):
        y.backward(np.ones((4, 1)))
    y.backward(tensor([1, 2, 3, 4]))


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((4, 3), (3,)), ((4, 3), (4, 1)), ((5, 4, 3), (1, 3)), ((4, 3), ()), ((0, 3), (3,))],
)
def test_unbroadcast_is_the_adjoint_of_broadcasting(shape, wanted):
    rng = np.random.default_rng(0)
    grad, x = rng.normal(size=shape), rng.normal(size=wanted)
    back = unbroadcast(grad, wanted)
    assert back.shape == wanted
    assert np.sum(back * x) == pytest.approx(np.sum(grad * np.broadcast_to(x, shape)))


# In place


def test_the_hand_written_training_line_works():
    p = tensor([1.0, 2.0], requires_grad=True)
    (p * p).sum().backward()
    p.data -= 0.1 * p.grad
    assert p.tolist() == pytest.approx([0.8, 1.6])


def test_updates_in_place_under_no_grad_change_the_tensor_itself():
    p = tensor([1.0, 2.0], requires_grad=True)
    (p * p).sum().backward()
    before, array = p, p.data
    with no_grad():
        p -= 0.5 * tensor(p.grad)
        p += 1
        p *= 3.0
        p /= tensor([2.0, 4.0])
    assert p is before
    assert p.data is array
    assert p.tolist() == [1.5, 0.75]
    assert p.requires_grad


def test_an_update_of_a_loop_variable_trains_the_parameter():
    params = [tensor([1.0], requires_grad=True), tensor([2.0], requires_grad=True)]
    (params[0] * params[1]).sum().backward()
    with no_grad():
        for p in params:
            p -= 0.1 * p.grad
    assert [p.item() for p in params] == pytest.approx([0.8, 1.9])


@pytest.mark.parametrize("op", ["__iadd__", "__isub__", "__imul__", "__itruediv__"])
def test_updates_in_place_of_a_recorded_leaf_raise_torchs_error(op):
    p, q = tensor([1.0], requires_grad=True), torch.tensor([1.0], requires_grad=True)
    with pytest.raises(RuntimeError) as theirs:
        getattr(q, op)(1.0)
    with pytest.raises(RuntimeError) as ours:
        getattr(p, op)(1.0)
    assert str(ours.value).startswith(str(theirs.value))
    assert "with no_grad(): p -= lr * p.grad" in str(ours.value)
    assert p.item() == 1


def test_updates_of_a_result_are_recorded_as_a_new_tensor():
    a = tensor([3.0], requires_grad=True)
    y = before = a * a
    y += a
    y *= 2
    assert y is not before
    y.sum().backward()
    assert a.grad == 14
    total = tensor(0.0)
    total += (a * a).sum()
    total.backward()
    assert a.grad == 20


def test_data_without_grad_is_updated_in_place_anywhere():
    x = same = tensor([1.0, 2.0])
    x *= 2
    assert x is same
    assert x.tolist() == [2, 4]


# NumPy on either side


def test_an_array_on_the_left_keeps_the_graph():
    x = ones(3, requires_grad=True)
    W = np.ones((4, 3), np.float32)
    for y in (W @ x, W * x, W + x, W - x, W / x):
        assert isinstance(y, Tensor)
        y.sum().backward()
    assert x.grad is not None
    a = Value(2.0)
    assert isinstance(np.float64(3) * a, Value)


def test_numpys_own_functions_refuse_instead_of_losing_the_graph():
    x = ones(3, requires_grad=True)
    with pytest.raises(TypeError, match="does not support ufuncs"):
        np.exp(x)
    for leave in (lambda: np.asarray(x), lambda: np.array(x), x.numpy):
        with pytest.raises(RuntimeError, match=r"requires grad.* by .detach\(\).numpy\(\)"):
            leave()


def test_numpy_and_detach_share_the_array_and_tensor_copies_it():
    x = ones(3)
    assert x.numpy() is x.data
    assert np.asarray(x) is x.data
    assert x.detach().data is x.data
    array = np.ones(3)
    assert not np.shares_memory(Tensor(array).data, array)
    assert not np.shares_memory(tensor(array).data, array)
    assert not np.shares_memory(x.clone().data, x.data)


def test_detach_cuts_the_graph():
    a = tensor([3.0], requires_grad=True)
    y = (a * a).detach()
    assert y.is_leaf
    assert not y.requires_grad
    (y * a).sum().backward()
    assert a.grad == 9


# torch's methods on torch's data

METHODS = {
    "argmax": lambda x: x.argmax(),
    "argmax dim": lambda x: x.argmax(1),
    "argmax keepdim": lambda x: x.argmax(dim=0, keepdim=True),
    "argmin": lambda x: x.argmin(-1),
    "max indices": lambda x: x.max(1).indices,
    "min indices": lambda x: x.min(0, keepdim=True)[1],
    "==": lambda x: x == x.T.T,
    "!=": lambda x: x != 2,
    "<": lambda x: x < 2,
    "<=": lambda x: x <= 2.0,
    ">": lambda x: x > x.mean(),
    ">=": lambda x: x >= 2,
    "&": lambda x: (x > 1) & (x < 3),
    "|": lambda x: (x > 2) | (x < 1),
    "~": lambda x: ~(x > 2),
    "all": lambda x: (x > 0).all(),
    "any": lambda x: (x > 4).any(),
    "sum of bools": lambda x: (x > 2).sum(),
    "mean of bools": lambda x: (x > 2).float().mean(),
    "size": lambda x: x.size(1),
    "numel": lambda x: x.numel(),
    "dim": lambda x: x.dim(),
    "len": lambda x: len(x),
    "item": lambda x: x[1, 2].item(),
    "tolist": lambda x: x.tolist(),
    "squeeze a long axis": lambda x: x.squeeze(1),
    "flatten a number": lambda x: x.sum().flatten(),
    "iterate": lambda x: [row.sum().item() for row in x],
    "index": lambda x: [10, 20, 30, 40][x[0].argmax()],
    "int": lambda x: int(x[1, 1]),
    "bool": lambda x: bool((x > 0).all()),
    "** -1": lambda x: x**-1,
    "** 0": lambda x: x**0,
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_equals_torchs(name, close):
    data = np.array([[1.0, 2.5, 2.5, -1.0], [3.0, 0.5, 2.0, 3.5], [2.0, 2.0, 0.0, 1.0]])
    if "**" in name:
        data = data + 5
    ours, theirs = METHODS[name](tensor(data)), METHODS[name](torch.tensor(data))
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, Tensor)
        assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
        close(ours.data, theirs, 1e-12)
    else:
        assert ours == theirs
        assert type(ours) is type(theirs)


def test_creation_functions_equal_torchs():
    for make in (
        lambda n: n.zeros(3, 4),
        lambda n: n.ones((3, 4)),
        lambda n: n.arange(5),
        lambda n: n.arange(1, 2, 0.25),
        lambda n: n.arange(5, 0, -2),
        lambda n: n.zeros(()),
    ):
        ours, theirs = make(nnlib), make(torch)
        assert ours.tolist() == theirs.tolist()
        assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert zeros(3, requires_grad=True).requires_grad
    assert arange(3).dtype == np.int64


def test_randn_follows_the_seed():
    nnlib.manual_seed(3)
    first = randn(100, 50)
    nnlib.manual_seed(3)
    assert (randn((100, 50)) == first).all()
    assert first.dtype == np.float32
    assert abs(first.mean().item()) < 0.05
    assert abs(first.std().item() - 1) < 0.05


# What it refuses


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Tensor("a"), TypeError, "a tensor holds numbers; got str 'a'"),
        (lambda: Tensor(None), TypeError, "a tensor holds numbers; got NoneType"),
        (lambda: Tensor([Value(1.0)]), TypeError, r"holds tensors; join them by nnlib.stack"),
        (lambda: Tensor([ones(2), ones(2)]), TypeError, r"join them by nnlib.stack\(list\)"),
        (lambda: Tensor(ones(2)), TypeError, r"a Tensor already; for a copy use .clone\(\)"),
        (lambda: Tensor([[1.0], [1.0, 2.0]]), ValueError, "inhomogeneous"),
        (lambda: ones(3) + ones(4), ValueError, r"\+: shapes \(3,\) and \(4,\) do not fit"),
        (lambda: ones(3, 4) @ ones(3, 4), ValueError, r"\(3, 4\) @ \(3, 4\) does not fit.*\.T"),
        (lambda: ones(3, 4) @ ones(3), ValueError, r"matmul: \(3, 4\) @ \(3,\)"),
        (lambda: ones(3) @ tensor(1.0), ValueError, r"matmul: \(3,\) @ \(\)"),
        (lambda: ones(3) ** ones(3), TypeError, r"Write|write \(n \* x.log\(\)\).exp\(\)"),
        (lambda: ones(3).item(), ValueError, r"item\(\) needs a single number.*\(3,\).*tolist"),
        (lambda: bool(ones(3)), ValueError, "needs a single number"),
        (lambda: float(ones(3)), ValueError, "needs a single number"),
        (lambda: len(tensor(1.0)), TypeError, "no length"),
        (lambda: ones(3).sum(2), ValueError, "axis 2 is out of bounds"),
        (lambda: ones(3).reshape(4), ValueError, r"reshape array of size 3 into shape \(4,\)"),
        (lambda: ones(3) + "a", TypeError, "a tensor holds numbers"),
        (lambda: ones(3) + None, TypeError, "a tensor holds numbers; got NoneType"),
        (lambda: ones(3) < None, TypeError, "'<' not supported between .*'Tensor' and 'NoneType'"),
        (lambda: ones(3) & None, TypeError, "unsupported operand"),
        (lambda: ones(3, 4).softmax(2), ValueError, r"shape \(3, 4\) has no axis 2. Choose 0 to 1"),
        (lambda: ones(3, 4).flatten(0, 2), ValueError, r"flatten: shape \(3, 4\) has no axis 2"),
        (lambda: Value(1.0) * ones(3), TypeError, "a Value holds one number; got Tensor"),
        (lambda: ones(3) * Value(1.0), TypeError, "a Value already"),
    ],
)
def test_a_mistake_is_told(make, error, message):
    with pytest.raises(error, match=message):
        make()


# Its looks


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: tensor([[1, 2], [3, 4]]), "Tensor([[1, 2], [3, 4]])"),
        (lambda: tensor([1.0, -2.5]), "Tensor([1., -2.5])"),
        (lambda: tensor(3.0, requires_grad=True), "Tensor(3., requires_grad=True)"),
        (lambda: tensor(3.0, requires_grad=True) * 2, "Tensor(6., grad_fn=Mul)"),
        (lambda: tensor(np.ones(2)), "Tensor([1., 1.], dtype=float64)"),
        (lambda: tensor([True]), "Tensor([True])"),
        (lambda: zeros(9, 9), "Tensor([[0., 0., ..., 0., 0.], [0., 0., ..., 0., 0.], ..., "
         "[0., 0., ..., 0., 0.], [0., 0., ..., 0., 0.]], shape=(9, 9))"),
    ],
)  # fmt: skip
def test_repr_is_one_line_that_says_what_matters(make, text):
    assert repr(make()) == text


def test_a_tensor_is_found_in_a_set_by_being_the_same():
    x, y = ones(2), ones(2)
    assert len({x, y}) == 2
    assert x in {x}
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711


def test_results_are_plain_tensors_whatever_they_were_made_from():
    class Special(Tensor):
        pass

    x = Special([1.0, 2.0], requires_grad=True)
    for y in (x * 2, 2 * x, x.sum(), x.detach(), x.argmax(), x > 1, x.clone(), stack([x, x])):
        assert type(y) is Tensor


def test_a_leaf_can_be_copied_and_pickled():
    x = tensor([1.0, 2.0], requires_grad=True, label="x")
    (x * x).sum().backward()
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert y.tolist() == [1, 2]
        assert y.requires_grad
        assert not np.shares_memory(y.data, x.data)
        (y * y).sum().backward()
        assert y.grad.tolist() == [4, 8]
    assert x.grad.tolist() == [2, 4]


# Random graphs against torch: matrices whose shapes broadcast, and whose results are shared

UNARY = [
    lambda a: -a,
    lambda a: a.tanh(),
    lambda a: a.sigmoid(),
    lambda a: a.relu(),
    lambda a: a.tanh().exp(),
    lambda a: (a * a + 1).log(),
    lambda a: (a * a + 1).sqrt(),
    lambda a: a.abs(),
    lambda a: a**2,
    lambda a: a.clamp(-1, 1.5),
    lambda a: 2 - a / 3,
    lambda a: a.sum(0, keepdim=True),
    lambda a: a.mean(-1, keepdim=True),
    lambda a: a.mean(),
    lambda a: a.softmax(-1),
    lambda a: a.log_softmax(0),
    lambda a: a[[0, -1, 0]].sum(0, keepdim=True),
    lambda a: a[:, :1],
    lambda a: (a.T @ a).sum() / 10,
    lambda a: a.T.reshape(a.shape),
    lambda a: a.reshape(1, -1).max(),
]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b.tanh(),
    lambda a, b: a / (b * b + 1),
    lambda a, b: a.tanh() @ b.T if a.shape[1:] == b.shape[1:] else a + b,
]
FUNCTIONS = UNARY + BINARY
seeds = st.integers(0, 2**32 - 1)
plans = st.lists(st.tuples(*[st.integers(0, 999)] * 3), min_size=1, max_size=12)


def matrix(a):
    """As a matrix that broadcasts with the others: its two axes have lengths 1, 3 or 4."""
    return a.reshape(1, 1) if len(a.shape) < 2 else a[:3, :4]


@settings(max_examples=300)
@given(seeds, plans)
def test_gradients_on_random_graphs_equal_torch(seed, plan):
    rng = np.random.default_rng(seed)
    leaves = [rng.normal(size=s) for s in [(3, 4), (1, 4), (3, 1), (1, 1)]]
    runs = []
    for make in (tensor, torch.tensor):
        inputs = [make(x, requires_grad=True) for x in leaves]
        nodes = list(inputs)
        for k, i, j in plan:
            f = FUNCTIONS[k % len(FUNCTIONS)]
            a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
            try:
                nodes.append(matrix(f(a) if f in UNARY else f(a, b)))
            except (ValueError, RuntimeError):  # 3 against 4
                continue
        loss = nodes[-1].mean()
        for node in nodes[:-1]:
            loss = loss + (node * node).mean()
        runs.append((loss, inputs))
    (y, ours), (z, theirs) = runs
    if not abs(z.item()) < 1e8:
        return  # a tower of squares
    y.backward()
    z.backward()
    assert abs(y.item() - z.item()) <= 1e-9 * max(1, abs(z.item()))
    scale = max(1.0, *(b.grad.abs().max().item() for b in theirs))
    for a, b in zip(ours, theirs, strict=True):
        assert a.grad.shape == tuple(b.grad.shape)
        assert np.abs(a.grad - b.grad.numpy()).max() <= 1e-9 * scale
