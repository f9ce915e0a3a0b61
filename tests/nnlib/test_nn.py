"""Modules find their parts, layers agree with torch, and slips of the pen are named."""

import copy
import math

import numpy as np
import pytest
import torch

import nnlib
from nnlib import nn
from nnlib.tensor import Tensor

rng = np.random.default_rng(0)


class Net(nn.Module):
    """A parameter, a buffer and children, set in a mixed order; one child is used twice."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.count = nn.Buffer(np.zeros(2, np.float32))
        self.scale = nn.Parameter(np.ones(4, np.float32))
        self.rest = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.tied = self.first
        self.last_input = None
        self.sizes = [3, 4]


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(3, 4)
        self.register_buffer("count", torch.zeros(2))
        self.scale = torch.nn.Parameter(torch.ones(4))
        self.rest = torch.nn.ModuleList([torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)])
        self.tied = self.first


# Finding the parts


@pytest.mark.parametrize("kind", ["named_parameters", "named_buffers", "named_modules"])
def test_parts_are_found_under_torchs_names_in_torchs_order(kind):
    ours = [name for name, _ in getattr(Net(), kind)()]
    assert ours == [name for name, _ in getattr(TorchNet(), kind)()]


def test_state_keys_are_torchs_own_parameters_then_buffers_then_children():
    assert list(Net().state_dict()) == list(TorchNet().state_dict())


def test_a_tied_module_is_listed_once_and_saved_under_both_names():
    net = Net()
    assert sum(p is net.first.weight for p in net.parameters()) == 1
    assert {"first.weight", "tied.weight"} <= set(net.state_dict())


def test_a_tied_parameter_is_listed_once_and_saved_under_both_names():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert {"0.weight", "1.weight"} <= set(net.state_dict())


def test_unnamed_parts_are_the_named_ones_without_names():
    net = Net()
    assert list(map(id, net.parameters())) == [id(p) for _, p in net.named_parameters()]
    assert list(map(id, net.buffers())) == [id(b) for _, b in net.named_buffers()]
    assert list(map(id, net.modules())) == [id(m) for _, m in net.named_modules()]


def test_children_are_one_level_down_and_listed_once():
    net = Net()
    assert list(net.children()) == [net.first, net.rest]


def test_parts_are_found_without_the_call_of_super_init():
    class Bare(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(2, 3)

    assert len(list(Bare().parameters())) == 2
    assert Bare().training


class Holder(nn.Module):
    def __init__(self, part):
        super().__init__()
        self.part = part


def leaf():
    return Tensor(np.ones(2, np.float32), requires_grad=True)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ([nn.Linear(1, 1)], r"Holder\.part is a list that holds a Linear.*nn\.ModuleList"),
        ((nn.Linear(1, 1),), "is a tuple that holds a Linear"),
        ({"a": nn.ReLU()}, "is a dict that holds a ReLU.*ModuleList"),
        ([1, [nn.ReLU()]], "is a list that holds a ReLU"),
        (leaf(), r"Holder\.part is a Tensor that requires grad .*nn\.Parameter"),
        ([leaf()], "is a list that holds a Tensor that requires grad .*nn.Parameter"),
        ([nn.Parameter([1.0])], "is a list that holds a Parameter that requires grad"),
    ],
)
@pytest.mark.parametrize("walk", [nn.Module.state_dict, nn.Module.eval, nn.Module.zero_grad, repr])
def test_a_part_that_would_not_be_trained_is_refused(part, message, walk):
    with pytest.raises(TypeError, match=message):
        walk(nn.Sequential(Holder(part)))
    with pytest.raises(TypeError, match=message):
        list(Holder(part).parameters())


@pytest.mark.parametrize("part", [[1, "a", None], {"a": 1.0}, np.ones(3), Tensor([1.0, 2.0])])
def test_other_attributes_are_left_alone(part):
    assert list(Holder(part).parameters()) == []


def test_a_result_may_be_kept_to_look_at():
    holder = Holder(nn.Linear(2, 2))
    holder.last = [holder.part(Tensor(np.ones((3, 2), np.float32)))]
    assert len(list(holder.parameters())) == 2
    holder.last[0].sum().backward()
    assert len(list(holder.parameters())) == 2


def test_a_module_that_contains_itself_is_named():
    net = nn.Sequential(nn.ReLU())
    net[0].parent = net
    with pytest.raises(ValueError, match=r"Sequential contains itself, as '0\.parent'"):
        net.state_dict()


# Slips of the pen


def test_a_misspelt_attribute_is_named_with_what_was_meant():
    model = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(
        AttributeError, match=r"no attribute 'parameter'\. Did you mean 'parameters'"
    ):
        _ = model.parameter
    with pytest.raises(AttributeError, match=r"Linear has no attribute 'wieght'. .*'weight'"):
        _ = model[0].wieght
    with pytest.raises(AttributeError, match=r"no attribute 'xyzzy'.$"):
        _ = model.xyzzy


def test_a_property_that_fails_names_what_it_missed():
    class Odd(nn.Module):
        @property
        def size(self):
            return self.missing

    with pytest.raises(AttributeError, match="'missing'"):
        _ = Odd().size


def test_a_parameter_cannot_be_replaced_by_something_that_is_not_trained():
    linear = nn.Linear(2, 3)
    with pytest.raises(TypeError, match=r"Linear\.weight is a Parameter; a ndarray .*\.data = "):
        linear.weight = np.zeros((3, 2))
    linear.weight = nn.Parameter(np.zeros((3, 2), np.float32))
    linear.bias = None
    assert len(list(linear.parameters())) == 1


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty has no forward\(\). Define forward"):
        Empty()(1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU),
            r"got class ReLU as part 1\. .*nn\.ReLU\(\), with its brackets",
        ),
        (lambda: nn.Sequential([nn.ReLU()]), r"got list as part 0\. .* nn.Sequential\(\*layers\)"),
        (
            lambda: nn.Sequential(nnlib.functional.relu),
            r"Sequential needs modules; got function as part 0\. Write nn\.ReLU\(\)",
        ),
        (lambda: nn.ModuleList([nn.ReLU(), 3]), "ModuleList needs modules; got int as part 1"),
    ],
)
def test_what_is_no_module_is_refused(make, message):
    with pytest.raises(TypeError, match=message):
        make()


# Modes, gradients, state


def test_train_and_eval_reach_every_module_and_return_the_model():
    net = Net()
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train() is net
    assert all(m.training for m in net.modules())


def test_zero_grad_forgets_every_gradient():
    net = nn.Linear(2, 2)
    net(Tensor(np.ones((3, 2), np.float32))).sum().backward()
    assert net.weight.grad is not None
    net.zero_grad()
    assert net.weight.grad is None
    assert net.bias.grad is None


def test_a_state_dict_is_a_copy():
    net = nn.Linear(2, 2)
    state = net.state_dict()
    net.weight.data += 1
    assert np.abs(state["weight"] - net.weight.data).min() > 0.5
    net.load_state_dict(state)
    state["weight"][:] = 99
    assert net.weight.data.max() < 99


def test_a_saved_state_gives_the_same_model_again():
    a, b = Net(), Net()
    b.load_state_dict(a.state_dict())
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        assert p.data is not q.data


def test_torchs_state_loads_and_ours_loads_into_torch():
    theirs, ours = TorchNet(), Net()
    ours.load_state_dict(theirs.state_dict())
    np.testing.assert_array_equal(ours.first.weight.data, theirs.first.weight.detach().numpy())
    back = {k: torch.tensor(v) + 1 for k, v in ours.state_dict().items()}
    theirs.load_state_dict(back)
    np.testing.assert_array_equal(ours.first.weight.data + 1, theirs.first.weight.detach().numpy())


def test_loading_keeps_the_models_dtype():
    net = nn.Linear(2, 3)
    net.load_state_dict({"weight": np.ones((3, 2)), "bias": [0.0, 1.0, 2.0]})
    assert net.weight.data.dtype == np.float32
    assert net.bias.data.tolist() == [0, 1, 2]


def test_a_state_that_does_not_fit_is_refused_whole_with_every_difference():
    net = nn.Sequential(nn.Linear(2, 3))
    before = net.state_dict()
    state = {"0.weight": np.zeros((3, 5)), "1.weight": np.zeros(2)}
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    assert str(error.value) == (
        "This state does not fit Sequential; nothing was loaded:\n"
        "  missing: 0.bias\n"
        "  unexpected: 1.weight\n"
        "  0.weight has shape (3, 5), but the model's has (3, 2)\n"
        "Build the model with the layers and sizes that it was saved with."
    )
    np.testing.assert_array_equal(net[0].weight.data, before["0.weight"])


def test_double_turns_parameters_and_buffers_to_float64():
    assert {a.dtype for a in Net().double().state_dict().values()} == {np.dtype(np.float64)}
    assert Holder(nn.Buffer(np.zeros(2, np.int64))).double().part.dtype == np.int64


def test_a_module_can_be_copied():
    net = Net()
    twin = copy.deepcopy(net)
    twin.first.weight.data += 1
    assert twin.tied is twin.first
    assert np.abs(net.first.weight.data - twin.first.weight.data).min() > 0.5


def test_a_parameter_made_of_a_tensor_is_a_leaf_that_requires_grad():
    p = nn.Parameter(Tensor([1.0, 2.0]))
    assert p.requires_grad
    assert p.is_leaf
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    assert not nn.Buffer([1.0]).requires_grad


def test_a_result_of_a_parameter_is_a_plain_tensor():
    assert type(nn.Parameter([1.0, 2.0]) * 2) is Tensor


# What it looks like


def test_repr_is_torchs():
    def build(nn):
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(3, 4, bias=False),
            nn.LeakyReLU(0.2),
            nn.Softmax(dim=1),
            nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()]),
            nn.Sequential(nn.Sequential(), nn.Tanh(), nn.Sigmoid()),
            nn.CrossEntropyLoss(),
        )

    assert repr(build(nn)) == repr(build(torch.nn))


def test_repr_shows_extra_repr_above_the_parts():
    class Scaled(nn.Sequential):
        def extra_repr(self):
            return "scale=2"

    assert repr(Scaled(nn.ReLU())) == "Scaled(\n  scale=2\n  (0): ReLU()\n)"
    assert repr(nn.Dropout(0.2)) == "Dropout(p=0.2)"


# Containers


def test_sequential_runs_its_modules_in_order():
    a, b = nn.Linear(2, 3), nn.Linear(3, 4)
    x = Tensor(rng.normal(size=(5, 2)).astype(np.float32))
    np.testing.assert_array_equal(nn.Sequential(a, b)(x).data, b(a(x)).data)


@pytest.mark.parametrize("make", [lambda ms: nn.Sequential(*ms), nn.ModuleList])
def test_containers_count_index_and_slice_like_a_list(make):
    modules = [nn.ReLU() for _ in range(12)]
    box = make(modules)
    assert len(box) == 12
    assert list(box) == modules
    assert box[-1] is modules[-1]
    assert type(box[3:]) is type(box)
    assert list(box[3:]) == modules[3:]
    with pytest.raises(IndexError):
        box[12]


def test_a_module_list_grows():
    layers = nn.ModuleList()
    layers.append(nn.Linear(1, 2)).append(nn.ReLU())
    assert [name for name, _ in layers.named_parameters()] == ["0.weight", "0.bias"]


# Layers and losses against torch


def both(ours, theirs, *arrays):
    """The outputs and the gradients of the first input, ours and torch's."""
    x, *rest = arrays
    a, b = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y = ours(a, *map(Tensor, rest))
    z = theirs(b, *map(torch.tensor, rest))
    weight = rng.normal(size=z.shape)
    y.backward(weight)
    z.backward(torch.tensor(weight))
    return (y.data, a.grad), (z.detach().numpy(), b.grad.numpy())


