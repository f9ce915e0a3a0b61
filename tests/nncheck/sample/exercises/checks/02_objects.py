"""Exercise 2: a class with operators, an optimizer with state, dropout, a training loop."""

from nncheck import call, question, wrong

USES = "numpy"


class RightValue:
    def __init__(self, data, inputs=()):
        self.data, self.inputs, self.grad = data, inputs, 0.0

    def __add__(self, other):
        return RightValue(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return RightValue(self.data * other.data, ((self, other.data), (other, self.data)))

    def backward(self, grad=1.0):
        self.grad += grad
        for value, local in self.inputs:
            value.backward(grad * local)


class RightValueOfRules:
    def __init__(self, data, back=lambda grad: None):
        self.data, self.back, self.grad = data, back, 0.0

    def __add__(self, other):
        def back(grad):
            self.backward(grad)
            other.backward(grad)

        return type(self)(self.data + other.data, back)

    def __mul__(self, other):
        def back(grad):
            self.backward(grad * other.data)
            other.backward(grad * self.data)

        return type(self)(self.data * other.data, back)

    def backward(self, grad=1.0):
        self.grad = self.grad + grad
        self.back(grad)


def shared(Value, a):
    """One number on three paths: u = x * x, w = u * x, y = u + w."""
    x = Value(a)
    u = x * x
    w = u * x
    y = u + w
    y.backward()
    return y.data, x.grad


@question(points=3, right=RightValue, also=(RightValueOfRules,), hints=("paths add up",))
def Value(rng):
    """A number with operators and a backward walk."""
    yield shared, rng.uniform(2, 4)
    yield shared, -rng.uniform(2, 4)


@wrong(Value, sneaky=True)
class AssignedValue(RightValue):
    """You wrote = where += belongs: a number on several paths keeps only its last amount."""

    def backward(self, grad=1.0):
        self.grad = grad
        for value, local in self.inputs:
            value.backward(grad * local)

    def __add__(self, other):
        return AssignedValue(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return AssignedValue(self.data * other.data, ((self, other.data), (other, self.data)))


@wrong(Value)
class OwnDataValue(RightValue):
    """In a product you gave each input its own number as its slope; it is the other's."""

    def __add__(self, other):
        return OwnDataValue(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return OwnDataValue(self.data * other.data, ((self, self.data), (other, other.data)))


class RightMomentum:
    def __init__(self, lr, beta):
        self.lr, self.beta, self.v = lr, beta, 0.0

    def step(self, p, g):
        self.v = self.beta * self.v + g
        return p - self.lr * self.v


def three_steps(Momentum, p, grads):
    """Three steps of one optimizer."""
    optimizer = Momentum(0.1, 0.9)
    for g in grads:
        p = optimizer.step(p, g)
    return p


@question(points=2, right=RightMomentum, hints=("v is kept",))
def Momentum(rng):
    """Gradient descent that remembers its velocity."""
    yield three_steps, rng.normal(size=4), rng.normal(size=(3, 4))


@wrong(Momentum)
class Forgetful(RightMomentum):
    """You start from a velocity of zero at each step: keep it on self."""

    def step(self, p, g):
        return p - self.lr * g


def right_dropout(x, p, uniforms, training):
    return x * (uniforms >= p) / (1 - p) if training else x


@question(points=1, right=right_dropout, hints=("scale what stays",))
def dropout(rng):
    """Dropout; the chance comes in as uniforms, so that nothing is left to it."""
    for training in (True, False):
        yield call, rng.normal(size=(3, 4)) + 3, 0.3, rng.uniform(size=(3, 4)), training


@wrong(dropout)
def unscaled(x, p, uniforms, training):
    """What stays is not scaled up by 1 / (1 - p), so the mean shrinks in training."""
    return x * (uniforms >= p) if training else x


@wrong(dropout, sneaky=True)
def always_on(x, p, uniforms, training):
    """You drop numbers at evaluation too: leave x alone unless training."""
    return right_dropout(x, p, uniforms, True)


def right_train(X, y, w, lr, epochs):
    losses = []
    for _ in range(epochs):
        error = X @ w - y
        losses.append(float((error**2).mean()))
        w = w - lr * 2 * X.T @ error / len(y)
    return losses, w


@question(points=2, right=right_train, hints=("mean over the rows",))
def train(rng):
    """Full-batch gradient descent on a linear model; the losses and the last weights."""
    X = rng.normal(size=(7, 3))
    yield call, X, X @ rng.normal(size=3), rng.normal(size=3), 0.1, 5


@wrong(train, sneaky=True)
def summed(X, y, w, lr, epochs):
    """You summed the gradient over the rows where the loss takes their mean."""
    losses = []
    for _ in range(epochs):
        error = X @ w - y
        losses.append(float((error**2).mean()))
        w = w - lr * 2 * X.T @ error
    return losses, w
