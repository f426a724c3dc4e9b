"""Pictures of training and of networks, drawn with matplotlib on axes that the caller owns."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from purenet import metrics
from purenet.evaluation import predict
from purenet.network import Network, Params
from purenet.stop import History


def learning_curves(axes: Axes, history: History) -> None:
    """Draw training and validation loss per epoch."""
    epochs = np.arange(1, len(history.loss) + 1)
    axes.plot(epochs, history.loss, label="training")
    if np.isfinite(history.validation_loss).any():
        axes.plot(epochs, history.validation_loss, label="validation")
    axes.set(xlabel="epoch", ylabel="loss", title="loss")
    axes.legend()


def metric_curve(axes: Axes, history: History, name: str = "metric") -> None:
    """Draw the metric on the validation data per epoch."""
    epochs = np.arange(1, len(history.loss) + 1)
    axes.plot(epochs, history.validation_metric)
    axes.set(xlabel="epoch", ylabel=name, title=f"validation {name}")


def confusion(
    axes: Axes, counts: Int[np.ndarray, "classes classes"], names: tuple[str, ...]
) -> None:
    """Draw the counts [true class, predicted class] as a table of colours and numbers."""
    axes.imshow(np.log1p(counts), cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        dark = np.log1p(count) > 0.6 * np.log1p(counts.max())
        axes.text(
            column,
            row,
            str(count),
            ha="center",
            va="center",
            fontsize=7,
            color="white" if dark else "black",
        )
    places = np.arange(len(names))
    axes.set(xlabel="predicted", ylabel="true", title="test examples")
    axes.set_xticks(places, names, rotation=45 if max(map(len, names)) > 3 else 0)
    axes.set_yticks(places, names)


def first_layer(axes: Axes, params: Params, shape: tuple[int, int], count: int = 25) -> None:
    """Draw the weights into the first units of the first layer as images.

    Raises:
        ValueError: the first layer has not shape[0] · shape[1] inputs.
    """
    weight = np.asarray(params[0].weight)
    if weight.shape[0] != shape[0] * shape[1]:
        raise ValueError(f"shape: {shape} given, the network has {weight.shape[0]} inputs")
    count = min(count, weight.shape[1])
    across = int(np.ceil(np.sqrt(count)))
    down = -(-count // across)
    tiles = np.full((down * (shape[0] + 1), across * (shape[1] + 1)), np.nan)
    for unit in range(count):
        row, column = divmod(unit, across)
        top, left = row * (shape[0] + 1), column * (shape[1] + 1)
        tiles[top : top + shape[0], left : left + shape[1]] = weight[:, unit].reshape(shape)
    limit = np.nanmax(np.abs(tiles))
    axes.imshow(tiles, cmap="RdBu", vmin=-limit, vmax=limit)
    axes.set(title="weights into the first hidden units")
    axes.set_axis_off()


def decision_boundary(
    axes: Axes,
    net: Network,
    params: Params,
    x: Float[np.ndarray, "n 2"],
    y: Int[np.ndarray, " n"],
    resolution: int = 200,
) -> None:
    """Draw the predicted class over the plane of two inputs, and the examples on it.

    Raises:
        ValueError: the network has not two inputs.
    """
    if net.sizes[0] != 2:
        raise ValueError(f"net: two inputs are expected, it has {net.sizes[0]}")
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.1 * (high - low)
    sides = [
        np.linspace(a, b, resolution) for a, b in zip(low - margin, high + margin, strict=True)
    ]
    grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2).astype(np.float32)
    a = np.asarray(predict(net, params, grid))
    axes.contourf(
        *sides, metrics.classes(a).reshape(resolution, resolution), alpha=0.3, cmap="tab10"
    )
    axes.scatter(x[:, 0], x[:, 1], c=y, s=8, cmap="tab10")
    axes.set(xlabel="x₁", ylabel="x₂", title="decision boundary")


def figure(panels: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with `panels` axes side by side, drawn off screen."""
    drawing = Figure(figsize=(5 * panels, 4.5), layout="constrained")
    FigureCanvasAgg(drawing)
    return drawing, list(drawing.subplots(1, panels, squeeze=False)[0])
