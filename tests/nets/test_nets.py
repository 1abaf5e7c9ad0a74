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


def _build(net, options, bands=3, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return net(bands=bands, **options)


def test_the_room_has_nets():
    assert "ResNet" in [net.__name__ for net in NETS]


@pytest.mark.parametrize(("net", "options"), CASES)
@pytest.mark.parametrize(("bands", "size", "outputs"), [(1, 24, 1), (3, 48, 1), (4, 57, 5)])
def test_shape(net, options, bands, size, outputs):
    built = _build(net, options | {"outputs": outputs}, bands)
    assert built(torch.randn(2, bands, size, size)).shape == (2, outputs)


@pytest.mark.parametrize(("net", "options"), CASES)
def test_gradients_reach_every_parameter(net, options):
    built = _build(net, options)
    built(torch.randn(8, 3, 32, 32)).pow(2).sum().backward()
    for name, value in built.named_parameters():
        assert value.grad is not None, name
        assert value.grad.abs().max() > 0, name


@pytest.mark.parametrize(("net", "options"), CASES)
def test_a_model_gives_the_same_net_back(net, options):
    built = _build(net, options)
    images = torch.randn(4, 3, 32, 32)
    built(images)  # moves the running statistics, which have to survive as well
    config = {"net": {"path": name_of(net), "options": {"bands": 3, **options}}}
    config = json.loads(json.dumps(config))
    again = load_net(Model(config, arrays_of(built.state_dict())))
    with torch.no_grad():
        assert torch.equal(again(images), built.eval()(images))


@pytest.mark.parametrize(("net", "options"), CASES)
def test_same_seed_same_numbers(net, options):
    images = torch.from_numpy(np.random.default_rng(1).normal(size=(4, 3, 32, 32))).float()
    with torch.no_grad():
        first, second, other = (_build(net, options, seed=s)(images) for s in (3, 3, 4))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("net", "options"), CASES)
def test_an_image_is_judged_alone(net, options):
    built = _build(net, options).eval()
    images = torch.randn(6, 3, 32, 32)
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
