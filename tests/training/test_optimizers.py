import math

import pytest
import torch
from torch import nn

from seqserve.training.averaging import TriggeredAverage, WeightAverage
from seqserve.training.config import OptimizerConfig
from seqserve.training.optimizers import build_optimizer, clip_gradients, learning_rate


def rates(config, *, steps_per_epoch=10, epochs=10):
    num_steps = steps_per_epoch * epochs
    return [learning_rate(config, progress=s / (num_steps - 1), epoch=s // steps_per_epoch) for s in range(num_steps)]


def test_one_cycle_rises_to_the_peak_and_anneals():
    cycle = rates(OptimizerConfig(learning_rate=1.0, warmup=0.25))
    assert cycle[0] == pytest.approx(1 / 25)
    assert max(cycle) == pytest.approx(1.0, abs=1e-3)
    assert cycle.index(max(cycle)) == pytest.approx(25, abs=1)
    assert cycle[-1] == pytest.approx(1e-4)


def test_inverse_decay_falls_by_epochs():
    config = OptimizerConfig(learning_rate=0.3, schedule="inverse-decay", decay=0.5)
    assert rates(config, steps_per_epoch=2, epochs=3) == pytest.approx([0.3, 0.3, 0.2, 0.2, 0.15, 0.15])


def test_constant_rate():
    assert set(rates(OptimizerConfig(learning_rate=0.3, schedule="constant"))) == {0.3}


def parameter_with_gradient(*values):
    parameter = nn.Parameter(torch.zeros(len(values)))
    parameter.grad = torch.tensor(values)
    return parameter


def test_clipping_by_norm_keeps_the_direction():
    parameter = parameter_with_gradient(3.0, -4.0)
    assert clip_gradients([parameter], norm=1.0, value=0.0) == pytest.approx(5.0)
    assert parameter.grad.tolist() == pytest.approx([0.6, -0.8], abs=1e-5)


def test_clipping_by_value_cuts_each_component():
    parameter = parameter_with_gradient(3.0, -4.0, 0.5)
    clip_gradients([parameter], norm=0.0, value=1.0)
    assert parameter.grad.tolist() == [1.0, -1.0, 0.5]


def test_both_clippings_value_first():
    parameter = parameter_with_gradient(30.0, -40.0)
    assert clip_gradients([parameter], norm=1.0, value=1.0) == pytest.approx(math.sqrt(2))
    assert parameter.grad.tolist() == pytest.approx([math.sqrt(0.5), -math.sqrt(0.5)], abs=1e-5)


@pytest.mark.parametrize("norm", [0.0, 1.0])
def test_a_norm_beyond_float32_is_no_infinity(norm):
    parameter = nn.Parameter(torch.zeros(3))
    parameter.grad = torch.tensor([3e30, -4e30, 0.0])
    assert clip_gradients([parameter], norm=norm, value=0.0) == pytest.approx(5e30)
    size = norm or 5e30
    assert parameter.grad.tolist() == pytest.approx([0.6 * size, -0.8 * size, 0.0])


@pytest.mark.parametrize(
    ("name", "kind"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_each_optimiser_is_built(name, kind):
    optimizer = build_optimizer(OptimizerConfig(name=name, learning_rate=0.3), [nn.Parameter(torch.zeros(1))])
    assert type(optimizer) is kind
    assert optimizer.param_groups[0]["lr"] == 0.3


def test_average_follows_the_weights_and_gives_them_back():
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(1.0)
    average = WeightAverage(model, decay=0.5)
    with torch.no_grad():
        model.weight.fill_(3.0)
    average.update(model)  # the first update's decay is 2 / 11
    expected = 2 / 11 * 1.0 + 9 / 11 * 3.0
    with average.applied_to(model):
        assert model.weight.item() == pytest.approx(expected)
    assert model.weight.item() == 3.0


def test_without_decay_the_average_is_the_weights():
    model = nn.Linear(2, 2)
    average = WeightAverage(model, decay=0.0)
    with torch.no_grad():
        model.weight.normal_()
    average.update(model)
    assert torch.equal(average.weights["weight"], model.weight)


def test_nt_asgd_averages_from_the_first_step_after_its_trigger():
    model = nn.Linear(1, 1, bias=False)
    average = TriggeredAverage(model, patience=2)
    for loss in (5.0, 4.0, 3.0, 3.5, 3.4):  # the fifth is better than those more than two before it
        average.observe(loss)
    set_weight(model, 7.0)
    average.update(model)
    assert not average.is_triggered
    assert average.weights["weight"].item() == 7.0
    average.observe(3.2)  # worse than 3.0, three evaluations ago
    assert average.is_triggered
    for value in (1.0, 2.0, 6.0):
        set_weight(model, value)
        average.update(model)
    assert average.weights["weight"].item() == pytest.approx((7.0 + 1.0 + 2.0 + 6.0) / 4)


def set_weight(model, value):
    with torch.no_grad():
        model.weight.fill_(value)
