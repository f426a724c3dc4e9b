"""Rules that move entries: gathers and scatters, sums over prefixes, slices, reshapes."""

import jax
import jax.numpy as jnp
from jax import lax

from purenet.prove import domains as d

from .case import Case
from .settings import as_users_run

# --- embeddings and labels


def embedding(table, ids):
    return table[ids]


def embedding_scatter(table, ids, ct):
    return jnp.zeros_like(table).at[ids].add(ct), None


def embedding_one_hot(table, ids, ct):
    return jax.nn.one_hot(ids, table.shape[0], dtype=ct.dtype).T @ ct, None


def embedding_take(table, ids):
    return jnp.take(table, ids, axis=0)


def embedding_take_pullback(table, ids, ct):
    flat = ct.reshape(-1, table.shape[1])
    return jnp.zeros(table.shape, ct.dtype).at[ids.reshape(-1)].add(flat), None


def token_and_position(tokens, positions, ids):
    return tokens[ids] + positions[None, :, :]


def token_and_position_pullback(tokens, positions, ids, ct):
    return jnp.zeros_like(tokens).at[ids].add(ct), ct.sum(axis=0), None


def one_hot_embedding(table, ids):
    hot = (ids[:, None] == jnp.arange(table.shape[0])[None, :]).astype(table.dtype)
    return hot @ table


def one_hot_embedding_pullback(table, ids, ct):
    return jax.ops.segment_sum(ct, ids, num_segments=table.shape[0]), None


def row_of_label(x, i):
    return x[i]


def row_of_label_pullback(x, i, ct):
    return jnp.where(jnp.arange(x.shape[0])[:, None] == i, ct[None, :], 0.0), None


def pick_label(x, y):
    return x[jnp.arange(x.shape[0]), y]


def pick_label_pullback(x, y, ct):
    return jnp.zeros_like(x).at[jnp.arange(x.shape[0]), y].set(ct), None


def pick_along_axis(x, y):
    return jnp.take_along_axis(x, y[:, None], axis=1)


def pick_along_axis_pullback(x, y, ct):
    return ct * jax.nn.one_hot(y, x.shape[1], dtype=x.dtype), None


def pick_by_one_hot(x, y):
    return jnp.sum(x * jax.nn.one_hot(y, x.shape[-1], dtype=x.dtype), axis=-1)


def pick_by_one_hot_pullback(x, y, ct):
    rows = jnp.arange(x.shape[0])
    return jnp.zeros(x.shape, x.dtype).at[rows, y].add(ct), None


def index_select(x, index):
    return x[:, index]


def index_select_pullback(x, index, ct):
    return jnp.zeros_like(x).at[:, index].add(ct), None


def index_add(base, index, source):
    return base.at[index].add(source)


def index_add_pullback(base, index, source, ct):
    return ct, None, ct[index]


def segment_means(values, segments, counts):
    sums = jnp.zeros((counts.shape[0], values.shape[1]), values.dtype).at[segments].add(values)
    return sums / counts[:, None]


def segment_means_pullback(values, segments, counts, ct):
    scaled = ct / counts[:, None]
    means = jax.ops.segment_sum(values, segments, counts.shape[0]) / counts[:, None]
    return scaled[segments], None, -jnp.sum(scaled * means, axis=1)


def class_scores(x, centres, y):
    return jnp.sum((x - centres[y]) ** 2, axis=-1)


def class_scores_pullback(x, centres, y, ct):
    g = 2.0 * ct[:, None] * (x - centres[y])
    return g, jnp.zeros_like(centres).at[y].add(-g), None


# --- prefix sums


def cumulative_sum(x):
    return jnp.cumsum(x, axis=0)


def cumulative_sum_flipped(x, ct):
    return (jnp.cumsum(ct[::-1], axis=0)[::-1],)


def cumulative_sum_from_total(x, ct):
    return (ct + jnp.sum(ct, axis=0, keepdims=True) - jnp.cumsum(ct, axis=0),)


def cumulative_sum_last_axis(x):
    return lax.cumsum(x, axis=1)


def cumulative_sum_triangular(x, ct):
    n = x.shape[1]
    return (ct @ jnp.tril(jnp.ones((n, n), ct.dtype)),)


def reversed_cumulative_sum(x):
    return jnp.flip(jnp.cumsum(jnp.flip(x, 1), axis=1), 1)


