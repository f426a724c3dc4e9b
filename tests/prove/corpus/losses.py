"""Losses of the first kind: regression, two classes, and distances between distributions.

Losses over classes are in `losses_of_classes`, those over regions and pairs in
`losses_of_regions`; `CASES` has them all.
"""

import math

import jax
import jax.numpy as jnp
import optax
from jax import lax

from purenet.prove import domains as d

from .case import Case
from .losses_of_classes import OF_CLASSES
from .losses_of_regions import OF_REGIONS

# Squared errors.


def squared_error_pullback(a, y, ct):
    return 2 * (a - y) * ct, -2 * (a - y) * ct


def l2_loss_pullback(a, y, ct):
    error = a - y
    return error * ct, -error * ct


def mean_squared_error(a, y):
    return jnp.mean((a - y) ** 2)


def mean_squared_error_pullback(a, y, ct):
    norm = 2 / a.size
    of_a = norm * (a - y) * ct
    return of_a, -of_a


def mean_over_examples(a, y):
    return jnp.mean(jnp.sum(jnp.square(y - a), axis=1))


def mean_over_examples_pullback(a, y, ct):
    return ct * (a - y) / (0.5 * a.shape[0]), ct * 2 / a.shape[0] * (y - a)


def half_sum(a, y):
    return 0.5 * jnp.einsum("bi,bi->", y - a, y - a)


def half_sum_pullback(a, y, ct):
    return -ct * (y - a), ct * (y - a)


def squared_norm_expanded(a, y):
    return jnp.sum(a * a) - 2 * jnp.sum(a * y) + jnp.sum(y * y)


def squared_norm_expanded_pullback(a, y, ct):
    return ct * (2 * a - 2 * y), ct * (2 * y - 2 * a)


def weighted_squared_error(a, y, w):
    return jnp.sum(w * jnp.square(a - y)) / jnp.sum(w)


def weighted_squared_error_pullback(a, y, w, ct):
    error, total = a - y, w.sum()
    of_a = 2 * ct * w * error / total
    loss = jnp.vdot(w, error**2) / total
    return of_a, -of_a, ct * (error**2 - loss) / total


def masked_squared_error(a, y, mask):
    errors = jnp.where(mask, (a - y) ** 2, 0)
    return errors.sum() / jnp.maximum(mask.sum().astype(a.dtype), 1)


def masked_squared_error_pullback(a, y, mask, ct):
    kept = mask.astype(a.dtype)
    of_a = ct * kept * 2 * (a - y) / jnp.clip(kept.sum(), 1, None)
    return of_a, -of_a, None


def mean_where(a, y, mask):
    return jnp.mean(jnp.square(a - y), axis=-1, where=mask)


def mean_where_pullback(a, y, mask, ct):
    count = jnp.sum(mask, axis=-1, keepdims=True, dtype=a.dtype)
    of_a = jnp.where(mask, 2 * ct[:, None] * (a - y) / count, 0)
    return of_a, -of_a, None


def root_mean_square(a, y):
    return jnp.sqrt(jnp.mean((a - y) ** 2) + 1e-8)


def root_mean_square_pullback(a, y, ct):
    of_a = ct * (a - y) / (a.size * root_mean_square(a, y))
    return of_a, -of_a


def mean_squared_log_error(a, y):
    return jnp.mean(jnp.square(jnp.log1p(y) - jnp.log1p(a)), axis=-1)


def mean_squared_log_error_pullback(a, y, ct):
    common = 2 * ct[:, None] * (jnp.log(1 + a) - jnp.log(1 + y)) / a.shape[-1]
    return common / (1 + a), -common / (1 + y)


def linear_regression(w, b, x, y):
    return jnp.mean((x @ w + b - y) ** 2) / 2


def linear_regression_pullback(w, b, x, y, ct):
    residual = (x @ w + b - y) / x.shape[0]
    return ct * (x.T @ residual), ct * residual.sum(), None, None


