"""The sky that SkyPy's published pipeline makes, beside SDSS, ALHAMBRA and Shen et al. 2003.

Two populations after Herbel et al. 2017 with SkyPy's example parameters, on an area that is five
times that of the data, so that the sample of the simulation hardly counts. The numbers that SkyPy
0.5.5 gives are beside ours. Limits, as set before the first run: counts in r within 0.70 to 1.15 of
SDSS between 16 and 21.5; the luminosity function of ALHAMBRA's own law in each of four slices of
redshift within 0.07 dex of its data in the median (that of Herbel et al. is beside it); sizes
within 10 % in the median.
"""

from __future__ import annotations

import os
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
SKYPY_COUNTS = {
    "u": [1.52, 1.25, 1.31, 1.11, 0.96, 0.84],
    "g": [1.49, 1.14, 0.93, 0.86, 0.84, 0.84],
    "r": [1.03, 0.89, 0.78, 0.84, 0.82, 0.81],
    "i": [0.85, 0.75, 0.72, 0.75, 0.83, 0.89],
    "z": [0.81, 0.68, 0.70, 0.71, 0.81, 1.29],
}
SKYPY_LUMINOSITY = {"0.2_0.4": 0.050, "0.4_0.6": 0.019, "0.6_0.8": 0.028, "0.8_1.0": 0.058}
SKYPY_SIZES = {"early": 1.02, "late": 1.03}


def magnitudes(rng: np.random.Generator) -> np.ndarray:
    """Return ugriz of all galaxies."""
    found = []
    for p in POPULATIONS.values():
        z, absolute = sky.schechter_lf(
            Z, p["M_star"], p["phi_star"], p["alpha"], 23, AREA, COSMOLOGY, rng=rng
        )
        shares = sky.dirichlet_coefficients(
            z, p["alpha0"], p["alpha1"], weight=p["weight"], rng=rng
        )
        mass = sky.galaxy_stellar_mass(shares, absolute, "bessell-B")
        found.append(sky.apparent_magnitudes(shares, z, "sdss2010-*", COSMOLOGY, stellar_mass=mass))
    return np.concatenate(found)


def counts(rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Return simulated over observed counts, with the Poisson error of the observed ones."""
    data = Table.read(DATA / "sdss_dered_10deg2.ecsv")
    at = np.round(np.asarray(data["magnitude"], float), 2)
    ours = magnitudes(rng)
    found = {}
    for band, mags in zip("ugriz", ours.T, strict=True):
        for i, (low, high) in enumerate(zip(EDGES[:-1], EDGES[1:], strict=True)):
            seen = int(data[f"dered_{band}"][(at >= low) & (at < high)].sum())
            ratio = np.sum((mags >= low) & (mags < high)) / seen * float(OBSERVED / AREA)
            error = 1.96 * ratio * np.sqrt(1 / seen + 1 / max(ratio * seen * 5, 1))
            found[f"{band} {low}-{high}"] = {
                "value": ratio, "low": ratio - error, "high": ratio + error,
                "skypy": SKYPY_COUNTS[band][i],
            }  # fmt: skip
    return found


def luminosity(law: dict[str, Any], rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Return the median difference [dex] from ALHAMBRA's blue galaxies in slices of redshift."""
    data = Table.read(DATA / "lopez_sanjuan+17_B1.ecsv")
    found = {}
    z, absolute = sky.schechter_lf(
        np.arange(0.2, 1.001, 0.01), law["M_star"], law["phi_star"], law["alpha"], 26,
        OBSERVED, COSMOLOGY, rng=rng,
    )  # fmt: skip
    for name, published in SKYPY_LUMINOSITY.items():
        low, high = (float(end) for end in name.split("_"))
        volume = np.diff(COSMOLOGY.comoving_volume([low, high]).value)[0]
        volume *= (OBSERVED / (4 * np.pi * u.sr)).to_value("")
        inside = absolute[(z >= low) & (z < high)]
        off = []
        for row in data:
            n = np.sum((inside >= row["MB-"]) & (inside < row["MB+"]))
            if n > 20 and np.isfinite(row[f"phi_{name}"]):
                phi = np.log10(n / volume / (row["MB+"] - row["MB-"]))
                off.append(abs(phi - row[f"phi_{name}"]))
        found[name] = {"median_dex": float(np.median(off)), "worst_dex": max(off),
                       "bins": len(off), "skypy": published}  # fmt: skip
    return found


def sizes(rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Return drawn over measured sizes, in the median over bins of magnitude."""
    found = {}
    for kind, published in SKYPY_SIZES.items():
        data = np.loadtxt(DATA / f"Shen+03_{kind}.txt")
        mags = np.repeat(data[:, 0], 20_000)
        if kind == "early":
            drawn = sky.early_type_lognormal_size(mags, 0.6, -4.63, -20.52, 0.48, 0.25, rng=rng)
        else:
            drawn = sky.late_type_lognormal_size(
                mags, 0.21, 0.53, -1.31, -20.52, 0.48, 0.25, rng=rng
            )
        ratio = np.median(drawn.to_value("kpc").reshape(len(data), -1), axis=1) / data[:, 1]
        found[kind] = {"median": float(np.median(ratio)), "lowest": float(ratio.min()),
                       "highest": float(ratio.max()), "skypy": published}  # fmt: skip
    return found


def main() -> None:
    if not DATA.is_dir():
        raise SystemExit("SKYWRIGHT_DATA holds no folder skypy: nothing to compare with")
    rng = np.random.default_rng(0)
    figures = {
        "counts": counts(rng),
        "luminosity": luminosity(ALHAMBRA, rng),
        "luminosity_herbel17": luminosity(POPULATIONS["blue"], rng),
        "sizes": sizes(rng),
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
