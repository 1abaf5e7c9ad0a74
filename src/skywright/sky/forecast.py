"""Draw lenses as nature would make them in a field: Einstein radii follow the galaxies' light."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.data import Images
from skywright.sky.draw import check_fractions, draw_arcs, every, finish
from skywright.sky.field import Field, read_field

__all__ = ["draw_forecast"]

BRIGHTEST = 5  # galaxies whose mean flux sets the scale: one alone would set it by chance
ARCSEC = 1.2  # their Einstein radius: between those of SLACS (1.2) and of groups
WITHOUT_SCALE = 4.0  # the same in widths of the point spread function, where nothing is known
NARROWEST = 0.6  # widths: Collett 2015 asks for more than the half plus the source, squared
ROUNDS = 1000


def draw_forecast(
    galaxies: QTable,
    images: Images,
    *,
    n: int,
    rng: np.random.Generator,
    lens_fraction: float = 0.5,
    impostor_fraction: float = 0.4,
    brightest: u.Quantity | float | None = None,
    scatter: float = 0.2,
    snr: tuple[float, float] = (2.0, 100.0),
    slope: float = 0.3,
) -> QTable:
    """Draw ``n`` painted cutouts whose lenses are those a survey of this field would hold.

    Luminosity grows as the fourth power of velocity dispersion and the Einstein radius as its
    square, so ``theta_e = brightest (flux / flux of the five brightest)^(1/2)`` with log-normal
    scatter. Galaxies become lenses in proportion to their cross-section, ``theta_e^2``. Without
    redshifts flux stands for luminosity and the normalisation is an assumption, not a
    measurement: the forecast says how a recall depends on what lenses are like, not how many
    lenses there are. Arc S/N follows the number counts of faint blue galaxies, whose power law
    magnification does not change. The other rows are galaxies drawn evenly; impostors have the
    radii and S/N of the lenses.

    Parameters
    ----------
    galaxies, images, n, rng, lens_fraction, impostor_fraction
        As for `draw_systems`.
    brightest : Quantity [angle] or float [pixel], optional
        Einstein radius of the five brightest galaxies; by default 1.2 arcsec, or 4 FWHM where
        the images have no scale. Radii below 0.6 FWHM or beyond half the cutout are left out.
    scatter : float [dex]
        Scatter of the Einstein radius at given flux: 0.15 from the Faber-Jackson relation and as
        much from the distances.
    snr : (low, high)
        Range of arc S/N.
    slope : float [1/mag]
        Slope of the source counts, d log10 N / d magnitude.

    Returns
    -------
    QTable
        As `draw_systems`.

    Raises
    ------
    ValueError
        As `draw_systems`; or no galaxy is bright enough for an Einstein radius within bounds.

    References
    ----------
    Faber & Jackson 1976, ApJ 204, 668. Bernardi et al. 2003 (astro-ph/0301624):
    scatter of 0.07 dex in velocity dispersion. Williams et al. 1996 (astro-ph/9607174): counts
    of the Hubble deep field.
    """
    field = read_field(galaxies, images)
    check_fractions(n, lens_fraction, impostor_fraction)
    lens = rng.permutation(every(n, lens_fraction, rng))
    kind = np.where(lens, "lens", "untouched").astype("U10")
    others = np.flatnonzero(~lens)
    kind[others[every(len(others), impostor_fraction, rng)]] = "impostor"
    fake = kind == "impostor"
    row = rng.integers(len(galaxies), size=n)
    top = _radius_of_brightest(field, images, brightest)
    row[lens], radii = _draw_lenses(field, top, scatter, int(lens.sum()), rng)
    theta_e = np.full(n, np.nan)
    theta_e[lens] = radii
    theta_e[fake] = _draw_lenses(field, top, scatter, int(fake.sum()), rng)[1]
    touched = lens | fake
    signal = _power_law(*snr, 1 + 2.5 * slope, int(touched.sum()), rng)
    arcs = draw_arcs(field, row[touched], theta_e[touched], signal, rng)
    return finish(field, row, kind, arcs, rng)


def _radius_of_brightest(
    field: Field, images: Images, brightest: u.Quantity | float | None
) -> float:
    """Return the Einstein radius of the brightest galaxies in pixels."""
    if brightest is None:
        known = images.scale is not None
        brightest = ARCSEC * u.arcsec if known else WITHOUT_SCALE * field.fwhm
    if isinstance(brightest, u.Quantity) and brightest.unit != u.pix:
        if images.scale is None:
            raise ValueError(
                f"brightest is {brightest}, but the images have no scale ({images.reason}): give "
                "it in pixels"
            )
        brightest = (brightest / images.scale).to_value(u.dimensionless_unscaled)
    radius = float(getattr(brightest, "value", brightest))
    if not radius > 0:
        raise ValueError(f"brightest is {radius:g} pixels; expected a positive Einstein radius")
    return radius


def _draw_lenses(
    field: Field, top: float, scatter: float, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw galaxies and Einstein radii [pixel] in proportion to theta_e^2, within bounds."""
    bounds = NARROWEST * field.fwhm, field.pixels / 2
    flux = np.maximum(np.nan_to_num(field.flux), 0)
    typical = top * np.sqrt(flux / np.sort(flux)[-BRIGHTEST:].mean())
    chance = typical**2 / (typical**2).sum()
    # Weighting a log-normal by its square moves its middle and keeps its width.
    shift = 2 * scatter**2 * np.log(10)
    row, theta_e = np.empty(0, dtype=np.int64), np.empty(0)
    for _ in range(ROUNDS):
        if len(row) >= n:
            return row[:n], theta_e[:n]
        drawn = rng.choice(len(chance), size=max(n, 100), p=chance)
        radius = typical[drawn] * 10 ** (shift + scatter * rng.standard_normal(len(drawn)))
        fine = (radius >= bounds[0]) & (radius <= bounds[1])
        row, theta_e = np.append(row, drawn[fine]), np.append(theta_e, radius[fine])
    raise ValueError(
        f"with {top:.2f} pixels for the brightest galaxies hardly any Einstein radius lies "
        f"between {bounds[0]:.2f} pixels (0.6 FWHM) and {bounds[1]:g} (half the cutout): give "
        "another value for brightest"
    )


def _power_law(
    low: float, high: float, exponent: float, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw from dN/ds proportional to s^-exponent between ``low`` and ``high``."""
    if not 0 < low <= high:
        raise ValueError(f"got the range {low:g} to {high:g}; expected 0 < low <= high")
    if abs(exponent - 1) < 1e-6:
        return np.asarray(low * (high / low) ** rng.random(n))
    a, b = low ** (1 - exponent), high ** (1 - exponent)
    return np.asarray((a + (b - a) * rng.random(n)) ** (1 / (1 - exponent)))
