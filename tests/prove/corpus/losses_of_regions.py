"""Losses that compare regions or vectors: focal, dice, Tversky, cosine, contrastive, triplet."""

import jax
import jax.numpy as jnp
import optax

from purenet.prove import domains as d

from .case import Case

# Focal losses.


def focal(z, y):
    p = jax.nn.sigmoid(z)
    entropy = jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))
    p_right = p * y + (1 - p) * (1 - y)
    alpha = 0.25 * y + (1 - 0.25) * (1 - y)
    return alpha * (entropy * (1 - p_right) ** 2)


def focal_pullback(z, y, ct):
    p = jax.nn.sigmoid(z)
    wrong = p * (1 - y) + (1 - p) * y
    of_wrong = p * (1 - p) * (1 - 2 * y)
    entropy = jax.nn.softplus(z) - z * y
    alpha = 0.25 * y + 0.75 * (1 - y)
    return ct * alpha * ((p - y) * wrong**2 + entropy * 2 * wrong * of_wrong), None


def focal_of_logs(z, y):
    return optax.losses.sigmoid_focal_loss(z, y, gamma=1.5)


def focal_of_logs_pullback(z, y, ct):
    p, q = jax.nn.sigmoid(z), jax.nn.sigmoid(-z)
    wrong = p * (1 - y) + q * y
    entropy = -y * jax.nn.log_sigmoid(z) - (1 - y) * jax.nn.log_sigmoid(-z)
    of_entropy = (p - y) * wrong**1.5
    of_weight = entropy * 1.5 * wrong**0.5 * p * q * (1 - 2 * y)
    return ct * (of_entropy + of_weight), None


def focal_of_boolean(z, y, gamma):
    signed = jnp.where(y, z, -z)
    return jnp.mean(jax.nn.softplus(-signed) * jax.nn.sigmoid(-signed) ** gamma)


def focal_of_boolean_pullback(z, y, gamma, ct):
    sign = jnp.where(y, 1.0, -1.0)
    q = jax.nn.sigmoid(-sign * z)
    entropy, scale = jax.nn.softplus(-sign * z), ct / z.size
    of_signed = -(q ** (gamma + 1)) - entropy * gamma * q**gamma * (1 - q)
    of_gamma = jnp.sum(entropy * q**gamma * jax.nn.log_sigmoid(-sign * z))
    return scale * sign * of_signed, None, scale * of_gamma


def focal_of_classes(z, y):
    logp = jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=-1)
    return -jnp.sum((1 - jnp.exp(logp)) ** 2 * logp)


def focal_of_classes_pullback(z, y, ct):
    hot = jax.nn.one_hot(y, z.shape[-1], dtype=z.dtype)
    logp = jnp.sum(hot * jax.nn.log_softmax(z), axis=-1, keepdims=True)
    p = jnp.exp(logp)
    of_logp = 2 * (1 - p) * p * logp - (1 - p) ** 2
    return ct * of_logp * (hot - jax.nn.softmax(z)), None


# Dice, Tversky, Jaccard.


def dice(p, t):
    overlap = jnp.sum(p * t, axis=-1)
    total = jnp.sum(p, axis=-1) + jnp.sum(t, axis=-1)
    return jnp.mean(1 - (2 * overlap + 1e-5) / (total + 1e-5))


def dice_pullback(p, t, ct):
    overlap = jnp.sum(p * t, axis=-1, keepdims=True)
    total = jnp.sum(p + t, axis=-1, keepdims=True) + 1e-5
    scale = -ct / p.shape[0]
    common = (2 * overlap + 1e-5) / total**2
    return scale * (2 * t / total - common), scale * (2 * p / total - common)


def dice_of_squares(p, t):
    return 1 - 2 * jnp.vdot(p, t) / (jnp.sum(p**2) + jnp.sum(t**2))


def dice_of_squares_pullback(p, t, ct):
    union, overlap = jnp.sum(p**2) + jnp.sum(t**2), jnp.vdot(p, t)
    of_p = -2 * (t * union - 2 * p * overlap) / union**2
    return ct * of_p, None


