"""Losses over classes: cross-entropy from logits and probabilities, margins, distillation."""

import jax
import jax.numpy as jnp
import optax
from jax import lax

from purenet.prove import domains as d

from .case import Case

# Cross-entropy with labels, from logits.


def by_label_pullback(z, y, ct):
    return ct[:, None] * (jax.nn.softmax(z) - jax.nn.one_hot(y, z.shape[-1], dtype=z.dtype)), None


def by_one_hot(z, y):
    return -jnp.mean(jnp.sum(jax.nn.one_hot(y, z.shape[-1]) * jax.nn.log_softmax(z), axis=-1))


def by_indicator_pullback(z, y, ct):
    p = jax.nn.softmax(z, axis=-1)
    indicator = (jnp.arange(z.shape[-1])[None, :] == y[:, None]).astype(z.dtype)
    return (p - indicator) * (ct / z.shape[0]), None


def by_gather(z, y):
    logp = z - jax.nn.logsumexp(z, axis=1, keepdims=True)
    return -logp[jnp.arange(z.shape[0]), y].mean()


def by_scatter_pullback(z, y, ct):
    n = z.shape[0]
    of_z = jax.nn.softmax(z, axis=1).at[jnp.arange(n), y].add(-1)
    return of_z / n * ct, None


def by_two_steps(z, y):
    p = jnp.exp(z) / jnp.sum(jnp.exp(z), axis=1, keepdims=True)
    return -jnp.sum(jnp.log(jnp.take_along_axis(p, y[:, None], axis=1)))


def by_two_steps_pullback(z, y, ct):
    e = jnp.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    hit = y[:, None] == jnp.arange(z.shape[1])[None]
    return ct * jnp.where(hit, p - 1, p), None


def of_one_example(z, y):
    return jax.nn.logsumexp(z) - z[y]


def of_one_example_pullback(z, y, ct):
    return (ct * jax.nn.softmax(z)).at[y].add(-ct), None


def of_tokens(z, y):
    flat = z.reshape(-1, z.shape[-1])
    losses = optax.losses.softmax_cross_entropy_with_integer_labels(flat, y.reshape(-1))
    return losses.mean()


def of_tokens_pullback(z, y, ct):
    hot = jax.nn.one_hot(y, z.shape[-1], dtype=z.dtype)
    return (jax.nn.softmax(z) - hot) * ct / (z.shape[0] * z.shape[1]), None


def of_kept_tokens(z, y, keep):
    kept = keep.astype(z.dtype)
    losses = jax.nn.logsumexp(z, -1) - jnp.take_along_axis(z, y[:, None], -1)[:, 0]
    return jnp.sum(kept * losses) / jnp.maximum(kept.sum(), 1)


def of_kept_tokens_pullback(z, y, keep, ct):
    of_row = jnp.where(keep, ct / jnp.maximum(keep.astype(z.dtype).sum(), 1), 0)
    difference = jax.nn.softmax(z) - jax.nn.one_hot(y, z.shape[1], dtype=z.dtype)
    return of_row[:, None] * difference, None, None


def of_weighted_examples(z, y, w):
    losses = -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=-1).squeeze(-1)
    return jnp.sum(w * losses) / jnp.sum(w)


def of_weighted_examples_pullback(z, y, w, ct):
    hot = jax.nn.one_hot(y, z.shape[-1], dtype=z.dtype)
    losses = -jnp.sum(hot * jax.nn.log_softmax(z), axis=-1)
    share = ct / w.sum()
    of_z = (share * w)[:, None] * (jax.nn.softmax(z) - hot)
    return of_z, None, share * (losses - w @ losses / w.sum())


def dense_classifier(w, b, x, y):
    z = x @ w + b[None]
    return optax.losses.softmax_cross_entropy_with_integer_labels(z, y).mean()


def dense_classifier_pullback(w, b, x, y, ct):
    z = x @ w + b[None]
    delta = (jax.nn.softmax(z) - jax.nn.one_hot(y, z.shape[-1], dtype=z.dtype)) / z.shape[0]
    return ct * x.T @ delta, ct * delta.sum(axis=0), ct * delta @ w.T, None


# Cross-entropy with distributions, from logits.


def with_targets_pullback(z, y, ct):
    p = jax.nn.softmax(z)
    of_z = p * y.sum(-1, keepdims=True) - y
    return ct[:, None] * of_z, -ct[:, None] * jax.nn.log_softmax(z)


def with_distribution_pullback(z, y, ct):
    return ct[:, None] * (jax.nn.softmax(z, axis=-1) - y), None


def of_composition(z, y):
    return -jnp.mean(jnp.sum(y * jnp.log(jax.nn.softmax(z)), axis=1))


