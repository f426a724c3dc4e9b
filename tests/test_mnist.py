"""Real handwritten digits: the train and test images of MNIST, where they are at hand."""

import os
from pathlib import Path

import jax
import numpy as np
import optax
import pytest

import purenet as pn
from purenet.data.mnist import FILES, mnist

FOLDER = Path(
    os.environ.get("PURENET_MNIST", Path(__file__).parents[1].parent / "shared" / "data" / "mnist")
)
HERE = all((FOLDER / name).is_file() or (FOLDER / f"{name}.gz").is_file() for name in FILES)

pytestmark = pytest.mark.skipif(
    not HERE, reason=f"no MNIST files in {FOLDER}; PURENET_MNIST names another folder"
)


@pytest.fixture(scope="module")
def digits():
    return mnist(data_dir=FOLDER)


def network(digits, *hidden):
    return pn.mlp([784, *hidden, 10], "relu", "softmax", input_scaling=digits.input_scaling)


def train(net, digits, examples, rate=1e-3, **options):
    params = net.init(jax.random.key(0))
    data = (digits.train.x[:examples], digits.train.y[:examples])
    optimizer = optax.adam(rate)
    return pn.fit(net, "cross_entropy", params, data, optimizer, key=jax.random.key(1), **options)


def test_4000_images_are_enough_to_beat_a_linear_classifier_on_60000(digits):
    """LeCun et al. (1998), table 1: a linear classifier has a test error of 12 %."""
    net = network(digits, 64)
    run = train(net, digits, 4000, epochs=3, batch_size=32)
    _, accuracy = pn.evaluate(net, "cross_entropy", run.params, (digits.test.x, digits.test.y))
    assert np.diff(run.history.loss).max() < 0
    assert accuracy > 0.88


@pytest.mark.slow
def test_128_hidden_units_reach_0_975_within_10_epochs(digits):
    net = network(digits, 128)
    held_out = (digits.validation.x, digits.validation.y)
    rate = optax.cosine_decay_schedule(2e-3, 10 * -(-len(digits.train.y) // 128))
    run = train(net, digits, None, rate, epochs=10, batch_size=128, validation=held_out)
    _, accuracy = pn.evaluate(net, "cross_entropy", run.best, (digits.test.x, digits.test.y))
    assert accuracy >= 0.975
