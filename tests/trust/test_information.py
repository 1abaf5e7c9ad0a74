"""Mutual information where it is known, and what cannot be used."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from astropy.utils.masked import Masked
from scipy.stats import multivariate_normal
from sklearn.feature_selection import mutual_info_regression
from sklearn.mixture import GaussianMixture

from skywright import trust
from skywright.trust.information.agreement import neighbour_rows
from skywright.trust.information.choice import draw_starts
from skywright.trust.information.expectation import fit_mixtures
from skywright.trust.information.integrals import mean_under
from skywright.trust.information.known import MIXTURES, draw_known, known_information
from skywright.trust.information.mixtures import invert, log_density
from skywright.trust.information.samples import spread_ties, standardise

MI = [(1, [0, 1]), (-1, [0]), (-1, [1])]


def pair(rho=0.6, n=200, seed=0):
    return np.random.default_rng(seed).multivariate_normal([0, 0], [[1, rho], [rho, 1]], n).T


def test_density_is_that_of_scipy():
    mixture, points = MIXTURES["D5"], np.random.default_rng(0).normal(size=(20, 2))
    expected = sum(
        w * multivariate_normal(m, c).pdf(points)
        for w, m, c in zip(*(a[0] for a in vars(mixture).values()), strict=True)
    )
    np.testing.assert_allclose(log_density(mixture, points)[0], np.log(expected), rtol=1e-10)


def test_inverse_of_many_matrices():
    root = np.random.default_rng(0).normal(size=(7, 4, 3, 3))
    matrices = root @ np.swapaxes(root, -1, -2) + 0.1 * np.eye(3)
    inverse, log_determinant = invert(matrices)
    np.testing.assert_allclose(inverse, np.linalg.inv(matrices), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(log_determinant, np.linalg.slogdet(matrices)[1], rtol=1e-9)


def test_fit_is_that_of_sklearn():
    points = draw_known("D3p", 600, np.random.default_rng(1))
    start = draw_starts(points, 3, 1, 1e-6, np.random.default_rng(2))
    found, likelihood = fit_mixtures(
        points, np.ones((1, 600)), start, floor=1e-6, left=1e-6, most=3000
    )
    other = GaussianMixture(
        3, weights_init=start.weights[0], means_init=start.means[0], tol=1e-9, max_iter=3000,
        precisions_init=np.linalg.inv(start.covariances[0]),
    ).fit(points)  # fmt: skip
    assert likelihood[0] / 600 == pytest.approx(other.score(points), abs=1e-5)
    np.testing.assert_allclose(found.means[0], other.means_, atol=0.02)


def test_weights_are_repeated_rows():
    points = draw_known("D3", 300, np.random.default_rng(1))
    weights = np.random.default_rng(2).integers(0, 3, size=300)
    start = draw_starts(points, 2, 1, 1e-6, np.random.default_rng(3))
    first, _ = fit_mixtures(points, weights[None].astype(float), start, floor=1e-6)
    rows = np.repeat(points, weights, axis=0)
    second, _ = fit_mixtures(rows, np.ones((1, len(rows))), start, floor=1e-6)
    np.testing.assert_allclose(first.means, second.means, atol=1e-8)


@pytest.mark.parametrize("name", sorted(MIXTURES))
def test_nodes_agree_with_a_fine_grid(name):
    assert mean_under(MIXTURES[name], MI)[0] == pytest.approx(known_information(name), abs=1e-3)


def test_published_example():
    found = trust.mutual_information(*pair(), correct=False, transform="none")
    assert found.value == pytest.approx(0.2140917, abs=0.01)
    assert found.error == pytest.approx(0.0429001, abs=0.01)
    assert found.p_value == 0.005
    assert found.bias == 0


def test_units_and_seeds():
    settings = {"permutations": 0, "bootstraps": 10}
    nat, bit = (trust.mutual_information(*pair(), unit=u, **settings) for u in ("nat", "bit"))
    assert bit.value == pytest.approx(nat.value / np.log(2))
    assert bit.error == pytest.approx(nat.error / np.log(2))
    assert trust.mutual_information(*pair(), **settings) == nat or np.isnan(nat.p_value)
    again = trust.mutual_information(*pair(), rng=np.random.default_rng(0), **settings)
    assert (again.value, again.error) == (nat.value, nat.error)


def test_copula_knows_no_monotone_transform():
    x, y = pair()
    settings = {"transform": "copula", "permutations": 19, "bootstraps": 5}
    first = trust.mutual_information(x, y, **settings)
    second = trust.mutual_information(np.exp(3 * x), y**3, **settings)
    assert first == second


@pytest.mark.parametrize("name", ["D1", "D3p", "gamma-exponential"])
def test_error_holds_the_truth(name):
    true, inside = known_information(name), 0
    for trial in range(8):
        x, y = draw_known(name, 400, np.random.default_rng(trial)).T
        found = trust.mutual_information(
            x, y, permutations=0, bootstraps=20, components=4, seed=trial
        )
        inside += abs(found.value - true) < found.error
    assert inside >= 3  # of 8; 68 %: fewer have a chance of 2 %


def test_correction_removes_what_fits_of_noise_add():
    x, y = draw_known("D3", 300, np.random.default_rng(4)).T
    settings = {"permutations": 0, "bootstraps": 5, "transform": "none"}
    plain = trust.mutual_information(x, y, correct=False, **settings)
    corrected = trust.mutual_information(x, y, **settings)
    assert corrected.value < plain.value
    assert corrected.bias == pytest.approx(plain.value - corrected.value)


def test_corrected_error_is_that_of_a_mean_over_rows():
    x, y = draw_known("D3p", 1000, np.random.default_rng(0)).T
    settings = {"permutations": 0, "transform": "none", "components": 4, "bootstraps": 200}
    plain = trust.mutual_information(x, y, correct=False, **settings)
    corrected = trust.mutual_information(x, y, **settings)
    rows = log_density(MIXTURES["D3p"], np.column_stack([x, y]))[0]
    for i, column in enumerate((x, y)):
        rows -= log_density(MIXTURES["D3p"].margin([i]), column[:, None])[0]
    assert corrected.error == pytest.approx(rows.std() / np.sqrt(1000), rel=0.15)
    assert plain.error < corrected.error


@pytest.mark.parametrize("signs", [(1, 1), (-1, 1), (1, -1)])
def test_edge_of_ordered_columns_is_followed(signs):
    x, y = draw_known("weinman", 600, np.random.default_rng(0)).T
    found = trust.mutual_information(
        signs[0] * x, signs[1] * y, permutations=0, bootstraps=20, components=4
    )
    assert found.details["transform"] == "gap"
    assert abs(found.value - known_information("weinman")) < 2 * found.error


def test_order_without_an_edge_needs_no_gap():
    x, y = pair()
    found = trust.mutual_information(x, y + 20, permutations=0, bootstraps=5, components=2)
    assert found.details["transform"] != "gap"


def test_what_mixtures_miss_widens_the_error():
    x, noise = np.random.default_rng(0).normal(size=(2, 500))
    settings = {"permutations": 0, "bootstraps": 20, "components": 1}
    missed = trust.mutual_information(x, x**2 + 0.3 * noise, unit="bit", **settings)
    assert missed.warning.startswith("distances to neighbours see")
    other = trust.neighbour_information(x, x**2 + 0.3 * noise, unit="bit", subsamples=2)
    assert missed.high > 0.9 * other.value
    assert trust.mutual_information(*pair(), **settings).warning == ""
    rounded = trust.mutual_information(x.round(1), (x**2).round(1), **settings)
    assert rounded.warning != ""  # repeated values are spread, so that there are distances


@pytest.mark.parametrize("levels", [2, 10])
def test_repeated_values_hold_no_spikes(levels):
    """Gaussians that shrank around whole numbers made -0.5 of none, and up to 4.8 of 0.2."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(levels, size=(2, 300))
    found = trust.mutual_information(x, y, permutations=0, bootstraps=20)
    assert abs(found.value) < 0.03
    bits = np.where(rng.random(300) < 0.8, x, 1 - x)
    if levels == 2:
        known = np.log(2) + 0.8 * np.log(0.8) + 0.2 * np.log(0.2)
        found = trust.mutual_information(x, bits, permutations=0, bootstraps=20)
        assert abs(found.value - known) < 2 * found.error


