"""Whether painting itself is a clue: arcs against nothing, arcs against matched impostors."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from astropy.table import QTable
from record import record

from skywright.data import Images, Psf, cut_out, open_survey
from skywright.find import detect, measure_psf, select_galaxies
from skywright.sky import (
    arc_snr,
    draw_systems,
    effective_area,
    gaussian_psf,
    paint,
    painted_light,
)
from skywright.sky.draw import draw_arcs, log_uniform
from skywright.sky.field import Field, read_field
from skywright.sky.impostors import IMPOSTORS, match_impostors
from skywright.sky.truth import assemble
from skywright.trust import background_rms_ratio, pixel_features, separability

PAIRS = 3000
SNR, RADIUS_FWHM = (2.0, 100.0), (1.0, 8.0)
SNR_BINS = (2, 5, 20, 100)


def hubble() -> tuple[QTable, Images, Psf]:
    survey = open_survey(image="hubble-deep-field")
    sources = detect(survey=survey)
    psf = measure_psf(survey=survey, sources=sources)
    galaxies = select_galaxies(sources, psf=psf, size=48)
    return galaxies, cut_out(survey, galaxies, psf=psf, size=48), psf


def pairs(field: Field, rng: np.random.Generator) -> tuple[QTable, QTable]:
    """Draw arcs, and their matched impostors on the same galaxies."""
    row = rng.permutation(np.resize(np.arange(len(field.object_id)), PAIRS))
    theta_e = log_uniform(*RADIUS_FWHM, PAIRS, rng) * field.fwhm
    arcs = draw_arcs(field, row, theta_e, log_uniform(*SNR, PAIRS, rng), rng)
    fakes = match_impostors(
        arcs, pixels=field.pixels, psf=gaussian_psf(field.sharp), fwhm=field.fwhm, rng=rng
    )
    painted = np.full(PAIRS, "painted")
    return assemble(field, row, painted, arcs), assemble(field, row, painted, fakes)


def matched(images: Images, psf: Psf, arcs: QTable, fakes: QTable) -> dict[str, Any]:
    """Return how well impostors match their twins, 95th percentiles of the relative difference."""
    a, b = (painted_light(images, t, psf=psf).astype(np.float64) for t in (arcs, fakes))
    variance = images.variance[np.asarray(arcs["row"])]
    flux = b.sum(axis=(2, 3)) / a.sum(axis=(2, 3))
    area = effective_area(b.sum(axis=1)) / effective_area(a.sum(axis=1))
    snr = arc_snr(b, variance) / arc_snr(a, variance)
    ratios = {"flux_per_band": flux, "effective_area": area, "snr": snr}
    return {name: float(np.quantile(np.abs(r - 1), 0.95)) for name, r in ratios.items()}


def impostor_separability(
    images: Images, psf: Psf, arcs: QTable, fakes: QTable, rng: np.random.Generator
) -> dict[str, Any]:
    a, b = (pixel_features(paint(images, t, psf=psf, rng=rng)) for t in (arcs, fakes))
    kind, snr = np.asarray(fakes["kind"]).astype(str), np.asarray(arcs["snr"])
    groups = np.asarray(arcs["group"])
    subsets = {"all": np.ones(PAIRS, dtype=bool)}
    subsets |= {name: kind == name for name in IMPOSTORS}
    for low, high in zip(SNR_BINS[:-1], SNR_BINS[1:], strict=True):
        subsets[f"snr_{low}_{high}"] = (snr >= low) & (snr < high)
    return {
        name: separability(a[rows], b[rows], groups[rows], groups[rows], rng)
        for name, rows in subsets.items()
    }


def faint_separability(
    images: Images, psf: Psf, arcs: QTable, rng: np.random.Generator
) -> dict[str, Any]:
    faint = arcs.copy()
    faint["snr"] = 0.3
    groups = np.asarray(arcs["group"])
    painted = pixel_features(paint(images, faint, psf=psf, rng=rng))
    untouched = pixel_features(images[np.asarray(arcs["row"])])
    return separability(painted, untouched, groups, groups, rng)


def noise_ratios(
    images: Images, psf: Psf, arcs: QTable, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the background check as painted, and with the noise counted twice on purpose."""
    painted = paint(images, arcs, psf=psf, rng=rng)
    untouched = images[np.asarray(arcs["row"])]
    noise = rng.standard_normal(painted.flux.shape) * np.sqrt(painted.variance)
    twice = replace(painted, flux=np.rint(painted.flux + noise).astype(np.float32))
    groups = np.asarray(arcs["group"])
    return {
        "as_painted": background_rms_ratio(painted, untouched, groups, rng),
        "noise_twice": background_rms_ratio(twice, untouched, groups, rng),
    }


def rates(galaxies: QTable, images: Images, psf: Psf, rng: np.random.Generator) -> dict[str, float]:
    """Return images per second of processor time, on one thread."""
    start = time.process_time()
    systems = draw_systems(galaxies, images, n=1000, rng=rng)
    middle = time.process_time()
    paint(images, systems, psf=psf, rng=rng)
    end = time.process_time()
    return {
        "drawn_per_second": 1000 / (middle - start),
        "painted_per_second": 1000 / (end - middle),
    }


def main() -> int:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    galaxies, images, psf = hubble()
    arcs, fakes = pairs(read_field(galaxies, images), rng)
    kinds = np.asarray(fakes["kind"]).astype(str)
    figures: dict[str, Any] = {
        "pairs": PAIRS,
        "galaxies": len(galaxies),
        "kinds": {name: int((kinds == name).sum()) for name in IMPOSTORS},
        "match_95": matched(images, psf, arcs, fakes),
        "arcs_against_impostors": impostor_separability(images, psf, arcs, fakes, rng),
        "snr_0.3_against_untouched": faint_separability(images, psf, arcs, rng),
        "background": noise_ratios(images, psf, arcs, rng),
        "rates": rates(galaxies, images, psf, rng),
    }
    tests = {
        "arcs at S/N 0.3 against untouched": figures["snr_0.3_against_untouched"],
        **{
            f"arcs against impostors, {name}": result
            for name, result in figures["arcs_against_impostors"].items()
        },
    }
    for name, result in tests.items():
        print(f"{name}: AUROC {result['value']:.3f} [{result['low']:.3f}, {result['high']:.3f}]")
    print(f"match, 95th percentiles: {figures['match_95']}")
    print(f"rates: {figures['rates']}")
    for name, result in figures["background"].items():
        print(f"background rms ratio, {name}: {result['value']:.3f}")
    record("painting-leaks", figures)
    caught = not figures["background"]["noise_twice"]["passed"]
    fine = all(result["passed"] for result in tests.values())
    return int(not (fine and caught and figures["background"]["as_painted"]["passed"]))


if __name__ == "__main__":
    sys.exit(main())