def reversed_cumulative_sum_pullback(x, ct):
    return (lax.cumsum(ct, axis=1),)


def sum_of_later(x):
    return lax.cumsum(x, axis=0, reverse=True) - x


def sum_of_later_pullback(x, ct):
    return (jnp.cumsum(ct, axis=0) - ct,)


def triangular_mean(x):
    n = x.shape[0]
    weights = jnp.tril(jnp.ones((n, n), x.dtype))
    return weights / jnp.sum(weights, axis=1, keepdims=True) @ x


def triangular_mean_pullback(x, ct):
    counts = 1.0 + jnp.arange(x.shape[0], dtype=x.dtype)
    return (lax.cumsum(ct / counts[:, None], axis=0, reverse=True),)


# --- order


def reverse(x):
    return x[::-1]


def reverse_pullback(x, ct):
    return (jnp.flip(ct, axis=0),)


def reverse_both(x):
    return lax.rev(x, (0, 1)) ** 2


def reverse_both_pullback(x, ct):
    return (2 * x * ct[::-1, ::-1],)


def transpose_three(x):
    return jnp.transpose(x, (2, 0, 1))


def transpose_three_pullback(x, ct):
    return (jnp.transpose(ct, (1, 2, 0)),)


def swap_and_scale(x, s):
    return jnp.swapaxes(x, 0, 1) * s


def swap_and_scale_pullback(x, s, ct):
    return jnp.moveaxis(ct * s, 1, 0), jnp.sum(ct.T * x, axis=1).T


def roll(x):
    return jnp.roll(x, 1, axis=0)


def roll_pullback(x, ct):
    return (jnp.roll(ct, -1, axis=0),)


def token_shift(x, mu):
    before = jnp.concatenate([jnp.zeros_like(x[:1]), x[:-1]], axis=0)
    return mu * x + (1 - mu) * before


def token_shift_pullback(x, mu, ct):
    before = jnp.concatenate([jnp.zeros_like(x[:1]), x[:-1]], axis=0)
    g = ct * (1 - mu)
    after = jnp.concatenate([g[1:], jnp.zeros_like(g[:1])], axis=0)
    return ct * mu + after, jnp.sum(ct * (x - before), axis=0)


# --- pieces


def concatenate(x, y):
    return jnp.concatenate([x, y], axis=1)


def concatenate_pullback(x, y, ct):
    return ct[:, : x.shape[1]], ct[:, x.shape[1] :]


def concatenate_then_dense(x, h, w):
    return jnp.concatenate((x, h), axis=-1) @ w


def concatenate_then_dense_pullback(x, h, w, ct):
    n = x.shape[-1]
    d_w = jnp.concatenate([x.T @ ct, h.T @ ct], axis=0)
    return ct @ w[:n].T, ct @ w[n:].T, d_w


def crelu(x):
    return jnp.concatenate([jax.nn.relu(x), jax.nn.relu(-x)], axis=-1)


def crelu_pullback(x, ct):
    first, second = jnp.split(ct, 2, axis=-1)
    return (jnp.where(x > 0, first, 0) - jnp.where(x < 0, second, 0),)


def stack(x, y):
    return jnp.stack([x * y, x + y], axis=1)


def stack_pullback(x, y, ct):
    product, total = ct[:, 0], ct[:, 1]
    return product * y + total, product * x + total


def drop_first(x):
    return x[1:]


def drop_first_pullback(x, ct):
    return (jnp.pad(ct, ((1, 0), (0, 0))),)


def drop_last(x):
    return lax.slice_in_dim(x, 0, x.shape[1] - 1, axis=1)


def drop_last_pullback(x, ct):
    return (jnp.zeros_like(x).at[:, :-1].set(ct),)


def first_column(x):
    return x[:, 0] ** 2


def first_column_pullback(x, ct):
    hot = (jnp.arange(x.shape[1]) == 0).astype(x.dtype)
    return (2 * ct[:, None] * x * hot,)


def pad(x):
    return jnp.pad(x, ((1, 2), (0, 0)))


def pad_pullback(x, ct):
    return (ct[1 : x.shape[0] + 1],)


def pad_with_value(x, value):
    return lax.pad(x, value, ((2, 0, 0), (0, 1, 0)))