def of_composition_pullback(z, y, ct):
    p = jax.nn.softmax(z)
    of_p = -(ct / z.shape[0]) * y / p
    return p * (of_p - jnp.sum(of_p * p, axis=1, keepdims=True)), None


def smoothed_labels(z, y):
    targets = optax.losses.smooth_labels(jax.nn.one_hot(y, z.shape[-1]), 0.1)
    return optax.losses.softmax_cross_entropy(z, targets).sum()


def smoothed_labels_pullback(z, y, ct):
    k = z.shape[-1]
    return ct * (jax.nn.softmax(z) - 0.9 * jax.nn.one_hot(y, k) - 0.1 / k), None


def smoothed_by_rows(z, y):
    lse = jax.nn.logsumexp(z, axis=-1)
    loss = lse - jnp.take_along_axis(z, y[:, None], axis=-1)[:, 0]
    smooth = jnp.sum(-(0.1 / z.shape[-1]) * z, axis=-1) + 0.1 * lse
    z_loss = 1e-4 * lse * lse
    return jnp.sum(loss * (1 - 0.1) + smooth + z_loss) / z.shape[0]


def smoothed_by_rows_pullback(z, y, ct):
    n, k = z.shape
    m = z.max(-1, keepdims=True)
    total = jnp.exp(z - m).sum(-1, keepdims=True)
    p = jnp.exp(z - m) / total
    of_z = p - 0.1 / k + 2 * 1e-4 * (m + jnp.log(total)) * p
    of_z = of_z.at[jnp.arange(n), y].add(-(1 - 0.1))
    return of_z / n * ct, None


def z_loss(z):
    return 1e-4 * jnp.mean(jnp.square(jax.nn.logsumexp(z, axis=-1)))


def z_loss_pullback(z, ct):
    lse = jax.nn.logsumexp(z, axis=-1, keepdims=True)
    return (2e-4 * ct * lse * jnp.exp(z - lse) / z.shape[0],)


def poly_loss_pullback(z, y, ct):
    p = jax.nn.softmax(z)
    of_cross_entropy = p * y.sum(-1, keepdims=True) - y
    of_linear = p * (jnp.sum(p * y, -1, keepdims=True) - y)
    return ct[:, None] * (of_cross_entropy + 2 * of_linear), None


def confidence_penalty(z):
    logp = jax.nn.log_softmax(z)
    return -jnp.sum(jnp.exp(logp) * logp, axis=-1).mean()


def confidence_penalty_pullback(z, ct):
    p = jax.nn.softmax(z)
    entropy = jnp.sum(jax.scipy.special.entr(p), axis=-1, keepdims=True)
    return (-(ct / z.shape[0]) * p * (jnp.log(p) + entropy),)


def distillation(student, teacher, temperature):
    q = jax.nn.softmax(teacher / temperature)
    log_p = jax.nn.log_softmax(student / temperature)
    log_q = jax.nn.log_softmax(teacher / temperature)
    return temperature**2 * jnp.mean(jnp.sum(q * (log_q - log_p), axis=-1))


def distillation_pullback(student, teacher, temperature, ct):
    p = jax.nn.softmax(student / temperature)
    q = jax.nn.softmax(teacher / temperature)
    return ct * temperature * (p - q) / student.shape[0], None, None


# Cross-entropy from probabilities and log-probabilities.


def of_probabilities(p, y):
    return -jnp.sum(y * jnp.log(p), axis=-1)


def of_probabilities_pullback(p, y, ct):
    return -ct[:, None] * y / p, -ct[:, None] * jnp.log(p)


def of_normalised(p, y):
    p = p / jnp.sum(p, axis=-1, keepdims=True)
    return -jnp.sum(y * jnp.log(jnp.clip(p, 1e-7, 1 - 1e-7)), axis=-1)


def of_normalised_pullback(p, y, ct):
    total = jnp.sum(p, axis=-1, keepdims=True)
    share = p / total
    inside = (share > 1e-7) & (share < 1 - 1e-7)
    of_share = jnp.where(inside, -ct[:, None] * y / share, 0)
    return (of_share - jnp.sum(of_share * share, axis=-1, keepdims=True)) / total, None


def negative_likelihood(logp, y):
    return -jnp.mean(jnp.take_along_axis(logp, y[:, None], axis=1))


def negative_likelihood_pullback(logp, y, ct):
    rows = jnp.arange(logp.shape[0])
    return jnp.zeros_like(logp).at[rows, y].set(-ct / logp.shape[0]), None


def negative_likelihood_of_weights(logp, y, w):
    chosen = jnp.take_along_axis(logp, y[:, None], axis=1)[:, 0]
    return -jnp.sum(w[y] * chosen) / jnp.sum(w[y])


