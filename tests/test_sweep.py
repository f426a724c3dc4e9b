"""A sweep is many runs of `fit` at once: the same figures, one program, no one disturbs another."""

import functools
import importlib

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import purenet as pn
from purenet import batches, evaluation, losses, metrics

# `purenet.sweep` is the function.
module = importlib.import_module("purenet.sweep")

# Bounds are far from rounding; programs are counted, and read as they are before compiling.
pytestmark = pytest.mark.usefixtures("quick_compiling")

N, BATCH, EPOCHS = 20, 8, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
LABELS = (X.sum(1) > 0).astype(np.int32)
HELD_OUT = (RNG.normal(size=(9, 3)), RNG.integers(2, size=9))
NET = pn.mlp([3, 4, 2], hidden="tanh", output="softmax")
LOSS = losses.cross_entropy
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
    return module.sweep(NET, "cross_entropy", data, optimizer, **{**defaults, **options})


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


def test_the_settings_are_the_product_the_last_changing_fastest(eight):
    assert eight.settings[:3] == ((5, 0.02, 0.0), (5, 0.02, 0.5), (5, 0.3, 0.0))
    assert eight.settings[-1]._asdict() == {"seed": 0, "learning_rate": 0.3, "weight_decay": 0.5}
    assert len(eight.settings) == 8


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
    return module.prepare(
        NET, "cross_entropy", NET.init(KEY), (X, LABELS), optax.sgd(0.1), EPOCHS, BATCH, KEY,
        HELD_OUT, "rmse", (), 2**63,
    )  # fmt: skip


def test_one_infinite_loss_ends_a_network_also_if_the_next_one_is_finite(job):
    told = jnp.array([[1.0, jnp.inf, 0.5], [1.0, 0.9, 0.8]])
    history = module._history(job, jnp.stack([told] * 3, axis=2))
    np.testing.assert_array_equal(history.loss, [[1, np.inf, np.nan], np.float32([1, 0.9, 0.8])])
    np.testing.assert_array_equal(history.updates, [[3, 6, 9]] * 2)


def test_a_network_that_has_diverged_has_no_better_epoch_later(job):
    rates = (jnp.array(RATES, jnp.float32),)
    networks = module._begin(NET, None, optax.sgd, jnp.stack([KEY] * 3), rates, True)
    networks = networks._replace(alive=jnp.array([True, False, True]))
    ((data, rows),) = job.pieces(0)
    after, _ = module._epoch(
        NET, LOSS, job.metric, optax.sgd, networks, rates, data, rows, job.validation
    )
    assert after.alive.tolist() == [True, False, True]
    assert after.top.epoch.tolist() == [0, -1, 0]


# --- One program ---------------------------------------------------------------------------------


def programs():
    compiled = module._begin, module._epoch, module._joined, module._network
    return [function._cache_size() for function in compiled]


def test_other_numbers_of_the_same_shape_compile_nothing():
    traced = []

    def optimizer(learning_rate, weight_decay):
        traced.append(learning_rate)
        return optax.adamw(learning_rate, weight_decay=weight_decay)

    before = programs()
    sweep(optimizer, learning_rates=[0.1, 0.2], weight_decays=[0.1])
    once = programs()
    assert [now - then for now, then in zip(once[:2], before[:2], strict=True)] == [1, 1]
    sweep(optimizer, seeds=[3, 4], learning_rates=[0.4], weight_decays=[0.01])
    assert programs() == once
    # Twice by the check on the host, of which each sweep has one; else while tracing.
    assert [isinstance(rate, float) for rate in traced].count(True) == 2


def traced(networks):
    """Return the program of an epoch of so many networks, traced."""
    loss, metric = LOSS, metrics.accuracy
    data = batches.Data(jnp.ones((N, 3)), jnp.zeros(N, jnp.int32), jnp.ones(N))
    rates = (jnp.full(networks, 0.1),)
    keys = jax.random.split(KEY, networks)
    start = module._begin(NET, None, optax.sgd, keys, rates, True)
    rows = jnp.zeros((3, BATCH), jnp.int32)
    arguments = NET, loss, metric, optax.sgd, start, rates, data, rows, data
    return module._epoch.trace(*arguments)


def equations(jaxpr):
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.extend.core.jaxprs_in_params(equation.params):
            yield from equations(inner)


def test_a_batch_is_gathered_once_and_multiplied_once_for_all_networks():
    found = list(equations(traced(5).jaxpr.jaxpr))
    gathered = [e.outvars[0].aval.shape for e in found if e.primitive.name == "gather"]
    assert (BATCH, 3) in gathered
    assert (5, BATCH, 3) not in gathered
    # The first layer: one batch (8, 3) with the weights (5, 3, 4) of all networks.
    products = [
        [v.aval.shape for v in e.invars] for e in found if e.primitive.name == "dot_general"
    ]
    assert [(BATCH, 3), (5, 3, 4)] in [sorted(shapes, key=len) for shapes in products]


def test_the_operations_are_those_of_the_networks():
    one, five = (traced(n).lower().cost_analysis()["flops"] for n in (1, 5))
    assert five <= 5 * one


