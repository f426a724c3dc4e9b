"""A sweep is many runs of `fit` at once: the same figures, one program, no one disturbs another."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import purenet as pn
from purenet import metrics, sweeping
from purenet.job import prepare

# Bounds are far from rounding.
pytestmark = pytest.mark.usefixtures("quick_compiling")

N, BATCH, EPOCHS = 20, 8, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
LABELS = (X.sum(1) > 0).astype(np.int32)
HELD_OUT = (RNG.normal(size=(9, 3)), RNG.integers(2, size=9))
NET = pn.mlp([3, 4, 2], hidden="tanh", output="softmax")
KEY = jax.random.key(7)
# One network per line: three rates of which the middle one can be made to diverge.
RATES = [0.1, 0.3, 0.2]


def wide(key):
    return NET.init(key, dtype=jnp.float64)


def sweep(optimizer=optax.sgd, **options):
    defaults = {
        "learning_rates": RATES, "epochs": EPOCHS, "batch_size": BATCH, "key": KEY,
        "validation": HELD_OUT, "metric": "rmse",
    }  # fmt: skip
    data = options.pop("data", (X, LABELS))
    return pn.sweep(NET, "cross_entropy", data, optimizer, **{**defaults, **options})


def of_network(stacked, index):
    return jax.tree.map(lambda leaf: leaf[index], stacked)


def assert_close(got, expected, rtol=1e-12):
    jax.tree.map(lambda g, e: np.testing.assert_allclose(g, e, rtol, rtol / 10), got, expected)


def assert_equal(got, expected):
    jax.tree.map(np.testing.assert_array_equal, got, expected)


# --- The same as one after another ---------------------------------------------------------------


@pytest.fixture(scope="module")
def eight():
    """A sweep over two of everything, in float64."""
    with jax.enable_x64(True):
        return sweep(
            optax.adamw, seeds=[5, 0], learning_rates=[0.02, 0.3], weight_decays=[0.0, 0.5],
            metric="accuracy", init=wide,
        )  # fmt: skip


@pytest.fixture(scope="module")
def runs(eight):
    """Four of its networks by `fit`, by their place: both seeds with two pairs of numbers."""
    with jax.enable_x64(True):
        optimizers = {
            (0.02, 0.5): optax.adamw(0.02, weight_decay=0.5),
            (0.3, 0.0): optax.adamw(0.3, weight_decay=0.0),
        }
        return {
            network: pn.fit(
                NET, "cross_entropy", wide(jax.random.key(seed)), (X, LABELS),
                optimizers[numbers], epochs=EPOCHS, batch_size=BATCH, key=KEY, validation=HELD_OUT,
            )
            for network, (seed, *rest) in enumerate(eight.settings)
            if (numbers := tuple(rest)) in optimizers
        }  # fmt: skip


@pytest.mark.parametrize("network", [1, 2, 5, 6])
def test_each_network_is_what_fit_gives(eight, runs, network):
    assert_close(of_network(eight.params, network), runs[network].params)
    assert_close(of_network(eight.history, network), runs[network].history)
    assert_close(of_network(eight.best_params, network), runs[network].best)
    assert eight.best_epochs[network] == runs[network].best_epoch


def test_the_networks_differ(eight):
    assert len(np.unique(eight.history.loss[:, -1].round(6))) == 8


def test_the_best_is_that_of_the_best_network_by_metric_then_loss(eight):
    figures = [
        (eight.history.validation_metric[i, e], -eight.history.validation_loss[i, e])
        for i, e in enumerate(eight.best_epochs)
    ]
    network = figures.index(max(figures))
    assert eight.best.network == network
    assert eight.best.setting == eight.settings[network]
    assert eight.best.epoch == eight.best_epochs[network]
    assert_equal(eight.best.params, of_network(eight.best_params, network))


def test_the_full_batch_without_validation_is_fit_too():
    net, y = pn.mlp([3, 1]), X.sum(1, keepdims=True).astype(np.float32)
    data, options = (X, y, RNG.random(N)), {"epochs": 2, "batch_size": None}
    result = pn.sweep(net, "mean_squared_error", data, optax.sgd, learning_rates=[0.1], **options)
    params = net.init(jax.random.key(0))
    run = pn.fit(net, "mean_squared_error", params, data, optax.sgd(0.1), **options)
    assert_close(of_network(result.params, 0), run.params, 1e-5)
    assert_close(of_network(result.history, 0), run.history, 1e-5)
    assert_equal(result.best_params, result.params)
    assert result.best_epochs.tolist() == [1]
    assert result.best is None


def test_the_metric_decides_and_lower_may_be_better():
    result = sweep()
    # In float32 the figure is that of `evaluate`.
    at_best = result.history.validation_metric[range(3), result.best_epochs]
    assert_equal(at_best, result.history.validation_metric.min(axis=1))
    assert result.best.network == at_best.argmin()
    _, rmse = pn.evaluate(NET, "cross_entropy", result.best.params, HELD_OUT, "rmse")
    assert rmse == pytest.approx(at_best.min(), rel=1e-5)


def test_groups_give_what_all_at_once_give():
    whole, pieces = sweep(), sweep(at_once=2)
    assert_close(pieces.params, whole.params, 1e-5)
    assert_close(pieces.history, whole.history, 1e-5)
    assert_equal(pieces.best_epochs, whole.best_epochs)
    assert pieces.best.setting == whole.best.setting


# --- Networks that diverge -----------------------------------------------------------------------


# A metric that likes it best when weights explode.
size = metrics.Metric("size", lambda a, y, w: jnp.max(jnp.abs(a)), "higher")
LINE, Y = pn.mlp([3, 1]), X.sum(1, keepdims=True)


def sweep_line(rates):
    return pn.sweep(LINE, "mean_squared_error", (X, Y), optax.sgd, learning_rates=rates, epochs=4,
                    batch_size=BATCH, validation=(X, Y), metric=size)  # fmt: skip


@pytest.fixture(scope="module")
def sound():
    return sweep_line([0.1, 0.3, 0.2])


@pytest.fixture(scope="module")
def broken():
    """The same but for the second, whose error grows about 10⁵ times with each update."""
    return sweep_line([0.1, 1e5, 0.2])


@pytest.mark.parametrize("network", [0, 2])
def test_one_that_diverges_changes_no_other(sound, broken, network):
    assert_equal(of_network(broken.params, network), of_network(sound.params, network))
    assert_equal(of_network(broken.history, network), of_network(sound.history, network))


def test_one_that_diverges_is_never_the_best_however_good_it_was(broken):
    figures = broken.history.validation_metric
    assert np.isfinite(figures[1, 0])
    assert figures[1, 0] > figures[[0, 2]].max()
    assert broken.best.network in (0, 2)


def test_after_a_network_has_diverged_nothing_is_told_and_its_best_stays(broken):
    finite = np.isfinite(broken.history.loss[1])
    assert finite.tolist() == [True, False, False, False]
    assert np.isnan(broken.history.validation_metric[1, 2:]).all()
    assert broken.best_epochs[1] == 0
    assert np.isfinite(broken.best_params[0].weight).all()


def test_without_a_sound_network_there_is_no_best():
    assert sweep_line([1e5, 2e5, 3e5]).best is None


@pytest.fixture
def job():
    return prepare(
        NET, "cross_entropy", NET.init(KEY), (X, LABELS), optax.sgd(0.1), EPOCHS, BATCH, KEY,
        HELD_OUT, "rmse", (), 2**63,
    )  # fmt: skip


def test_one_infinite_loss_ends_a_network_also_if_the_next_one_is_finite(job):
    told = jnp.array([[1.0, jnp.inf, 0.5], [1.0, 0.9, 0.8]])
    history = sweeping._history(job, jnp.stack([told] * 3, axis=2))
    np.testing.assert_array_equal(history.loss, [[1, np.inf, np.nan], np.float32([1, 0.9, 0.8])])
    np.testing.assert_array_equal(history.updates, [[3, 6, 9]] * 2)


# --- Wrong arguments -----------------------------------------------------------------------------


def without_tracing(learning_rate):
    return optax.sgd(learning_rate if learning_rate > 0.5 else 0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": []}, r"seeds: a sequence of whole numbers is expected, got \[\]"),
        ({"learning_rates": [0.1, 0]}, "learning_rates: positive numbers are expected, got 0"),
        ({"weight_decays": [-1]}, "weight_decays: numbers of at least 0 are expected, got -1"),
        ({"weight_decays": [0.1]}, "function of .learning_rate, weight_decay. is expected, as "
                                   "optax.adamw; sgd: got an unexpected keyword"),
        ({"optimizer": optax.sgd(0.1)}, "a function of a learning rate is expected, as optax.adam; "
                                        "got GradientTransformation"),
        ({"optimizer": without_tracing}, "without_tracing computes with plain numbers; in a sweep"),
        ({"optimizer": lambda rate: rate}, "optimizer: one of optax is expected"),
        ({"at_once": 0}, "at_once: a whole number of at least 1, or None, got 0"),
        ({"epochs": 0}, "epochs: a whole number of at least 1"),
        ({"metric": "acuracy"}, "unknown metric 'acuracy'; did you mean 'accuracy'"),
        ({"data": (X[:, :2], LABELS)}, r"data x: expected shape \(n, 3\)"),
        ({"validation": (X, LABELS + 1)}, "validation y: label 2 at index"),
        ({"init": pn.mlp([3, 2]).init}, "params: the network of sizes"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("unchecked")
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        sweep(**options)


# --- Optimizers of optax -------------------------------------------------------------------------


def decaying(learning_rate):
    return optax.chain(optax.clip(1.0), optax.sgd(optax.cosine_decay_schedule(learning_rate, 9)))


NAMES = ("adam", "adamw", "rmsprop", "adagrad", "lion", "nadam", "radam", "lamb", "adabelief",
         "yogi", "adafactor")  # fmt: skip
OPTIMIZERS = {name: getattr(optax, name) for name in NAMES} | {"decaying": decaying}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_with_traced_numbers_is_that_with_plain_ones(name):
    optimizer = OPTIMIZERS[name]
    result = sweep(optimizer, learning_rates=[0.01, 0.1])
    for index, setting in enumerate(result.settings):
        params, made = NET.init(jax.random.key(0)), optimizer(setting.learning_rate)
        run = pn.fit(NET, "cross_entropy", params, (X, LABELS), made, epochs=EPOCHS,
                     batch_size=BATCH, key=KEY, validation=HELD_OUT)  # fmt: skip
        assert_close(of_network(result.history.loss, index), run.history.loss, 1e-4)