def negative_likelihood_of_weights_pullback(logp, y, w, ct):
    hot = jax.nn.one_hot(y, logp.shape[1], dtype=logp.dtype)
    total = jnp.sum(hot @ w)
    loss = -jnp.sum(hot * logp * w[None]) / total
    of_w = jnp.sum(hot * (-logp - loss), axis=0) / total
    return -ct * hot * w[None] / total, None, ct * of_w


# Margins between classes.


def multiclass_hinge_pullback(scores, y, ct):
    k = scores.shape[-1]
    hot = jax.nn.one_hot(y, k, dtype=scores.dtype)
    worst = jax.nn.one_hot(jnp.argmax(scores + 1 - hot, axis=-1), k, dtype=scores.dtype)
    return ct[:, None] * (worst - hot), None


def multiclass_perceptron_pullback(scores, y, ct):
    classes = jnp.arange(scores.shape[-1])[None]
    worst = classes == scores.argmax(-1)[:, None]
    right = classes == y[:, None]
    return ct[:, None] * (worst.astype(ct.dtype) - right.astype(ct.dtype)), None


def support_vectors(scores, y):
    right = jnp.take_along_axis(scores, y[:, None], axis=1)
    margins = jnp.maximum(0, scores - right + 1)
    margins = margins.at[jnp.arange(scores.shape[0]), y].set(0)
    return margins.sum() / scores.shape[0]


def support_vectors_pullback(scores, y, ct):
    hot = jax.nn.one_hot(y, scores.shape[1], dtype=scores.dtype)
    right = jnp.sum(hot * scores, axis=1, keepdims=True)
    above = (scores - right + 1 > 0).astype(scores.dtype) * (1 - hot)
    return ct * (above - hot * above.sum(1, keepdims=True)) / scores.shape[0], None


def support_vectors_squared(scores, y):
    right = jnp.take_along_axis(scores, y[:, None], axis=1)
    other = jnp.arange(scores.shape[1])[None] != y[:, None]
    slack = jnp.where(other, jax.nn.relu(1 - right + scores), 0)
    return jnp.mean(slack**2)


def support_vectors_squared_pullback(scores, y, ct):
    right = scores[jnp.arange(scores.shape[0]), y][:, None]
    hot = jax.nn.one_hot(y, scores.shape[1], dtype=scores.dtype)
    slack = (1 - hot) * jnp.maximum(1 - right + scores, 0)
    return 2 * ct / scores.size * (slack - hot * slack.sum(1, keepdims=True)), None


# Rewards.


def policy_gradient(z, actions, advantages):
    logp = jnp.take_along_axis(jax.nn.log_softmax(z), actions[:, None], axis=1)[:, 0]
    return -jnp.mean(logp * lax.stop_gradient(advantages))


def policy_gradient_pullback(z, actions, advantages, ct):
    hot = jax.nn.one_hot(actions, z.shape[1], dtype=z.dtype)
    return ct * advantages[:, None] * (jax.nn.softmax(z) - hot) / z.shape[0], None, None


def clipped_surrogate(logp, old, advantages):
    ratio = jnp.exp(logp - old)
    clipped = jnp.clip(ratio, 1 - 0.2, 1 + 0.2)
    return -jnp.mean(jnp.minimum(ratio * advantages, clipped * advantages))


def clipped_surrogate_pullback(logp, old, advantages, ct):
    ratio = jnp.exp(logp - old)
    chosen = ratio * advantages <= jnp.clip(ratio, 1 - 0.2, 1 + 0.2) * advantages
    return jnp.where(chosen, -ct * ratio * advantages / logp.size, 0), None, None


def preference(chosen, rejected, beta):
    return -jax.nn.log_sigmoid(beta * (chosen - rejected)).mean()


def preference_pullback(chosen, rejected, beta, ct):
    s = jax.nn.sigmoid(-beta * (chosen - rejected)) / chosen.size
    return -ct * beta * s, ct * beta * s, -ct * jnp.sum((chosen - rejected) * s)


_labels = (d.real("batch k"), d.label("batch", classes="k"))
_targets = (d.real("batch k"), d.real("batch k"))
_simplex = (d.real("batch k"), d.distribution("batch k"))
_positive = (d.positive("batch k"), d.real("batch k"))
_vectors = (d.real("batch"), d.real("batch"))


def _case(name, f, pullback, domains=_labels, source=""):
    return Case(name, "loss", f, pullback, tuple(domains), "", source)