# --- At most so many at once ---------------------------------------------------------------------


def test_groups_give_what_all_at_once_give():
    whole, pieces = sweep(), sweep(at_once=2)
    assert_close(pieces.params, whole.params, 1e-5)
    assert_close(pieces.history, whole.history, 1e-5)
    assert_equal(pieces.best_epochs, whole.best_epochs)
    assert pieces.best.setting == whole.best.setting


@pytest.mark.parametrize(("networks", "at_once"), [(1, 1), (7, 3), (9, 4), (6, 6), (5, 100)])
def test_groups_have_one_size_and_hold_every_setting_once(networks, at_once):
    settings = tuple(module.Setting(seed, 0.1) for seed in range(networks))
    groups = module._groups(settings, at_once)
    (size,) = {len(group) for group in groups}
    assert size <= at_once
    assert sum(groups, ())[:networks] == settings
    assert len(groups) * size - networks < len(groups)


@pytest.mark.parametrize(
    "rows", [4, *(pytest.param(rows, marks=pytest.mark.slow) for rows in (1, 9))]
)
def test_validation_in_pieces_of_networks_is_that_of_each(rows, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", rows)  # 8 times as many rows fit
    params = jax.vmap(NET.init)(jax.random.split(KEY, 6))
    data = batches.parse(NET, LOSS, HELD_OUT)
    arrays = batches.Data(*map(jnp.asarray, data))
    measured = jax.jit(functools.partial(module._measured, NET, LOSS, metrics.accuracy))
    got = measured(params, arrays)
    for index in range(6):
        one = of_network(params, index)
        expected = evaluation.scores(NET, LOSS, metrics.accuracy, one, data)
        np.testing.assert_allclose(of_network(got, index), expected, 1e-5)


# --- Wrong arguments -----------------------------------------------------------------------------


def without_tracing(learning_rate):
    return optax.sgd(learning_rate if learning_rate > 0.5 else 0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": []}, r"seeds: a sequence of whole numbers is expected, got \[\]"),
        ({"seeds": 5}, "seeds: a sequence of whole numbers is expected, got 5"),
        ({"seeds": [0.5]}, "seeds: whole numbers are expected, got 0.5"),
        ({"seeds": [True]}, "seeds: whole numbers are expected, got True"),
        ({"learning_rates": "0.1"}, "learning_rates: a sequence of positive numbers is expected"),
        ({"learning_rates": [0.1, 0]}, "learning_rates: positive numbers are expected, got 0"),
        ({"learning_rates": [np.nan]}, "learning_rates: positive numbers are expected, got nan"),
        ({"learning_rates": ["a"]}, "learning_rates: positive numbers are expected, got 'a'"),
        ({"weight_decays": [-1]}, "weight_decays: numbers of at least 0 are expected, got -1"),
        ({"weight_decays": [0.1]}, "function of .learning_rate, weight_decay. is expected, as "
                                   "optax.adamw; sgd: got an unexpected keyword"),
        ({"optimizer": lambda rate, weight_decay: optax.sgd(rate)},
         "a function of a learning rate is expected.*missing a required argument"),
        ({"optimizer": optax.sgd(0.1)}, "a function of a learning rate is expected, as optax.adam; "
                                        "got GradientTransformation"),
        ({"optimizer": without_tracing}, "without_tracing computes with plain numbers; in a sweep"),
        ({"optimizer": lambda rate: rate}, "optimizer: one of optax is expected"),
        ({"at_once": 0}, "at_once: a whole number of at least 1, or None, got 0"),
        ({"at_once": 1.5}, "at_once: a whole number of at least 1, or None, got 1.5"),
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


def test_arrays_of_numpy_are_sequences():
    result = sweep(seeds=np.arange(1), learning_rates=np.logspace(-2, 0, 3))
    assert result.settings[0] == (0, pytest.approx(0.01), None)
    assert type(result.settings[0].seed) is int


# --- Optimizers of optax -------------------------------------------------------------------------


def decaying(learning_rate):
    return optax.chain(optax.clip(1.0), optax.sgd(optax.cosine_decay_schedule(learning_rate, 9)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer",
    [optax.adam, optax.adamw, optax.rmsprop, optax.adagrad, optax.lion, optax.nadam, optax.radam,
     optax.lamb, optax.adabelief, optax.yogi, optax.adafactor, decaying],
    ids=module._name,
)  # fmt: skip
def test_an_optimizer_with_traced_numbers_is_that_with_plain_ones(optimizer):
    result = sweep(optimizer, learning_rates=[0.01, 0.1])
    for index, setting in enumerate(result.settings):
        params, made = NET.init(jax.random.key(0)), optimizer(setting.learning_rate)
        run = pn.fit(NET, "cross_entropy", params, (X, LABELS), made, epochs=EPOCHS,
                     batch_size=BATCH, key=KEY, validation=HELD_OUT)  # fmt: skip
        assert_close(of_network(result.history.loss, index), run.history.loss, 1e-4)
