"""The formulas of the scaling note are what XLA counts in the compiled programs."""

import math

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

import purenet as pn
from benchmarks import scaling
from benchmarks.scaling import Collective

SIZES, BATCH = (64, 256, 192, 16), 128
SLOW = [pytest.param(shape, marks=pytest.mark.slow) for shape in ((1, 1), (8, 1), (1, 8), (4, 2))]


@pytest.mark.parametrize("shape", [*SLOW, (2, 4)])
def test_the_formulas_are_the_counts_of_the_compiled_update(shape):
    mesh = Mesh(np.array(jax.devices()[: math.prod(shape)]).reshape(shape), ("data", "model"))
    program = scaling.compiled(pn.mlp(SIZES, "tanh", "softmax"), BATCH, mesh)
    cost, done = program.cost_analysis(), scaling.work(SIZES, BATCH, *shape)
    # Besides the products there are activations, softmax and the update.
    assert done.flops <= cost["flops"] <= 1.1 * done.flops
    assert 0.9 * done.bytes <= cost["bytes accessed"] <= 1.5 * done.bytes
    found = sorted(c for c in scaling.collectives(program.as_text()) if c.bytes > 16)
    expected = [Collective("all-reduce", int(size), shape[1]) for size in done.units]
    if shape[0] > 1:
        expected.append(Collective("all-reduce", int(done.gradient), shape[0]))
    assert [c.devices for c in found] == [c.devices for c in sorted(expected)]
    for one, other in zip(found, sorted(expected), strict=True):
        # The sum of the weights, and of the losses, may go with the gradients.
        assert 0 <= one.bytes - other.bytes <= 8


def test_collectives_are_read_in_every_way_in_which_groups_are_written():
    text = """
  %a.1 = f32[784,512]{1,0} all-reduce(%dot.1), channel_id=1, replica_groups={{0,1,2,3},{4,5,6,7}}
  %b = (f32[10]{0}, /*index=1*/f32[], bf16[2,3]{1,0}) all-reduce-start(), replica_groups=[2,4]<=[8]
  %c = f32[64,2]{1,0} all-gather(%z), replica_groups=mesh['axis_0'=2,'axis_1'=4] {'axis_0'}, dim
  %d = f32[8]{0} add(%all-reduce.1, %b)
"""
    assert scaling.collectives(text) == [
        Collective("all-reduce", 784 * 512 * 4, 4),
        Collective("all-reduce", 40 + 4 + 12, 4),
        Collective("all-gather", 64 * 2 * 4, 2),
    ]


def test_a_ring_sends_all_but_the_own_part_twice():
    assert scaling.sent(800, 8) == 1400
    assert scaling.sent(800, 1) == 0


def test_work_is_divided_and_grows_with_the_batch():
    whole = scaling.work(SIZES, BATCH)
    assert whole.flops == 6 * BATCH * (64 * 256 + 256 * 192 + 192 * 16) - 2 * BATCH * 64 * 256
    assert (whole.gradient, whole.units) == (0, ())
    for data, model in ((8, 1), (1, 8), (4, 2)):
        done = scaling.work(SIZES, BATCH, data, model)
        assert done.flops == pytest.approx(whole.flops / 8)
        assert (done.gradient > 0) == (data > 1)
        assert len(done.units) == 3 * (model > 1)
    assert scaling.work((8, 10, 4), 16, 1, 4) == scaling.work((8, 10, 4), 16)  # not divided by 4


def test_predicted_times_are_those_of_the_slowest_resource_and_its_links():
    machine = scaling.Machine("m", 100.0, 10.0, 4.0, 1.0, node=8, latency=0.5, reached=0.5)
    done = scaling.Work(flops=1000, bytes=100, gradient=16, units=(8, 8), held=16)
    assert scaling.seconds(machine, done)[0] == 20  # 1000 at half of 100 a second
    assert scaling.seconds(machine, done._replace(bytes=500))[0] == 50
    # Inside the node over links of 4, and 2 · ¾ · 8 bytes are sent for each sum of units.
    assert scaling.seconds(machine, done, 2, 4)[1:] == (2 * (0.5 + 12 / 4), 0.5 + 16 / 4)
    # Between nodes a ring of all devices uses all eight links, one of each node's first only one.
    assert scaling.seconds(machine, done, 16, 1)[2] == 0.5 + 30 / 4
    assert scaling.seconds(machine, done, 16, 8)[2] == 0.5 + 30 / 1


@pytest.mark.slow
def test_the_command_prints_both_tables(capsys, monkeypatch):
    monkeypatch.setattr(scaling, "CHECKED", ((16, 32, 4), 64))
    monkeypatch.setattr(scaling.jax.config, "update", lambda *_: None)
    scaling.main()
    printed = capsys.readouterr().out
    assert "| 8 × 1 | " in printed
    assert "| 16384×9 | 64 × 8 | " in printed
