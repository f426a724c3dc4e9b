"""Steps with PyTorch on any device: chains of products, compiled updates, and eager epochs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.peers import Examples, Setting, Weights, initial_weights, order, scaled
from benchmarks.peers.dense import Contender, Large, operations, start

# Dtype of the parameters, of autocast, and the level of float32 products.
PRECISIONS: dict[str, tuple[torch.dtype, torch.dtype | None, str]] = {
    "bfloat16": (torch.float32, torch.bfloat16, "high"),
    "bfloat16 parameters": (torch.bfloat16, None, "high"),
    "tf32": (torch.float32, None, "high"),
    "float32": (torch.float32, None, "highest"),
}
RATE, PAIRS = 1e-3, 4


def device() -> str:
    """Return the name of the device in use."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def chain(shape: tuple[int, int, int], precision: str) -> Contender:
    """Return a ← (a b) c with a (m, k), b (k, n), c (n, k), some times."""
    m, k, n = shape
    params, autocast, level = PRECISIONS[precision]
    a, b, c = (
        torch.randn(*s, device=device()).to(autocast or params) for s in ((m, k), (k, n), (n, k))
    )
    b, c = b * k**-0.5, c * n**-0.5

    @torch.no_grad()
    def step() -> None:
        nonlocal a
        torch.set_float32_matmul_precision(level)
        for _ in range(PAIRS):
            a = a @ b @ c

    return Contender(f"PyTorch {m} × {k} × {n}", step, _wait, PAIRS * 4 * m * k * n)


def update(case: Large, precision: str) -> Contender:
    """Return an update: forward and backward pass compiled, and the fused optimizer."""
    before = _allocated()
    params, autocast, level = PRECISIONS[precision]
    begun = start(case)
    layers = [(w, np.zeros(case.width, np.float32)) for w in begun.weights]
    model = _sequential(layers).to(device(), params)
    x, y = (torch.from_numpy(v).to(device()) for v in (begun.x, begun.y))
    optimizer = torch.optim.SGD(model.parameters(), RATE, fused=True)

    # Every call compiles the same code object anew, of which the default is to keep eight.
    torch._dynamo.reset()

    @torch.compile(dynamic=False)
    def cost(x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device(), autocast or torch.bfloat16, enabled=autocast is not None):
            a = model(x)
        return ((a.float() - y) ** 2).sum(dim=-1).mean()

    x = x.to(params)

    def step() -> torch.Tensor:
        torch.set_float32_matmul_precision(level)
        loss = cost(x)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    work = operations(case.sizes, case.batch)
    return Contender("PyTorch, compiled", step, _wait, work, _peak(step, before), float)


def eager(setting: Setting, train: Examples, updates: int) -> Contender:
    """Return an eager epoch on tensors on the device, with the fused optimizer."""
    return _epoch("PyTorch, eager", setting, train, updates, lambda cost: cost)


def compiled(setting: Setting, train: Examples, updates: int) -> Contender:
    """Return an epoch with forward and backward pass compiled, in CUDA graphs where there are."""

    def made(cost: Callable) -> Callable:
        torch._dynamo.reset()
        quick = torch.compile(cost, dynamic=False, mode="reduce-overhead")

        def one(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            torch.compiler.cudagraph_mark_step_begin()
            return quick(x, y)

        return one

    return _epoch("PyTorch, compiled, reduce-overhead", setting, train, updates, made)


def _epoch(
    name: str,
    setting: Setting,
    train: Examples,
    updates: int,
    made: Callable[[Callable], Callable],
) -> Contender:
    model = _sequential(initial_weights(setting)).to(device())
    optimizer = torch.optim.SGD(model.parameters(), setting.rate, fused=True)
    x = torch.from_numpy(scaled(train.x)).to(device())
    y = torch.from_numpy(train.y.astype(np.int64)).to(device())
    cost = made(lambda x, y: F.cross_entropy(model(x), y))
    done = 0

    def step() -> torch.Tensor:
        nonlocal done
        torch.set_float32_matmul_precision("high")
        rows = torch.from_numpy(order(setting.seed, done, len(x))).to(device())
        total = torch.zeros((), device=device())
        for row in rows.split(setting.batch):
            loss = cost(x[row], y[row])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            total += loss.detach() * len(row)
        done += 1
        return total / len(x)

    each = operations(setting.sizes, setting.batch) * updates
    return Contender(name, step, _wait, each, None, float)


def _sequential(weights: Weights) -> nn.Sequential:
    layers: list[nn.Module] = []
    for w, b in weights:
        layers += [nn.utils.skip_init(nn.Linear, *w.shape), nn.ReLU()]
        layers[-2].weight.data.copy_(torch.from_numpy(w.T))
        layers[-2].bias.data.copy_(torch.from_numpy(b))
    return nn.Sequential(*layers[:-1])


def _peak(step: Callable[[], Any], before: int) -> int | None:
    if device() == "cpu":
        return None
    step()  # compiling needs memory of its own
    _wait()
    torch.cuda.reset_peak_memory_stats()
    step()
    _wait()
    return torch.cuda.max_memory_allocated() - before


def _allocated() -> int:
    return torch.cuda.memory_allocated() if device() == "cuda" else 0


def _wait() -> None:
    if device() == "cuda":
        torch.cuda.synchronize()
