"""One contract for every architecture of `skywright.nets`."""

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import skywright.nets as room
from skywright.data import Model
from skywright.learn.nets_as_models import arrays_of, load_net, name_of

NETS = [
    item for _, item in inspect.getmembers(room, inspect.isclass) if issubclass(item, nn.Module)
]
OPTIONS = {"ResNet": [{}, {"width": 8, "blocks": [1, 2, 1], "first_stride": 1, "radius": False}]}
CASES = [(net, options) for net in NETS for options in OPTIONS.get(net.__name__, [{}])]


def _of_rows(net):
    """Whether a net takes rows of numbers; the others take images."""
    return "inputs" in inspect.signature(net).parameters


def _build(net, options, bands=3, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return net(bands, **{"outputs": 1, **options})


def _given(net, n, bands=3, size=32):
    return torch.randn(n, bands) if _of_rows(net) else torch.randn(n, bands, size, size)


def test_the_room_has_nets():
    assert "ResNet" in [net.__name__ for net in NETS]


@pytest.mark.parametrize(("net", "options"), CASES)
@pytest.mark.parametrize(("bands", "size", "outputs"), [(1, 24, 1), (3, 48, 1), (4, 57, 5)])
def test_shape(net, options, bands, size, outputs):
    built = _build(net, options | {"outputs": outputs}, bands)
    assert built(_given(net, 2, bands, size)).shape == (2, outputs)


@pytest.mark.parametrize(("net", "options"), CASES)
def test_gradients_reach_every_parameter(net, options):
    built = _build(net, options)
    loss = built(_given(net, 64)).pow(2).sum()
    for penalty in getattr(built, "penalties", dict)().values():
        loss = loss + penalty
    loss.backward()
    for name, value in built.named_parameters():
        assert value.grad is not None, name
        assert value.grad.abs().max() > 0, name


@pytest.mark.parametrize(("net", "options"), CASES)
def test_a_model_gives_the_same_net_back(net, options):
    built = _build(net, options)
    images = _given(net, 4)
    built(images)  # moves the running statistics, which have to survive as well
    first = "inputs" if _of_rows(net) else "bands"
    config = {"net": {"path": name_of(net), "options": {first: 3, "outputs": 1, **options}}}
    config = json.loads(json.dumps(config))
    again = load_net(Model(config, arrays_of(built.state_dict())))
    with torch.no_grad():
        assert torch.equal(again(images), built.eval()(images))


@pytest.mark.parametrize(("net", "options"), CASES)
def test_same_seed_same_numbers(net, options):
    shape = (4, 3) if _of_rows(net) else (4, 3, 32, 32)
    images = torch.from_numpy(np.random.default_rng(1).normal(size=shape)).float()
    with torch.no_grad():
        first, second, other = (_build(net, options, seed=s).eval()(images) for s in (3, 3, 4))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("net", "options"), CASES)
def test_an_image_is_judged_alone(net, options):
    built = _build(net, options).eval()
    images = _given(net, 6)
    with torch.no_grad():
        torch.testing.assert_close(built(images)[2:3], built(images[2:3]))


def test_odd_batches_train_with_two_threads():
    # torch 2.13 crashes the process in the gradient of a 1 x 1 convolution of few channels here
    code = (
        "import torch\nfrom skywright.nets import ResNet\ntorch.set_num_threads(2)\n"
        "for width in (4, 8, 12):\n"
        "    net = ResNet(3, width=width)\n"
        "    for _ in range(10):\n"
        "        net(torch.randn(25, 3, 32, 32)).sum().backward()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_stages_need_blocks():
    with pytest.raises(ValueError, match="one positive number for each stage"):
        room.ResNet(bands=3, blocks=[1, 0])


def test_layers_need_units():
    with pytest.raises(ValueError, match="expected numbers above 0"):
        room.MLP(inputs=3, layers=0)
    with pytest.raises(ValueError, match="rate is 1"):
        room.ConcreteDropoutMLP(inputs=3, rate=1)


POSTERIORS = [net for net in NETS if hasattr(net, "draw")]


@pytest.mark.parametrize("net", POSTERIORS)
def test_draws_follow_the_generator_and_scatter_around_the_mean(net):
    built, rows = _build(net, {}).eval(), torch.randn(50, 3)
    with torch.no_grad():
        first, again, other = (
            built.draw(torch.Generator().manual_seed(seed))(rows) for seed in (1, 1, 2)
        )
        generator = torch.Generator().manual_seed(0)
        many = torch.stack([built.draw(generator)(rows) for _ in range(400)])
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    error = many.std(dim=0) / 20
    # the middle layers are not linear, which moves the mean a little
    assert ((many.mean(dim=0) - built(rows)).abs() < 5 * error + 0.02).all()


def test_flipout_noise_has_the_promised_variance_and_differs_from_row_to_row():
    built = room.FlipoutMLP(inputs=3, layers=1, width=4, spread=0.1)
    layer, row = built.hidden[0].train(), torch.tensor([[1.0, -2.0, 0.5]])
    with torch.no_grad():
        drawn = torch.stack([layer(row.expand(2, 3)) for _ in range(4000)])
    expected = 0.1 * row.norm()
    torch.testing.assert_close(drawn.std(dim=0), expected.expand(2, 4), rtol=0.06, atol=0)
    correlation = np.corrcoef(drawn[:, 0, 0], drawn[:, 1, 0])[0, 1]
    assert abs(correlation) < 0.08  # one draw of weights for all rows would give 1


def test_penalties_are_those_of_scipy():
    from scipy.stats import bernoulli, norm

    net = room.ConcreteDropoutMLP(inputs=3, width=7, layers=2, rate=0.2)
    assert net.penalties()["dropout"].item() == pytest.approx(-7 * 2 * bernoulli(0.2).entropy())
    net = room.FlipoutMLP(inputs=2, width=2, layers=1, spread=0.3, prior=0.5)
    weights = torch.cat([layer.weight.flatten() for layer in (*net.hidden, net.head)])
    grid = np.linspace(-6, 6, 200_001)
    total = 0.0
    for mean in weights.detach().double().numpy():
        mine, prior = norm(mean, 0.3), norm(0, 0.5)
        total += np.trapezoid(mine.pdf(grid) * (mine.logpdf(grid) - prior.logpdf(grid)), grid)
    assert net.penalties()["kl"].item() == pytest.approx(total, rel=1e-5)
