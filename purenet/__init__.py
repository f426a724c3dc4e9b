"""Neural networks in JAX whose gradients are derived by hand and shipped as pure functions."""

from purenet import activations as activations
from purenet import losses as losses
from purenet import metrics as metrics
from purenet import sharding as sharding
from purenet import stop as stop
from purenet.activations import Activation as Activation
from purenet.backprop import differentiable as differentiable
from purenet.backprop import value_and_grad as value_and_grad
from purenet.batches import class_weights as class_weights
from purenet.checking import check_gradients as check_gradients
from purenet.evaluation import evaluate as evaluate
from purenet.evaluation import predict as predict
from purenet.loop import Run as Run
from purenet.loop import epochs as epochs
from purenet.loop import fit as fit
from purenet.losses import Loss as Loss
from purenet.metrics import Metric as Metric
from purenet.network import Dense as Dense
from purenet.network import InputScaling as InputScaling
from purenet.network import Network as Network
from purenet.network import mlp as mlp
from purenet.network import objective as objective
from purenet.sweep import sweep as sweep
from purenet.training import State as State
from purenet.training import by_kind as by_kind
