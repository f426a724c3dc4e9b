"""PyTorch, eager and compiled."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Sampler, TensorDataset

from benchmarks.peers import BETAS, EPSILON, Examples, Setting, Trainer, Weights, order, scaled

Cost = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
# Of inputs, labels and the number of the update; returns the loss before it.
Update = Callable[[torch.Tensor, torch.Tensor, int], torch.Tensor]


def documented(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train as in the "Quickstart" of PyTorch: a `DataLoader`, and a step in five lines."""
    model, loss_fn = _model(weights), nn.CrossEntropyLoss()
    optimizer = _optimizer(setting, model)
    data, rows = TensorDataset(*_tensors(train)), _Rows(len(train.x))
    loader = DataLoader(data, batch_size=setting.batch, sampler=rows)

    def epoch(number: int) -> float:
        rows.order, total = order(setting.seed, number, len(train.x)).tolist(), 0.0
        model.train()
        for batch, (x, y) in enumerate(loader):
            _decay(setting, optimizer, number * len(loader) + batch)
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item() * len(x)
        return total / len(train.x)

    return Trainer(epoch, lambda x: _predict(model, x), lambda: _weights(model))


def eager(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train on tensors, without a `DataLoader`, with the fused optimizer."""
    model = _model(weights)
    optimizer = _optimizer(setting, model, fused=True)

    def cost(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(model(x), y)

    return _trainer(setting, train, model, _stepped(setting, cost, optimizer))


def compiled(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train on tensors; forward and backward pass compiled, and the fused optimizer."""
    model = _model(weights)
    optimizer = _optimizer(setting, model, fused=True)
    cost = torch.compile(lambda x, y: F.cross_entropy(model(x), y), dynamic=False)
    return _trainer(setting, train, model, _stepped(setting, cost, optimizer))


def compiled_update(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train on tensors; gradient and update are one compiled function of `torch.func`."""
    model = _model(weights).requires_grad_(False)
    params = dict(model.named_parameters())
    slots = {k: (torch.zeros_like(p), torch.zeros_like(p)) for k, p in params.items()}
    steps, rate = torch.zeros(()), torch.tensor(setting.rate)

    def cost(params: dict, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(torch.func.functional_call(model, params, (x,)), y)

    @torch.compile(dynamic=False)
    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        grads, loss = torch.func.grad_and_value(cost)(params, x, y)
        if setting.optimizer == "adam":
            steps.add_(1)
        for name, p in params.items():
            direction = _direction(setting, slots[name], grads[name], steps)
            if setting.weight_decay:
                direction = direction + setting.weight_decay * p
            p.sub_(rate * direction)
        return loss

    def update(x: torch.Tensor, y: torch.Tensor, number: int) -> torch.Tensor:
        if setting.decay:
            rate.fill_(setting.rate_at(number))
        return step(x, y)

    return _trainer(setting, train, model, update)


def _direction(
    setting: Setting, slots: tuple, gradient: torch.Tensor, steps: torch.Tensor
) -> torch.Tensor:
    if setting.optimizer == "sgd":
        return gradient
    m, v = slots
    m.lerp_(gradient, 1 - BETAS[0])
    v.lerp_(gradient * gradient, 1 - BETAS[1])
    unbiased_m, unbiased_v = m / (1 - BETAS[0] ** steps), v / (1 - BETAS[1] ** steps)
    return unbiased_m / (unbiased_v.sqrt() + EPSILON)


def _trainer(setting: Setting, train: Examples, model: nn.Module, update: Update) -> Trainer:
    x, y = _tensors(train)

    def epoch(number: int) -> float:
        rows = torch.from_numpy(order(setting.seed, number, len(x))).split(setting.batch)
        losses = [
            update(x[row], y[row], number * len(rows) + batch) * len(row)
            for batch, row in enumerate(rows)
        ]
        return float(torch.stack(losses).sum()) / len(x)

    return Trainer(epoch, lambda x: _predict(model, x), lambda: _weights(model))


def _stepped(setting: Setting, cost: Cost, optimizer: torch.optim.Optimizer) -> Update:
    def update(x: torch.Tensor, y: torch.Tensor, number: int) -> torch.Tensor:
        _decay(setting, optimizer, number)
        loss = cost(x, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    return update


def _decay(setting: Setting, optimizer: torch.optim.Optimizer, number: int) -> None:
    if setting.decay:
        optimizer.param_groups[0]["lr"] = setting.rate_at(number)


class _Rows(Sampler):
    """The order of the examples, set before each epoch."""

    def __init__(self, examples: int) -> None:
        self.order = list(range(examples))

    def __iter__(self) -> Iterator[int]:
        return iter(self.order)

    def __len__(self) -> int:
        return len(self.order)


def _tensors(train: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(scaled(train.x)), torch.from_numpy(train.y.astype(np.int64))


def _model(weights: Weights) -> nn.Sequential:
    layers: list[nn.Module] = []
    for w, b in weights:
        linear = nn.Linear(*w.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w.T))
            linear.bias.copy_(torch.from_numpy(b))
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _optimizer(
    setting: Setting, model: nn.Module, fused: bool | None = None
) -> torch.optim.Optimizer:
    if setting.optimizer == "adam":
        parameters, decay = model.parameters(), setting.weight_decay
        rule = torch.optim.AdamW if decay else torch.optim.Adam
        return rule(parameters, setting.rate, BETAS, EPSILON, weight_decay=decay, fused=fused)
    return torch.optim.SGD(model.parameters(), setting.rate, fused=fused)


@torch.no_grad()
def _predict(model: nn.Module, x: np.ndarray) -> np.ndarray:
    return model(torch.from_numpy(scaled(x))).argmax(dim=1).numpy()


def _weights(model: nn.Module) -> list[np.ndarray]:
    return [p.detach().numpy() for p in model.parameters()]