@pytest.mark.parametrize("shift", [20, 60_000.1])
def test_a_shift_is_no_gap(shift):
    """Its logarithm does not vary, which ended in a division by zero."""
    x = np.arange(60.0)
    found = trust.mutual_information(x, x + shift, permutations=0, bootstraps=2, components=2)
    assert found.details["transform"] != "gap"
    assert found.value > 3


def test_times_are_numbers():
    x, y = pair(n=60)
    times = QTable({"t": Time(60_000 + 10 * y, format="mjd")})
    found = trust.information_table(x[:, None], times, permutations=0, bootstraps=2)
    assert found["value"][0] > 0.05


def test_whole_numbers_in_order_have_no_edge():
    rng = np.random.default_rng(2)
    x = rng.poisson(3, size=300)
    found = trust.mutual_information(x, x + 1 + rng.poisson(3, size=300), permutations=0)
    assert found.details["transform"] != "gap"
    assert abs(found.value - 0.368) < 2 * found.error  # H(Poisson(6)) - H(Poisson(3))


def test_spread_values_can_be_read_back():
    column = np.array([0, 0, 1, 1, 2, 2, 2, 90.0, 90])
    spread = spread_ties(column, np.random.default_rng(0))
    np.testing.assert_array_equal(np.round(spread), column)
    assert len(np.unique(spread)) == len(column)
    single = np.array([1.0, 2, 5])
    assert spread_ties(single, np.random.default_rng(0)) is single


