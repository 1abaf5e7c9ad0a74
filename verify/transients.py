"""Supernovae and mergers: rates against laws and measurements, light curves against sncosmo.

    SKYWRIGHT_DATA=... python verify/transients.py

Truth: integrals by scipy, published measurements, sncosmo and speclite. About a minute. Needs the
library sncosmo, which is nowhere else needed than here and in tests.
"""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable
from record import ROOT, record
from scipy import interpolate, stats

from skywright import sky
from skywright.data.fetch import path

sys.path.insert(0, str(ROOT / "tests"))
truth: Any = importlib.import_module("sky_transients")

COSMOLOGY = truth.COSMOLOGY
AREA, YEARS, FARTHEST = 100 * u.deg**2, 3, 1.0
DECAM = [f"decam2014-{band}" for band in "grizY"]
LOWEST = 1e-3  # p-value
SIGMAS = 2.0  # from a measured rate
OFF = 5e-3  # of the flux at maximum, from sncosmo
PEAK_OFF = 5e-3  # mag, from speclite
SECONDS = 1.0  # for 1e5 points of light curves


def main() -> int:
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(2026)
    events, bins, rate_figures = rates_recovered(rng)
    measured = measured_rates()
    curves, accuracy = light_curves_against_sncosmo(rng)
    peaks = peak_magnitudes()
    speed = seconds_for_light_curves(events, rng)
    merging, masses = mergers(rng)
    figures = {
        "ia_rate": rate_figures,
        "ia_rate_bins": bins,
        "measured_rates": measured,
        "light_curves": accuracy,
        "peak_magnitudes": peaks,
        "speed": speed,
        "mergers": merging,
    }
    draw(bins, measured, curves, masses, ROOT / "docs" / "figures" / "transients.png")
    bad = {
        "rates in bins": rate_figures["chi2_p"] < LOWEST or rate_figures["redshift_ks_p"] < LOWEST,
        "measured rates": any(abs(row["sigmas"]) > SIGMAS for row in measured),
        "light curves": accuracy["worst_over_maximum"] > OFF,
        "peaks": any(abs(row["off"]) > PEAK_OFF for row in peaks),
        "speed": speed["seconds_per_100000_points"] > SECONDS,
        "mergers": any(abs(row["sigmas"]) > 4 for row in merging),
        "masses": any(row[f"{m}_ks_p"] < LOWEST for row in merging for m in ("mass_1", "mass_2")),
    }
    print(figures)
    record("transients", figures)
    print("failed:", [name for name, failed in bad.items() if failed] or "nothing")
    return int(any(bad.values()))


def rates_recovered(rng: np.random.Generator) -> tuple[QTable, list[dict[str, float]], dict]:
    """Draw a survey, and measure the rate from it as from any other survey."""
    law = sky.frohmaier19_ia_rate
    grid = np.linspace(0, FARTHEST, 6)
    events = sky.draw_events(grid, law, AREA, YEARS * u.yr, COSMOLOGY, rng=rng)
    edges = np.linspace(0, FARTHEST, 11)
    counts = np.histogram(events["z"], edges)[0]
    bins, chi2 = [], 0.0
    for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True):
        # per unit of rate: volume times time, in the clock of the rest frame
        exposure = YEARS * truth.seen_per_year(lambda _: 1.0, low, high, AREA)
        expected = YEARS * truth.seen_per_year(law, low, high, AREA)
        chi2 += (n - expected) ** 2 / expected
        bins.append(
            {
                "redshift": float((low + high) / 2),
                "events": int(n),
                "law": expected / exposure * 1e5,
                "value": n / exposure * 1e5,
                "low": stats.chi2.ppf(0.16, 2 * n) / 2 / exposure * 1e5,
                "high": stats.chi2.ppf(0.84, 2 * n + 2) / 2 / exposure * 1e5,
            }
        )
    fine = np.linspace(0, FARTHEST, 201)
    steps = [
        truth.seen_per_year(law, *ends, AREA) for ends in zip(fine[:-1], fine[1:], strict=True)
    ]
    share = np.append(0, np.cumsum(steps)) / np.sum(steps)
    ks = stats.kstest(events["z"], lambda z: np.interp(z, fine, share))
    inside = sum(row["low"] <= row["law"] <= row["high"] for row in bins)
    return (
        events,
        bins,
        {
            "events": len(events),
            "expected": YEARS * float(np.sum(steps)),
            "chi2_of_10_bins": chi2,
            "chi2_p": float(stats.chi2.sf(chi2, len(bins))),
            "bins_whose_68_percent_interval_holds_the_law": inside,
            "redshift_ks_p": float(ks.pvalue),
        },
    )


