import astropy.units as u
import numpy as np
import pytest

from skywright.data import Images, fit_hull, image_summary, outside_hull, shuffle_labels


def images(flux):
    return Images(flux, ("g", "r"), u.ct, 0.2 * u.arcsec, np.arange(len(flux)))


def test_rows_like_the_training_are_inside_and_others_are_not():
    rng = np.random.default_rng(1)
    mix = rng.normal(size=(6, 6))
    hull = fit_hull(rng.normal(size=(2000, 6)) @ mix, list("abcdef"))
    assert outside_hull(hull, rng.normal(size=(2000, 6)) @ mix).mean() < 0.01
    assert outside_hull(hull, 6 * rng.normal(size=(500, 6)) @ mix).mean() > 0.9


def test_a_value_that_breaks_a_correlation_is_outside_though_in_the_box():
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 1, 1000)
    hull = fit_hull(np.stack([x, x + 0.01 * rng.normal(size=1000)], axis=1), ["x", "y"])
    assert outside_hull(hull, np.array([[0.9, -0.9], [0.5, 0.5]])).tolist() == [True, False]


def test_a_missing_value_alone_is_not_outside():
    hull = fit_hull(np.random.default_rng(3).normal(size=(100, 2)), ["a", "b"])
    assert not outside_hull(hull, np.array([[np.nan, 0.0]])).any()
    with pytest.raises(ValueError, match="3 features for a domain of 2"):
        outside_hull(hull, np.zeros((1, 3)))


def test_depth_and_seeing_move_the_summary_of_an_image():
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(50, 2, 32, 32))
    plain, names = image_summary(images(noise))
    assert names[0] == "noise g"
    deep, _ = image_summary(images(0.1 * noise))
    smooth, _ = image_summary(images((noise + np.roll(noise, 1, axis=-2)) / np.sqrt(2)))
    column = {name: i for i, name in enumerate(names)}
    assert np.allclose(deep[:, column["noise g"]], plain[:, column["noise g"]] - 1, atol=1e-6)
    assert np.allclose(deep[:, column["peak g"]], plain[:, column["peak g"]], atol=1e-5)
    gain = smooth[:, column["smoothness r"]] - plain[:, column["smoothness r"]]
    assert gain.mean() > 0.3


def test_shuffled_labels_are_the_same_ones_in_another_order():
    labels = np.repeat([0, 1], 50)
    shuffled = shuffle_labels(labels, np.random.default_rng(5))
    assert shuffled.sum() == labels.sum()
    assert (shuffled != labels).any()
    assert (shuffle_labels(labels, np.random.default_rng(5), shuffle=False) == labels).all()
    assert (shuffle_labels(labels, np.random.default_rng(5), seed=1) != shuffled).any()
