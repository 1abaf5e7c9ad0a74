"""Information about classes, and divergences, where they are known."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn

from skywright import trust


def test_classes():
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=600)
    x = 2 * kind + rng.normal(size=600)
    grid = np.linspace(-8, 10, 4001)
    parts = np.exp(-0.5 * (grid - np.array([[0], [2]])) ** 2) / np.sqrt(2 * np.pi)
    whole = parts.mean(0)
    true = 0.5 * (parts * np.log(parts / whole)).sum() * (grid[1] - grid[0])
    for transform in ("none", "copula"):
        found = trust.class_information(x, np.array(["a", "b"])[kind], transform=transform)
        assert abs(found.value - true) < 3 * found.error
        assert found.p_value == 0.005
    assert trust.class_information(rng.normal(size=600), kind).p_value > 0.01


def test_whole_numbers_of_classes():
    """Gaussians that shrank around whole numbers made -48 nats of 0.206."""
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=500)
    found = trust.class_information(rng.poisson(3 + 3 * kind), kind, permutations=0)
    assert abs(found.value - 0.206) < 2 * found.error


def test_one_far_row_hides_no_classes():
    rng = np.random.default_rng(0)
    kind = np.append(rng.integers(2, size=499), 1)
    x = np.append(2 * kind[:499] + rng.normal(size=499), 1e6)
    found = trust.class_information(x, kind, permutations=0, bootstraps=20)
    assert found.details["transform"] == "copula"
    assert abs(found.value - 0.337) < 2 * found.error


def test_divergence_has_a_direction():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=1000), rng.normal(1, 2, size=1500)
    forward, backward = trust.kullback_leibler(x, y), trust.kullback_leibler(y, x)
    assert abs(forward.value - (np.log(2) + 2 / 8 - 0.5)) < 3 * forward.error
    assert abs(backward.value - (-np.log(2) + 5 / 2 - 0.5)) < 3 * backward.error


def test_divergence_of_whole_numbers():
    """Gaussians that shrank around whole numbers made 4.5 nats of 0.92."""
    rng = np.random.default_rng(0)
    found = trust.kullback_leibler(rng.poisson(3, size=500), rng.poisson(6, size=500))
    assert abs(found.value - 0.9206) < 3 * found.error


def test_divergence_of_very_different_widths():
    rng = np.random.default_rng(0)
    found = trust.kullback_leibler(rng.normal(size=500), 1e4 * rng.normal(size=500))
    assert abs(found.value - (np.log(1e4) - 0.5)) < 3 * found.error


def test_divergence_converts_units():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 200))
    plain = trust.kullback_leibler(x, y, bootstraps=2)
    found = trust.kullback_leibler(x * u.km, 1000 * y * u.m, bootstraps=2)
    assert found.value == pytest.approx(plain.value, abs=1e-6)
    assert plain.warning == ""
    for other in (y * u.s, y):
        with pytest.raises(ValueError, match="not convertible"):
            trust.kullback_leibler(x * u.km, other)


def test_divergence_without_overlap_warns():
    rng = np.random.default_rng(0)
    found = trust.kullback_leibler(rng.normal(size=200), rng.normal(50, 1, size=200), bootstraps=2)
    assert found.warning.startswith("100 % of x lies outside")


def test_classes_that_cannot_be_used_are_refused():
    with pytest.raises(ValueError, match="one class only"):
        trust.class_information(np.arange(40), ["a"] * 40)
    with pytest.raises(ValueError, match="class b has 1 rows"):
        trust.class_information(np.arange(40), ["a"] * 39 + ["b"])


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (np.ma.masked_array(["a", "b"] * 20, mask=[True] * 2 + [False] * 38), "2 of 40 classes"),
        (MaskedColumn(["a", "b"] * 20, mask=[True] * 20 + [False] * 20), "20 of 40 classes are m"),
        ([None, "b"] * 20, "the first in row 0"),
        ([1.0, np.nan] * 20, "the first in row 1"),
        ([["a", "b"]] * 40, r"shape \(40, 2\)"),
        ("a", r"shape \(\)"),
        (["a", "b"], "40 numbers and 2 classes"),
    ],
)
def test_missing_classes_are_no_class(classes, message):
    with pytest.raises(ValueError, match=message):
        trust.class_information(np.arange(40), classes)