def measured_rates() -> list[dict[str, Any]]:
    """Compare laws with published measurements [1e-5 / (Mpc3 yr)]."""
    papers = ("Dilday+2010", "Frohmaier+2019", "Neill+2006")
    rows = [("Ia", *row) for row in zip(papers, truth.MEASURED_IA, strict=True)]
    papers = ("Taylor+2014", "Dahlen+2012", "Dahlen+2012", "Dahlen+2012")
    rows += [("core collapse", *row) for row in zip(papers, truth.MEASURED_CC, strict=True)]
    laws = {"Ia": sky.frohmaier19_ia_rate, "core collapse": sky.core_collapse_rate}
    return [
        {
            "kind": kind,
            "paper": paper,
            "redshift": z,
            "measured": value,
            "error": error,
            "law": float(laws[kind](z)) * 1e5,
            "sigmas": (float(laws[kind](z)) * 1e5 - value) / error,
        }
        for kind, paper, (z, value, error) in rows
    ]


def light_curves_against_sncosmo(
    rng: np.random.Generator, n: int = 60
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Compare all points of light curves of type Ia supernovae."""
    import sncosmo

    from skywright.sky.populations.magnitudes import load_responses

    x1, _, magnitude = sky.draw_ia_parameters(n, rng=rng)
    events = QTable({"event_id": np.arange(n), "z": rng.uniform(0.02, 1.0, n), "x1": x1})
    events["M_B"], events["mjd_peak"] = magnitude, rng.uniform(60_000, 60_200, n)
    mjd = np.arange(59_900, 60_500, 0.9)
    cadence = QTable({"mjd": mjd, "band": np.resize(DECAM, len(mjd))})
    seen = sky.light_curves(events, cadence, COSMOLOGY, rng=rng)
    bands = {
        name: sncosmo.Bandpass(*load_responses(name)[0], name=name)
        for name in (*DECAM, "bessell-B")
    }
    off, near = [], []
    for event in events:
        model = sncosmo.Model(sncosmo.StretchSource(*hsiao()))
        model.set(z=event["z"], t0=event["mjd_peak"], s=float(sky.ia_stretch(event["x1"])))
        model.set_source_peakabsmag(event["M_B"], bands["bessell-B"], "ab", cosmo=COSMOLOGY)
        mine = seen[seen["event_id"] == event["event_id"]]
        for name in DECAM:
            rows = mine[mine["band"] == name]
            flux, theirs = (
                rows["flux"].to_value("nJy"),
                np.maximum(model.bandflux(bands[name], rows["mjd"].value, 31.4, "ab"), 0),
            )
            off.append((flux - theirs) / theirs.max())
            bright = theirs > 0.1 * theirs.max()
            near.append(2.5 * np.log10(flux[bright] / theirs[bright]))
    first = seen[seen["event_id"] == int(np.argmin(np.abs(events["z"] - 0.3)))]
    off, near = np.abs(np.concatenate(off)), np.abs(np.concatenate(near))
    return (
        {name: np.asarray(first[name]) for name in first.colnames},
        {
            "points": len(off),
            "median_over_maximum": float(np.median(off)),
            "worst_over_maximum": float(off.max()),
            "worst_mag_above_a_tenth_of_maximum": float(near.max()),
        },
    )


def peak_magnitudes() -> list[dict[str, Any]]:
    """Compare the brightest magnitudes with spectra that speclite sees at each redshift."""
    from speclite.filters import load_filters

    phase, wave, flux = hsiao()
    spectra = interpolate.RectBivariateSpline(phase, wave, flux)
    fine, days = np.arange(1000.0, 25_000, 2.0), np.arange(-5, 15, 0.25)
    blue = load_filters("bessell-B")
    at_rest = blue.get_ab_maggies(spectra(days, fine), fine * u.AA)["bessell-B"].max()
    rows = []
    for z, band in ((0.05, "g"), (0.1, "r"), (0.3, "r"), (0.5, "i"), (0.8, "i"), (1.0, "z")):
        name = f"decam2014-{band}"
        seen = load_filters(name).get_ab_maggies(
            spectra(days, fine) / (1 + z), fine * (1 + z) * u.AA
        )[name]
        theirs = -19.4 - 2.5 * np.log10(seen.max() / at_rest) + COSMOLOGY.distmod(z).value
        events = QTable({"event_id": [0], "z": [z], "mjd_peak": [60_000.0], "M_B": [-19.4]})
        mjd = 60_000 + days * (1 + z)
        cadence = QTable({"mjd": mjd, "band": [name] * len(mjd)})
        light = sky.light_curves(events, cadence, COSMOLOGY, rng=np.random.default_rng(0))
        ours = 31.4 - 2.5 * np.log10(light["flux"].value.max())
        rows.append(
            {
                "redshift": z,
                "band": band,
                "ours": float(ours),
                "speclite": float(theirs),
                "off": float(ours - theirs),
            }
        )
    return rows


def seconds_for_light_curves(events: QTable, rng: np.random.Generator) -> dict[str, float]:
    """Time light curves of drawn events, tables included."""
    few = events[: min(len(events), 1000)].copy()
    few["x1"], few["colour"], few["M_B"] = sky.draw_ia_parameters(len(few), rng=rng)
    mjd = np.arange(60_000.0, 61_096.0)
    cadence = QTable({"mjd": mjd, "band": np.resize(DECAM, len(mjd))})
    cadence["depth"] = 24.0
    start = time.perf_counter()
    seen = sky.light_curves(few, cadence, COSMOLOGY, rng=rng)
    seconds = time.perf_counter() - start
    return {
        "points": len(seen),
        "seconds": seconds,
        "seconds_per_100000_points": seconds / len(seen) * 1e5,
    }


def mergers(rng: np.random.Generator) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Compare numbers of mergers and masses with integrals."""
    grid, whole = np.linspace(0, 1, 5), 4 * np.pi * u.sr
    m, share = truth.mass_distribution()
    kinds = [
        ("black holes", sky.gwtc3_black_hole_rate, sky.power_law_peak_masses, 10),
        ("neutron stars", sky.gwtc3_neutron_star_rate, sky.uniform_neutron_star_masses, 2),
    ]
    rows, heavy = [], np.zeros(0)
    for kind, rate, masses, years in kinds:
        found = sky.draw_mergers(grid, rate, masses, years * u.yr, COSMOLOGY, rng=rng)
        expected = years * truth.seen_per_year(rate, 0, 1, whole)
        first, second = found["mass_1"].value, found["mass_2"].value
        if kind == "black holes":
            heavy = first
            ks_1 = stats.kstest(first, lambda x: np.interp(x, m, share))
            ks_2 = stats.kstest(_place(first[:5000], second[:5000]), "uniform")
        else:
            # the heavier and lighter of two uniform draws
            ks_1 = stats.kstest((first - 1) / 1.5, stats.beta(2, 1).cdf)
            ks_2 = stats.kstest((second - 1) / 1.5, stats.beta(1, 2).cdf)
        rows.append(
            {
                "kind": kind,
                "years": years,
                "mergers": len(found),
                "integral": expected,
                "sigmas": (len(found) - expected) / np.sqrt(expected),
                "mass_1_ks_p": float(ks_1.pvalue),
                "mass_2_ks_p": float(ks_2.pvalue),
            }
        )
    return rows, heavy


def _place(first: np.ndarray, second: np.ndarray) -> list[float]:
    """Return the share of the distribution of the lighter mass that lies below each."""
    places = []
    for heavy, light in zip(first, second, strict=True):
        grid = np.linspace(5.1, heavy, 2001)
        density = grid**1.1 * truth.start(grid, 5.1, 4.8)
        below = np.append(0, np.cumsum(density[1:] + density[:-1]))
        places.append(float(np.interp(light, grid, below / below[-1])))
    return places


def hsiao() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return phases, wavelengths and fluxes of the type Ia spectra."""
    with fits.open(path("type-ia-sed")) as hdus:
        flux = hdus[0].data.astype(float)
    return np.arange(22) * 5.0 - 20, np.arange(481) * 50.0 + 1000, flux


def draw(
    bins: list[dict[str, float]],
    measured: list[dict[str, Any]],
    curve: dict[str, np.ndarray],
    masses: np.ndarray,
    file: Path,
) -> None:
    """Draw the rate, a light curve and the masses side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    z = np.linspace(0, 1, 101)
    left.plot(z, sky.frohmaier19_ia_rate(z) * 1e5, color="0.4", label="law, Frohmaier+2019")
    x, y = ([row[key] for row in bins] for key in ("redshift", "value"))
    span = np.abs([[row["value"] - row[end] for row in bins] for end in ("low", "high")])
    left.errorbar(x, y, span, fmt="o", ms=4, color="C0", label="drawn survey")
    ia = [row for row in measured if row["kind"] == "Ia"]
    x, y, error = ([row[key] for row in ia] for key in ("redshift", "measured", "error"))
    left.errorbar(x, y, error, fmt="s", ms=4, color="C3", label="measured")
    left.set(xlabel="redshift", ylabel="SN Ia rate [$10^{-5}$ Mpc$^{-3}$ yr$^{-1}$]")
    left.legend(frameon=False)
    for i, band in enumerate(DECAM):
        mine = curve["band"] == band
        middle.plot(curve["mjd"][mine], curve["flux"][mine] / 1e3, ".", ms=3, color=f"C{i}")
        middle.plot([], [], "o", color=f"C{i}", label=band[-1])
    middle.set(xlabel="MJD [d]", ylabel=r"flux [$\mu$Jy]", title="a type Ia supernova, z near 0.3")
    middle.legend(frameon=False, ncols=2)
    m, share = truth.mass_distribution()
    right.hist(masses, np.geomspace(5, 87, 50), density=True, color="C0", alpha=0.5, label="drawn")
    right.plot(m, np.gradient(share, m), color="0.2", label="power law + peak")
    right.set(xscale="log", yscale="log", ylim=(1e-5, 1), xlabel=r"heavier mass [M$_\odot$]")
    right.legend(frameon=False)
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    raise SystemExit(main())
