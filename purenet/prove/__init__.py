"""Decide, for every shape, whether JAX gradient code is the derivative of its forward code.

Both functions are traced with symbolic sizes and read into index notation by a kernel of our own;
the derivative is taken there and compared with what the rule computes. `proved` is a theorem about
real numbers; `refuted` carries arrays that show it in float64; `unknown` says why.
"""

from purenet.prove.domains import Domain as Domain
from purenet.prove.domains import boolean as boolean
from purenet.prove.domains import distribution as distribution
from purenet.prove.domains import function as function
from purenet.prove.domains import label as label
from purenet.prove.domains import nonzero as nonzero
from purenet.prove.domains import parse as parse
from purenet.prove.domains import positive as positive
from purenet.prove.domains import real as real
from purenet.prove.domains import static as static
from purenet.prove.front import audit as audit
from purenet.prove.front import equal as equal
from purenet.prove.front import gradient as gradient
from purenet.prove.front import rule as rule
from purenet.prove.front import vjp as vjp
from purenet.prove.replay import Counterexample as Counterexample
from purenet.prove.theorem import ProofFailed as ProofFailed
from purenet.prove.theorem import Theorem as Theorem