def dice_of_sigmoid(z, y):
    p = jax.nn.sigmoid(z)
    return 1 - (2 * jnp.sum(p * y) + 1) / (p.sum() + y.sum() + 1)


def dice_of_sigmoid_pullback(z, y, ct):
    p = 1 / (1 + jnp.exp(-z))
    numerator, denominator = 2 * (p * y).sum() + 1, p.sum() + y.sum() + 1
    of_p = (numerator - 2 * y * denominator) / denominator**2
    return ct * of_p * p * (1 - p), None


def dice_of_softmax(z, t):
    return optax.losses.dice_loss(z, t)


def dice_of_softmax_pullback(z, t, ct):
    p = jax.nn.softmax(z)
    overlap = jnp.sum(p * t, axis=1, keepdims=True)
    bottom = 0.5 * (p.sum(1, keepdims=True) + t.sum(1, keepdims=True)) + 1
    of_p = -(t * bottom - 0.5 * (overlap + 1)) / bottom**2 * ct[:, None, None] / z.shape[-1]
    return p * (of_p - jnp.sum(of_p * p, axis=-1, keepdims=True)), None


def tversky(p, t, alpha, beta):
    hit = jnp.sum(p * t, axis=-1)
    false_positive = alpha * jnp.sum(p * (1 - t), axis=-1)
    false_negative = beta * jnp.sum((1 - p) * t, axis=-1)
    return 1 - (hit + 1e-5) / (hit + false_positive + false_negative + 1e-5)


def tversky_pullback(p, t, alpha, beta, ct):
    hit = jnp.sum(p * t, axis=-1, keepdims=True)
    bottom = hit + alpha * jnp.sum(p * (1 - t), axis=-1, keepdims=True)
    bottom = bottom + beta * jnp.sum((1 - p) * t, axis=-1, keepdims=True) + 1e-5
    of_bottom = t + alpha * (1 - t) - beta * t
    return ct[:, None] * ((hit + 1e-5) / bottom * of_bottom - t) / bottom, None, None, None


def jaccard(p, t):
    overlap = jnp.sum(p * t, axis=-1)
    return 1 - overlap / (jnp.sum(p + t, axis=-1) - overlap)


def jaccard_pullback(p, t, ct):
    overlap = jnp.sum(p * t, axis=-1, keepdims=True)
    union = jnp.sum(p + t, axis=-1, keepdims=True) - overlap
    share = overlap / union
    of_p = (share * (1 - t) - t) / union
    of_t = (share * (1 - p) - p) / union
    return ct[:, None] * of_p, ct[:, None] * of_t


# Angles.


def cosine_by_norms(a, b):
    norms = jnp.sqrt(jnp.sum(a * a, axis=-1)) * jnp.sqrt(jnp.sum(b * b, axis=-1))
    return jnp.sum(a * b, axis=-1) / norms


def cosine_by_norms_pullback(a, b, ct):
    a_norm = jnp.linalg.norm(a, axis=-1, keepdims=True)
    b_norm = jnp.linalg.norm(b, axis=-1, keepdims=True)
    cosine = jnp.sum(a * b, axis=-1, keepdims=True) / (a_norm * b_norm)
    of_a = (b / b_norm - cosine * a / a_norm) / a_norm
    of_b = (a / a_norm - cosine * b / b_norm) / b_norm
    return ct[:, None] * of_a, ct[:, None] * of_b


def cosine_with_epsilon(a, b):
    return optax.losses.cosine_similarity(a, b, epsilon=1e-6)