def test_bce_loss_agrees_with_torch():
    prediction, target = rng.random((3, 4)), rng.integers(0, 2, (3, 4)).astype(np.float64)
    ours, theirs = both(nn.BCELoss(), torch.nn.BCELoss(), prediction, target)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


def test_linear_starts_as_torchs_does():
    nnlib.manual_seed(0)
    linear = nn.Linear(100, 300)
    for p in linear.parameters():
        assert p.data.dtype == np.float32
        assert np.abs(p.data).max() == pytest.approx(0.1, rel=0.02)
        assert np.abs(p.data).max() <= 0.1
        assert p.data.std() == pytest.approx(0.1 / math.sqrt(3), rel=0.1)


@pytest.mark.parametrize(
    ("sizes", "shape", "message"),
    [
        (
            (784, 100),
            (32, 28, 28),
            "Linear(784 -> 100) needs the last axis to be 784; x has shape (32, 28, 28). "
            "Flatten the image first: x.reshape(32, -1).",
        ),
        ((784, 9), (32, 1, 28, 28), "x has shape (32, 1, 28, 28). Flatten the image first: x.res"),
        ((784, 9), (28, 28), "x has shape (28, 28). For a single example: x.reshape(1, 784)."),
        ((64, 9), (64, 100), "x has shape (64, 100). The axes look swapped: x.T."),
        (
            (64, 9),
            (32, 100),
            "Linear(64 -> 9) needs the last axis to be 64; x has shape (32, 100). "
            "Make the part before it give 64, or this one Linear(100, 9).",
        ),
        ((64, 9), (), "x has shape (). Give it a vector or a batch of vectors."),
    ],
)
def test_linear_says_how_to_mend_a_wrong_shape(sizes, shape, message):
    with pytest.raises(ValueError, match="needs the last axis") as error:
        nn.Linear(*sizes)(Tensor(np.zeros(shape, np.float32)))
    assert message in str(error.value)


