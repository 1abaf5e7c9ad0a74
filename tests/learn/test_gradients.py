"""The watch on gradients: terms that are dead, gradients that are never zeroed."""

import pytest
import torch
from torch import nn

from skywright.learn import watch
from skywright.learn.gradients import ends_and_middle


def _train(zero, steps=30, at=(0, 15, 29)):
    torch.manual_seed(0)
    net, rows = nn.Linear(3, 1), torch.randn(40, 3)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    gradients = watch(net.parameters(), at)
    for _ in range(steps):
        if zero:
            optimizer.zero_grad()
        terms = {
            "square": (net(rows) - 1).pow(2).mean(),
            "dead": (net(rows).detach() - 1).pow(2).mean(),
            "clamped": net(rows).clamp(100, 101).mean(),
        }
        gradients.note(terms)
        sum(terms.values()).backward()
        optimizer.step()
    return gradients


def test_norms_are_those_of_each_term_and_the_dead_are_zero():
    found = _train(zero=True).record()
    assert found["step"] == [0, 15, 29]
    assert found["dead"] == found["clamped"] == [0, 0, 0]
    assert found["square"] == pytest.approx(found["fresh"])
    assert found["fresh"] == pytest.approx(found["accumulated"], rel=1e-6)


def test_gradients_that_are_never_zeroed_are_seen():
    found = _train(zero=False).record()
    assert found["accumulated"][0] == pytest.approx(found["fresh"][0])
    assert all(a > 5 * f for a, f in zip(found["accumulated"][1:], found["fresh"][1:], strict=True))


def test_watching_changes_nothing_and_a_state_goes_on():
    def weights(at):
        torch.manual_seed(1)
        net = nn.Linear(2, 1)
        gradients = watch(net.parameters(), at)
        for _ in range(5):
            net.zero_grad()
            terms = {"loss": net(torch.ones(3, 2)).pow(2).mean()}
            gradients.note(terms)
            terms["loss"].backward()
            with torch.no_grad():
                for p in net.parameters():
                    p -= 0.1 * p.grad
        return net.weight.detach().clone(), gradients

    plain, _ = weights([])
    watched, gradients = weights([0, 2, 4])
    assert torch.equal(plain, watched)
    again = watch([nn.Parameter(torch.ones(1))], [0, 5])
    again.load_state_dict(gradients.state_dict())
    assert again.record() == gradients.record()
    again.note({"loss": again.parameters[0].sum()})
    assert again.record()["step"] == [0, 2, 4, 5]


def test_ends_and_middle_of_short_trainings():
    assert ends_and_middle(1) == [0]
    assert ends_and_middle(2) == [0, 1]
    assert ends_and_middle(3) == [0, 1, 2]