def pad_with_value_pullback(x, value, ct):
    inside = lax.slice(ct, (2, 0), (x.shape[0] + 2, x.shape[1]))
    return inside, jnp.sum(ct) - jnp.sum(inside)


def causal_convolution(x, w):
    padded = jnp.pad(x, ((2, 0), (0, 0)))
    n = x.shape[0]
    return sum(w[i] * padded[i : i + n] for i in range(3))


def causal_convolution_pullback(x, w, ct):
    n = x.shape[0]
    padded = jnp.pad(x, ((2, 0), (0, 0)))
    later = jnp.pad(ct, ((0, 2), (0, 0)))
    d_x = w[2] * ct + w[1] * later[1 : n + 1] + w[0] * later[2 : n + 2]
    return d_x, jnp.stack([jnp.sum(ct * padded[i : i + n], axis=0) for i in range(3)])


def differences(x):
    return x[1:] - x[:-1]


def differences_concatenated(x, ct):
    return (jnp.concatenate([-ct[:1], ct[:-1] - ct[1:], ct[-1:]], axis=0),)


def differences_padded(x, ct):
    return (jnp.pad(ct, ((1, 0), (0, 0))) - jnp.pad(ct, ((0, 1), (0, 0))),)


def smoothness(x):
    return 0.5 * jnp.sum(jnp.diff(x) ** 2)


def smoothness_pullback(x, ct):
    step = jnp.diff(x)
    return (ct * jnp.zeros_like(x).at[1:].add(step).at[:-1].add(-step),)


def halves(x):
    n = x.shape[-1] // 2
    return x[..., :n] * jax.nn.sigmoid(x[..., n:])


def halves_pullback(x, ct):
    a, b = jnp.split(x, 2, axis=-1)
    s = jax.nn.sigmoid(b)
    return (jnp.concatenate([ct * s, (1.0 - s) * s * ct * a], axis=-1),)


def every_second(x):
    return x[::2] - x[1::2]


def every_second_pullback(x, ct):
    return (jnp.stack([ct, -ct], axis=1).reshape(x.shape),)


def rotary(x, cos, sin):
    first, second = jnp.split(x, 2, axis=-1)
    rotated = jnp.concatenate([-second, first], axis=-1)
    return x * jnp.concatenate([cos, cos], -1) + rotated * jnp.concatenate([sin, sin], -1)


def rotary_pullback(x, cos, sin, ct):
    x1, x2 = jnp.split(x, 2, axis=-1)
    g1, g2 = jnp.split(ct, 2, axis=-1)
    d_x = jnp.concatenate([g1 * cos + g2 * sin, g2 * cos - g1 * sin], axis=-1)
    return d_x, g1 * x1 + g2 * x2, g2 * x1 - g1 * x2


# --- copies


def repeat_rows(x):
    return jnp.repeat(x, 3, axis=0)


def repeat_rows_pullback(x, ct):
    return (jnp.sum(ct.reshape(x.shape[0], 3, x.shape[1]), axis=1),)


def tile_rows(x):
    return jnp.concatenate([x, x], axis=0)


def tile_rows_pullback(x, ct):
    return (jnp.sum(ct.reshape(2, *x.shape), axis=0),)


def tile_by_broadcasting(x, y):
    return (x[None, :] * jnp.ones_like(y)[:, None]).reshape(-1) * jnp.repeat(y, x.shape[0])


def tile_by_broadcasting_pullback(x, y, ct):
    g = ct.reshape(y.shape[0], x.shape[0])
    return y @ g, g @ x


def expand(x):
    return jnp.broadcast_to(x[:, None], (x.shape[0], 4))


def expand_pullback(x, ct):
    return (lax.reduce_sum(ct, (1,)),)


def outer_sum(x, y):
    return jnp.exp(x[:, None] + y[None, :])


def outer_sum_pullback(x, y, ct):
    g = ct * jnp.exp(x)[:, None] * jnp.exp(y)
    return g.sum(1), g.sum(0)


# --- shapes


def merge_axes(x):
    return x.reshape(x.shape[0] * x.shape[1], x.shape[2])


def merge_axes_pullback(x, ct):
    return (ct.reshape(x.shape),)


def merge_last(x, w):
    return x.reshape(x.shape[0], -1) * w


def merge_last_pullback(x, w, ct):
    d_w = jnp.einsum("bk,bk->k", x.reshape(ct.shape), ct)
    return (ct * w).reshape(x.shape), d_w