def test_linear_wants_a_tensor():
    with pytest.raises(TypeError, match=r"got a ndarray. Wrap it: nnlib\.tensor\(x\)"):
        nn.Linear(2, 3)(np.zeros((5, 2), np.float32))


def test_linear_refuses_mixed_floats_as_torch_does():
    with pytest.raises(TypeError, match="float64, float32"):
        nn.Linear(2, 3)(Tensor(np.zeros((5, 2))))


@pytest.mark.parametrize("size", [0, 2.5, True, "3"])
def test_linear_wants_whole_sizes(size):
    with pytest.raises(ValueError, match="in_features to be a whole number from 1 up; got"):
        nn.Linear(size, 3)
    with pytest.raises(ValueError, match="out_features to be a whole number from 1 up; got"):
        nn.Linear(3, size)


def test_dropout_drops_a_share_and_keeps_the_mean_in_train_mode_only():
    nnlib.manual_seed(0)
    x = Tensor(np.full((200, 500), 3.0, np.float32))
    drop = nn.Dropout(0.2)
    out = drop(x).data
    assert (out == 0).mean() == pytest.approx(0.2, abs=0.01)
    np.testing.assert_allclose(out[out != 0], 3 / 0.8, rtol=1e-6)
    np.testing.assert_array_equal(drop.eval()(x).data, x.data)


def test_dropout_may_drop_nothing_or_all():
    x = Tensor(np.ones((3, 4), np.float32))
    assert nn.Dropout(0)(x).data.all()
    assert not nn.Dropout(1)(x).data.any()


def test_dropout_wants_a_share():
    with pytest.raises(ValueError, match=r"from 0 to 1; got 1.5"):
        nn.Dropout(1.5)
