"""Module: a function that owns the numbers it learns; and modules made of modules."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any, Self

import numpy as np

from nnlib.check import whole
from nnlib.tensor import Tensor

HOLDERS = (list, tuple, set, dict)  # nobody looks into them for what is to be learned
SEARCHED = (Tensor, *HOLDERS)


class Parameter(Tensor):
    """A tensor that a module learns: `model.parameters()` finds it and the optimizer moves it.

    Args:
        data: an array, a list or a Tensor.
        requires_grad: False freezes it.

    Example:
        >>> Parameter([1.0, 2.0])
        Parameter([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True):
        super().__init__(data.data if isinstance(data, Tensor) else data, requires_grad)


class Buffer(Tensor):
    """A tensor that belongs to a module's state but is not learned, such as a running mean.

    Example:
        >>> Buffer([1.0, 2.0])
        Buffer([1., 2.])
    """

    __slots__ = ()

    def __init__(self, data: Any):
        super().__init__(data.data if isinstance(data, Tensor) else data)


class Module:
    """A function with parameters. Define `__init__`, which makes its parts, and `forward`.

    Its parts are its attributes: parameters, buffers and other modules are found by looking
    through them, in the order they were set. Unlike torch's, it works without
    `super().__init__()`; write the call all the same, torch insists on it.

    Example:
        >>> from nnlib.nn import Linear
        >>> class Doubled(Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.linear = Linear(3, 2)
        ...
        ...     def forward(self, x):
        ...         return 2 * self.linear(x)
        >>> model = Doubled()
        >>> model(Tensor(np.ones((5, 3), np.float32))).shape
        (5, 2)
        >>> [name for name, p in model.named_parameters()]
        ['linear.weight', 'linear.bias']
    """

    training = True

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes. Call the module itself, `model(x)`, not this."""
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no forward(). Define forward(self, x) in {name}.")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self.forward(*inputs, **options)

    def _sizes(self, **sizes: Any) -> None:
        """Keep these settings, each of which must be a whole number from 1 up."""
        for name, size in sizes.items():
            setattr(self, name, whole(type(self).__name__, name, size))

    # Finding the parts. A part that is used twice (tied weights) is yielded once.

    def children(self) -> Iterator["Module"]:
        """The modules directly inside this one."""
        yield from dict.fromkeys(module for _, module in self._own(Module))

    def named_modules(self) -> Iterator[tuple[str, "Module"]]:
        """This module under the name "", then all inside it, such as ("0.linear", Linear(...))."""
        yield from _once(self._tree())

    def modules(self) -> Iterator["Module"]:
        """This module and all inside it."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Everything that is learned, as pairs such as ("0.weight", Parameter)."""
        yield from _once(self._state(Parameter))

    def parameters(self) -> Iterator[Parameter]:
        """Everything that is learned: what to give to an optimizer."""
        return (p for _, p in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """What is kept but not learned, by name."""
        yield from _once(self._state(Buffer))

    def buffers(self) -> Iterator[Buffer]:
        """What is kept but not learned."""
        return (b for _, b in self.named_buffers())

    def _own(self, kind: type) -> list[tuple[str, Any]]:
        """The attributes of this module itself that are of this kind."""
        for name, value in vars(self).items():
            if isinstance(value, SEARCHED) and not isinstance(value, Parameter):
                _refuse_if_hidden(f"{type(self).__name__}.{name}", value)
        return [(name, value) for name, value in vars(self).items() if isinstance(value, kind)]

    def _tree(self, prefix: str = "", above: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any]]:
        """Every module with its name, as often as it is used."""
        if self in above:
            raise ValueError(f"A {type(self).__name__} contains itself, as {prefix!r}. Remove it.")
        yield prefix, self
        for name, module in self._own(Module):
            yield from module._tree(f"{prefix}.{name}" if prefix else name, (*above, self))

    def _state(self, *kinds: type) -> Iterator[tuple[str, Any]]:
        """Every tensor of these kinds with its name, as often as it is used."""
        for prefix, module in self._tree():
            for kind in kinds:
                for name, tensor in module._own(kind):
                    yield (f"{prefix}.{name}" if prefix else name), tensor

    # What is done to all parts at once.

    def train(self, mode: bool = True) -> Self:
        """Switch to train mode, in which Dropout drops."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to eval mode, in which the same input always gives the same output."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next `backward()` does not add to them."""
        for p in self.parameters():
            p.grad = None

    def double(self) -> Self:
        """Turn all parameters and buffers to float64, for comparisons to many digits."""
        for _, tensor in self._state(Parameter, Buffer):
            if tensor.data.dtype.kind == "f":
                tensor.data = tensor.data.astype(np.float64)
        return self

    def state_dict(self) -> dict[str, np.ndarray]:
        """All parameters and buffers by name, as arrays.

        They are copies: training on does not change them. (torch hands out the tensors themselves,
        which do change; there one writes copy.deepcopy(model.state_dict()).)
        """
        return {name: tensor.data.copy() for name, tensor in self._state(Parameter, Buffer)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the numbers of a `state_dict()`, this model's own or one of torch's.

        Raises:
            RuntimeError: names or shapes do not match. Nothing is changed then.
        """
        tensors = dict(self._state(Parameter, Buffer))
        arrays = {k: np.asarray(v.data if isinstance(v, Tensor) else v) for k, v in state.items()}
        problems = [f"missing: {name}" for name in tensors if name not in arrays]
        problems += [f"unexpected: {name}" for name in arrays if name not in tensors]
        got = {name: array.shape for name, array in arrays.items()}
        for name, tensor in tensors.items():
            if got.get(name, tensor.shape) != tensor.shape:
                problems.append(f"{name} has shape {got[name]}, but the model's has {tensor.shape}")
        if problems:
            head = f"This state does not fit {type(self).__name__}; nothing was loaded:"
            fix = "Build the model with the layers and sizes that it was saved with."
            raise RuntimeError("\n  ".join([head, *problems]) + f"\n{fix}")
        for name, tensor in tensors.items():
            tensor.data = arrays[name].astype(tensor.data.dtype)  # a copy

    # Looking at it.

    def extra_repr(self) -> str:
        """What to show between the brackets, such as "in_features=3, out_features=2"."""
        return ""

    def __repr__(self) -> str:
        return self._repr([(name, repr(module)) for name, module in self._own(Module)])

    def _repr(self, parts: list[tuple[str, str]]) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        if not parts:
            return f"{name}({extra})"
        lines = ([extra] if extra else []) + [f"({key}): {text}" for key, text in parts]
        return f"{name}(\n  " + "\n".join(lines).replace("\n", "\n  ") + "\n)"

    # A slip of the pen must not pass in silence.

    def __getattr__(self, name: str) -> Any:
        """Only reached by a name that does not exist."""
        if hasattr(type(self), name):  # a property that failed: let it tell what it missed
            return object.__getattribute__(self, name)
        from difflib import get_close_matches

        near = [] if name.startswith("_") else get_close_matches(name, dir(self), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.{hint}")

    def __setattr__(self, name: str, value: Any) -> None:
        old = vars(self).get(name)
        if isinstance(old, Parameter) and not (value is None or isinstance(value, Parameter)):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter; a {type(value).__name__} would not "
                f"be trained. Change its numbers, module.{name}.data = ..., or set an nn.Parameter."
            )
        super().__setattr__(name, value)


def _once(pairs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Leave out what came before under another name."""
    seen: set[int] = set()
    for name, part in pairs:
        if id(part) not in seen:
            seen.add(id(part))
            yield name, part


def _refuse_if_hidden(where: str, value: Any) -> None:
    """Raise if this attribute holds something to be learned where nobody would find it."""
    for part in _inside(value):
        if isinstance(part, Module):
            why = "whose parameters would not be trained. Use nn.ModuleList([...])."
        elif isinstance(part, Tensor) and part.requires_grad and part.is_leaf:
            why = "that requires grad and would not be trained. Make it an nn.Parameter of its own."
        else:
            continue
        what = "" if part is value else f"{type(value).__name__} that holds a "
        raise TypeError(f"{where} is a {what}{type(part).__name__} {why}")


def _inside(value: Any) -> Iterator[Any]:
    """The value, or if it holds others all that is in it, however deep."""
    if isinstance(value, HOLDERS):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _inside(part)
    else:
        yield value


@dataclass(eq=False, repr=False)
class Stateless(Module):
    """A module that has settings and nothing to learn.

    Each subclass with settings of its own is a dataclass, too: its fields are the arguments that it
    is made with, and what its repr shows.
    """

    def extra_repr(self) -> str:
        return ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self))