@pytest.mark.parametrize("far", [-99, 1e6])
def test_one_row_far_from_the_others_decides_nothing(far):
    """A flag in both columns, such as a magnitude of -99, met the tail of a Gaussian: 2.8 nats."""
    x, y = pair(n=300, seed=5)
    x[0] = y[0] = far
    found = trust.mutual_information(x, y, permutations=0, bootstraps=20)
    assert abs(found.value - 0.2231) < 3 * found.error
    assert found.error < 0.06


def test_neighbour_rows_are_those_of_sklearn():
    x, y = pair(n=300)
    points = standardise([x, y])
    other = mutual_info_regression(points[:, :1], points[:, 1], n_neighbors=3, random_state=0)
    assert neighbour_rows(points, 3).mean() == pytest.approx(other[0], abs=0.01)


def test_a_plateau_is_no_end():
    """Likelihood that rises by 100 and then by 10 may rise by another 10."""
    points = draw_known("D3", 1000, np.random.default_rng(1))
    start = draw_starts(points, 3, 4, 1e-6, np.random.default_rng(2))
    _, rough = fit_mixtures(points, np.ones((4, 1000)), start, floor=1e-6, left=1.0)
    _, fine = fit_mixtures(points, np.ones((4, 1000)), start, floor=1e-6, left=1e-3, most=2000)
    assert (fine - rough).min() < 1
    assert (fine - rough).max() < 12


def test_independent_samples_are_seldom_found():
    p = []
    for trial in range(40):
        x, y = np.random.default_rng(trial).normal(size=(2, 60))
        p.append(
            trust.mutual_information(
                np.exp(x), y, permutations=39, bootstraps=2, components=1, seed=trial
            ).p_value
        )
    assert np.mean(np.array(p) <= 0.05) <= 0.2
    assert 0.3 < np.mean(p) < 0.7


def test_what_is_no_correlation_is_found():
    x, noise = np.random.default_rng(0).normal(size=(2, 300))
    found = trust.mutual_information(x, x**2 + 0.5 * noise, permutations=39, bootstraps=5)
    assert found.p_value == 1 / 40
    assert found.value > 0.3


def test_known_information_of_the_others():
    """By another way: the mean log density ratio of many draws."""
    rng = np.random.default_rng(0)
    x, y = draw_known("gamma-exponential", 200_000, rng).T
    ratio = np.log(x) - x * y + 2 * np.log1p(y)  # f(y) = 1 / (1 + y)**2
    assert known_information("gamma-exponential") == pytest.approx(ratio.mean(), abs=0.01)
    x, y = draw_known("weinman", 200_000, rng).T
    assert known_information("weinman") == pytest.approx((2 * x - np.log(2 * y)).mean(), abs=0.01)


