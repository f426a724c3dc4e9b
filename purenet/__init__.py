"""Neural networks in JAX whose gradients are derived by hand and shipped as pure functions."""

from purenet import activations as activations
from purenet import losses as losses
from purenet.activations import Activation as Activation
from purenet.backprop import differentiable as differentiable
from purenet.backprop import value_and_grad as value_and_grad
from purenet.losses import Loss as Loss
from purenet.network import Dense as Dense
from purenet.network import InputScaling as InputScaling
from purenet.network import Network as Network
from purenet.network import mlp as mlp
from purenet.network import objective as objective
