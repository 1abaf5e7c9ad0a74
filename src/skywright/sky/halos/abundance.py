"""Abundance matching: stellar masses for halos, by equal number densities, with scatter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import astropy.units as u
import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import gaussian_filter1d

from skywright.sky.halos.checks import SMALLEST, checked_redshifts
from skywright.sky.halos.tabulated import cumulative

__all__ = ["deconvolved", "match_abundance", "stellar_mass_function"]

# A number, or a function of redshift.
Evolving = float | Callable[[np.ndarray], np.ndarray]

_STEP = 0.01  # dex
_FAINT, _BRIGHT = 10.0, 3.0  # dex below and above the characteristic mass
_REDSHIFT_STEP = 0.1
_ITERATIONS = 200
_RAREST = 1e-15  # 1 / Mpc3: less than one in all that can be seen
_SMALLEST = 1e-200
_UNITS = {"m_star": "Msun", "phi_star": "Mpc-3", "alpha": ""}


def stellar_mass_function(
    log_mass: np.ndarray, redshift: float, schechter: Sequence[Mapping[str, Evolving]]
) -> np.ndarray:
    r"""Return the sum of Schechter functions per dex of stellar mass.

    Parameters
    ----------
    log_mass : (…)
        log10 of the stellar mass in Msun.
    redshift : float
        Where parameters are functions, they are called with it.
    schechter : sequence of mappings
        As for `match_abundance`.

    Returns
    -------
    (…) [1 / (Mpc3 dex)]

    References
    ----------
    Baldry et al. 2012, MNRAS 421, 621, eq. 6, for two components.
    """
    x = np.asarray(log_mass, dtype=float)
    total = np.zeros(x.shape)
    for component in schechter:
        m_star, phi_star, alpha = _values(component, redshift)
        log_ratio = x - np.log10(m_star)
        total += np.log(10) * phi_star * 10 ** (log_ratio * (alpha + 1)) * np.exp(-(10**log_ratio))
    return total


def match_abundance(
    number_density: np.ndarray,
    redshift: np.ndarray,
    schechter: Sequence[Mapping[str, Evolving]],
    *,
    scatter: float = 0.2,
    rng: np.random.Generator,
) -> np.ndarray:
    r"""Draw stellar masses of halos so that a stellar mass function comes out.

    The k-th heaviest halo of a volume gets the k-th heaviest galaxy, but for a lognormal scatter at
    fixed halo mass. Scatter lifts more galaxies up than down, so the stellar mass function is
    deconvolved first: halos are matched to what, scattered, gives the wanted one (Behroozi et al.
    2010), found with the iteration of Richardson and Lucy.

    No Gaussian scatter can make an end as steep as that of a Schechter function. What the
    deconvolution leaves over is taken away in a last step, which maps scattered masses on masses of
    equal number density: the stellar mass function always comes out, and it is the scatter of the
    heaviest galaxies that gets smaller than asked for.

    Parameters
    ----------
    number_density : (n,) [1 / Mpc3]
        Comoving number density of halos heavier than each, as `halo_number_density` gives it.
    redshift : (n,)
        Redshifts of the halos.
    schechter : sequence of mappings
        The stellar mass function: one Schechter function or the sum of several, each with
        ``m_star`` [Msun], ``phi_star`` [1 / Mpc3] and ``alpha``; numbers, or functions of redshift.
    scatter : float [dex]
        Rms of log10 of the stellar mass at fixed halo mass.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (n,) [Msun]
        Stellar masses. They follow the stellar mass function down to where the halos are all
        there: halos lighter than the least would have scattered some galaxies up.

    Raises
    ------
    ValueError
        When there are more halos than galaxies, or an argument makes no sense.

    References
    ----------
    Behroozi, Conroy & Wechsler 2010, ApJ 717, 379; Reddick et al. 2013, ApJ 771, 30,
    for 0.2 dex; Richardson 1972, JOSA 62, 55; Lucy 1974, AJ 79, 745.

    Examples
    --------
    >>> mass = match_abundance(
    ...     [1e-2, 1e-5], 0.0, [{"m_star": 5e10, "phi_star": 4e-3, "alpha": -1.2}], scatter=0.0,
    ...     rng=np.random.default_rng(0),
    ... )
    >>> np.log10(mass).round(2)
    array([ 9.64, 11.31])
    """
    density = u.Quantity(number_density, "Mpc-3").value
    n, z = np.broadcast_arrays(np.asarray(density, dtype=float), checked_redshifts(redshift))
    if not (np.isfinite(n) & (n >= 0)).all():
        raise ValueError("number densities have to be finite and not negative, in 1 / Mpc3")
    if not 0 <= scatter < 1:
        raise ValueError(f"scatter is {scatter}; expected a number of dex from 0 up to 1")
    if n.size == 0:
        return np.empty(n.shape)
    log_mass, redshifts = _grids(z, schechter)
    functions = [stellar_mass_function(log_mass, float(node), schechter) for node in redshifts]
    wanted = np.stack([_above(log_mass, function) for function in functions])
    _check_enough(n, z, redshifts, wanted[:, 0])
    if scatter == 0:
        return np.asarray(10 ** _matched(n, z, log_mass, redshifts, wanted))
    intrinsic = [deconvolved(function, scatter / _STEP) for function in functions]
    before = np.stack([_above(log_mass, function) for function in intrinsic])
    after = np.stack([_above(log_mass, _blurred(f, scatter / _STEP)) for f in intrinsic])
    mass = _matched(n, z, log_mass, redshifts, before) + scatter * rng.standard_normal(n.shape)
    final = np.stack(
        [_inverse(row, log_mass, of) for row, of in zip(wanted, np.log(after), strict=True)]
    )
    return np.asarray(10 ** _between(redshifts, log_mass, final, z, mass))


def deconvolved(function: np.ndarray, width: float) -> np.ndarray:
    """Return what, convolved with a Gaussian, comes closest to a positive function.

    Parameters
    ----------
    function : (node,)
        On an even grid.
    width : float
        Standard deviation in steps of the grid.

    References
    ----------
    Richardson 1972, JOSA 62, 55; Lucy 1974, AJ 79, 745, eq. 15.
    """
    found = function
    for _ in range(_ITERATIONS):
        made = np.maximum(_blurred(found, width), _SMALLEST)
        found = found * _blurred(function / made, width)
    return np.asarray(found)


def _blurred(function: np.ndarray, width: float) -> np.ndarray:
    return np.asarray(gaussian_filter1d(function, width, mode="nearest", truncate=8.0))


def _values(component: Mapping[str, Evolving], redshift: float) -> tuple[float, float, float]:
    """Return m_star, phi_star and alpha of a component at a redshift."""
    numbers = []
    for name, unit in _UNITS.items():
        value = component[name]
        plain = value(np.asarray(redshift)) if callable(value) else value
        number = np.asarray(u.Quantity(plain, unit).value, dtype=float)
        if number.ndim or not np.isfinite(number) or (name != "alpha" and number <= 0):
            raise ValueError(f"{name} is {number}; expected a number (of redshift, at most)")
        if name == "m_star" and number < SMALLEST:
            raise ValueError(f"m_star is {number:g} Msun; expected a mass, not its logarithm")
        numbers.append(float(number))
    return numbers[0], numbers[1], numbers[2]


def _grids(
    z: np.ndarray, schechter: Sequence[Mapping[str, Evolving]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the grid of log10 stellar masses, and redshifts: two where nothing evolves."""
    if not schechter or any(
        not isinstance(part, Mapping) or set(part) != set(_UNITS) for part in schechter
    ):
        raise ValueError(
            f"schechter is {schechter}; expected a list of mappings, each with m_star, phi_star "
            "and alpha"
        )
    low, high = float(z.min()), float(z.max()) + 1e-6
    evolves = any(callable(value) for component in schechter for value in component.values())
    nodes = int(np.ceil((high - low) / _REDSHIFT_STEP)) + 1 if evolves else 2
    redshifts = np.linspace(low, high, max(nodes, 2))
    stars = [np.log10(_values(part, float(node))[0]) for node in redshifts for part in schechter]
    return np.arange(min(stars) - _FAINT, max(stars) + _BRIGHT, _STEP), redshifts