OF_CLASSES: tuple[Case, ...] = (
    _case(
        "cross-entropy of labels",
        optax.losses.softmax_cross_entropy_with_integer_labels,
        by_label_pullback,
        source="optax: softmax_cross_entropy_with_integer_labels",
    ),
    _case(
        "cross-entropy of labels: indicator",
        by_one_hot,
        by_indicator_pullback,
        source="llm.c: crossentropy_softmax_backward",
    ),
    _case(
        "cross-entropy of labels: scatter",
        by_gather,
        by_scatter_pullback,
        source="makemore: build_makemore_backprop_ninja",
    ),
    _case("cross-entropy of labels: two steps", by_two_steps, by_two_steps_pullback),
    _case(
        "cross-entropy of one example",
        of_one_example,
        of_one_example_pullback,
        (d.real("k"), d.label("", classes="k")),
    ),
    _case(
        "cross-entropy of tokens",
        of_tokens,
        of_tokens_pullback,
        (d.real("b t k"), d.label("b t", classes="k")),
        "nanoGPT: GPT.forward",
    ),
    _case(
        "cross-entropy of kept tokens",
        of_kept_tokens,
        of_kept_tokens_pullback,
        (*_labels, d.boolean("batch")),
        "apex: contrib/xentropy",
    ),
    _case(
        "cross-entropy of weighted examples",
        of_weighted_examples,
        of_weighted_examples_pullback,
        (*_labels, d.positive("batch")),
    ),
    _case(
        "dense classifier",
        dense_classifier,
        dense_classifier_pullback,
        (d.real("n k"), d.real("k"), d.real("batch n"), d.label("batch", classes="k")),
    ),
    _case(
        "cross-entropy of targets",
        optax.losses.softmax_cross_entropy,
        with_targets_pullback,
        _targets,
        "optax: softmax_cross_entropy",
    ),
    _case(
        "cross-entropy of distributions",
        optax.losses.softmax_cross_entropy,
        with_distribution_pullback,
        _simplex,
    ),
    _case(
        "cross-entropy of distributions: composition",
        of_composition,
        of_composition_pullback,
        _simplex,
    ),
    _case(
        "smoothed labels", smoothed_labels, smoothed_labels_pullback, source="optax: smooth_labels"
    ),
    _case(
        "smoothed labels with z-loss",
        smoothed_by_rows,
        smoothed_by_rows_pullback,
        source="Liger-Kernel: cross_entropy.py",
    ),
    _case("z-loss", z_loss, z_loss_pullback, [d.real("batch k")], "T5X: cross_entropy_with_logits"),
    _case(
        "poly loss",
        optax.losses.poly_loss_cross_entropy,
        poly_loss_pullback,
        _targets,
        "optax: poly_loss_cross_entropy",
    ),
    _case(
        "confidence penalty", confidence_penalty, confidence_penalty_pullback, [d.real("batch k")]
    ),
    _case("distillation", distillation, distillation_pullback, (*_targets, d.static(2.0))),
    _case("cross-entropy of probabilities", of_probabilities, of_probabilities_pullback, _positive),
    _case(
        "cross-entropy of normalised",
        of_normalised,
        of_normalised_pullback,
        _positive,
        "Keras: categorical_crossentropy",
    ),
    _case(
        "negative log-likelihood",
        negative_likelihood,
        negative_likelihood_pullback,
        source="PyTorch: nll_loss_backward",
    ),
    _case(
        "negative log-likelihood, class weights",
        negative_likelihood_of_weights,
        negative_likelihood_of_weights_pullback,
        (*_labels, d.positive("k")),
        "PyTorch: nll_loss with weight",
    ),
    _case(
        "multiclass hinge",
        optax.losses.multiclass_hinge_loss,
        multiclass_hinge_pullback,
        source="optax: multiclass_hinge_loss",
    ),
    _case(
        "multiclass perceptron",
        optax.losses.multiclass_perceptron_loss,
        multiclass_perceptron_pullback,
        source="optax: multiclass_perceptron_loss",
    ),
    _case(
        "support vectors",
        support_vectors,
        support_vectors_pullback,
        source="CS231n: svm_loss_vectorized",
    ),
    _case(
        "support vectors, squared",
        support_vectors_squared,
        support_vectors_squared_pullback,
        source="PyTorch: multi_margin_loss_backward",
    ),
    _case(
        "policy gradient",
        policy_gradient,
        policy_gradient_pullback,
        (*_labels, d.real("batch")),
        "RLax: policy_gradient_loss",
    ),
    _case(
        "clipped surrogate",
        clipped_surrogate,
        clipped_surrogate_pullback,
        (*_vectors, d.real("batch")),
        "CleanRL: ppo.py",
    ),
    _case(
        "preference",
        preference,
        preference_pullback,
        (*_vectors, d.real()),
        "TRL: DPOTrainer.dpo_loss",
    ),
)
