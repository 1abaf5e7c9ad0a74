"""The sky that SkyPy's published pipeline makes, beside SDSS, ALHAMBRA and Shen et al. 2003.

Two populations after Herbel et al. 2017 with SkyPy's example parameters, on an area that is five
times that of the data, so that the sample of the simulation hardly counts. What SkyPy 0.5.5 draws
in the same run is beside ours. Limits, as set before the first run: counts in r within 0.70 to 1.15
of SDSS between 16 and 21.5; the luminosity function of ALHAMBRA's own law in each of four slices of
redshift within 0.07 dex of its data in the median (that of Herbel et al. is beside it); sizes
within 10 % in the median.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.cosmology import FlatLambdaCDM
from astropy.modeling.models import Exponential1D, Linear1D
from astropy.table import Table
from record import record

from skywright import sky

DATA = Path(os.environ.get("SKYWRIGHT_DATA", "")) / "skypy"
COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
AREA, OBSERVED = 50 * u.deg**2, 10 * u.deg**2
Z = np.arange(0.0, 2.01, 0.01)
POPULATIONS: dict[str, dict[str, Any]] = {
    "blue": {
        "M_star": Linear1D(-0.9408582, -20.40492365),
        "phi_star": Exponential1D(0.00370253, -9.73858),
        "alpha": -1.3,
        "alpha0": [2.079, 3.524, 1.917, 1.992, 2.536],
        "alpha1": [2.265, 3.862, 1.921, 1.685, 2.480],
        "weight": [3.47e09, 3.31e06, 2.13e09, 1.64e10, 1.01e09],
    },
    "red": {
        "M_star": Linear1D(-0.70798041, -20.37196157),
        "phi_star": Exponential1D(0.0035097, -1.41649),
        "alpha": -0.5,
        "alpha0": [2.461, 2.358, 2.568, 2.268, 2.402],
        "alpha1": [2.410, 2.340, 2.200, 2.540, 2.464],
        "weight": [3.84e09, 1.57e06, 3.91e08, 4.66e10, 3.03e07],
    },
}
# Lopez-Sanjuan et al. 2017, A&A 599, A62: M* = -21.00 - 1.03 (z - 0.5), log10 phi* = -2.51 -
# 0.01 (z - 0.5) for star-forming galaxies, which SkyPy's example of luminosity functions takes
ALHAMBRA = {
    "M_star": Linear1D(-1.03, -20.485),
    "phi_star": Exponential1D(10**-2.505, -100 / np.log(10)),
    "alpha": -1.29,
}
EDGES = [16, 17, 18, 19, 20, 21, 21.5]
SLICES = ("0.2_0.4", "0.4_0.6", "0.6_0.8", "0.8_1.0")


def seeded(step: Callable[..., Any], rng: np.random.Generator) -> Callable[..., Any]:
    """Return a step of ours as SkyPy has it, without its generator."""
    return functools.partial(step, rng=rng)


def magnitudes(draw: dict[str, Any]) -> np.ndarray:
    """Return ugriz of all galaxies, by our steps or by those of SkyPy."""
    found = []
    for p in POPULATIONS.values():
        z, absolute = draw["schechter_lf"](
            Z, p["M_star"], p["phi_star"], p["alpha"], 23, AREA, COSMOLOGY
        )
        shares = draw["dirichlet_coefficients"](z, p["alpha0"], p["alpha1"], weight=p["weight"])
        mass = draw["stellar_mass"](shares, absolute, "bessell-B")
        found.append(
            draw["apparent_magnitudes"](shares, z, "sdss2010-*", COSMOLOGY, stellar_mass=mass)
        )
    return np.concatenate(found)


def steps(seed: int) -> dict[str, dict[str, Any]]:
    """Return the same steps of both, by name."""
    from skypy import galaxies
    from skypy.galaxies import morphology, spectrum

    rng = np.random.default_rng(seed)
    np.random.seed(seed)  # noqa: NPY002 - SkyPy knows no other way
    return {
        "ours": {
            "schechter_lf": seeded(sky.schechter_lf, rng),
            "dirichlet_coefficients": seeded(sky.dirichlet_coefficients, rng),
            "stellar_mass": sky.galaxy_stellar_mass,
            "apparent_magnitudes": sky.apparent_magnitudes,
            "early": seeded(sky.early_type_lognormal_size, rng),
            "late": seeded(sky.late_type_lognormal_size, rng),
        },
        "skypy": {
            "schechter_lf": galaxies.schechter_lf,
            "dirichlet_coefficients": spectrum.dirichlet_coefficients,
            "stellar_mass": spectrum.kcorrect.stellar_mass,
            "apparent_magnitudes": spectrum.kcorrect.apparent_magnitudes,
            "early": morphology.early_type_lognormal_size,
            "late": morphology.late_type_lognormal_size,
        },
    }


def counts(both: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return simulated over observed counts, with the Poisson error of both."""
    data = Table.read(DATA / "sdss_dered_10deg2.ecsv")
    at = np.round(np.asarray(data["magnitude"], float), 2)
    drawn = {name: magnitudes(draw) for name, draw in both.items()}
    found = {}
    for i, band in enumerate("ugriz"):
        for low, high in zip(EDGES[:-1], EDGES[1:], strict=True):
            seen = int(data[f"dered_{band}"][(at >= low) & (at < high)].sum())
            inside = {n: np.sum((m[:, i] >= low) & (m[:, i] < high)) for n, m in drawn.items()}
            ratio = {n: float(c / seen * OBSERVED / AREA) for n, c in inside.items()}
            spread = 1.96 * np.sqrt(1 / seen + 1 / max(inside["ours"], 1))
            found[f"{band} {low}-{high}"] = {
                "value": ratio["ours"],
                "low": ratio["ours"] * np.exp(-spread),
                "high": ratio["ours"] * np.exp(spread),
                "skypy": ratio["skypy"],
            }
    return found