def test_conditional_information():
    rng = np.random.default_rng(0)
    z, a, b = rng.normal(size=(3, 800))
    x, y = z + a, z + 0.5 * a + b
    found = trust.conditional_information(x, y, z, bootstraps=20)
    assert abs(found.value - 0.5 * np.log(1.25)) < 3 * found.error
    none = trust.conditional_information(x, z + b, np.column_stack([z]), bootstraps=20)
    assert abs(none.value) < 0.01


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            np.ma.masked_array(np.arange(40.0), mask=[True] * 3 + [False] * 37),
            "3 of 40 values of g",
        ),
        (MaskedColumn(np.arange(40.0), mask=[True] * 3 + [False] * 37), "3 of 40 values of given"),
        (np.ma.masked_less(np.arange(80.0).reshape(40, 2), 1), r"1 of 40 values of given\[0\]"),
        (Masked(np.arange(40.0) * u.m, mask=[True] * 3 + [False] * 37), "3 of 40 values of given"),
        (3.0, r"given has shape \(\)"),
        (Table({"age": np.ones(40)}), r"given\['age'\] is constant"),
    ],
)
def test_what_cannot_be_given_is_refused(given, message):
    x, y = pair(n=40)
    with pytest.raises(ValueError, match=message):
        trust.conditional_information(x, y, given)


def test_a_table_can_be_given():
    rng = np.random.default_rng(0)
    x, y, z, other = rng.normal(size=(4, 200))
    settings = {"bootstraps": 2, "components": 2}
    first = trust.conditional_information(x, y, np.column_stack([z, other]), **settings)
    table = Table({"z": z, "other": other})
    assert trust.conditional_information(x, y, table, **settings).value == first.value


def test_neighbours_agree():
    x, y = pair(n=500)
    found = trust.neighbour_information(x, y, subsamples=20)
    assert abs(found.value - 0.2231) < 3 * found.error
    assert 0.02 < found.error < 0.1
    with pytest.raises(ValueError, match="subsamples is 1"):
        trust.neighbour_information(x, y, subsamples=1)


@pytest.mark.parametrize(
    ("x", "y", "settings", "message"),
    [
        (
            [1, np.nan] * 20,
            range(40),
            {},
            "20 of 40 values of x are not",
        ),
        (range(40), np.ones(40), {}, "y is constant"),
        (range(40), range(41), {}, "different lengths: x has 40 rows and y has 41"),
        (range(10), range(10), {}, "10 rows; expected at least 30"),
        (["a"] * 40, range(40), {}, "does not hold numbers"),
        (np.ones((40, 2)), range(40), {}, "expected one number for each row"),
        (range(40), range(40), {"unit": "dB"}, "expected one of nat, bit"),
        (range(40), range(40), {"criterion": "dic"}, "expected cv, aic, bic"),
        (range(40), range(40), {"transform": "log"}, "expected none, copula, auto"),
        (range(40), range(40), {"bootstraps": 1}, "at least 2"),
        (1e200 * np.arange(40), range(40), {}, "change its unit"),
        (1e-200 * np.arange(40), range(40), {}, "change its unit"),
        (1j * np.arange(40), range(40), {}, "does not hold numbers"),
        ([10**400, *range(39)], range(40), {}, "does not hold numbers"),
        (range(40), range(40), {"folds": 41}, "more than the 40 rows"),
        (range(40), range(40), {"permutations": -1}, "expected 0 or more"),
    ],
)
def test_what_cannot_be_used_is_refused(x, y, settings, message):
    with pytest.raises(ValueError, match=message):
        trust.mutual_information(x, y, **settings)


def test_identical_columns_have_much_information():
    x = np.random.default_rng(0).normal(size=100)
    found = trust.mutual_information(x, x, bootstraps=5, permutations=19, components=3)
    assert np.isfinite(found.value)
    assert found.value > 3
