"""What follows from drawn parameters: Einstein radii, positions, edited magnitudes, backgrounds."""

from __future__ import annotations

import numpy as np
from astropy.constants import c
from scipy.spatial import cKDTree

from skywright.sky.deeplenstronomy.columns import canonical
from skywright.sky.deeplenstronomy.model import Backgrounds, Configuration, Simulation
from skywright.sky.deeplenstronomy.user_distributions import parameter_of
from skywright.sky.distances import Cosmology, angular_distances

__all__ = [
    "edit_magnitudes",
    "einstein_radius",
    "pick_backgrounds",
    "place_in_foreground",
    "place_points",
]

LIGHT_KM_S = c.to_value("km/s")
ARCSEC_PER_RAD = 180 / np.pi * 3600
BLUER = {"g": 1.0, "r": 0.5}
REDDER = {"i": 0.5, "z": 1.0, "Y": 1.5}


def einstein_radius(
    sigma_v: np.ndarray, z_lens: np.ndarray, z_source: np.ndarray, cosmology: Cosmology
) -> np.ndarray:
    """Return the Einstein radius of a singular isothermal sphere.

    Parameters
    ----------
    sigma_v : (n,) [km/s]
        Velocity dispersion.
    z_lens, z_source : (n,)
        Redshifts.
    cosmology : FLRW, or sequence of FLRW
        Distances; one for all, or one for each.

    Returns
    -------
    theta_e : (n,) [arcsec]
        4 pi (sigma_v / c)^2 D_ls / D_s; 0 where the source is not behind the lens.

    References
    ----------
    Schneider, Ehlers & Falco 1992, Gravitational Lenses, eq. 8.34.

    Examples
    --------
    >>> from astropy.cosmology import FlatLambdaCDM
    >>> z = np.array([0.5]), np.array([2.0])
    >>> einstein_radius(np.array([220.0]), *z, FlatLambdaCDM(70, 0.3)).round(2)
    array([0.89])
    """
    _, far, between = angular_distances(z_lens, z_source, cosmology)
    return np.asarray(4 * np.pi * (sigma_v / LIGHT_KM_S) ** 2 * between / far * ARCSEC_PER_RAD)


def place_in_foreground(u: np.ndarray, half: float) -> tuple[np.ndarray, np.ndarray]:
    """Return positions [arcsec] anywhere in a stamp of half-width ``half``, from (n, 2)."""
    return (2 * u[:, 0] - 1) * half, (2 * u[:, 1] - 1) * half


def place_points(
    x: np.ndarray,
    y: np.ndarray,
    sep: np.ndarray,
    angle: np.ndarray,
    redshift: np.ndarray | None,
    cosmology: Cosmology,
) -> tuple[np.ndarray, np.ndarray]:
    """Return where points beside their hosts are.

    Parameters
    ----------
    x, y : (n,) [arcsec]
        Centres of the hosts.
    sep : (n,) [arcsec] or [kpc]
        Distance to them; in physical kpc where there is a redshift.
    angle : (n,) [rad]
        Counter-clockwise from +x.
    redshift : (n,), optional
        Of the host.
    cosmology : FLRW, or sequence of FLRW
        Distances; one for all, or one for each.

    Returns
    -------
    x, y : (n,) [arcsec]
    """
    if redshift is not None:
        distance, *_ = angular_distances(redshift, redshift, cosmology)
        sep = sep * ARCSEC_PER_RAD / (1000 * distance)  # kpc in a Mpc
    return x + sep * np.cos(angle), y + sep * np.sin(angle)


def edit_magnitudes(
    function: str, amount: float, magnitudes: np.ndarray, bands: tuple[str, ...]
) -> np.ndarray:
    """Brighten a profile in all bands, or in the blue or red ones.

    Parameters
    ----------
    function : str
        ``brighten_everything``, ``make_blueer`` or ``make_redder``.
    amount : float [mag]
        How much brighter; the colours share it out as deeplenstronomy does.
    magnitudes : (n,) or (n, band) [mag]
        As drawn.
    bands : tuple of str
        Names of the bands.

    Returns
    -------
    (n, band) [mag]
    """
    shares = {"make_blueer": BLUER, "make_redder": REDDER}.get(function)
    steps = np.array([1.0 if shares is None else shares.get(band, 0.0) for band in bands])
    wide = magnitudes if magnitudes.ndim == 2 else np.repeat(magnitudes[:, None], len(bands), 1)
    return wide - amount * steps


def pick_backgrounds(
    simulation: Simulation,
    configuration: Configuration,
    values: dict[str, np.ndarray],
    numbers: np.ndarray,
) -> np.ndarray:
    """Return the number of the background of each image, -1 where it gets none.

    The nearest row of the map is taken, each of its columns divided by its standard deviation;
    without a column of this configuration in the map, or without a map, any.
    """
    backgrounds = simulation.backgrounds
    if backgrounds is None or configuration.label not in backgrounds.configurations:
        return np.full(len(numbers), -1)
    if backgrounds.iterate:
        return np.asarray(numbers) % backgrounds.count
    wanted, known = _match(backgrounds, configuration, values, simulation.bands)
    if not known:
        return (values["u-BACKGROUND"] * backgrounds.count).astype(int)
    table = np.stack(known, axis=1)
    spread = table.std(axis=0)
    spread[spread == 0] = 1.0
    _, nearest = cKDTree(table / spread).query(np.stack(wanted, axis=1) / spread, p=1)
    return np.asarray(nearest)


def _match(
    backgrounds: Backgrounds,
    configuration: Configuration,
    values: dict[str, np.ndarray],
    bands: tuple[str, ...],
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return what is wanted of an image and what is known of backgrounds, column by column."""
    wanted, known = [], []
    for place, name in enumerate(backgrounds.names):
        label, path, band = parameter_of(name, bands)
        path = canonical(path)
        if label not in (None, configuration.label) or path not in values:
            continue
        assert backgrounds.values is not None
        drawn = values[path]
        column = 0 if band is None else bands.index(band)
        wanted.append(drawn if drawn.ndim == 1 else drawn[:, column])
        known.append(backgrounds.values[:, place])
    return wanted, known
