"""The map in front of a network, as a value: what is taken and what is refused."""

import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

import purenet as pn


@pytest.mark.parametrize(
    "given_offset", [[1, 2], (1.0, 2.0), np.array([1, 2]), jnp.array([1.0, 2])]
)
def test_a_scaling_turns_sequences_into_tuples(given_offset):
    scaling = pn.InputScaling(given_offset, 2)
    assert scaling == pn.InputScaling((1.0, 2.0), 2.0)
    assert scaling.offset == (1.0, 2.0)
    assert hash(scaling) == hash(pn.InputScaling((1.0, 2.0), 2.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0}, r"InputScaling.scale: .*none of them 0; got 0"),
        ({"scale": (1.0, 0.0)}, r"InputScaling.scale: .*none of them 0"),
        ({"scale": np.inf}, r"InputScaling.scale: expected one finite number"),
        (
            {"offset": np.nan},
            r"InputScaling.offset: expected one finite number, or one per feature",
        ),
        ({"offset": (0.0, np.inf)}, r"InputScaling.offset: expected"),
        ({"offset": np.zeros((2, 2))}, r"InputScaling.offset: expected"),
    ],
)
def test_a_scaling_that_is_no_map_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        pn.InputScaling(**arguments)


@pytest.mark.parametrize("scale", [1e-40, 1e39])
def test_a_scale_whose_reciprocal_is_no_normal_float32_is_refused(scale):
    with pytest.raises(ValueError, match="1/scale has to be a normal float32"):
        pn.InputScaling(0.0, scale)


def test_reading_data_needs_no_jax():
    program = "import purenet.data, sys; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"False"]