def cosine_with_epsilon_pullback(a, b, ct):
    a_square = jnp.sum(a**2, axis=-1, keepdims=True)
    b_square = jnp.sum(b**2, axis=-1, keepdims=True)
    a_inverse = jax.lax.rsqrt(jnp.maximum(a_square, 1e-6))
    b_inverse = jax.lax.rsqrt(jnp.maximum(b_square, 1e-6))
    a_unit, b_unit = a * a_inverse, b * b_inverse
    cosine = jnp.sum(a_unit * b_unit, axis=-1, keepdims=True)
    of_a = a_inverse * (b_unit - jnp.where(a_square > 1e-6, cosine * a_unit, 0))
    of_b = b_inverse * (a_unit - jnp.where(b_square > 1e-6, cosine * b_unit, 0))
    return ct[:, None] * of_a, ct[:, None] * of_b


def cosine_distance(a, b):
    inverse = jax.lax.rsqrt(jnp.vdot(a, a) * jnp.vdot(b, b))
    return 1 - jnp.vdot(a, b) * inverse


def cosine_distance_pullback(a, b, ct):
    aa, bb, ab = jnp.vdot(a, a), jnp.vdot(b, b), jnp.vdot(a, b)
    inverse = jax.lax.rsqrt(aa * bb)
    return -ct * inverse * (b - ab / aa * a), -ct * inverse * (a - ab / bb * b)


# Pairs and triplets.


def ranking(scores, higher):
    differences = scores[:, None] - scores[None, :]
    return jnp.sum(jnp.where(higher, jax.nn.softplus(-differences), 0))


def ranking_pullback(scores, higher, ct):
    s = jax.nn.sigmoid(scores[None, :] - scores[:, None])
    lost = jnp.where(higher, s, 0)
    return ct * (lost.sum(0) - lost.sum(1)), None


def contrast(images, texts, scale):
    z = scale * images @ texts.T
    diagonal = jnp.eye(z.shape[0], dtype=z.dtype)
    by_image = -jnp.sum(diagonal * jax.nn.log_softmax(z, axis=1))
    by_text = -jnp.sum(diagonal * jax.nn.log_softmax(z, axis=0))
    return (by_image + by_text) / (2 * z.shape[0])


def contrast_pullback(images, texts, scale, ct):
    similarity = images @ texts.T
    z = scale * similarity
    eye = jnp.eye(z.shape[0], dtype=z.dtype)
    of_z = jax.nn.softmax(z, axis=1) + jax.nn.softmax(z, axis=0) - 2 * eye
    of_z = ct * of_z / (2 * z.shape[0])
    return scale * of_z @ texts, scale * of_z.T @ images, jnp.sum(of_z * similarity)


def sigmoid_contrast(images, texts, scale, bias):
    z = scale * images @ texts.T + bias
    signs = 2 * jnp.eye(z.shape[0], dtype=z.dtype) - 1
    return -jnp.sum(jax.nn.log_sigmoid(signs * z)) / z.shape[0]


def sigmoid_contrast_pullback(images, texts, scale, bias, ct):
    similarity = jnp.einsum("id,jd->ij", images, texts)
    eye = jnp.eye(similarity.shape[0], dtype=similarity.dtype)
    of_z = ct * (jax.nn.sigmoid(scale * similarity + bias) - eye) / similarity.shape[0]
    return (
        scale * jnp.einsum("ij,jd->id", of_z, texts),
        scale * jnp.einsum("ij,id->jd", of_z, images),
        jnp.einsum("ij,ij->", of_z, similarity),
        of_z.sum(),
    )


def triplet(anchors, positives, negatives):
    return optax.losses.triplet_margin_loss(anchors, positives, negatives)


def triplet_pullback(anchors, positives, negatives, ct):
    to_positive, to_negative = anchors - positives, anchors - negatives
    near = jnp.sqrt(jnp.sum(to_positive**2, axis=-1, keepdims=True) + 1e-6)
    far = jnp.sqrt(jnp.sum(to_negative**2, axis=-1, keepdims=True) + 1e-6)
    active = jnp.where(near - far + 1 > 0, ct[:, None], 0)
    of_near, of_far = active * to_positive / near, active * to_negative / far
    return of_near - of_far, -of_near, of_far


