"""Model files: what is saved comes back equal, and what is damaged is refused by name."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import purenet as pn
from purenet import checkpoint
from purenet.checkpoint import Model
from purenet.data import ClassTarget, NumberTarget, NumericColumn, Table, TextColumn
from purenet.data.scaling import TargetScaling

TABLE = Table(
    (NumericColumn("area", 100.0, 20.0), TextColumn("town", ("Bern", "Zürich, HB"))),
    ClassTarget("kind", ("flat", "house")),
)


def model(**options):
    net = pn.mlp(
        [3, 5, 4, 2], ["tanh", "gelu"], "softmax",
        input_scaling=pn.InputScaling((0.0, 1.5, -2.0), 255.0), **options,
    )  # fmt: skip
    return Model(net, net.init(jax.random.key(0)), "cross_entropy", ("no", "yes"), None, TABLE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def equal(a, b):
    same = jax.tree.map(lambda u, v: u.dtype == v.dtype and bool((u == v).all()), a, b)
    return all(jax.tree.leaves(same))


@pytest.mark.parametrize(
    "options",
    [{}, {"compute_dtype": "bfloat16", "precision": "highest"}],
    ids=["plain", "bfloat16"],
)
def test_a_model_comes_back_equal(path, options):
    saved = model(**options)
    checkpoint.save(path, saved)
    loaded = checkpoint.load(path)
    assert loaded.net == saved.net
    assert equal(loaded.params, saved.params)
    assert loaded.loss == "cross_entropy"
    assert loaded.class_names == ("no", "yes")
    assert loaded.table == TABLE


def test_a_regression_model_comes_back_with_its_target_scaling(path):
    net = pn.mlp([1, 1])
    table = Table((NumericColumn("area", 0.0, 1.0),), NumberTarget("price", 300.0, 50.0))
    scaling = TargetScaling((300.0,), (50.0,))
    checkpoint.save(
        path, Model(net, net.init(jax.random.key(0)), target_scaling=scaling, table=table)
    )
    assert checkpoint.load(path).target_scaling == scaling


def test_bfloat16_parameters_survive(path):
    net = pn.mlp([2, 1])
    params = net.init(jax.random.key(0), dtype=jnp.bfloat16)
    checkpoint.save(path, Model(net, params))
    assert equal(checkpoint.load(path).params, params)


def test_the_file_is_a_header_of_text_and_the_bytes_of_the_arrays(path):
    saved = model()
    checkpoint.save(path, saved)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    names = {f"layers.{n}.{field}" for n in range(3) for field in ("bias", "weight")}
    assert set(header) == names | {"__metadata__"}
    assert len(content) == 8 + length + 4 * sum(v.size for v in jax.tree.leaves(saved.params))


def test_an_own_activation_has_to_be_handed_in(path):
    cube = pn.Activation("cube", lambda z: z**3, lambda z: 3 * z**2)
    net = pn.mlp([2, 3, 1], cube)
    checkpoint.save(path, Model(net, net.init(jax.random.key(0))))
    assert checkpoint.load(path, [cube]).net == net
    with pytest.raises(ValueError, match="unknown activation 'cube'"):
        checkpoint.load(path)


def test_a_file_that_is_not_there_is_named(path):
    with pytest.raises(ValueError, match=r"model\.safetensors: there is no such file"):
        checkpoint.load(path)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(path, kept):
    checkpoint.save(path, model())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"model\.safetensors: not a readable safetensors file"):
        checkpoint.load(path)


def test_a_safetensors_file_of_something_else_is_refused(path):
    save_file({"w": np.zeros(3)}, path)
    with pytest.raises(ValueError, match="not a purenet model: its metadata has no key 'purenet'"):
        checkpoint.load(path)


def rewritten(path, change):
    """The saved file with its description changed."""
    from safetensors import safe_open

    checkpoint.save(path, model())
    with safe_open(path, framework="np") as file:
        described = json.loads(file.metadata()["purenet"])
    arrays = load_file(path)
    change(described, arrays)
    save_file(arrays, path, {"purenet": json.dumps(described)})


DAMAGE = {
    "format": (lambda d, a: d.update(format=99), "format 99, this version reads format 1"),
    "sizes": (lambda d, a: d.update(sizes=[3, 5, 4, 3]), "has weights of shapes"),
    "array": (lambda d, a: a.pop("layers.1.bias"), "'layers.1.bias' is missing"),
    "key": (lambda d, a: d.pop("hidden"), "'hidden' is missing"),
    "name": (lambda d, a: d.update(output="softmx"), "did you mean 'softmax'"),
    "table": (lambda d, a: d["table"].pop("target"), "table: expected the keys"),
    "scale": (lambda d, a: d["input_scaling"].update(scale=0.0), "InputScaling.scale"),
    "type": (lambda d, a: d.update(sizes="784"), "sizes: expected"),
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.usefixtures("unchecked")
def test_a_damaged_description_is_refused_by_name(path, kind):
    change, message = DAMAGE[kind]
    rewritten(path, change)
    with pytest.raises(ValueError, match=r"model\.safetensors: not a purenet model") as raised:
        checkpoint.load(path)
    assert message in str(raised.value)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"absent.*cannot be written"):
        checkpoint.save(tmp_path / "absent" / "model.safetensors", model())


def test_parameters_of_another_network_are_not_saved(path):
    other = pn.mlp([2, 1])
    with pytest.raises(ValueError, match="params: the network of sizes"):
        checkpoint.save(path, Model(other, model().params))
    assert not path.exists()


def test_an_own_activation_under_one_of_our_names_is_not_saved(path):
    relu = pn.Activation("relu", lambda z: z * z, lambda z: 2 * z)
    net = pn.mlp([2, 3, 1], relu)
    with pytest.raises(ValueError, match="'relu' is your own but has the name of one of ours"):
        checkpoint.save(path, Model(net, net.init(jax.random.key(0))))


def test_a_precision_of_jax_is_the_same_by_name_and_after_loading(path):
    net = pn.mlp([2, 1], precision=jax.lax.Precision.HIGHEST)
    assert net == pn.mlp([2, 1], precision="highest")
    checkpoint.save(path, Model(net, net.init(jax.random.key(0))))
    loaded = checkpoint.load(path)
    assert loaded.net.apply(loaded.params, np.ones((1, 2), np.float32)).shape == (1, 1)
