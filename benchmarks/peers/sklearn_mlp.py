"""scikit-learn's `MLPClassifier`.

Its own initial weights are replaced by the given ones, and it is given the examples in order, so
that it makes the same updates as the others. It has no learning rate that falls within an epoch:
each epoch has the rate of its middle.
"""

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from benchmarks.peers import BETAS, EPSILON, Examples, Setting, Trainer, Weights, order, scaled


def documented(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train by `partial_fit`, which is one epoch of `fit`."""
    return _trainer(setting, train, weights, assume_finite=False)


def best(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train by `partial_fit` without the search for infinities in the data."""
    return _trainer(setting, train, weights, assume_finite=True)


def _trainer(setting: Setting, train: Examples, weights: Weights, assume_finite: bool) -> Trainer:
    x, y = scaled(train.x), train.y
    network = _network(setting, x, weights)

    def epoch(number: int) -> float:
        rows, updates = order(setting.seed, number, len(x)), -(-len(x) // setting.batch)
        if setting.decay and hasattr(network, "_optimizer"):
            network._optimizer.learning_rate_init = setting.rate_at(int((number + 0.5) * updates))
        with sklearn.config_context(assume_finite=assume_finite):
            network.partial_fit(x[rows], y[rows])
        return float(network.loss_)

    return Trainer(
        epoch,
        lambda x: network.predict(scaled(x)),
        lambda: [*network.coefs_, *network.intercepts_],
    )


def _network(setting: Setting, x: np.ndarray, weights: Weights) -> MLPClassifier:
    network = MLPClassifier(
        setting.sizes[1:-1],
        solver=setting.optimizer,
        alpha=0.0,
        batch_size=setting.batch,
        learning_rate_init=setting.rate,
        momentum=0.0,
        nesterovs_momentum=False,
        beta_1=BETAS[0],
        beta_2=BETAS[1],
        epsilon=EPSILON,
        shuffle=False,
        n_iter_no_change=10**9,
    )
    # Shapes and classes come with the first call; what it learned is thrown away.
    classes = np.arange(setting.sizes[-1], dtype=np.int32)
    first = np.resize(classes, setting.batch)
    network.partial_fit(np.resize(x, (setting.batch, x.shape[1])), first, classes=classes)
    network.coefs_ = [w.copy() for w, _ in weights]
    network.intercepts_ = [b.copy() for _, b in weights]
    del network._optimizer
    return network
