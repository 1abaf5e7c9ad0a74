"""Attributions and gradient attacks on the net that was trained on painted arcs."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
import torch

from skywright.find import (
    attack_gradient,
    attribute,
    attribute_net,
    attribute_sample,
    make_input_scorer,
    make_scorer,
    predict,
    randomise_weights,
)
from skywright.learn.nets_as_models import load_net, logits_of
from skywright.learn.scaling import scale_images
from skywright.trust import compare_attributions, judge_attributions, pool_attributions


@pytest.fixture
def judged(arcs):
    images, labels, roles, radius = arcs
    rows = np.flatnonzero((roles == "test") & (labels == 1))[:16]
    return images[rows], radius[rows]


def test_integrated_gradients_add_up_to_the_change_of_the_output(fitted, judged):
    images, _ = judged
    maps = attribute(fitted, images, steps=64)
    net, scaled = load_net(fitted), torch.from_numpy(scale_images(images))
    change = logits_of(net, scaled, 1) - logits_of(net, torch.zeros_like(scaled), 1)
    np.testing.assert_allclose(maps.sum(axis=(1, 2, 3)), change, rtol=0.1, atol=0.3)
    assert maps.shape == images.flux.shape


def test_maps_depend_on_the_weights_and_lead_to_the_arc(fitted, judged):
    images, _ = judged
    maps = attribute(fitted, images)
    random = attribute(randomise_weights(fitted, np.random.default_rng(0)), images)
    net = load_net(fitted)

    def scores(batch):
        return logits_of(net, torch.from_numpy(batch.astype(np.float32)), 1)

    scaled = scale_images(images)
    results = judge_attributions(maps, random, scores, scaled, np.random.default_rng(1))
    assert results["randomisation"]["passed"]
    # integrated gradients contain the image, which does not change with the weights
    assert results["randomisation_absolute"]["value"] > results["randomisation"]["high"]
    assert results["deletion_gain"]["passed"]
    assert results["insertion_gain"]["passed"]


def test_shuffled_weights_keep_their_law_and_the_statistics_of_normalisation(fitted):
    random = randomise_weights(fitted, np.random.default_rng(0))
    for name, value in fitted.weights.items():
        np.testing.assert_array_equal(np.sort(random.weights[name], None), np.sort(value, None))
        if "running" in name:
            np.testing.assert_array_equal(random.weights[name], value)
    assert (random.weights["head.weight"] != fitted.weights["head.weight"]).any()


def test_units_and_batches_do_not_matter(fitted, judged):
    images, _ = judged
    microjansky = replace(
        images, flux=images.flux / 1e3, variance=images.variance / 1e6, unit=u.uJy
    )
    maps = attribute(fitted, images, method="saliency")
    other = attribute(fitted, microjansky, method="saliency", batch=5)
    np.testing.assert_allclose(maps, other, rtol=1e-3, atol=1e-5)


def test_linear_net_gets_back_its_weights():
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, 3))
    inputs = np.random.default_rng(0).normal(size=(5, 2, 2, 2))
    weight = net[1].weight.detach().numpy().reshape(3, 2, 2, 2)
    targets = np.array([0, 1, 2, 1, 0])
    for method in ("integrated_gradients", "input_x_gradient"):
        maps = attribute_net(net, inputs, targets, method=method, batch=2)
        np.testing.assert_allclose(maps, weight[targets] * inputs, rtol=1e-3, atol=1e-6)
    with pytest.raises(ValueError, match="expected one of integrated_gradients"):
        attribute_net(net, inputs, method="guess")


def test_gradient_attack_keeps_its_budget_and_beats_noise_of_the_same_size(fitted, arcs):
    images, labels, roles, _ = arcs
    rows = np.flatnonzero(roles == "test")
    flux, truth, rms = images.flux[rows], labels[rows], np.sqrt(images.variance[rows])
    net = load_net(fitted)

    def accuracy(pixels):
        scaled = scale_images(replace(images[rows], flux=pixels))
        return ((logits_of(net, torch.from_numpy(scaled), 1) > 0) == truth).mean()

    rng = torch.Generator().manual_seed(0)
    changed = attack_gradient(net, flux, truth, rms, rng, snr=0.5)
    assert np.abs(changed - flux).max() <= 0.5 * rms.max() + 1e-5
    noise = 0.5 * rms * np.sign(np.random.default_rng(0).normal(size=flux.shape))
    assert accuracy(flux) > 0.85
    assert accuracy((flux + noise).astype(np.float32)) > 0.8
    assert accuracy(changed) < 0.5
    electrons = attack_gradient(net, flux, truth, rms, rng, electrons=3.0, gain=3.0, steps=2)
    assert np.abs(electrons - flux).max() <= 1 + 1e-5
    with pytest.raises(ValueError, match="either as electrons"):
        attack_gradient(net, flux, truth, rms, rng)
    with pytest.raises(ValueError, match="expected gain="):
        attack_gradient(net, flux, truth, rms, rng, electrons=3.0)


def test_a_sample_is_of_positives_that_were_not_learned_from(fitted, arcs):
    images, labels, roles, _ = arcs
    groups = np.arange(len(labels)) // 2
    options = {"labels": labels, "roles": roles, "groups": groups, "n": 6}
    found = attribute_sample(fitted, images, np.random.default_rng(0), **options)
    rows = np.flatnonzero(np.isin(images.object_id, found["object_id"]))
    assert len(rows) == 6
    assert (labels[rows] == 1).all()
    assert (roles[rows] == "test").all()
    assert len(np.unique(found["group"])) == 6
    np.testing.assert_allclose(found["inputs"], scale_images(images[rows]), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["maps"], attribute(fitted, images[rows]), rtol=1e-4, atol=1e-5)
    assert np.abs(found["randomised"] - found["maps"]).max() > 1e-3
    scores = make_input_scorer(fitted)
    expected = logits_of(load_net(fitted), torch.from_numpy(found["inputs"]), 1)
    np.testing.assert_array_equal(scores(found["inputs"].astype(float)), expected)
    results = [
        pool_attributions(
            compare_attributions(
                found[maps], found["randomised"], scores, found["inputs"],
                np.random.default_rng(1), groups=found["group"],
            ),
            np.random.default_rng(2),
        )
        for maps in ("maps", "randomised")
    ]  # fmt: skip
    assert results[0]["randomisation"]["passed"]
    assert not results[1]["randomisation"]["passed"]
    assert results[0]["insertion_gain"]["value"] > results[1]["insertion_gain"]["value"]


def test_a_scorer_says_what_predict_says(fitted, arcs):
    images = arcs[0][:20]
    expected = predict(fitted, images).mean
    np.testing.assert_allclose(make_scorer(fitted)(images), expected, rtol=1e-4, atol=1e-4)
    in_other_unit = replace(images, flux=images.flux / 1e3, variance=images.variance / 1e6,
                            unit=u.uJy)  # fmt: skip
    np.testing.assert_allclose(make_scorer(fitted)(in_other_unit), expected, rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match="the model was fitted on"):
        make_scorer(fitted)(replace(images, bands=("u", "g", "r")))