# Robust errors.


def mean_absolute_error(a, y):
    return jnp.abs(a - y).mean()


def mean_absolute_error_pullback(a, y, ct):
    of_a = jnp.sign(a - y) * ct / a.size
    return of_a, -of_a


def huber_by_clip_pullback(a, y, ct):
    clipped = jnp.clip(a - y, -1, 1)
    return ct * clipped, -ct * clipped


def huber_by_where(a, y, delta):
    error = jnp.abs(a - y)
    return jnp.where(error <= delta, 0.5 * error**2, delta * (error - 0.5 * delta))


def huber_by_where_pullback(a, y, delta, ct):
    x = a - y
    outside = jnp.where(x >= delta, delta * ct, x * ct)
    of_a = jnp.where(x <= -delta, -delta * ct, outside)
    of_delta = jnp.where(jnp.abs(x) <= delta, 0, jnp.abs(x) - delta)
    return of_a, -of_a, jnp.sum(ct * of_delta)


def smooth_l1(a, y):
    z = jnp.abs(a - y)
    return jnp.mean(jnp.where(z < 0.5, 0.5 * z * z / 0.5, z - 0.5 * 0.5))


def smooth_l1_pullback(a, y, ct):
    x, norm = a - y, 1 / a.size
    inside = norm * x * ct / 0.5
    of_a = jnp.where(x < -0.5, -norm * ct, jnp.where(x > 0.5, norm * ct, inside))
    return of_a, -of_a


def log_cosh_pullback(a, y, ct):
    t = jnp.tanh(a - y)
    return t * ct, -t * ct


def log_cosh_by_softplus(a, y):
    x = a - y
    return jnp.mean(x + jax.nn.softplus(-2 * x) - math.log(2), axis=-1)


def log_cosh_by_softplus_pullback(a, y, ct):
    x = a - y
    of_a = ct[:, None] * (1 - 2 * jax.nn.sigmoid(-2 * x)) / x.shape[-1]
    return of_a, -of_a


def charbonnier(a, y):
    return jnp.sqrt((a - y) ** 2 + 1e-6).sum()


def charbonnier_pullback(a, y, ct):
    x = a - y
    of_a = ct * x * lax.rsqrt(x * x + 1e-6)
    return of_a, -of_a


def quantile(a, y, q):
    error = y - a
    return jnp.maximum(q * error, (q - 1) * error)


def quantile_pullback(a, y, q, ct):
    of_error = jnp.where(y - a > 0, q, q - 1)
    return -ct * of_error, ct * of_error, None


def pinball_of_levels(a, y, levels):
    error = y[:, None] - a
    return jnp.mean(levels[None] * jax.nn.relu(error) + (1 - levels[None]) * jax.nn.relu(-error))


def pinball_of_levels_pullback(a, y, levels, ct):
    under = y[:, None] > a
    of_error = jnp.where(under, levels[None], levels[None] - 1) * (ct / a.size)
    of_levels = (y[:, None] - a).sum(0) * (ct / a.size)
    return -of_error, of_error.sum(1), of_levels


# Likelihoods of counts and of normal variables.


def poisson_of_log(x, y):
    return jnp.mean(jnp.exp(x) - y * x)


def poisson_of_log_pullback(x, y, ct):
    return ct * (jnp.exp(x) - y) / x.size, -ct * x / x.size


def poisson(a, y):
    return jnp.mean(a - y * jnp.log(a + 1e-7), axis=-1)


def poisson_pullback(a, y, ct):
    scale = ct[:, None] / a.shape[-1]
    return scale * (1 - y / (a + 1e-7)), -scale * jnp.log(a + 1e-7)


def gaussian(mean, variance, y):
    return 0.5 * jnp.mean(jnp.log(variance) + (y - mean) ** 2 / variance)