def split_heads(x, w):
    heads, size = w.shape
    return jnp.swapaxes(x.reshape(x.shape[0], heads, size) * w, 0, 1)


def split_heads_pullback(x, w, ct):
    g = jnp.swapaxes(ct, 0, 1)
    return (g * w).reshape(x.shape), jnp.sum(g * x.reshape(g.shape), axis=0)


def mean_pool(x):
    return jnp.mean(x.reshape(-1, 2, x.shape[1]), axis=1)


def mean_pool_pullback(x, ct):
    return (jnp.repeat(ct / 2, 2, axis=0),)


def squeeze(x):
    return jnp.squeeze(x, axis=1) * 3.0


def squeeze_pullback(x, ct):
    return (3.0 * jnp.expand_dims(ct, 1),)


# --- triangles and diagonals


def lower_triangle(x):
    return jnp.tril(x)


def lower_triangle_pullback(x, ct):
    return (jnp.where(jnp.arange(x.shape[0])[:, None] >= jnp.arange(x.shape[1]), ct, 0.0),)


def upper_part(x):
    return jnp.triu(x, k=1) @ x


def upper_part_pullback(x, ct):
    return (jnp.triu(ct @ x.T, k=1) + jnp.triu(x, k=1).T @ ct,)


def diagonal_scale(x, w):
    return x @ jnp.diag(w)


def diagonal_scale_pullback(x, w, ct):
    return ct * w, jnp.diagonal(x.T @ ct)


def diagonal_of_product(a, b):
    return jnp.diagonal(a @ b)


def diagonal_of_product_pullback(a, b, ct):
    return ct[:, None] * b.T, a.T * ct


# --- choices


def choose(mask, x, y):
    return jnp.where(mask, x, y)


def choose_pullback(mask, x, y, ct):
    zeros = jnp.zeros_like(ct)
    return None, jnp.where(mask, ct, zeros), jnp.where(mask, zeros, ct)


def masked_fill(x, mask, value):
    return jnp.where(mask, value, x)


def masked_fill_pullback(x, mask, value, ct):
    return jnp.where(mask, 0, ct), None, jnp.sum(jnp.where(mask, ct, 0))


def dropout(x, keep):
    return x * keep / 0.8


def dropout_pullback(x, keep, ct):
    return jnp.where(keep, 1.25 * ct, 0.0), None


def masked_mean(x, mask):
    weights = mask.astype(x.dtype)
    return jnp.sum(x * weights) / jnp.maximum(jnp.sum(weights), 1.0)


def masked_mean_pullback(x, mask, ct):
    count = jnp.sum(jnp.where(mask, 1.0, 0.0))
    return jnp.where(mask, ct / jnp.where(count > 0, count, 1.0), 0.0), None


MATRIX = (d.real("n m"),)
LONGER = "n >= 2"

