"""The sign of a real term at every point of a grid, whatever it is simplified to."""

import numpy as np
import pytest
from grid import REAL, X, Y, at_points

from purenet.prove.kernel import signs
from purenet.prove.kernel.linear import ZERO, scale


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("relation", [">", "="])
def test_a_real_condition_holds_where_its_term_says(name, relation):
    poly = REAL[name]
    there = np.round(at_points(poly), 9)
    true = there > 0 if relation == ">" else there == 0
    np.testing.assert_array_equal(at_points(signs.holds(relation, poly)), true)


@pytest.mark.parametrize("order", [(X, Y), (Y, X), (X, scale(X, 2)), (X, scale(X, -1)), (X, ZERO)])
def test_a_maximum_at_every_sign(order):
    larger = np.maximum(*map(at_points, order))
    np.testing.assert_array_equal(at_points(signs.maximum(*order)), larger)
