"""Nets applied in blocks, and the images they refuse."""

from dataclasses import replace

import astropy.units as u
import h5py
import numpy as np
import pytest

from skywright.find import predict
from skywright.learn import correct_prior


@pytest.mark.parametrize("batch", [16, 64])
def test_blocks_joined_equal_the_whole_bit_for_bit(arcs, fitted, batch):
    images = arcs[0]
    whole = predict(fitted, images, batch=batch)
    for rows in (7, 48, 101):
        parts = [predict(fitted, block, batch=batch) for block in images.blocks(rows)]
        np.testing.assert_array_equal(np.concatenate([p.mean for p in parts]), whole.mean)
        np.testing.assert_array_equal(np.concatenate([p.object_id for p in parts]), whole.object_id)


def test_roles_choose_rows_and_order_is_kept(arcs, fitted):
    images, _, roles, _ = arcs
    whole = predict(fitted, images)
    test = predict(fitted, images, roles=roles)
    np.testing.assert_array_equal(test.object_id, images.object_id[roles == "test"])
    np.testing.assert_array_equal(test.mean, whole.mean[roles == "test"])
    assert len(predict(fitted, images, roles=roles, role="margin")) == 0
    with pytest.raises(ValueError, match="5 roles for 360 rows"):
        predict(fitted, images, roles=roles[:5])


def test_streams_from_disk(arcs, fitted, tmp_path):
    images = arcs[0]
    with h5py.File(tmp_path / "images.h5", "w") as file:
        file["flux"], file["variance"] = images.flux, images.variance
        lazy = replace(images, flux=file["flux"], variance=file["variance"])
        np.testing.assert_array_equal(predict(fitted, lazy).mean, predict(fitted, images).mean)


def test_logits_are_divided_by_the_temperature_and_shifted_to_the_prior(arcs, fitted):
    images = arcs[0][:20]
    config = fitted.config | {"temperature": 2 * fitted.config["temperature"]}
    logits = predict(fitted, images).mean
    np.testing.assert_allclose(predict(replace(fitted, config=config), images).mean, logits / 2)
    prevalence = fitted.config["training"]["prevalence"]
    np.testing.assert_allclose(
        predict(fitted, images, prior=0.01).mean, correct_prior(logits, prevalence, 0.01)
    )


def test_a_turned_cutout_gets_the_same_logit(arcs, fitted):
    images = arcs[0][:20]
    turned = replace(images, flux=np.rot90(images.flux, axes=(-2, -1)).copy())
    np.testing.assert_allclose(
        predict(fitted, turned).mean, predict(fitted, images).mean, atol=1e-4
    )


def test_units_are_converted(arcs, fitted):
    images = arcs[0][:20]
    other = replace(images, flux=images.flux * 1e-3, variance=images.variance * 1e-6, unit=u.uJy)
    np.testing.assert_allclose(predict(fitted, other).mean, predict(fitted, images).mean, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bands": ("r", "g", "i")}, r"bands \['r', 'g', 'i'\]; the model was fitted on"),
        ({"unit": u.ct}, "unit ct; the model was fitted on nJy"),
        ({"scale": 0.21 * u.arcsec}, "pixel scale .* 0.21"),
        ({"scale": None, "reason": "a drawing"}, "pixel scale .* None"),
        ({"variance": None}, "source of the noise border"),
    ],
)
def test_images_of_another_kind_are_refused(arcs, fitted, change, message):
    with pytest.raises(ValueError, match=message):
        predict(fitted, replace(arcs[0], **change))
    smaller = replace(arcs[0], flux=arcs[0].flux[..., 2:-2, 2:-2])
    with pytest.raises(ValueError, match=r"size \[pixel\] \[28, 28\]"):
        predict(fitted, smaller)


def test_a_scale_within_two_percent_is_the_same(arcs, fitted):
    assert len(predict(fitted, replace(arcs[0][:3], scale=0.2003 * u.arcsec))) == 3


@pytest.mark.parametrize(
    "path",
    ["os.system", "skywright.nets._hidden", "skywright.nets.resnet.torch", "subprocess.Popen"],
)
def test_a_model_cannot_name_code_outside_the_nets(arcs, fitted, path):
    config = fitted.config | {"net": {"path": path, "options": {}}}
    with pytest.raises(ValueError, match="refused"):
        predict(replace(fitted, config=config), arcs[0])


def test_weights_that_do_not_fit_are_named(arcs, fitted):
    weights = {k: v for k, v in fitted.weights.items() if k != "head.bias"}
    with pytest.raises(ValueError, match=r"(?s)do not fit .*head.bias"):
        predict(replace(fitted, weights=weights), arcs[0])
    with pytest.raises(ValueError, match="no net and weights"):
        predict(replace(fitted, weights={}), arcs[0])
