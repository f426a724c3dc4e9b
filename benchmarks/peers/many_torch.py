"""Many networks with PyTorch: one after another, and an ensemble of `torch.func`."""

from collections.abc import Callable

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn import functional as F

from benchmarks.peers import (
    Examples,
    Setting,
    Trainer,
    Weights,
    initial_weights,
    order,
    pytorch,
    scaled,
)
from benchmarks.peers.many import Many


def one_after_another(setting: Many, train: Examples, _: Weights) -> Trainer:
    """Train on tensors, eager, with the fused optimizer."""
    trained: list[Trainer] = []

    def weights() -> list[np.ndarray]:
        each = zip(*(trainer.weights() for trainer in trained), strict=True)
        return [_as_ours(np.stack(w)) for w in each]

    def run(number: int) -> float:
        trained.clear()
        for seed in setting.seeds:
            weights = initial_weights(setting._replace(seed=seed))
            for rate in setting.rates:
                one = Setting(setting.sizes, setting.batch, setting.optimizer, rate, seed=number)
                trained.append(pytorch.eager(one, train, weights))
        return float(np.mean([_last(trainer, setting.epochs) for trainer in trained]))

    return Trainer(run, lambda x: np.stack([one.predict(x) for one in trained]), weights)


def _last(trainer: Trainer, epochs: int) -> float:
    return [trainer.epoch(number) for number in range(epochs)][-1]


def ensemble(setting: Many, train: Examples, _: Weights) -> Trainer:
    """Train as in the tutorial "Model ensembling": stacked parameters, vmap of the gradient."""
    return _ensemble(setting, train, lambda update: update)


def compiled_ensemble(setting: Many, train: Examples, _: Weights) -> Trainer:
    """The same, its update compiled."""
    return _ensemble(setting, train, lambda update: torch.compile(update, dynamic=False))


Update = Callable[[dict, dict, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def _ensemble(setting: Many, train: Examples, made: Callable[[Update], Update]) -> Trainer:
    x, y = torch.from_numpy(scaled(train.x)), torch.from_numpy(train.y.astype(np.int64))
    skeleton = _model(setting, setting.seeds[0])
    rates = torch.tensor(setting.rates).repeat(len(setting.seeds))
    update = made(_update(setting, skeleton, rates))
    last: list[dict] = []

    def run(number: int) -> float:
        models = [_model(setting, seed) for seed in setting.seeds for _ in setting.rates]
        params = {k: p.detach().clone() for k, p in stack_module_state(models)[0].items()}
        slots = {k: (torch.zeros_like(p), torch.zeros_like(p)) for k, p in params.items()}
        steps = torch.zeros(())
        for epoch in range(setting.epochs):
            rows = torch.from_numpy(order(number, epoch, len(x))).split(setting.batch)
            losses = [update(params, slots, steps, x[r], y[r]) * len(r) for r in rows]
        last[:] = [params]
        return float(torch.stack(losses).sum()) / len(x) / len(models)

    def predict(x: np.ndarray) -> np.ndarray:
        call = vmap(lambda p, x: functional_call(skeleton, p, (x,)), in_dims=(0, None))
        with torch.no_grad():
            return call(last[0], torch.from_numpy(scaled(x))).argmax(dim=-1).numpy()

    def weights() -> list[np.ndarray]:
        return [_as_ours(p.numpy()) for p in last[0].values()]

    return Trainer(run, predict, weights)


def _as_ours(stacked: np.ndarray) -> np.ndarray:
    # Of weights (networks, out, in) to (networks, in, out).
    return stacked.swapaxes(1, 2) if stacked.ndim == 3 else stacked


def _update(setting: Many, skeleton: torch.nn.Module, rates: torch.Tensor) -> Update:
    def cost(params: dict, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(functional_call(skeleton, params, (x,)), y)

    gradient = vmap(grad_and_value(cost), in_dims=(0, None, None))

    def update(
        params: dict, slots: dict, steps: torch.Tensor, x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        grads, losses = gradient(params, x, y)
        steps.add_(1)
        for name, p in params.items():
            rate = rates.reshape(-1, *[1] * (p.ndim - 1))
            p.sub_(rate * pytorch._direction(setting, slots[name], grads[name], steps))
        return losses.sum()

    return torch.no_grad()(update)


def _model(setting: Many, seed: int) -> torch.nn.Sequential:
    return pytorch._model(initial_weights(setting._replace(seed=seed)))
