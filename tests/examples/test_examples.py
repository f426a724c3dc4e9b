"""The scripts of examples/, run on small settings: the figures that they are there to show."""

import functools
import importlib.util
import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import jax
import numpy as np
import pytest

from purenet.data import house_prices, xor

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
MNIST = Path(os.environ.get("PURENET_MNIST", ROOT.parent / "shared" / "data" / "mnist"))
needs_mnist = pytest.mark.skipif(
    not MNIST.is_dir(), reason=f"no folder {MNIST}; set PURENET_MNIST to one with the IDX files"
)


# Figures are printed with a few digits.
pytestmark = pytest.mark.usefixtures("quick_compiling")


@functools.cache
def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, *options: object):
    return load(name).main([str(option) for option in options])


def as_a_user(*arguments: str) -> subprocess.CompletedProcess:
    """A script in a process of its own, started as its README says."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )


def is_png(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")


class TestAll:
    def test_the_readme_lists_every_script(self):
        text = (ROOT / "examples" / "README.md").read_text()
        assert [name for name in SCRIPTS if f"python examples/{name}.py" not in text] == []

    @pytest.mark.parametrize("name", SCRIPTS)
    def test_help(self, name, capsys):
        with pytest.raises(SystemExit) as end:
            run(name, "--help")
        assert end.value.code == 0
        summary = load(name).__doc__.splitlines()[0]
        assert summary in " ".join(capsys.readouterr().out.split())

    def test_started_from_a_checkout(self):
        assert "--depth" in as_a_user("examples/complexity.py", "--help").stdout
        table = as_a_user("-W", "error", "examples/loss_against_weight.py").stdout
        assert "1.40      2.56            0.60      5.76" in table

    @pytest.mark.parametrize(
        ("name", "small"),
        [
            ("house_price", ["--steps", 1]),
            ("relu_superposition", []),
            ("loss_against_weight", []),
            ("complexity", ["--depth", 1]),
        ],
    )
    def test_plot(self, name, small, tmp_path):
        run(name, *small, "--plot", tmp_path / "picture.png")
        assert is_png(tmp_path / "picture.png")


class TestSigmoidPerceptron:
    def test_the_three_factors_summed_are_the_gradient_and_s1s_formula_is_not(self):
        result = run("sigmoid_perceptron", "--samples", 20, "--steps", 1)
        np.testing.assert_allclose(result.gradient, result.library, rtol=1e-12)
        errors = np.linalg.norm(result.documents - result.library, axis=1)
        assert (errors > 0.1 * np.linalg.norm(result.library)).all()

    def test_with_one_sample_s1s_formula_is_minus_the_gradient_and_climbs(self):
        result = run("sigmoid_perceptron", "--samples", 1, "--steps", 1)
        np.testing.assert_allclose(result.documents, -result.library[None], rtol=1e-12)
        assert result.cost_after < result.cost < result.cost_after_documents

    def test_training_converges_to_the_neuron_that_made_the_data(self):
        result = run("sigmoid_perceptron")
        assert "converged" in result.stopped
        np.testing.assert_allclose(result.parameters, result.true_parameters, atol=0.01)
        assert result.last_cost < 1e-6 < result.first_cost

    def test_a_target_of_2_stays_out_of_reach(self):
        result = run("sigmoid_perceptron", "--samples", 2, "--steps", 1)
        assert result.out_of_reach == pytest.approx((2.25, 1.0134304960, 1.0000000041), abs=1e-9)


class TestStepPerceptron:
    @pytest.mark.parametrize("seed", [0, 1])
    def test_separable_points_within_novikoffs_bound(self, seed):
        result = run("step_perceptron", "--epochs", 100, "--seed", seed)
        assert 0 < result.mistakes <= result.bound
        assert result.accuracy == 1
        assert result.unseen_accuracy > 0.9

    def test_xor_never_ends(self):
        mistakes = run("step_perceptron", "--epochs", 50).xor_mistakes
        assert len(mistakes) == 50
        assert min(mistakes) >= 1

    def test_the_rule_step_by_step(self):
        points, labels = xor()
        w, b, counts = np.zeros(2), 0.0, []
        for _ in range(7):
            errors = []
            for x, y in zip(points, labels, strict=True):
                errors.append(y - (1 if x @ w + b >= 0 else 0))
                w, b = w + errors[-1] * x, b + errors[-1]
            counts.append(np.abs(errors).sum())
        assert list(run("step_perceptron", "--epochs", 7).xor_mistakes) == counts

    def test_training_by_gradient_is_refused_where_autodiff_returns_0(self):
        result = run("step_perceptron", "--points", 20, "--epochs", 5)
        assert "'step' has no usable derivative" in result.refusal
        assert result.autodiff_gradient == 0


class TestHousePrice:
    def test_descent_reaches_the_closed_form(self):
        result = run("house_price")
        assert result.descent == pytest.approx(result.closed_form, rel=1e-6)
        assert result.loss == pytest.approx(result.closed_form_loss, rel=1e-9)
        x, y = house_prices(60, seed=0)
        fitted = np.polyfit(x[:, 0].astype(np.float64), y[:, 0].astype(np.float64), 1)
        assert result.closed_form == pytest.approx(tuple(fitted), rel=1e-6)

    def test_the_sums_of_s0_are_the_librarys_gradient(self):
        result = run("house_price", "--houses", 7, "--steps", 1)
        np.testing.assert_allclose(result.hand_gradient, result.library_gradient, rtol=1e-10)

    def test_the_line_holds_for_unseen_houses(self):
        result = run("house_price")
        assert result.test_r_squared > 0.95
        assert 15 < result.test_rmse < 25  # the noise has 20

    def test_scaling_makes_the_curvatures_equal(self):
        result = run("house_price", "--steps", 1)
        assert result.condition > 1e4
        assert result.scaled_condition == pytest.approx(1)


class TestReluSuperposition:
    @pytest.mark.parametrize(
        "points",
        [
            "0,1 1,3 2.5,-1 4,0",
            "-3,2 -1,-1 0,0 0.5,4 7,-2",
            "2,5 1,1",
        ],
    )
    def test_one_kink_for_each_unit_through_every_point(self, points):
        result = run("relu_superposition", "--points", points)
        pairs = sorted(tuple(map(float, pair.split(","))) for pair in points.split())
        x, y = np.array(pairs).T
        np.testing.assert_allclose(result.values, y, atol=1e-12)
        np.testing.assert_allclose(result.slopes, np.diff(y) / np.diff(x), atol=1e-12)
        assert [unit.kink for unit in result.units] == x[:-1].tolist()

    def test_without_activation_xor_costs_a_quarter_with_two_relus_nothing(self):
        result = run("relu_superposition")
        assert result.xor_affine == pytest.approx(0.25, abs=1e-12)
        assert result.xor_deep_linear == pytest.approx(0.25, abs=1e-12)
        assert result.xor_relu == 0
        assert (result.relu_of_sum, result.sum_of_relus) == (0, 1)

    @pytest.mark.parametrize("points", ["0,1", "1,0 1,2", "0,1,2 1,2,3"])
    def test_points_that_no_curve_goes_through(self, points, capsys):
        with pytest.raises(SystemExit, match="2"):
            run("relu_superposition", "--points", points)
        assert "at least two points x,y with different x" in capsys.readouterr().err


class TestRegression:
    @pytest.fixture(scope="class")
    @staticmethod
    def two_to_three():
        return run("regression_n_to_m", "--points", 200, "--steps", 300)

    def test_the_graph_has_as_many_dimensions_as_there_are_inputs(self, two_to_three):
        assert set(two_to_three.tangent_ranks) == {2}
        other = run(
            "regression_n_to_m", "--inputs", 3, "--outputs", 1, "--points", 50, "--steps", 1
        )
        assert set(other.tangent_ranks) == {3}
        assert other.parameters == 32 * (3 + 1) + 32 * 33 + 33

    def test_one_loss_from_all_outputs_and_its_gradient(self, two_to_three):
        assert two_to_three.loss_by_output.shape == (3,)
        assert two_to_three.loss == pytest.approx(two_to_three.loss_by_output.sum())
        assert two_to_three.linear_gradient_difference < 1e-12

    def test_the_network_bends_where_an_affine_map_cannot(self, two_to_three):
        assert two_to_three.r_squared > 0.95
        assert two_to_three.linear_r_squared < 0.5


class TestLossAgainstWeight:
    def test_the_rule_goes_down_on_both_sides_and_s0s_up_on_one(self):
        left, right = run("loss_against_weight").steps
        assert left == pytest.approx((1, 4, -4, 1.4, 2.56, 0.6, 5.76))
        assert right == pytest.approx((5, 4, 4, 4.6, 2.56, 4.6, 2.56))

    def test_what_the_derivative_does_not_say(self):
        result = run("loss_against_weight")
        assert (result.held_at_current, result.held_at_optimum) == (-4, 0)
        assert result.rising == pytest.approx((math.log(5), 0.8, -0.24))
        assert result.diverging == pytest.approx([(-1.2) ** t for t in range(6)])


class TestComplexity:
    def test_depth_may_double_the_pieces_and_may_add_none(self):
        for row in run("complexity", "--depth", 4).rows:
            assert row.tent == 2**row.depth
            assert row.width == row.units + 1
            assert (row.identity, row.dead) == (1, 1)

    def test_the_library_computes_what_was_counted(self):
        result = run("complexity", "--depth", 3)
        assert result.evaluated > 50
        assert result.largest_difference < 1e-13

    @pytest.mark.parametrize("seed", range(5))
    def test_one_layer_has_a_piece_more_than_it_has_kinks_within(self, seed):
        module, rng = load("complexity"), np.random.default_rng(seed)
        w, b, v = rng.integers(-5, 6, (3, 8)).tolist()
        change = {}
        for wj, bj, vj in zip(w, b, v, strict=True):
            if wj and 0 < Fraction(-bj, wj) < 1:
                at = Fraction(-bj, wj)
                change[at] = change.get(at, 0) + vj * abs(wj)
        layers = [module.fractions([w], b), module.fractions([[vj] for vj in v], [0])]
        assert module.pieces(module.trace(layers)) == 1 + sum(c != 0 for c in change.values())


class TestDenseLayer:
    @pytest.fixture(scope="class")
    @staticmethod
    def result():
        return run("dense_layer", "--epochs", 10)

    def test_the_worked_example(self, result):
        lines = [(line.library, line.summed, line.documents) for line in result.worked]
        assert lines == [(-4, -4, 8), (-4, -4, -0.5), (-2, -2, 4), (-0.5, -0.5, 1)]

    def test_four_layouts_and_what_becomes_of_s2s_formulas_in_them(self, result):
        assert max(max(row.errors) for row in result.layouts) < 1e-12
        assert [row.e16 for row in result.layouts] == ["shapes", "right", "shapes", "shapes"]
        assert {row.e19 for row in result.layouts} == {"shapes"}

    def test_s2s_step_is_an_update_of_fit_and_needs_the_old_weights(self, result):
        assert result.step_difference < 1e-6
        assert result.new_w_error > 1e-3

    def test_the_classifier_reads_unseen_digits(self, result):
        assert result.sparse == pytest.approx(result.one_hot)
        assert result.last_loss < result.first_loss
        assert result.test_accuracy > 0.9


class TestMnist:
    @needs_mnist
    def test_columns_are_rows_and_s3_e42_is_another_gradient(self, tmp_path):
        picture = tmp_path / "weights.png"
        result = run(
            "mnist_784_10_10", "--data-dir", MNIST, "--steps", 30, "--limit", 1000,
            "--rates", 0.01, 0.3, "--plot", picture,
        )  # fmt: skip
        assert set(result.differences) == {"W1", "b1", "W2", "b2"}
        assert max(result.differences.values()) < 1e-14
        assert result.wrong_error > 0.1
        assert result.right_accuracy > result.wrong_accuracy
        assert result.rate == max(result.search, key=result.search.get) == 0.3
        assert result.test_accuracy > 0.5
        assert is_png(picture)

    @needs_mnist
    @pytest.mark.slow
    @pytest.mark.usefixtures("optimized")
    def test_the_full_run(self):
        result = run("mnist_784_10_10", "--data-dir", MNIST)
        assert result.steps <= 1000
        assert result.test_accuracy >= 0.92
        assert result.right_accuracy > result.wrong_accuracy + 0.2


class TestFourEquations:
    @pytest.fixture(scope="class")
    @staticmethod
    def result():
        return run("four_equations", "--steps", 150, "--tolerance", 1e-3, "--target", 0.8)

    def test_index_form_is_purenets_gradient_and_s4_e47_is_not_for_softmax(self, result):
        assert result.difference < 1e-15
        assert result.softmax_difference < 1e-15
        assert result.product_rule_error > 0.1

    def test_a_softmax_needs_its_exponentials(self, result):
        assert result.without_exponentials == (2, -1)
        assert sum(result.with_exponentials) == pytest.approx(1)
        assert result.with_exponentials[0] == pytest.approx(1 / (1 + math.exp(-3)))

    def test_each_rule_ends_training_and_the_first_of_all_three_does(self, result):
        iterations, convergence, accuracy, together = result.endings
        assert (iterations.updates, iterations.reason) == (150, "150 updates done")
        assert "converged" in convergence.reason
        assert accuracy.accuracy >= 0.8
        assert "reached the target 0.8" in accuracy.reason
        first = min((iterations, convergence, accuracy), key=lambda ending: ending.updates)
        assert together[1:] == first[1:]

    def test_the_softmax_switch(self, result):
        switched = run(
            "four_equations", "--steps", 150, "--tolerance", 1e-3, "--target", 0.8, "--softmax"
        )
        assert switched.endings[0].reason == result.endings[0].reason == "150 updates done"
        assert switched.endings[0].loss != result.endings[0].loss


class TestVanishingGradients:
    @pytest.fixture(scope="class")
    @staticmethod
    def result(tmp_path_factory):
        picture = tmp_path_factory.mktemp("vanishing") / "picture.png"
        result = run("vanishing_gradients", "--plot", picture)
        assert is_png(picture)
        return result

    def test_sigmoid_vanishes_and_the_others_do_not(self, result):
        assert result.shrink["sigmoid"] < 1e-4
        assert min(result.shrink["tanh"], result.shrink["relu"]) > 0.01

    def test_every_delta_is_below_its_bound(self, result):
        for layers in result.layers.values():
            assert (layers.delta_norms <= layers.bounds * (1 + 1e-12)).all()
            assert len(layers.delta_norms) == len(layers.weight_norms) == 10

    def test_slopes_at_the_extremes_of_the_graphs(self, result):
        sigmoid, tanh, relu = result.slopes.values()
        assert sigmoid == pytest.approx((0.25, 6.6480567e-3, 4.5395807e-5), rel=1e-7)
        assert tanh == pytest.approx([1 / math.cosh(z) ** 2 for z in (0, 5, 10)])
        assert relu == (0, 1, 1)

    def test_nothing_moves_a_dead_unit(self, result):
        assert result.dead_gradient == 0


class TestNaiveDifferentiation:
    def test_a_pass_for_each_weight_against_one(self):
        result = run("naive_differentiation", "--sizes", 6, 5, 3)
        differences, forward_mode, backpropagation = result.methods
        assert result.parameters == 6 * 5 + 5 + 5 * 3 + 3
        passes = differences.passes, forward_mode.passes, backpropagation.passes
        assert passes == (result.parameters + 1, result.parameters, 1)
        assert differences.difference < 1e-5
        assert forward_mode.difference < 1e-13
        assert differences.flops == result.forward_flops * differences.passes

    @pytest.mark.slow
    def test_784_10_10(self):
        result = run("naive_differentiation")
        assert [method.passes for method in result.methods] == [7961, 7960, 1]
        assert result.methods[0].flops / result.methods[-1].flops > 1000


def test_no_script_leaves_float64_switched_on():
    run("complexity", "--depth", 1)
    assert not jax.config.jax_enable_x64
