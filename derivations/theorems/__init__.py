"""The theorems in reading order: one file each, the same name for file, command and ledger."""

import importlib

from derivations.proof import Derivation

NAMES = (
    # One unit.
    "weighted_input",
    "perceptron_bias_shift",
    "sigmoid",
    "sigmoid_accurate",
    "tanh",
    "relu",
    "leaky_relu",
    "softplus",
    "elu",
    "silu",
    "gelu",
    "identity",
    "step",
    # What is minimised.
    "example_weights",
    "mean_squared_error",
    "half_mean_squared_error",
    "linear_model",
    "normal_equations",
    "n_to_m_regression",
    "perceptron_gradient",
    # Classes.
    "softmax_sums_to_one",
    "softmax_shift",
    "softmax_without_exponentials",
    "softmax_jacobian",
    "softmax_pullback",
    "cross_entropy_gradient",
    "log_softmax",
    "softmax_cross_entropy",
    "sparse_labels",
    "columns_sum_to_zero",
    "softmax_general_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_logits",
    "binary_cross_entropy_stable",
    # Layers.
    "local_derivatives",
    "dense_rows",
    "dense_columns",
    "layouts_agree",
    "batch_bias",
    "input_scaling",
    "affine_of_affine",
    # Backpropagation.
    "delta_output",
    "delta_hidden",
    "gradient_bias",
    "gradient_weight",
    "backprop_induction",
    "two_layers",
    "network_2_2_2",
    "s3_output_delta",
    "s3_network",
    "naive_cost",
    # Descent.
    "descent_direction",
    "wrong_way_step",
    "quadratic_descent",
    "inverse_slope",
    # Depth and width.
    "vanishing_gradients",
    "weighted_input_variance",
    "initialisation_glorot",
    "initialisation_he",
    "relu_superposition",
    "depth_against_pieces",
)


def theorem(name: str) -> Derivation:
    """Return the derivation in the file of that name."""
    return importlib.import_module(f"derivations.theorems.{name}").theorem
