"""NumPy from scratch."""

from collections.abc import Callable

import numpy as np

from benchmarks.peers import BETAS, EPSILON, Examples, Setting, Trainer, Weights, order, scaled

Arrays = list[np.ndarray]


def documented(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train as books write it: new arrays in every line."""
    x, y = scaled(train.x), train.y
    ws, bs = ([layer[n].copy() for layer in weights] for n in (0, 1))
    apply = _book_rule(setting, [*ws, *bs])

    def step(x: np.ndarray, y: np.ndarray) -> float:
        loss, grads = _book_gradients(ws, bs, x, y)
        apply(grads)
        return loss

    return _trainer(setting, x, y, step, ws, bs)


def best(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train in place, in arrays that are made once for each size of a batch."""
    x, y = scaled(train.x), train.y
    ws, bs = ([layer[n].copy() for layer in weights] for n in (0, 1))
    rest = len(x) % setting.batch
    workspaces = {n: _Workspace(ws, bs, n) for n in (setting.batch, rest) if n}
    apply = _in_place_rule(setting, [*ws, *bs])

    def step(x: np.ndarray, y: np.ndarray) -> float:
        space = workspaces[len(x)]
        loss = space.gradients(ws, bs, x, y)
        apply([*space.grads_w, *space.grads_b])
        return loss

    return _trainer(setting, x, y, step, ws, bs)


def _book_gradients(ws: Arrays, bs: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[float, Arrays]:
    activations = [x]
    for w, b in zip(ws[:-1], bs[:-1], strict=True):
        activations.append(np.maximum(activations[-1] @ w + b, 0))
    z = activations[-1] @ ws[-1] + bs[-1]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(y)), y]).mean()
    delta = (p - np.eye(p.shape[1], dtype=np.float32)[y]) / np.float32(len(y))
    grads_w, grads_b = [], []
    for layer in range(len(ws) - 1, -1, -1):
        grads_w.insert(0, activations[layer].T @ delta)
        grads_b.insert(0, delta.sum(axis=0))
        if layer > 0:
            delta = (delta @ ws[layer].T) * (activations[layer] > 0)
    return float(loss), [*grads_w, *grads_b]


def _book_rule(setting: Setting, params: Arrays) -> Callable[[Arrays], None]:
    ms, vs = ([np.zeros_like(p) for p in params] for _ in range(2))
    steps = 0

    def sgd(grads: Arrays) -> None:
        nonlocal steps
        for p, g in zip(params, grads, strict=True):
            p -= setting.rate_at(steps) * g
        steps += 1

    def adam(grads: Arrays) -> None:
        nonlocal steps
        rate = setting.rate_at(steps)
        steps += 1
        for n, (p, g) in enumerate(zip(params, grads, strict=True)):
            ms[n] = BETAS[0] * ms[n] + (1 - BETAS[0]) * g
            vs[n] = BETAS[1] * vs[n] + (1 - BETAS[1]) * g**2
            m, v = ms[n] / (1 - BETAS[0] ** steps), vs[n] / (1 - BETAS[1] ** steps)
            p -= rate * (m / (np.sqrt(v) + EPSILON) + setting.weight_decay * p)

    return adam if setting.optimizer == "adam" else sgd


class _Workspace:
    """The arrays that one update of a batch of n examples needs."""

    def __init__(self, ws: Arrays, bs: Arrays, n: int) -> None:
        self.rows = np.arange(n)
        self.activations = [np.empty((n, w.shape[1]), np.float32) for w in ws]
        self.deltas = [np.empty_like(a) for a in self.activations]
        self.masks = [np.empty(a.shape, bool) for a in self.activations]
        self.grads_w, self.grads_b = ([np.empty_like(p) for p in ps] for ps in (ws, bs))

    def gradients(self, ws: Arrays, bs: Arrays, x: np.ndarray, y: np.ndarray) -> float:
        """Fill the gradients and return the loss."""
        inputs = [x, *self.activations[:-1]]
        for a, w, b, z in zip(inputs, ws, bs, self.activations, strict=True):
            np.matmul(a, w, out=z)
            z += b
            if z is not self.activations[-1]:
                np.maximum(z, 0, out=z)
        delta = self.deltas[-1]
        loss = self._output_delta(self.activations[-1], y, delta)
        for layer in range(len(ws) - 1, -1, -1):
            np.matmul(inputs[layer].T, delta, out=self.grads_w[layer])
            np.sum(delta, axis=0, out=self.grads_b[layer])
            if layer > 0:
                below, mask = self.deltas[layer - 1], self.masks[layer - 1]
                np.matmul(delta, ws[layer].T, out=below)
                np.greater(inputs[layer], 0, out=mask)
                delta = np.multiply(below, mask, out=below)
        return loss

    def _output_delta(self, z: np.ndarray, y: np.ndarray, delta: np.ndarray) -> float:
        z -= z.max(axis=1, keepdims=True)
        np.exp(z, out=delta)
        sums = delta.sum(axis=1, keepdims=True)
        loss = float((np.log(sums[:, 0]) - z[self.rows, y]).mean())
        delta /= sums
        delta[self.rows, y] -= 1
        delta /= np.float32(len(y))
        return loss


def _in_place_rule(setting: Setting, params: Arrays) -> Callable[[Arrays], None]:
    steps = 0
    scratch, ms, vs = ([np.zeros_like(p) for p in params] for _ in range(3))

    def sgd(grads: Arrays) -> None:
        nonlocal steps
        rate = np.float32(setting.rate_at(steps))
        steps += 1
        for p, g in zip(params, grads, strict=True):
            g *= rate
            p -= g

    def adam(grads: Arrays) -> None:
        nonlocal steps
        rate = setting.rate_at(steps)
        steps += 1
        step = np.float32(rate / (1 - BETAS[0] ** steps))
        root = np.float32((1 - BETAS[1] ** steps) ** -0.5)
        for p, g, m, v, s in zip(params, grads, ms, vs, scratch, strict=True):
            m += np.multiply(np.subtract(g, m, out=s), np.float32(1 - BETAS[0]), out=s)
            g *= g
            v += np.multiply(np.subtract(g, v, out=s), np.float32(1 - BETAS[1]), out=s)
            np.sqrt(v, out=s)
            s *= root
            s += np.float32(EPSILON)
            if setting.weight_decay:
                p *= np.float32(1 - rate * setting.weight_decay)
            p -= np.multiply(np.divide(m, s, out=s), step, out=s)

    return adam if setting.optimizer == "adam" else sgd


def _trainer(
    setting: Setting,
    x: np.ndarray,
    y: np.ndarray,
    step: Callable[[np.ndarray, np.ndarray], float],
    ws: Arrays,
    bs: Arrays,
) -> Trainer:
    def epoch(number: int) -> float:
        rows, total = order(setting.seed, number, len(x)), 0.0
        for start in range(0, len(x), setting.batch):
            row = rows[start : start + setting.batch]
            total += step(x[row], y[row]) * len(row)
        return total / len(x)

    def predict(raw: np.ndarray) -> np.ndarray:
        a = scaled(raw)
        for w, b in zip(ws[:-1], bs[:-1], strict=True):
            a = np.maximum(a @ w + b, 0)
        return (a @ ws[-1] + bs[-1]).argmax(axis=1)

    return Trainer(epoch, predict, lambda: [*ws, *bs])
