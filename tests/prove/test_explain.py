"""A derivation says what is true: its text is read back, computed, and compared with JAX."""

import re
from functools import cache

import jax
import numpy as np
import pytest
from derivations_of import EXAMPLES, SIGMA, SIZES, arguments, derivation
from reading import entries, whole

from purenet.prove.explain import derive

LEFT = re.compile(r"  (?P<left>\S+) = (?P<right>.*)")
WITHOUT_MATRICES = {"cumsum"}


@cache
def text(name):
    return derivation(name).text()


def parts(name):
    index, _, matrix = text(name).partition("in matrix notation:\n")
    return index.splitlines()[1:], matrix.splitlines()


@cache
def truth(name):
    """Arguments by name, the value of f, a cotangent, the gradients and the Jacobians."""
    with jax.enable_x64(True), jax.numpy_rank_promotion("allow"):
        given = arguments(name)
        reals = [k for k, a in enumerate(given) if a.dtype == float]

        def f(*changed):
            every = list(given)
            for k, a in zip(reals, changed, strict=True):
                every[k] = a
            return EXAMPLES[name].f(*every)

        value, pull = jax.vjp(f, *(given[k] for k in reals))
        delta = np.random.default_rng(3).normal(size=value.shape)
        jacobians = jax.jacobian(f, argnums=range(len(reals)))(*(given[k] for k in reals))
        return (
            [a.name for a in derivation(name).arguments],
            given,
            np.asarray(value),
            delta,
            [np.asarray(g) for g in pull(jax.numpy.asarray(delta))],
            [np.asarray(j) for j in jacobians],
        )


def known(name):
    names, given, value, delta, gradients, jacobians = truth(name)
    reals = [n for n, a in zip(names, given, strict=True) if a.dtype == float]
    return {
        **{s: SIZES[s] for domain in EXAMPLES[name].domains for s in domain.shape},
        **dict(zip(names, given, strict=True)),
        "δ": delta,
        "classes": SIZES["k"],
        "sigma": jax.jit(SIGMA),
        "sigma'": jax.jit(SIGMA.derivative),
        "f": value,
        **{f"∂L/∂{n}": g for n, g in zip(reals, gradients, strict=True)},
        **{f"∂f/∂{n}": j for n, j in zip(reals, jacobians, strict=True)},
    }


def split(left):
    """`∂f[b,j]/∂x[r,i]` as ("∂f/∂x", ("b", "j", "r", "i"))."""
    letters = [p for group in re.findall(r"\[([\w,]+)\]", left) for p in group.split(",")]
    return re.sub(r"\[[\w,]+\]", "", left), tuple(letters)


LONG = ("two_layers", "attention", "layer_norm")  # to derive; in the slow tier
NAMES = [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in EXAMPLES]


@pytest.mark.parametrize("name", NAMES)
def test_every_line_in_index_notation_is_true(name):
    values = known(name)
    checked = []
    left = ""
    with jax.enable_x64(True):
        for line in parts(name)[0]:
            head, _, right = line.rpartition(" = ") if " = ∂" in line else line.partition(" = ")
            left = head.strip() or left
            if "∂f" in right:
                continue  # Σ δ·∂f/∂x: what the next line continues
            array, letters = split(left)
            shape = np.shape(values[array]) if array in values else ()
            values["ranges"] = dict(zip(letters, shape, strict=False))
            found = entries(right, values, letters)
            if array in values:
                np.testing.assert_allclose(found, values[array], rtol=1e-9, atol=1e-12)
                checked.append(array)
            else:
                values[array] = found  # a named intermediate
    assert "f" in checked
    assert all(f"∂L/∂{n}" in checked for n in gradient_names(name))
    assert all(f"∂f/∂{n}" in checked for n in gradient_names(name))


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - WITHOUT_MATRICES - set(LONG)))
def test_every_line_in_matrix_notation_is_true(name):
    values = known(name)
    checked = []
    with jax.enable_x64(True):
        for line in parts(name)[1]:
            left, _, right = line.strip().partition(" = ")
            found = whole(right, values)
            if left in values:
                expected = values[left].reshape(found.shape)
                np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
                checked.append(left)
            else:
                values[left] = found
    assert all(f"∂L/∂{n}" in checked for n in gradient_names(name))


def gradient_names(name):
    return [g.name for g in derivation(name).gradients]


def test_the_dense_layer_reads_as_in_a_textbook():
    assert text("linear").splitlines()[-4:] == [
        "  f = x W + 𝟏 bᵀ",
        "  ∂L/∂x = δ Wᵀ",
        "  ∂L/∂W = xᵀ δ",
        "  ∂L/∂b = 𝟏ᵀ δ",
    ]


def test_softmax_is_written_with_its_own_output():
    assert "= f[b,i]·(δ[b,i] - Σ_j δ[b,j]·f[b,j])" in text("softmax")
    assert "∂f[r,j]/∂z[b,i] = [b = r]·f[" in text("softmax")


def test_an_activation_is_named_and_its_derivative_uses_it():
    lines = text("two_layers").splitlines()
    assert "  a1[b,j] = tanh(z1[b,j])" in lines
    assert "  ∂L/∂W1 = xᵀ ((1 - a1 ⊙ a1) ⊙ ((δ ⊙ f ⊙ (1 - f)) W2ᵀ))" in lines


def test_what_has_no_matrix_form_has_none():
    assert "matrix" not in text("cumsum")


def test_no_internal_name_is_left():
    for name in EXAMPLES:
        assert not set("#β<") & set(text(name)), name


def test_a_derivation_is_the_same_every_time():
    again = derivation.__wrapped__("unit")  # with other fresh variables
    assert again.text() == text("unit")


def test_a_derivation_that_takes_too_long_is_empty():
    slow = derivation("two_layers")
    hurried = type(slow)(slow.outputs, slow.cotangents, slow.gradients, slow.arguments, seconds=0.0)
    assert hurried.text() == hurried.latex() == ""


def test_nothing_to_derive_is_no_error():
    plain = derivation("linear")
    assert "∂" in derive(plain.outputs, plain.cotangents, [], plain.arguments).text()