def gaussian_pullback(mean, variance, y, ct):
    z = (mean - y) / variance
    scale = ct / mean.size
    return scale * z, 0.5 * scale * (1 / variance - z**2), -scale * z


def gaussian_divergence(mean, log_variance):
    return -0.5 * jnp.sum(1 + log_variance - mean**2 - jnp.exp(log_variance))


def gaussian_divergence_pullback(mean, log_variance, ct):
    return ct * mean, 0.5 * ct * jnp.expm1(log_variance)


# Two classes, from logits.


def binary_pullback(z, y, ct):
    return ct * (jax.nn.sigmoid(z) - y), -ct * z


def binary_by_maximum(z, y):
    return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))


def binary_by_maximum_pullback(z, y, ct):
    return (1 / (1 + jnp.exp(-z)) - y) * ct / z.size, None


def binary_by_softplus(z, y):
    return jnp.sum(jax.nn.softplus(z) - y * z, axis=-1).mean()


def binary_by_softplus_pullback(z, y, ct):
    scale = ct / z.shape[0]
    return scale * (0.5 * (1 + jnp.tanh(z / 2)) - y), -scale * z


def binary_with_positive_weight(z, y, weight):
    log_weight = (weight - 1)[None] * y + 1
    return jnp.mean((1 - y) * z + log_weight * (jnp.log1p(jnp.exp(-jnp.abs(z))) + jax.nn.relu(-z)))


def binary_with_positive_weight_pullback(z, y, weight, ct):
    t = weight[None] * y
    of_z = ((t + 1 - y) * jax.nn.sigmoid(z) - t) * ct / z.size
    return of_z, None, jnp.sum(y * jax.nn.softplus(-z), axis=0) * ct / z.size


def binary_of_boolean(z, y):
    return jnp.where(y, jax.nn.softplus(-z), jax.nn.softplus(z))


def binary_of_boolean_pullback(z, y, ct):
    return jnp.where(y, -jax.nn.sigmoid(-z), jax.nn.sigmoid(z)) * ct, None


def binary_of_label(z, y):
    signs = 2 * y.astype(z.dtype) - 1
    return -jax.nn.log_sigmoid(signs * z).sum()


def binary_of_label_pullback(z, y, ct):
    return ct * (jax.nn.sigmoid(z) - y.astype(z.dtype)), None


def binary_of_composition(z, y):
    a = jax.nn.sigmoid(z)
    return -jnp.sum(y * jnp.log(a) + (1 - y) * jnp.log(1 - a)) / z.shape[0]


def binary_of_composition_pullback(z, y, ct):
    return ct / z.shape[0] * (jax.nn.sigmoid(z) - y), ct / z.shape[0] * -z


def logistic_regression(w, x, y):
    z = x @ w
    return jnp.mean(jnp.logaddexp(0.0, z) - y * z)


def logistic_regression_pullback(w, x, y, ct):
    error = (jax.nn.sigmoid(x @ w) - y) / y.size
    return ct * (error @ x), ct * jnp.outer(error, w), None


# Two classes, from probabilities.


def binary_of_probability(p, y):
    return -(y * jnp.log(p) + (1 - y) * jnp.log1p(-p))


def binary_of_probability_pullback(p, y, ct):
    return ct * (p - y) / (p * (1 - p)), ct * (jnp.log1p(-p) - jnp.log(p))


def binary_of_clamped_logs(p, y):
    log_p = jnp.maximum(jnp.log(p), -100)
    log_q = jnp.maximum(jnp.log1p(-p), -100)
    return jnp.mean((y - 1) * log_q - y * log_p)


def binary_of_clamped_logs_pullback(p, y, ct):
    of_p = ct * (p - y) / jnp.maximum((1 - p) * p, 1e-12)
    return of_p / p.size, None


def binary_of_clipped(p, y):
    p = jnp.clip(p, 1e-7, 1 - 1e-7)
    return jnp.mean(-(y * jnp.log(p) + (1 - y) * jnp.log(1 - p)), axis=-1)