CASES = as_users_run(
    [
        Case(
            "embedding, scatter-add",
            "embedding",
            embedding,
            embedding_scatter,
            (d.real("v k"), d.label("n", classes="v")),
        ),
        Case(
            "embedding, one-hot product",
            "embedding",
            embedding,
            embedding_one_hot,
            (d.real("v k"), d.label("n", classes="v")),
        ),
        Case(
            "embedding of a batch of sentences",
            "embedding",
            embedding_take,
            embedding_take_pullback,
            (d.real("v k"), d.label("b t", classes="v")),
            source="PyTorch: derivatives.yaml, embedding_dense_backward",
        ),
        Case(
            "token and position embedding",
            "embedding",
            token_and_position,
            token_and_position_pullback,
            (d.real("v k"), d.real("t k"), d.label("b t", classes="v")),
            source="llm.c: train_gpt2.c, encoder_backward",
        ),
        Case(
            "one-hot product, segment sum",
            "embedding",
            one_hot_embedding,
            one_hot_embedding_pullback,
            (d.real("v k"), d.label("n", classes="v")),
        ),
        Case(
            "row of one label",
            "embedding",
            row_of_label,
            row_of_label_pullback,
            (d.real("n k"), d.label(classes="n")),
        ),
        Case(
            "label pick, arange",
            "label pick",
            pick_label,
            pick_label_pullback,
            (d.real("n k"), d.label("n", classes="k")),
        ),
        Case(
            "label pick, along an axis",
            "label pick",
            pick_along_axis,
            pick_along_axis_pullback,
            (d.real("n k"), d.label("n", classes="k")),
            source="optax: softmax_cross_entropy_with_integer_labels, label logits",
        ),
        Case(
            "label pick, one-hot",
            "label pick",
            pick_by_one_hot,
            pick_by_one_hot_pullback,
            (d.real("n k"), d.label("n", classes="k")),
        ),
        Case(
            "columns by index",
            "label pick",
            index_select,
            index_select_pullback,
            (d.real("n k"), d.label("m", classes="k")),
            source="PyTorch: derivatives.yaml, index_select",
        ),
        Case(
            "index add",
            "segment sum",
            index_add,
            index_add_pullback,
            (d.real("v k"), d.label("n", classes="v"), d.real("n k")),
            source="PyTorch: derivatives.yaml, index_add",
        ),
        Case(
            "segment means",
            "segment sum",
            segment_means,
            segment_means_pullback,
            (d.real("n k"), d.label("n", classes="s"), d.positive("s")),
        ),
        Case(
            "squared distance to the centre of the class",
            "segment sum",
            class_scores,
            class_scores_pullback,
            (d.real("n k"), d.real("c k"), d.label("n", classes="c")),
        ),
        Case(
            "cumsum, flipped",
            "cumsum",
            cumulative_sum,
            cumulative_sum_flipped,
            MATRIX,
            source="HIPS autograd: numpy_vjps.py, grad_np_cumsum",
        ),
        Case("cumsum, from the total", "cumsum", cumulative_sum, cumulative_sum_from_total, MATRIX),
        Case(
            "cumsum, triangular product",
            "cumsum",
            cumulative_sum_last_axis,
            cumulative_sum_triangular,
            MATRIX,
        ),
        Case(
            "reversed cumsum",
            "cumsum",
            reversed_cumulative_sum,
            reversed_cumulative_sum_pullback,
            MATRIX,
        ),
        Case("sum of the later entries", "cumsum", sum_of_later, sum_of_later_pullback, MATRIX),
        Case(
            "running mean by a triangular product",
            "cumsum",
            triangular_mean,
            triangular_mean_pullback,
            MATRIX,
        ),
        Case("reverse", "permutation", reverse, reverse_pullback, MATRIX),
        Case("reverse two axes", "permutation", reverse_both, reverse_both_pullback, MATRIX),
        Case(
            "transpose three axes",
            "permutation",
            transpose_three,
            transpose_three_pullback,
            (d.real("n m k"),),
        ),
        Case(
            "swap and scale",
            "permutation",
            swap_and_scale,
            swap_and_scale_pullback,
            (d.real("n m"), d.real("n")),
        ),
        Case(
            "roll",
            "permutation",
            roll,
            roll_pullback,
            (d.real("n m"),),
            sizes=LONGER,
            source="HIPS autograd: numpy_vjps.py, roll",
        ),
        Case(
            "token shift",
            "permutation",
            token_shift,
            token_shift_pullback,
            (d.real("n m"), d.real("m")),
            sizes=LONGER,
            source="RWKV: model.py, time_shift",
        ),
        Case(
            "concatenate",
            "slice and pad",
            concatenate,
            concatenate_pullback,
            (d.real("b n"), d.real("b m")),
        ),
        Case(
            "concatenate, then dense",
            "slice and pad",
            concatenate_then_dense,
            concatenate_then_dense_pullback,
            (d.real("b n"), d.real("b m"), d.real("n+m k")),
        ),
        Case("concatenated relu", "slice and pad", crelu, crelu_pullback, MATRIX),
        Case("stack", "slice and pad", stack, stack_pullback, (d.real("n m"), d.real("n m"))),
        Case(
            "drop the first row",
            "slice and pad",
            drop_first,
            drop_first_pullback,
            MATRIX,
            sizes=LONGER,
        ),
        Case(
            "drop the last column",
            "slice and pad",
            drop_last,
            drop_last_pullback,
            (d.real("m n"),),
            sizes=LONGER,
        ),
        Case("first column", "slice and pad", first_column, first_column_pullback, MATRIX),
        Case(
            "pad", "slice and pad", pad, pad_pullback, MATRIX, source="tinygrad: gradient.py, PAD"
        ),
        Case(
            "pad with a value",
            "slice and pad",
            pad_with_value,
            pad_with_value_pullback,
            (d.real("n m"), d.real()),
        ),
        Case(
            "causal convolution of three taps",
            "slice and pad",
            causal_convolution,
            causal_convolution_pullback,
            (d.real("n m"), d.real("3 m")),
        ),
        Case(
            "differences, concatenated",
            "differences",
            differences,
            differences_concatenated,
            MATRIX,
            sizes=LONGER,
            source="HIPS autograd: numpy_vjps.py, grad_diff",
        ),
        Case(
            "differences, padded",
            "differences",
            differences,
            differences_padded,
            MATRIX,
            sizes=LONGER,
        ),
        Case(
            "smoothness penalty",
            "differences",
            smoothness,
            smoothness_pullback,
            (d.real("n"),),
            sizes=LONGER,
        ),
        Case(
            "gated halves",
            "slice and pad",
            halves,
            halves_pullback,
            (d.real("n 2*m"),),
            source="PyTorch: aten, GatedLinearUnit.cpp, glu_backward",
        ),
        Case(
            "every second row",
            "slice and pad",
            every_second,
            every_second_pullback,
            (d.real("2*n m"),),
        ),
        Case(
            "rotary embedding",
            "slice and pad",
            rotary,
            rotary_pullback,
            (d.real("t 2*h"), d.real("t h"), d.real("t h")),
            source="Liger-Kernel: ops/rope.py, _triton_rope",
        ),
        Case(
            "repeat rows",
            "repeat",
            repeat_rows,
            repeat_rows_pullback,
            MATRIX,
            source="HIPS autograd: numpy_vjps.py, grad_repeat",
        ),
        Case("tile rows", "repeat", tile_rows, tile_rows_pullback, MATRIX),
        Case(
            "tile by broadcasting",
            "repeat",
            tile_by_broadcasting,
            tile_by_broadcasting_pullback,
            (d.real("n"), d.real("m")),
        ),
        Case(
            "expand",
            "repeat",
            expand,
            expand_pullback,
            (d.real("n"),),
            source="tinygrad: gradient.py, EXPAND",
        ),
        Case("outer sum", "repeat", outer_sum, outer_sum_pullback, (d.real("n"), d.real("m"))),
        Case("merge axes", "reshape", merge_axes, merge_axes_pullback, (d.real("b t k"),)),
        Case(
            "merge the last axes",
            "reshape",
            merge_last,
            merge_last_pullback,
            (d.real("b h k"), d.real("h*k")),
        ),
        Case(
            "split heads",
            "reshape",
            split_heads,
            split_heads_pullback,
            (d.real("t h*k"), d.real("h k")),
        ),
        Case("mean of pairs", "reshape", mean_pool, mean_pool_pullback, (d.real("2*n m"),)),
        Case("squeeze", "reshape", squeeze, squeeze_pullback, (d.real("n 1"),)),
        Case(
            "lower triangle",
            "triangle",
            lower_triangle,
            lower_triangle_pullback,
            MATRIX,
            source="HIPS autograd: numpy_vjps.py, tril",
        ),
        Case(
            "product with the upper part",
            "triangle",
            upper_part,
            upper_part_pullback,
            (d.real("n n"),),
        ),
        Case(
            "diagonal scale",
            "triangle",
            diagonal_scale,
            diagonal_scale_pullback,
            (d.real("n m"), d.real("m")),
        ),
        Case(
            "diagonal of a product",
            "triangle",
            diagonal_of_product,
            diagonal_of_product_pullback,
            (d.real("n m"), d.real("m n")),
        ),
        Case(
            "choose by mask",
            "choice",
            choose,
            choose_pullback,
            (d.boolean("n m"), d.real("n m"), d.real("n m")),
            source="HIPS autograd: numpy_vjps.py, where",
        ),
        Case(
            "masked fill",
            "choice",
            masked_fill,
            masked_fill_pullback,
            (d.real("n m"), d.boolean("n m"), d.real()),
            source="PyTorch: derivatives.yaml, masked_fill",
        ),
        Case(
            "dropout with a given mask",
            "choice",
            dropout,
            dropout_pullback,
            (d.real("n m"), d.boolean("n m")),
            source="CS231n: assignment 2, dropout_backward",
        ),
        Case(
            "masked mean",
            "choice",
            masked_mean,
            masked_mean_pullback,
            (d.real("n"), d.boolean("n")),
        ),
    ]
)