def _above(log_mass: np.ndarray, function: np.ndarray) -> np.ndarray:
    """Return the number density above each mass [1 / Mpc3]."""
    tail = cumulative(-log_mass[::-1], np.asarray(function)[None, ::-1])[0, ::-1]
    return np.asarray(np.maximum(tail, _SMALLEST))


def _check_enough(n: np.ndarray, z: np.ndarray, redshifts: np.ndarray, total: np.ndarray) -> None:
    galaxies = np.interp(z, redshifts, total)
    if (n > galaxies).any():
        worst = np.argmax(n / galaxies)
        raise ValueError(
            f"{n.flat[worst]:.3g} halos per Mpc3 at redshift {z.flat[worst]:.3g}, but "
            f"{galaxies.flat[worst]:.3g} galaxies in the stellar mass function; leave out the "
            "lightest halos"
        )


def _matched(
    n: np.ndarray, z: np.ndarray, log_mass: np.ndarray, redshifts: np.ndarray, above: np.ndarray
) -> np.ndarray:
    """Return log10 of the masses above which there are as many galaxies as there are halos."""
    log_n = np.linspace(np.log(_RAREST), np.log(above[:, 0].max()), 4 * len(log_mass))
    table = np.stack([_inverse(row, log_mass, log_n) for row in above])
    return _between(redshifts, log_n, table, z, np.log(np.maximum(n, _RAREST)))


def _inverse(above: np.ndarray, log_mass: np.ndarray, log_n: np.ndarray) -> np.ndarray:
    """Return the log masses above which there is a given log number density."""
    return np.asarray(np.interp(log_n, np.log(above[::-1]), log_mass[::-1]))


def _between(
    redshifts: np.ndarray, nodes: np.ndarray, table: np.ndarray, z: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Interpolate a table in redshift and in its other argument, which ends at its last nodes."""
    between = RegularGridInterpolator((redshifts, nodes), table)
    at = np.clip(at, nodes[0], nodes[-1])
    return np.asarray(between(np.stack([z.ravel(), at.ravel()], axis=1)).reshape(at.shape))