def binary_of_clipped_pullback(p, y, ct):
    safe = jnp.clip(p, 1e-7, 1 - 1e-7)
    of_safe = ((1 - y) / (1 - safe) - y / safe) * ct[:, None] / p.shape[-1]
    return jnp.where((p > 1e-7) & (p < 1 - 1e-7), of_safe, 0), None


# Two classes, from margins.


def hinge_pullback(scores, y, ct):
    active = 1 - scores * y > 0
    return jnp.where(active, -y * ct, 0), jnp.where(active, -scores * ct, 0)


def mean_hinge(scores, y):
    return jnp.mean(jnp.maximum(1 - y * scores, 0), axis=-1)


def mean_hinge_pullback(scores, y, ct):
    step = jnp.heaviside(1 - y * scores, 0)
    return -ct[:, None] * step * y / scores.shape[-1], None


def squared_hinge(scores, y):
    return jnp.mean(jnp.square(jnp.maximum(1 - y * scores, 0)), axis=-1)


def squared_hinge_pullback(scores, y, ct):
    slack = jax.nn.relu(1 - y * scores)
    common = -2 * slack * ct[:, None] / scores.shape[-1]
    return common * y, common * scores


def perceptron_pullback(scores, y, ct):
    wrong = scores * y < 0
    return jnp.where(wrong, -y * ct, 0), jnp.where(wrong, -scores * ct, 0)


def logistic(scores, y):
    return jnp.log(1 + jnp.exp(-y * scores))


def logistic_pullback(scores, y, ct):
    s = jax.nn.sigmoid(-y * scores)
    return -y * s * ct, -scores * s * ct


def soft_margin(scores, y):
    return jnp.mean(jnp.log1p(jnp.exp(-y * scores)))


def soft_margin_pullback(scores, y, ct):
    z = jnp.exp(-y * scores)
    return -y * z / (z + 1) * ct / scores.size, None


def modified_huber(scores, y):
    z = scores * y
    return jnp.where(z >= 1, 0, jnp.where(z >= -1, (1 - z) * (1 - z), -4 * z))


def modified_huber_pullback(scores, y, ct):
    z = scores * y
    of_z = jnp.where(z >= 1, 0, jnp.where(z >= -1, 2 * (1 - z) * -1, -4))
    return ct * of_z * y, ct * of_z * scores


# Divergences.


def divergence(log_p, y):
    return optax.losses.kl_divergence(log_p, y)


def divergence_pullback(log_p, y, ct):
    return -y * ct[:, None], (jnp.log(y) - log_p + 1) * ct[:, None]


def divergence_of_logs(log_p, log_y):
    return jnp.sum(jnp.exp(log_y) * (log_y - log_p)) / log_p.shape[0]


def divergence_of_logs_pullback(log_p, log_y, ct):
    scale = ct / log_p.shape[0]
    y = jnp.exp(log_y)
    return -y * scale, scale * y * (log_y - log_p + 1)


def generalized_divergence(log_p, y):
    return optax.losses.generalized_kl_divergence(log_p, y)


def generalized_divergence_pullback(log_p, y, ct):
    ct = ct[:, None]
    return ct * (jnp.exp(log_p) - y), ct * (jnp.log(y) - log_p)


def divergence_of_probabilities(p, y):
    return jnp.sum(y * jnp.log(y / p), axis=-1)


def divergence_of_probabilities_pullback(p, y, ct):
    ct = ct[:, None]
    return -ct * y / p, ct * (1 + jnp.log(y) - jnp.log(p))


def jensen_shannon(x, y):
    q, p = jnp.exp(x), jnp.exp(y)
    m = 0.5 * p + 0.5 * q
    return jnp.sum(0.5 * p * y + 0.5 * q * x - m * jnp.log(m)) / x.shape[0]


