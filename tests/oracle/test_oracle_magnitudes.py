"""AB magnitudes of redshifted templates against speclite, without any table."""

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

filters = pytest.importorskip("speclite.filters")

from skywright.sky.populations import templates  # noqa: E402 - after the skip
from skywright.sky.populations.magnitudes import band_coverage, mag_ab  # noqa: E402

BANDS = ["sdss2010-*", "lsst2023-*"]
COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)


@pytest.fixture(scope="module")
def kcorrect():
    return templates.KCorrectTemplates()


def by_speclite(kcorrect, shares, z):
    """Return magnitudes of galaxies, each of whose spectra speclite sees as it is."""
    loaded = filters.load_filters(*BANDS)
    found = []
    for share, stretch in zip(shares, 1 + z, strict=True):
        flux = (share @ kcorrect.templates) / stretch
        maggies = loaded.get_ab_maggies(flux, kcorrect.wavelength * stretch)
        found.append([maggies[name][0] for name in loaded.names])
    return -2.5 * np.log10(np.array(found))


def test_magnitudes_are_those_of_speclite(kcorrect):
    rng = np.random.default_rng(1)
    z, shares = rng.uniform(0, 3, 150), rng.dirichlet(np.ones(5), 150)
    truth = by_speclite(kcorrect, shares, z)
    given = (kcorrect.wavelength, kcorrect.templates, BANDS)
    exact = mag_ab(*given, redshift=z, coefficients=shares, interpolate=False)
    np.testing.assert_allclose(exact, truth, atol=1e-3)
    # among many galaxies, between the nodes of the table
    many = np.append(z, rng.uniform(0, 3, 5000))
    more = np.concatenate([shares, rng.dirichlet(np.ones(5), 5000)])
    off = np.abs(mag_ab(*given, redshift=many, coefficients=more)[:150] - truth)
    assert np.quantile(off, 0.999) < 0.005
    assert off.max() < 0.02


def test_a_flat_spectrum_has_magnitude_zero_in_every_filter():
    waves = np.array([500.0, 5e3, 5e4]) * u.AA
    fine = np.geomspace(500, 5e4, 20_000) * u.AA
    flat = (3631 * u.Jy).to("erg / (s cm2 AA)", u.spectral_density(fine))
    np.testing.assert_allclose(mag_ab(fine, flat, BANDS), 0, atol=1e-5)
    # a redshift stretches: f_nu of (1 + z), which is 2.5 log(1 + z) brighter
    np.testing.assert_allclose(
        mag_ab(fine, flat, "sdss2010-r", redshift=[0.0, 1.0]), [0, -2.5 * np.log10(2)], atol=1e-5
    )
    assert mag_ab(waves, np.ones(3), BANDS).shape == (11,)


def test_shapes_follow_galaxies_templates_and_filters(kcorrect):
    given = (kcorrect.wavelength, kcorrect.templates)
    assert mag_ab(*given, "sdss2010-r").shape == (5,)
    assert mag_ab(*given, ["sdss2010-r"]).shape == (5, 1)
    assert mag_ab(*given, BANDS, redshift=np.zeros((2, 3))).shape == (2, 3, 5, 11)
    shares = np.full((2, 3, 5), 0.2)
    found = mag_ab(*given, BANDS, redshift=np.ones((2, 3)), coefficients=shares, distmod=40.0)
    assert found.shape == (2, 3, 11)
    assert mag_ab(*given, BANDS, redshift=[], coefficients=np.zeros((0, 5))).shape == (0, 11)


def test_light_beyond_the_templates_is_none(kcorrect):
    z = np.array([0.0, 4.0, 11.0])
    covered = band_coverage(kcorrect.wavelength, ["bessell-U", "sdss2010-z"], z)
    assert covered.tolist() == [[True, True], [False, True], [False, True]]
    shares = np.full((3, 5), 0.2)
    seen = mag_ab(
        kcorrect.wavelength, kcorrect.templates, "bessell-U", redshift=z, coefficients=shares
    )
    assert np.isfinite(seen[:2]).all()
    assert seen[2] == np.inf


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"filters": "nobody-x"}, "nobody"),
        ({"wavelength": np.array([3.0, 2.0, 1.0])}, "ascending"),
        ({"coefficients": np.ones((2, 4))}, "templates along the last axis"),
    ],
)
def test_what_does_not_belong_together_is_refused(change, says):
    given = {"wavelength": np.array([1e3, 5e3, 2e4]), "spectrum": np.ones((5, 3))}
    given |= {"filters": "sdss2010-r", "redshift": np.zeros(2), "coefficients": np.ones((2, 5))}
    with pytest.raises(ValueError, match=says):
        mag_ab(**given | change)


def test_masses_give_the_magnitudes_they_were_asked_for(kcorrect):
    rng = np.random.default_rng(3)
    shares, wanted = rng.dirichlet(np.ones(5), 20), rng.uniform(-22, -16, 20)
    mass = templates.galaxy_stellar_mass(shares, wanted, "bessell-B")
    found = templates.absolute_magnitudes(shares, "bessell-B", mass)
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    z = np.linspace(0.1, 1.0, 20)
    seen = templates.apparent_magnitudes(shares, z, BANDS, COSMOLOGY, stellar_mass=mass)
    alone = templates.apparent_magnitudes(shares, z, BANDS, COSMOLOGY)
    np.testing.assert_allclose(seen, alone - 2.5 * np.log10(mass)[:, None])


def test_every_galaxy_has_a_metallicity_and_a_young_mass_of_its_own(kcorrect):
    one = np.eye(5)
    np.testing.assert_allclose(templates.metallicity(one), kcorrect.mets)
    np.testing.assert_allclose(templates.m300(one), kcorrect.mass300 / kcorrect.mass)
    mass = np.arange(1.0, 6.0)
    np.testing.assert_allclose(templates.m1000(one, mass), kcorrect.mass1000 * mass)
    mixed = np.array([[0.5, 0.5, 0, 0, 0]])
    expected = (kcorrect.mremain * kcorrect.mets)[:2].sum() / kcorrect.mremain[:2].sum()
    np.testing.assert_allclose(templates.metallicity(mixed), expected)
    with pytest.raises(ValueError, match="five templates"):
        templates.m300(np.ones((2, 3)))
