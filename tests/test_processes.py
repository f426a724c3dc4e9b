"""Processes share all of their places along "data" or none, and all know what the others hold."""

import types

import jax
import numpy as np
import pytest
from jax.experimental import multihost_utils

from purenet import processes
from purenet.batches import Data

pytestmark = pytest.mark.usefixtures("unchecked")


def mesh_of(*rows):
    """Return a mesh whose devices belong to these processes."""
    devices = [[types.SimpleNamespace(process_index=p) for p in row] for row in rows]
    return types.SimpleNamespace(axis_names=("data", "model"), devices=np.array(devices))


@pytest.mark.parametrize(
    ("mesh", "message"),
    [
        (mesh_of([0, 0], [1, 1]), r"it spans the processes \[0, 1\] of 3"),
        (mesh_of([0, 1], [1, 2]), r"process 1 holds a place .* one of \(0, 1\) .* one of \(1, 2\)"),
        (mesh_of([0, 2], [0, 1]), r"process 0 holds a place .* share all of theirs"),
        (mesh_of([0, 0], [0, 1], [2, 2]), r"process 0 holds a place .* one of \(0,\) .* \(0, 1\)"),
        (mesh_of([0], [0], [1], [2]), r"\(\(0,\), \(1,\), \(2,\)\) have \[2, 1, 1\] places"),
        (mesh_of([0, 1], [2, 2], [1, 0]), r"\(\(0, 1\), \(2,\)\) have \[2, 1\] places"),
    ],
)
def test_meshes_that_processes_share_unevenly_are_refused(monkeypatch, mesh, message):
    monkeypatch.setattr(jax, "process_count", lambda: 3)
    with pytest.raises(ValueError, match=message):
        processes.places(mesh)


def test_places_belong_to_processes_in_any_order(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(jax, "process_index", lambda: 1)
    found = processes.places(mesh_of([1, 1], [0, 0], [1, 1], [0, 0]))
    assert found == processes.Places(((0,), (1,)), (1, 0, 1, 0), (0, 0, 1, 1), 1, (0, 2))


def test_processes_that_differ_only_along_model_have_their_places_together(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 4)
    monkeypatch.setattr(jax, "process_index", lambda: 3)
    mesh = mesh_of([1, 3], [0, 2], [3, 1], [2, 0])
    expected = processes.Places(((0, 2), (1, 3)), (1, 0, 1, 0), (0, 0, 1, 1), 1, (0, 2))
    assert processes.places(mesh) == expected
    turned = types.SimpleNamespace(axis_names=("model", "data"), devices=mesh.devices.T)
    assert processes.places(turned) == expected


@pytest.mark.parametrize("ranks", [(0,), (0, 1, 2)])
def test_without_an_axis_for_data_there_is_one_place(monkeypatch, ranks):
    monkeypatch.setattr(jax, "process_count", lambda: len(ranks))
    monkeypatch.setattr(jax, "process_index", lambda: ranks[-1])
    devices = mesh_of(ranks * 2).devices[0]
    found = processes.places(types.SimpleNamespace(axis_names=("model",), devices=devices))
    assert found == processes.Places((ranks,), (0,), (0,), 0, (0,))


def test_parts_follow_one_another_over_the_places():
    mesh = jax.make_mesh((4, 2), ("data", "model"))
    parts = [np.full((3, 2), place) for place in range(4)]
    for axis in (0, 1):
        got = processes.spread(mesh, parts, axis)
        np.testing.assert_array_equal(got, np.concatenate(parts, axis))
        assert {shard.data.shape for shard in got.addressable_shards} == {(3, 2)}


ROWS = processes.ROWS_AT_ONCE + 1
SHARE = Data(np.ones((ROWS, 2), np.float32), np.arange(ROWS, dtype=np.int32), np.ones(ROWS))


def cut(share, examples):
    return Data(*(v[:examples] for v in share))


def changed(share, field):
    """Return the share with another last entry of this field."""
    array = getattr(share, field).copy()
    array.flat[-1] += 1
    return share._replace(**{field: array})


def agree(monkeypatch, mesh, *shares):
    """Return what the last process is told of the data, when each has this share."""
    facts = []

    def gathered(own):
        facts.append(own)
        return np.stack(facts if len(facts) == len(shares) else [own] * len(shares))

    monkeypatch.setattr(jax, "process_count", lambda: len(shares))
    monkeypatch.setattr(multihost_utils, "process_allgather", gathered)
    for share in shares:
        found = processes.agree(mesh, "data", lambda share=share: share)
    return found


def test_a_share_is_counted_once_however_many_processes_have_it(monkeypatch):
    mesh = mesh_of([2, 2], [0, 1])
    data, lengths = agree(monkeypatch, mesh, SHARE, Data(*map(np.copy, SHARE)), cut(SHARE, 5))
    assert len(data.x) == 5
    assert lengths == (ROWS, 5)


@pytest.mark.parametrize(
    "other", [*(changed(SHARE, field) for field in Data._fields), cut(SHARE, 5)],
    ids=[*Data._fields, "length"],
)  # fmt: skip
def test_processes_with_the_same_places_pass_the_same_examples(monkeypatch, other):
    message = (
        rf"data: the processes \[1\] have other examples than process 0 \(\[{len(other.x)}\] "
        rf"examples, it has {ROWS}\); \[0, 1, 2\] hold the same places"
    )
    with pytest.raises(ValueError, match=message):
        agree(monkeypatch, mesh_of([0, 1, 2]), SHARE, other, SHARE)


def test_processes_with_places_of_their_own_pass_what_they_like(monkeypatch):
    shares = (SHARE, changed(SHARE, "y"), cut(SHARE, 5))
    assert agree(monkeypatch, mesh_of([0], [1], [2]), *shares)[1] == (ROWS, ROWS, 5)
