"""The numbers of a sweep are checked once, and each setting is trained in one of equal groups."""

import jax
import numpy as np
import optax
import pytest

from purenet.settings import Setting, all_settings, check_optimizer, in_groups, make_optimizer

PLAIN = Setting(0, 0.1)
DECAYING = Setting(0, 0.1, 0.01)


def test_the_settings_are_the_product_the_last_changing_fastest():
    settings = all_settings([5, 0], [0.02, 0.3], [0.0, 0.5])
    assert settings[:3] == ((5, 0.02, 0.0), (5, 0.02, 0.5), (5, 0.3, 0.0))
    assert settings[-1]._asdict() == {"seed": 0, "learning_rate": 0.3, "weight_decay": 0.5}
    assert len(settings) == 8


def test_arrays_of_numpy_are_sequences():
    settings = all_settings(np.arange(1), np.logspace(-2, 0, 3), None)
    assert settings[0] == (0, pytest.approx(0.01), None)
    assert type(settings[0].seed) is int


@pytest.mark.parametrize(
    ("column", "given", "message"),
    [
        ("seeds", [], r"seeds: a sequence of whole numbers is expected, got \[\]"),
        ("seeds", 5, "seeds: a sequence of whole numbers is expected, got 5"),
        ("seeds", [0.5], "seeds: whole numbers are expected, got 0.5"),
        ("seeds", [True], "seeds: whole numbers are expected, got True"),
        ("rates", "0.1", "learning_rates: a sequence of positive numbers is expected"),
        ("rates", [0.1, 0], "learning_rates: positive numbers are expected, got 0"),
        ("rates", [np.nan], "learning_rates: positive numbers are expected, got nan"),
        ("rates", ["a"], "learning_rates: positive numbers are expected, got 'a'"),
        ("decays", [-1], "weight_decays: numbers of at least 0 are expected, got -1"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_wrong_numbers_are_named(column, given, message):
    with pytest.raises(ValueError, match=message):
        all_settings(**{"seeds": [0], "rates": [0.1], "decays": None, column: given})


# --- Groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("networks", "at_once"), [(1, 1), (7, 3), (9, 4), (6, 6), (5, 100)])
def test_groups_have_one_size_and_hold_every_setting_once(networks, at_once):
    settings = tuple(Setting(seed, 0.1) for seed in range(networks))
    groups = in_groups(settings, at_once)
    (size,) = {len(group) for group in groups}
    assert size <= at_once
    assert sum(groups, ())[:networks] == settings
    assert len(groups) * size - networks < len(groups)


def test_without_a_bound_there_is_one_group():
    assert in_groups((PLAIN, DECAYING), None) == [(PLAIN, DECAYING)]


@pytest.mark.parametrize("at_once", [0, 1.5])
@pytest.mark.usefixtures("unchecked")
def test_a_wrong_bound_is_named(at_once):
    message = f"at_once: a whole number of at least 1, or None, got {at_once}"
    with pytest.raises(ValueError, match=message):
        in_groups((PLAIN,), at_once)


# --- Optimizers ----------------------------------------------------------------------------------


def without_tracing(learning_rate):
    return optax.sgd(learning_rate if learning_rate > 0.5 else 0.5)


@pytest.mark.parametrize(
    ("optimizer", "setting"),
    [(optax.sgd, PLAIN), (optax.nadam, PLAIN), (optax.adamw, PLAIN), (optax.adamw, DECAYING)],
)
def test_functions_of_the_numbers_are_taken(optimizer, setting):
    check_optimizer(optimizer, setting)


@pytest.mark.parametrize(
    ("optimizer", "setting", "message"),
    [
        (optax.sgd, DECAYING, "a function of .learning_rate, weight_decay. is expected, as "
                              "optax.adamw; sgd: got an unexpected keyword"),
        (lambda rate, weight_decay: optax.sgd(rate), PLAIN,
         "a function of a learning rate is expected.*missing a required argument"),
        (optax.sgd(0.1), PLAIN, "a function of a learning rate is expected, as optax.adam; "
                                "got GradientTransformation"),
    ],
)  # fmt: skip
def test_functions_of_other_arguments_are_named(optimizer, setting, message):
    with pytest.raises(ValueError, match=message):
        check_optimizer(optimizer, setting)


def change(optimizer, rate, decay=None):
    """The first step of an optimizer from 1 with the gradient 2."""
    made = make_optimizer(optimizer, rate, decay)
    with jax.numpy_dtype_promotion("standard"):
        return made.update(2.0, made.init(1.0), 1.0)[0]


def test_the_numbers_reach_the_optimizer_also_traced():
    def with_decay(learning_rate, weight_decay):
        decayed = optax.add_decayed_weights(weight_decay)
        return optax.chain(decayed, optax.sgd(learning_rate))

    assert jax.jit(change, static_argnums=0)(optax.sgd, 0.25) == -0.5
    assert jax.jit(change, static_argnums=0)(with_decay, 0.25, 0.5) == -0.25 * (2 + 0.5)


def test_an_optimizer_that_cannot_be_traced_is_named():
    assert change(without_tracing, 0.75) == -1.5
    message = "optimizer: without_tracing computes with plain numbers; in a sweep"
    with pytest.raises(ValueError, match=message):
        jax.jit(change, static_argnums=0)(without_tracing, 0.75)
