"""Each process has places of its own along "data", and all know what the others hold."""

import types

import jax
import numpy as np
import pytest

from purenet import processes

pytestmark = pytest.mark.usefixtures("unchecked")


def mesh_of(*rows):
    """Return a mesh whose devices belong to these processes."""
    devices = [[types.SimpleNamespace(process_index=p) for p in row] for row in rows]
    return types.SimpleNamespace(axis_names=("data", "model"), devices=np.array(devices))


@pytest.mark.parametrize(
    ("mesh", "message"),
    [
        (mesh_of([0, 0], [1, 1]), r"it spans the processes \[0, 1\] of 3"),
        (mesh_of([0, 1, 2], [0, 1, 2]), '"model" leads from one process to another'),
        (mesh_of([0], [0], [1], [2]), "more places"),
    ],
)
def test_places_that_processes_share_are_refused(monkeypatch, mesh, message):
    monkeypatch.setattr(jax, "process_count", lambda: 3)
    with pytest.raises(ValueError, match=message):
        processes.places(mesh)


def test_places_belong_to_processes_in_any_order(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(jax, "process_index", lambda: 1)
    found = processes.places(mesh_of([1, 1], [0, 0], [1, 1], [0, 0]))
    assert found == processes.Places((1, 0, 1, 0), (0, 0, 1, 1), 1, (0, 2))


def test_without_an_axis_for_data_there_is_one_place():
    devices = np.array([types.SimpleNamespace(process_index=0)] * 4)
    found = processes.places(types.SimpleNamespace(axis_names=("model",), devices=devices))
    assert found == processes.Places((0,), (0,), 0, (0,))


def test_parts_follow_one_another_over_the_places():
    mesh = jax.make_mesh((4, 2), ("data", "model"))
    parts = [np.full((3, 2), place) for place in range(4)]
    for axis in (0, 1):
        got = processes.spread(mesh, parts, axis)
        np.testing.assert_array_equal(got, np.concatenate(parts, axis))
        assert {shard.data.shape for shard in got.addressable_shards} == {(3, 2)}