def luminosity(law: dict[str, Any], both: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the median difference [dex] from ALHAMBRA's blue galaxies in slices of redshift."""
    data = Table.read(DATA / "lopez_sanjuan+17_B1.ecsv")
    found: dict[str, Any] = {name: {} for name in SLICES}
    for who, draw in both.items():
        z, absolute = draw["schechter_lf"](
            np.arange(0.2, 1.001, 0.01), law["M_star"], law["phi_star"], law["alpha"], 26,
            OBSERVED, COSMOLOGY,
        )  # fmt: skip
        for name in SLICES:
            off = _off(data, name, z, absolute)
            if who == "ours":
                found[name] |= {"median_dex": float(np.median(off)), "worst_dex": max(off),
                                "bins": len(off)}  # fmt: skip
            else:
                found[name]["skypy_median_dex"] = float(np.median(off))
    return found


def _off(data: Table, name: str, z: np.ndarray, absolute: np.ndarray) -> list[float]:
    """Return the differences [dex] in the bins of a slice that hold more than 20 galaxies."""
    low, high = (float(end) for end in name.split("_"))
    volume = np.diff(COSMOLOGY.comoving_volume([low, high]).value)[0]
    volume *= (OBSERVED / (4 * np.pi * u.sr)).to_value("")
    inside = absolute[(z >= low) & (z < high)]
    off = []
    for row in data:
        n = np.sum((inside >= row["MB-"]) & (inside < row["MB+"]))
        if n > 20 and np.isfinite(row[f"phi_{name}"]):
            phi = np.log10(n / volume / (row["MB+"] - row["MB-"]))
            off.append(float(abs(phi - row[f"phi_{name}"])))
    return off


def sizes(both: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return drawn over measured sizes, in the median over bins of magnitude."""
    laws = {"early": (0.6, -4.63, -20.52, 0.48, 0.25),
            "late": (0.21, 0.53, -1.31, -20.52, 0.48, 0.25)}  # fmt: skip
    found: dict[str, dict[str, float]] = {}
    for kind, law in laws.items():
        data = np.loadtxt(DATA / f"Shen+03_{kind}.txt")
        mags = np.repeat(data[:, 0], 20_000)
        ratio = {}
        for who, draw in both.items():
            drawn = draw[kind](mags, *law).to_value("kpc").reshape(len(data), -1)
            ratio[who] = np.median(drawn, axis=1) / data[:, 1]
        ours = ratio["ours"]
        found[kind] = {"median": float(np.median(ours)), "lowest": float(ours.min()),
                       "highest": float(ours.max()),
                       "skypy_median": float(np.median(ratio["skypy"]))}  # fmt: skip
    return found


def main() -> None:
    if not DATA.is_dir():
        raise SystemExit("SKYWRIGHT_DATA holds no folder skypy: nothing to compare with")
    warnings.simplefilter("ignore")
    both = steps(0)
    figures = {
        "counts": counts(both),
        "luminosity": luminosity(ALHAMBRA, both),
        "luminosity_herbel17": luminosity(POPULATIONS["blue"], both),
        "sizes": sizes(both),
    }
    for part, rows in figures.items():
        for name, row in rows.items():
            print(part, name, {k: round(float(v), 3) for k, v in row.items()})
    record("sky-counts", figures)
    red = [row["value"] for name, row in figures["counts"].items() if name.startswith("r ")]
    assert 0.70 <= min(red) <= max(red) <= 1.15, red
    assert max(row["median_dex"] for row in figures["luminosity"].values()) < 0.07
    assert all(abs(row["median"] - 1) < 0.1 for row in figures["sizes"].values())


if __name__ == "__main__":
    main()
