"""Classical features on images whose truth plain numpy painted."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from skywright.data import Predictions
from skywright.find import append_scores, arc_statistic, einstein_radius, features
from skywright.find.colour import blue_to_red
from skywright.find.galaxy_model import measure_shape, smooth_model
from skywright.find.polar import bilinear, to_polar


@pytest.fixture(scope="module")
def measured(arcs):
    return features(arcs[0][:200])


def test_one_row_an_image_with_the_promised_columns(arcs, measured):
    assert measured["object_id"].tolist() == arcs[0].object_id[:200].tolist()
    assert {"arc_statistic", "flux", "einstein_radius"} <= set(measured.colnames)
    assert measured["flux"].unit == arcs[0].unit
    assert np.isfinite(measured["arc_statistic"]).all()
    assert len(measured.colnames) > 80


def test_arcs_score_higher_than_companions(arcs, measured):
    labels = arcs[1][:200]
    assert roc_auc_score(labels, measured["arc_statistic"]) > 0.85
    np.testing.assert_allclose(arc_statistic(arcs[0][:200]), measured["arc_statistic"], rtol=1e-4)


def test_nothing_but_noise_scores_low(arcs, measured):
    images = arcs[0]
    noise = np.random.default_rng(0).normal(0, 2, images.flux[:60].shape).astype(np.float32)
    empty = arc_statistic(replace(images[:60], flux=noise))
    lenses = measured["arc_statistic"][arcs[1][:200] == 1]
    assert np.median(lenses) > np.quantile(empty, 0.95)


def test_a_quarter_turn_changes_nothing(arcs, measured):
    images = arcs[0][:60]
    turned = features(replace(images, flux=np.rot90(images.flux, axes=(-2, -1)).copy()))
    for name in measured.colnames[1:]:
        before = np.asarray(getattr(measured[name], "value", measured[name]))[:60]
        after = np.asarray(getattr(turned[name], "value", turned[name]))
        close = np.isclose(before, after, rtol=0.01, atol=0.01, equal_nan=True)
        # positions on a grid may fall on either side of a tie: a few rows, never most
        assert close.mean() > 0.9, name


def test_the_radius_of_arcs_is_found(paint_arcs):
    images, radius = paint_arcs(np.ones(60, dtype=int), snr=80.0, seed=3)
    found = einstein_radius(images)
    assert np.median(np.abs(found["einstein_radius"] - radius)) < 1.0
    assert (found["einstein_radius_error"] > 0).all()


def test_blocks_do_not_change_a_row(arcs, measured):
    part = features(arcs[0][100:130])
    np.testing.assert_allclose(part["arc_statistic"], measured["arc_statistic"][100:130], rtol=1e-5)


def test_one_band_and_odd_sizes_work(paint_arcs):
    images, _ = paint_arcs(np.array([0, 1, 1]), size=25, bands=("r",))
    table = features(images)
    assert np.isfinite(table["arc_statistic"]).all()


def test_pixels_that_are_not_finite_must_be_masked(arcs):
    images = arcs[0][:4]
    flux = images.flux.copy()
    flux[1, 0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="1 of 4 images have NaN or infinite"):
        features(replace(images, flux=flux))
    mask = np.zeros(flux[:, 0].shape, dtype=bool)
    mask[1, 0, 0] = True
    assert len(features(replace(images, flux=flux, mask=mask))) == 4


def test_shape_of_an_elliptical_gaussian():
    y, x = np.mgrid[:41, :41].astype(float)
    dx, dy = x - 20.6, y - 19.3
    u, v = dx * np.cos(0.5) + dy * np.sin(0.5), dy * np.cos(0.5) - dx * np.sin(0.5)
    image = 100 * np.exp(-0.5 * ((u / 4) ** 2 + (v / 2.4) ** 2))
    shape = measure_shape(image[None].astype(np.float32), iterations=30)
    assert shape.x[0] == pytest.approx(20.6, abs=0.02)
    assert shape.y[0] == pytest.approx(19.3, abs=0.02)
    assert shape.q[0] == pytest.approx(0.6, abs=0.02)
    assert shape.theta[0] == pytest.approx(0.5, abs=0.02)
    residual = image - smooth_model(image[None, ..., None].astype(np.float32), shape)[0, ..., 0]
    assert np.abs(residual).max() < 4


def test_a_ring_stays_in_the_residual():
    y, x = np.mgrid[:41, :41] - 20.0
    galaxy = 50 * np.exp(-np.hypot(x, y) / 3)
    ring = 5 * np.exp(-0.5 * (np.hypot(x, y) - 10) ** 2)
    stack = (galaxy + ring)[None, ..., None].astype(np.float32)
    residual = (stack - smooth_model(stack, measure_shape(stack[..., 0])))[0, ..., 0]
    # the median along ellipses alone would take all of the ring into the model
    assert residual[ring > 4].mean() > 1.5


def test_polar_grid_follows_a_quarter_turn():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(1, 21, 21, 1)).astype(np.float32)
    middle = np.array([10.0])
    before = to_polar(image, middle, middle)
    after = to_polar(np.rot90(image, -1, axes=(1, 2)), middle, middle)
    np.testing.assert_allclose(np.roll(before, 16, axis=-1), after, atol=1e-5)


def test_interpolation_is_exact_on_a_plane():
    y, x = np.mgrid[:8, :9].astype(np.float32)
    stack = (2 * x - 3 * y)[None, ..., None]
    px, py = np.array([[0.0, 3.25, 8.0]]), np.array([[7.0, 2.5, 0.0]])
    np.testing.assert_allclose(bilinear(stack, px, py)[0, :, 0], (2 * px - 3 * py)[0], atol=1e-5)


@pytest.mark.parametrize(
    ("bands", "order"),
    [
        (("r", "g", "b"), [2, 1, 0]),
        (("F814W", "F435W", "F160W"), [1, 0, 2]),
        (("z", "i", "r", "g"), [3, 2, 1, 0]),
        (("a", "q"), [0, 1]),
    ],
)
def test_bands_are_ordered_by_wavelength(bands, order):
    assert blue_to_red(bands).tolist() == order


def test_scores_of_another_model_become_a_column(measured):
    scores = Predictions(np.asarray(measured["object_id"]), np.arange(len(measured), dtype=float))
    joined = append_scores(measured, scores, name="first")
    np.testing.assert_array_equal(joined["first"], scores.mean)
    assert "first" not in measured.colnames
    with pytest.raises(ValueError, match="a column 'flux' already"):
        append_scores(measured, scores, name="flux")
    with pytest.raises(ValueError, match="not of the same objects in the same order"):
        append_scores(measured[::-1], scores)
