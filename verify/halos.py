"""Halos against equations evaluated without the package; galaxies against what was put in.

Counts of a light cone stand beside the mass function of Tinker et al. 2008 on the transfer function
of Eisenstein & Hu 1998, both written out in ``tests/halo_truth.py`` with scipy alone. Stellar
masses matched to halos have to give the stellar mass function of Baldry et al. 2012 back, and an
occupation of Zheng, Coil & Zehavi 2007 its number density and its means.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import astropy.units as u
import matplotlib
import numpy as np
from astropy.cosmology import FlatLambdaCDM
from record import ROOT, record
from scipy import stats
from scipy.special import erf

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from halo_truth import Truth

from skywright.sky import (
    draw_halos,
    draw_hod_galaxies,
    halo_mass_function,
    halo_number_density,
    match_abundance,
)

COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3, Ob0=0.05)
POWER = {"sigma8": 0.81, "ns": 0.96}
AREA = 2000 * u.deg**2
REDSHIFTS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
MASSES = np.array([5e12, 1e13, 2e13, 5e13, 1e14, 2e14, 5e14, 1e16])
# Baldry et al. 2012, MNRAS 421, 621: log mass of the knee, and phi and alpha of two components
KNEE, COMPONENTS = 10.66, ((3.96e-3, -0.35), (0.79e-3, -1.47))
NEAR, WHOLE_SKY = (0.0, 0.15), 4 * np.pi * u.sr
NEAR_VOLUME = COSMOLOGY.comoving_volume(NEAR[1]).to_value("Mpc3")
# Zheng et al. 2007, table 1, M_r < -20: logarithms of Msun / h
LOG_MIN, SIGMA, LOG_0, LOG_1, ALPHA = 12.02, 0.26, 11.38, 13.31, 1.06

# What has to hold: set before the first run.
CURVE, SMALLEST_P, DEX, DENSITY = 0.01, 1e-3, 0.02, 0.01


def main() -> int:
    truth, rng = (
        Truth(**{"h": 0.7, "matter": 0.3, "baryons": 0.05} | POWER),
        np.random.default_rng(1),
    )
    counts, curves = light_cone(truth, rng)
    z, mass = draw_halos(NEAR, 2e11, 1e16, WHOLE_SKY, COSMOLOGY, rng=rng, **POWER)
    matching, functions = stellar_masses(z, mass, rng)
    occupation, means = occupied(truth, mass, rng)
    figures = {
        "mass_function": curve(truth),
        "light_cone": counts,
        "abundance_matching": matching,
        "occupation": occupation,
        "speed": speed(rng),
    }
    for name, part in figures.items():
        print(name, *part.items() if isinstance(part, dict) else part, sep="\n  ")
    record("halos", figures)
    draw(curves, functions, means)
    return int(not passed(figures))


def passed(figures: dict[str, Any]) -> bool:
    """Return whether every bound holds, and print those that do not."""
    bounds = {
        "mass function": figures["mass_function"]["largest_difference"] < CURVE,
        "light cone": figures["light_cone"]["all bins"]["p"] > SMALLEST_P,
        "stellar masses": all(
            row["largest_residual_dex"] < DEX for row in figures["abundance_matching"]
        ),
        "occupation": abs(figures["occupation"]["number density"]["ratio"] - 1) < DENSITY,
    }
    for name, holds in bounds.items():
        if not holds:
            print(f"{name}: beyond its bound")
    return all(bounds.values())


def curve(truth: Truth) -> dict[str, float]:
    """Compare the mass function itself, without draws."""
    mass, z = np.geomspace(1e10, 1e15, 101), np.linspace(0, 2, 9)
    found = halo_mass_function(mass, z, COSMOLOGY, **POWER)
    ratio = found / [truth.tinker08(mass, redshift) for redshift in z] - 1
    return {
        "largest_difference": float(np.abs(ratio).max()),
        "rms_difference": float(np.sqrt((ratio**2).mean())),
    }


def light_cone(truth: Truth, rng: np.random.Generator) -> tuple[dict[str, Any], list[Any]]:
    """Count halos in bins of mass and redshift beside the integral of the truth."""
    z, mass = draw_halos(
        REDSHIFTS[[0, -1]], MASSES[0], MASSES[-1], AREA, COSMOLOGY, rng=rng, **POWER
    )
    found = np.histogram2d(z, mass, [REDSHIFTS, MASSES])[0]
    true = expected(truth, REDSHIFTS, np.log(MASSES))
    rows = {
        f"{low:.0e} to {high:.0e} Msun": interval(int(n), t)
        for low, high, n, t in zip(
            MASSES[:-1], MASSES[1:], found.sum(axis=0), true.sum(axis=0), strict=True
        )
    }
    chi2 = float(((found - true) ** 2 / true).sum())
    rows["all bins"] = interval(len(z), float(true.sum())) | {
        "chi2": chi2,
        "bins": true.size,
        "p": float(stats.chi2(true.size).sf(chi2)),
    }
    fine = np.geomspace(MASSES[0], 3e15, 25)
    curves = []
    for low, high in zip(REDSHIFTS[:-1], REDSHIFTS[1:], strict=True):
        inside = np.histogram(mass[(z >= low) & (z < high)], fine)[0]
        model = expected(truth, np.array([low, high]), np.log(fine))[0]
        curves.append((low, high, fine, inside, model))
    return rows, curves


def interval(found: int, true: float) -> dict[str, float]:
    """Return a count over the expected one with the central 95 % interval of a Poisson mean."""
    low = stats.chi2(2 * found).ppf(0.025) / 2 if found else 0.0
    high = stats.chi2(2 * found + 2).ppf(0.975) / 2
    return {
        "value": found / true,
        "low": low / true,
        "high": high / true,
        "found": found,
        "expected": true,
    }


def expected(truth: Truth, z_edges: np.ndarray, log_edges: np.ndarray) -> np.ndarray:
    """Integrate the true mass function over bins by Gauss-Legendre quadrature."""
    x, w = np.polynomial.legendre.leggauss(10)
    counts = np.zeros((len(z_edges) - 1, len(log_edges) - 1))
    middle = (log_edges[1:] + log_edges[:-1]) / 2
    half = np.diff(log_edges) / 2
    mass = np.exp(middle[:, None] + half[:, None] * x)
    for i, (low, high) in enumerate(zip(z_edges[:-1], z_edges[1:], strict=True)):
        for node, weight in zip((low + high + (high - low) * x) / 2, w, strict=True):
            volume = COSMOLOGY.differential_comoving_volume(node).to_value("Mpc3 / sr")
            inside = (truth.tinker08(mass, node) * w).sum(axis=1) * half
            counts[i] += weight * (high - low) / 2 * volume * AREA.to_value("sr") * inside
    return counts


def baldry(log_mass: np.ndarray) -> np.ndarray:
    """Return the published stellar mass function per dex [1 / (Mpc3 dex)]."""
    ratio = 10 ** (log_mass - KNEE)
    powers = sum(phi * ratio ** (alpha + 1) for phi, alpha in COMPONENTS)
    return np.asarray(np.log(10) * powers * np.exp(-ratio))


def stellar_masses(
    z: np.ndarray, mass: np.ndarray, rng: np.random.Generator
) -> tuple[list[dict[str, Any]], list[Any]]:
    """Match with several scatters; compare the stellar mass function and the scatter."""
    density = halo_number_density(mass, z, COSMOLOGY, **POWER)
    schechter = [{"m_star": 10**KNEE, "phi_star": phi, "alpha": alpha} for phi, alpha in COMPONENTS]
    edges = np.arange(10.0, 11.61, 0.1)
    fine = edges[:-1, None] + np.linspace(0, 0.1, 21)
    true = baldry(fine).mean(axis=1)
    rows, functions = [], []
    for scatter in (0.0, 0.15, 0.2):
        stars = np.log10(match_abundance(density, z, schechter, scatter=scatter, rng=rng))
        count = np.histogram(stars, edges)[0]
        residual = np.log10(count / (true * 0.1 * NEAR_VOLUME))
        noise = 1 / (np.log(10) * np.sqrt(true * 0.1 * NEAR_VOLUME))
        spreads = {
            f"scatter_at_1e{log}": float(stars[np.abs(np.log10(mass) - log) < 0.02].std())
            for log in (12, 13, 14)
        }
        rows.append(
            {
                "scatter_dex": scatter,
                "largest_residual_dex": float(np.abs(residual).max()),
                "rms_residual_dex": float(np.sqrt((residual**2).mean())),
                "poisson_rms_dex": float(np.sqrt((noise**2).mean())),
                **spreads,
            }
        )
        functions.append((scatter, edges, count / (0.1 * NEAR_VOLUME), residual))
    return rows, functions


def occupied(
    truth: Truth, mass: np.ndarray, rng: np.random.Generator
) -> tuple[dict[str, Any], Any]:
    """Draw galaxies of an occupation; compare their number and means with its integral."""
    h = 0.7
    halo, central = draw_hod_galaxies(
        mass, m_min=10**LOG_MIN / h, sigma_log_m=SIGMA, m_0=10**LOG_0 / h, m_1=10**LOG_1 / h,
        alpha=ALPHA, rng=rng,
    )  # fmt: skip

    def mean(m: np.ndarray) -> np.ndarray:
        centrals = (1 + erf((np.log10(m * h) - LOG_MIN) / SIGMA)) / 2
        excess = np.maximum(m * h - 10**LOG_0, 0) / 10**LOG_1
        return np.asarray(centrals * (1 + excess**ALPHA))

    edges = np.geomspace(5e11, 1e15, 15)
    halos = np.histogram(mass, edges)[0]
    galaxies = np.histogram(mass[halo], edges)[0]
    true = expected_mean(truth, mean, edges)
    ratio = galaxies / halos / true
    log_mass = np.linspace(np.log(1e11), np.log(1e16), 2001)
    nodes = np.exp(log_mass)
    z, w = np.polynomial.legendre.leggauss(6)
    density, total = 0.0, 0.0
    for node, weight in zip(NEAR[1] * (1 + z) / 2, w, strict=True):
        shell = weight * COSMOLOGY.differential_comoving_volume(node).value
        inside = np.trapezoid(truth.tinker08(nodes, node) * mean(nodes), x=log_mass)
        density, total = density + shell * inside, total + shell
    figures = {
        "number density": {
            "found": len(halo) / NEAR_VOLUME,
            "expected": density / total,
            "ratio": len(halo) / NEAR_VOLUME / (density / total),
        },
        "mean per halo": {
            "largest_ratio_minus_1": float(np.abs(ratio - 1).max()),
            "bins": len(ratio),
        },
        "satellites": {"found": float((~central).mean())},
    }
    return figures, (edges, galaxies / halos, true)


def expected_mean(truth: Truth, mean: Any, edges: np.ndarray) -> np.ndarray:
    """Return the mean occupation in bins of halo mass, weighted by the mass function."""
    nodes = np.exp(
        np.log(edges[:-1, None]) + np.linspace(0, 1, 41) * np.diff(np.log(edges))[:, None]
    )
    weight = truth.tinker08(nodes, 0.11)  # the mean redshift of the volume
    return np.asarray((mean(nodes) * weight).sum(axis=1) / weight.sum(axis=1))


def speed(rng: np.random.Generator) -> dict[str, float]:
    """Time a light cone of about a million halos, tables and all."""
    start = time.perf_counter()
    z, _ = draw_halos([0.0, 2.0], 1e11, 1e16, 4.7 * u.deg**2, COSMOLOGY, rng=rng, **POWER)
    seconds = time.perf_counter() - start
    return {"halos": len(z), "seconds": seconds, "halos_per_second": len(z) / seconds}


def draw(curves: list[Any], functions: list[Any], means: Any) -> None:
    """Plot draws over the truth."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
    (halos, stars), (occupation, residuals) = axes
    for low, high, edges, count, model in curves:
        at, step = np.sqrt(edges[1:] * edges[:-1]), np.diff(np.log10(edges))
        (line,) = halos.plot(at, model / step, lw=1, label=f"{low:.1f} < z < {high:.1f}")
        halos.plot(at, count / step, ".", color=line.get_color())
    halos.set(xscale="log", yscale="log", xlabel="halo mass [Msun]", ylabel="halos per dex")
    halos.set(title="Light cone: draws on Tinker et al. 2008", ylim=(0.5, None))
    halos.legend()
    x = np.linspace(9.9, 11.7, 200)
    stars.plot(x, baldry(x), "k-", lw=1, label="Baldry et al. 2012")
    for scatter, edges, density, residual in functions:
        at = (edges[1:] + edges[:-1]) / 2
        stars.plot(at, density, ".", label=f"scatter {scatter} dex")
        residuals.plot(at, residual, ".-", label=f"scatter {scatter} dex")
    stars.set(yscale="log", ylabel="galaxies per Mpc$^3$ and dex", title="Matched stellar masses")
    stars.legend()
    noise = 1 / (np.log(10) * np.sqrt(baldry(at) * 0.1 * NEAR_VOLUME))
    residuals.fill_between(at, -noise, noise, color="0.85", label="Poisson, 1 sigma")
    residuals.set(xlabel="log stellar mass [Msun]", ylabel="matched over published [dex]")
    residuals.legend()
    edges, found, true = means
    at = np.sqrt(edges[1:] * edges[:-1])
    occupation.plot(at, true, "k-", lw=1, label="mean of the formula")
    occupation.plot(at, found, ".", label="drawn")
    occupation.set(
        xscale="log", yscale="log", xlabel="halo mass [Msun]", ylabel="galaxies per halo"
    )
    occupation.set(title="Occupation of Zheng et al. 2007")
    occupation.legend()
    figure.savefig(ROOT / "docs" / "figures" / "halos.png", dpi=100)


if __name__ == "__main__":
    sys.exit(main())
