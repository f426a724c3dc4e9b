"""Terms in three numbers, and their values at every point of a grid."""

import itertools

import numpy as np

from purenet.prove.kernel import algebra, functions, signs, sums
from purenet.prove.kernel.evaluate import evaluate
from purenet.prove.kernel.factors import Entry
from purenet.prove.kernel.linear import ONE, ZERO, add, atom, index, number, scale, subtract
from purenet.prove.kernel.terms import Array

POINTS = np.asarray(list(itertools.product((-2.0, -1.0, 0.0, 1.0, 2.0), repeat=3)))
POINT = sums.fresh(number(len(POINTS)))
X, Y, Z = (atom(Entry(Array(name, (POINT.size,)), (index(POINT),))) for name in ("cx", "cy", "cz"))


def at_points(poly):
    """The values at every point of a grid of three numbers."""
    arrays = dict(zip(("cx", "cy", "cz"), POINTS.T, strict=True))
    return evaluate(poly, {}, arrays, {POINT: np.arange(len(POINTS))})


def product(*polys):
    return algebra.multiply(*polys)


REAL = {
    "a factor that may be 0": add(product(X, Y), product(X, Z)),
    "a square": algebra.power(subtract(X, Y), 2),
    "a product": product(X, Y, number(-3)),
    "a sum": add(X, scale(Y, 2), number(-1)),
    "a relu": add(signs.maximum(X, ZERO), signs.maximum(Y, ZERO)),
    "two exponentials": subtract(functions.exp(X), functions.exp(Y)),
    "an exponential and a number": add(scale(functions.exp(X), -1), ONE),
    "a positive factor": product(functions.exp(X), subtract(Y, Z)),
    "a power": subtract(algebra.power(X, 3), product(X, Y, Y)),
    "an inverse": subtract(algebra.power(X, -1), Y),
    "an absolute value": subtract(signs.absolute(X), signs.absolute(Y)),
}