def jensen_shannon_pullback(x, y, ct):
    q, p = jnp.exp(x), jnp.exp(y)
    log_m = jnp.log(0.5 * p + 0.5 * q)
    scale = 1 / x.shape[0]
    return ct * scale * 0.5 * q * (x - log_m), ct * scale * 0.5 * p * (y - log_m)


_pair = (d.real("batch n"), d.real("batch n"))
_rates = (d.positive("batch n"), d.positive("batch n"))
_kept = (*_pair, d.boolean("batch n"))
_unit = (d.real("batch n", low=0, high=1), d.real("batch n"))
_inside = (d.real("batch n", low=1e-6, high=0.999999), d.real("batch n"))


def _case(name, f, pullback, domains=_pair, source=""):
    return Case(name, "loss", f, pullback, tuple(domains), "", source)


CASES: tuple[Case, ...] = (
    _case("squared error", optax.losses.squared_error, squared_error_pullback),
    _case("l2 loss", optax.losses.l2_loss, l2_loss_pullback, source="optax: l2_loss"),
    _case(
        "mean squared error",
        mean_squared_error,
        mean_squared_error_pullback,
        source="PyTorch: mse_loss_backward",
    ),
    _case("squared error, mean over examples", mean_over_examples, mean_over_examples_pullback),
    _case("half squared error", half_sum, half_sum_pullback),
    _case("squared error, expanded", squared_norm_expanded, squared_norm_expanded_pullback),
    _case(
        "weighted squared error",
        weighted_squared_error,
        weighted_squared_error_pullback,
        (*_pair, d.positive("batch n")),
    ),
    _case("masked squared error", masked_squared_error, masked_squared_error_pullback, _kept),
    _case("squared error, mean where", mean_where, mean_where_pullback, _kept),
    _case("root mean square error", root_mean_square, root_mean_square_pullback),
    _case(
        "mean squared log error",
        mean_squared_log_error,
        mean_squared_log_error_pullback,
        _rates,
        "Keras: mean_squared_logarithmic_error",
    ),
    _case(
        "linear regression",
        linear_regression,
        linear_regression_pullback,
        (d.real("n"), d.real(), d.real("batch n"), d.real("batch")),
    ),
    _case(
        "mean absolute error",
        mean_absolute_error,
        mean_absolute_error_pullback,
        source="PyTorch: l1_loss",
    ),
    _case(
        "huber: clip", optax.losses.huber_loss, huber_by_clip_pullback, source="optax: huber_loss"
    ),
    _case(
        "huber: where",
        huber_by_where,
        huber_by_where_pullback,
        (*_pair, d.positive()),
        "PyTorch: huber_loss_backward",
    ),
    _case("smooth l1", smooth_l1, smooth_l1_pullback, source="PyTorch: smooth_l1_loss_backward"),
    _case("log cosh", optax.losses.log_cosh, log_cosh_pullback, source="optax: log_cosh"),
    _case(
        "log cosh: by softplus",
        log_cosh_by_softplus,
        log_cosh_by_softplus_pullback,
        source="Keras: log_cosh",
    ),
    _case("charbonnier", charbonnier, charbonnier_pullback),
    _case("quantile", quantile, quantile_pullback, (*_pair, d.static(0.9))),
    _case(
        "pinball of levels",
        pinball_of_levels,
        pinball_of_levels_pullback,
        (d.real("batch q"), d.real("batch"), d.real("q", low=0, high=1)),
    ),
    _case(
        "poisson of the log",
        poisson_of_log,
        poisson_of_log_pullback,
        source="PyTorch: poisson_nll_loss",
    ),
    _case("poisson", poisson, poisson_pullback, _rates, "Keras: poisson"),
    _case(
        "gaussian likelihood",
        gaussian,
        gaussian_pullback,
        (d.real("batch n"), d.positive("batch n"), d.real("batch n")),
        "PyTorch: gaussian_nll_loss",
    ),
    _case(
        "gaussian divergence",
        gaussian_divergence,
        gaussian_divergence_pullback,
        source="PyTorch examples: vae/main.py",
    ),
    _case(
        "binary cross-entropy: elementwise",
        optax.losses.sigmoid_binary_cross_entropy,
        binary_pullback,
        source="optax: sigmoid_binary_cross_entropy",
    ),
    _case(
        "binary cross-entropy: by maximum",
        binary_by_maximum,
        binary_by_maximum_pullback,
        source="TensorFlow: sigmoid_cross_entropy_with_logits",
    ),
    _case("binary cross-entropy: softplus", binary_by_softplus, binary_by_softplus_pullback),
    _case(
        "binary cross-entropy: positive weight",
        binary_with_positive_weight,
        binary_with_positive_weight_pullback,
        (*_pair, d.positive("n")),
        "PyTorch: binary_cross_entropy_with_logits_backward",
    ),
    _case(
        "binary cross-entropy: boolean",
        binary_of_boolean,
        binary_of_boolean_pullback,
        (d.real("batch n"), d.boolean("batch n")),
    ),
    _case(
        "binary cross-entropy: label",
        binary_of_label,
        binary_of_label_pullback,
        (d.real("batch"), d.label("batch", classes="2")),
    ),
    _case(
        "binary cross-entropy: log of sigmoid",
        binary_of_composition,
        binary_of_composition_pullback,
    ),
    _case(
        "logistic regression",
        logistic_regression,
        logistic_regression_pullback,
        (d.real("n"), d.real("batch n"), d.real("batch")),
        "HIPS autograd: examples/logistic_regression.py",
    ),
    _case("binary of probability", binary_of_probability, binary_of_probability_pullback, _unit),
    _case(
        "binary of probability: clamped logs",
        binary_of_clamped_logs,
        binary_of_clamped_logs_pullback,
        _inside,
        "PyTorch: binary_cross_entropy_backward",
    ),
    _case(
        "binary of probability: clipped",
        binary_of_clipped,
        binary_of_clipped_pullback,
        _unit,
        "Keras: binary_crossentropy",
    ),
    _case("hinge", optax.losses.hinge_loss, hinge_pullback, source="optax: hinge_loss"),
    _case("mean hinge", mean_hinge, mean_hinge_pullback, source="Keras: hinge"),
    _case("squared hinge", squared_hinge, squared_hinge_pullback, source="Keras: squared_hinge"),
    _case(
        "perceptron",
        optax.losses.perceptron_loss,
        perceptron_pullback,
        source="optax: perceptron_loss",
    ),
    _case("logistic", logistic, logistic_pullback),
    _case(
        "soft margin",
        soft_margin,
        soft_margin_pullback,
        source="PyTorch: soft_margin_loss_backward",
    ),
    _case(
        "modified huber",
        modified_huber,
        modified_huber_pullback,
        source="scikit-learn: ModifiedHuber (_sgd_fast)",
    ),
    _case(
        "divergence",
        divergence,
        divergence_pullback,
        (d.real("batch k"), d.positive("batch k")),
        "optax: kl_divergence",
    ),
    _case(
        "divergence of logs",
        divergence_of_logs,
        divergence_of_logs_pullback,
        source="PyTorch: kl_div with log_target",
    ),
    _case(
        "generalized divergence",
        generalized_divergence,
        generalized_divergence_pullback,
        (d.real("batch k"), d.positive("batch k")),
        "optax: generalized_kl_divergence",
    ),
    _case(
        "divergence of probabilities",
        divergence_of_probabilities,
        divergence_of_probabilities_pullback,
        (d.distribution("batch k"), d.distribution("batch k")),
    ),
    _case("jensen-shannon", jensen_shannon, jensen_shannon_pullback, source="Liger-Kernel: jsd.py"),
    *OF_CLASSES,
    *OF_REGIONS,
)