# Modules made of modules


class _Row(Module):
    """Modules under the names "0", "1", "2" ...: what Sequential and ModuleList share."""

    def __init__(self, *modules: Module):
        super().__init__()
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        if not isinstance(module, Module):
            what = f"class {module.__name__}" if isinstance(module, type) else type(module).__name__
            needs = f"{type(self).__name__} needs modules; got {what} as part {len(self)}"
            fix = "Write nn.ReLU(), with its brackets; and for a list, nn.Sequential(*layers)."
            raise TypeError(f"{needs}. {fix}")
        setattr(self, str(len(self)), module)
        return self

    def __iter__(self) -> Iterator[Module]:
        return (module for _, module in self._own(Module))

    def __len__(self) -> int:
        return len(self._own(Module))


class Sequential(_Row):
    """Modules in a row: the output of each is the input of the next.

    Example:
        >>> from nnlib.nn import Linear, ReLU
        >>> model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
        >>> model(Tensor(np.ones((5, 3), np.float32))).shape
        (5, 2)
        >>> model[0]
        Linear(in_features=3, out_features=4, bias=True)
    """

    def forward(self, x: Any) -> Any:
        for module in self:
            x = module(x)
        return x

    def __getitem__(self, index: int | slice) -> Any:
        """One module, or for a slice a Sequential that shares these modules."""
        found = list(self)[index]
        return Sequential(*found) if isinstance(found, list) else found


class ModuleList(_Row):
    """A list of modules whose parameters are found, which those of a plain list are not.

    Example:
        >>> from nnlib.nn import Linear
        >>> layers = ModuleList(Linear(4, 4) for _ in range(3))
        >>> layers.append(Linear(4, 2))
        ModuleList(
          (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
          (3): Linear(in_features=4, out_features=2, bias=True)
        )
        >>> len(layers)
        4
    """

    def __init__(self, modules: Iterable[Module] = ()):
        super().__init__(*modules)

    def __getitem__(self, index: int | slice) -> Any:
        """One module, or for a slice a ModuleList that shares these modules."""
        found = list(self)[index]
        return ModuleList(found) if isinstance(found, list) else found

    def __repr__(self) -> str:
        """Equal neighbours are shown once, as in torch."""
        parts, first = [], 0
        for text, run in groupby(map(repr, self)):
            n = len(list(run))
            last = first + n - 1
            parts.append((f"{first}-{last}", f"{n} x {text}") if n > 1 else (str(first), text))
            first += n
        return self._repr(parts)