def embedding_margin(distances, same):
    far = jnp.square(jax.nn.relu(1 - distances))
    return jnp.mean(jnp.where(same, jnp.square(distances), far))


def embedding_margin_pullback(distances, same, ct):
    of_far = jnp.where(distances < 1, 2 * distances - 2, 0)
    return jnp.where(same, 2 * distances, of_far) * ct / distances.size, None


_vectors = (d.real("batch n"), d.real("batch n"))
_regions = (d.positive("batch n"), d.positive("batch n"))
_soft = (d.real("batch n"), d.real("batch n", low=0, high=1))
_embedded = (d.real("batch n"), d.real("batch n"), d.real())


def _case(name, kind, f, pullback, domains, source="", sizes=""):
    return Case(name, kind, f, pullback, tuple(domains), sizes, source)


OF_REGIONS: tuple[Case, ...] = (
    _case("focal", "focal", focal, focal_pullback, _soft, "torchvision: sigmoid_focal_loss"),
    _case(
        "focal of logs",
        "focal",
        focal_of_logs,
        focal_of_logs_pullback,
        _soft,
        "optax: sigmoid_focal_loss",
    ),
    _case(
        "focal of booleans, any gamma",
        "focal",
        focal_of_boolean,
        focal_of_boolean_pullback,
        (d.real("batch n"), d.boolean("batch n"), d.positive()),
    ),
    _case(
        "focal of classes",
        "focal",
        focal_of_classes,
        focal_of_classes_pullback,
        (d.real("batch k"), d.label("batch", classes="k")),
    ),
    _case("dice", "dice", dice, dice_pullback, _regions, "MONAI: DiceLoss"),
    _case(
        "dice of squares",
        "dice",
        dice_of_squares,
        dice_of_squares_pullback,
        _regions,
        "V-Net: dice_loss_layer.py",
    ),
    _case(
        "dice of the sigmoid",
        "dice",
        dice_of_sigmoid,
        dice_of_sigmoid_pullback,
        (d.real("n"), d.real("n", low=0, high=1)),
    ),
    _case(
        "dice of the softmax",
        "dice",
        dice_of_softmax,
        dice_of_softmax_pullback,
        (d.real("batch n k"), d.positive("batch n k")),
        "optax: dice_loss",
        sizes="k >= 2",
    ),
    _case(
        "tversky",
        "dice",
        tversky,
        tversky_pullback,
        (
            d.real("batch n", low=0, high=1),
            d.real("batch n", low=0, high=1),
            d.static(0.3),
            d.static(0.7),
        ),
        "MONAI: TverskyLoss",
    ),
    _case("jaccard", "dice", jaccard, jaccard_pullback, [d.real("b n", low=0, high=1)] * 2),
    _case("cosine similarity", "loss", cosine_by_norms, cosine_by_norms_pullback, _vectors),
    _case(
        "cosine similarity with epsilon",
        "loss",
        cosine_with_epsilon,
        cosine_with_epsilon_pullback,
        _vectors,
        "optax: cosine_similarity",
    ),
    _case(
        "cosine distance",
        "loss",
        cosine_distance,
        cosine_distance_pullback,
        (d.real("n"), d.real("n")),
    ),
    _case(
        "ranking of pairs",
        "loss",
        ranking,
        ranking_pullback,
        (d.real("n"), d.boolean("n n")),
    ),
    _case("contrast", "loss", contrast, contrast_pullback, _embedded, "CLIP: pseudocode, figure 3"),
    _case(
        "contrast by sigmoid",
        "loss",
        sigmoid_contrast,
        sigmoid_contrast_pullback,
        (*_embedded, d.real()),
        "big_vision: siglip.py",
    ),
    _case(
        "triplet margin",
        "loss",
        triplet,
        triplet_pullback,
        (*_vectors, d.real("batch n")),
        "optax: triplet_margin_loss",
    ),
    _case(
        "contrastive margin",
        "loss",
        embedding_margin,
        embedding_margin_pullback,
        (d.positive("n"), d.boolean("n")),
    ),
)
