"""Time lens images beside lenstronomy and caustics, with the accuracy of each in the same row.

    python benchmarks/lens_images.py

One run, one thread each, DES pixels, 100 x 100 griz, an isothermal ellipsoid with shear, a Sersic
lens galaxy and a Sersic source, Gaussian point spread of another width in every band. Everybody is
warm, keeps what can be kept between systems, and runs at the best of its batch sizes. Accuracy is
the largest residual over the peak against lenstronomy at 15 x 15 samples per pixel, of which all
engines render the same systems. Under four minutes.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lenstronomy.Data.psf import PSF
from lenstronomy.ImSim.image_model import ImageModel
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LightModel.light_model import LightModel
from limits import distance
from scipy.special import gamma, gammaincinv

from skywright import sky

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "oracle"), str(ROOT / "verify")]
oracle: Any = importlib.import_module("lenstronomy_images")
record: Any = importlib.import_module("record").record

SCALE, FWHM, PIXELS = 0.263, (1.1, 0.95, 0.88, 0.83), 100
COLOURS = (0.5, 0.8, 1.0, 1.2)
CHECKED, SECONDS = 12, 1.5
NOISE = {
    "sky": torch.tensor([22.0, 21.1, 19.9, 18.7]),
    "zero_point": torch.tensor([26.6, 26.8, 26.8, 26.5]),
    "exposure_time": 90.0,
    "exposures": 7,
    "scale": SCALE,
    "read_noise": 7.0,
}


def draw_systems(count: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(11)
    systems = [oracle.draw_system(rng) for _ in range(count)]
    return [system | {"survey": "des", "psf": "gaussian"} for system in systems]


def rate(run: Callable[[], None], sets: int, repeats: int = 5) -> float:
    """Return sets per second: the best of some repeats after a warm-up."""
    run()
    best, stop = np.inf, time.perf_counter() + SECONDS
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() > stop:
            break
    return sets / best


# --- skywright ---------------------------------------------------------------------------------


def scene(systems: list[dict[str, Any]], dtype: torch.dtype) -> tuple[dict[str, Any], ...]:
    def columns(name: str) -> dict[str, Any]:
        keys = systems[0][name]
        return {k: torch.tensor([s[name][k] for s in systems], dtype=dtype) for k in keys}

    parts = [columns(name) for name in ("lens", "source", "lens_light")]
    for part in parts[1:]:
        part["amplitude"] = part["amplitude"][:, None, None] * torch.tensor(COLOURS, dtype=dtype)
    return tuple(parts)


def ours(
    systems: list[dict[str, Any]], dtype: torch.dtype, noise: bool = False, pixels: int = PIXELS
) -> Callable[[], torch.Tensor]:
    lens, source, galaxy = scene(systems, dtype)
    psf = sky.gaussian_psf(list(FWHM))
    rng = torch.Generator().manual_seed(0)

    def run() -> torch.Tensor:
        image = sky.render(
            lens, source, pixels=pixels, scale=SCALE, psf=psf, lens_light=galaxy, dtype=dtype
        )
        return sky.add_noise(1e3 * image, rng, **NOISE) if noise else image

    return run


# --- lenstronomy -------------------------------------------------------------------------------


def lenstronomy_model(fwhm: float, supersample: int) -> ImageModel:
    corner = -(PIXELS - 1) / 2 * SCALE
    data = oracle.ImageData(
        np.zeros((PIXELS, PIXELS)),
        ra_at_xy_0=corner,
        dec_at_xy_0=corner,
        transform_pix2angle=np.eye(2) * SCALE,
    )
    numerics = {"supersampling_factor": supersample, "supersampling_convolution": True}
    return ImageModel(
        data,
        PSF("GAUSSIAN", fwhm=fwhm, pixel_size=SCALE),
        LensModel(["SIE", "SHEAR"]),
        LightModel(["SERSIC_ELLIPSE"]),
        LightModel(["SERSIC_ELLIPSE"]),
        kwargs_numerics=numerics,
    )


def lenstronomy(
    systems: list[dict[str, Any]], supersample: int, noise: bool = False
) -> Callable[[], np.ndarray]:
    models = [lenstronomy_model(fwhm, supersample) for fwhm in FWHM]
    arguments = [
        [
            oracle.lens_arguments(s["lens"]),
            [oracle.sersic_arguments(s["source"])],
            [oracle.sersic_arguments(s["lens_light"])],
        ]
        for s in systems
    ]
    settings = {k: v.numpy() if torch.is_tensor(v) else v for k, v in NOISE.items()}
    rng = np.random.default_rng(0)

    def run() -> np.ndarray:
        sets = []
        for lens, source, galaxy in arguments:
            bands = [
                model.image(lens, source, galaxy) * colour
                for model, colour in zip(models, COLOURS, strict=True)
            ]
            sets.append(np.array(bands))
        images = np.array(sets)
        return numpy_noise(1e3 * images, rng, **settings) if noise else images

    return run


def numpy_noise(images: np.ndarray, rng: np.random.Generator, **s: Any) -> np.ndarray:
    seconds = s["exposure_time"] * s["exposures"]
    night = 10 ** (-0.4 * (s["sky"] - s["zero_point"])) * s["scale"] ** 2 * seconds
    night = night[:, None, None]
    counts = rng.poisson(images * seconds + night) - night
    read = s["read_noise"] * np.sqrt(s["exposures"]) * rng.standard_normal(images.shape)
    return (counts + read) / seconds


# --- caustics ----------------------------------------------------------------------------------


def caustics(
    systems: list[dict[str, Any]],
    dtype: torch.dtype,
    upsample: int,
    quadrature: int | None,
    batch: int,
    noise: bool = False,
) -> Callable[[], torch.Tensor]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import caustics as c

    rows = torch.tensor([caustics_row(s) for s in systems], dtype=dtype)
    runs = []
    for fwhm in FWHM:
        cosmology = c.FlatLambdaCDM(name="cosmo")
        lens = c.SinglePlane(
            lenses=[
                c.SIE(cosmology=cosmology, name="sie"),
                c.ExternalShear(cosmology=cosmology, name="shear"),
            ],
            cosmology=cosmology,
            name="lens",
            z_l=0.5,
            z_s=1.0,
        )
        sim = c.LensSource(
            lens=lens,
            source=c.Sersic(name="source"),
            lens_light=c.Sersic(name="galaxy"),
            pixelscale=SCALE,
            pixels_x=PIXELS,
            upsample_factor=upsample,
            quad_level=quadrature,
            psf=gaussian_kernel(fwhm, upsample).to(dtype),
        )
        sim.to(dtype=dtype)
        runs.append(torch.vmap(sim))
    colours = torch.tensor(COLOURS, dtype=dtype)[:, None, None]
    rng = torch.Generator().manual_seed(0)

    def run() -> torch.Tensor:
        parts = [torch.stack([f(part) for f in runs], 1) for part in rows.split(batch)]
        images = torch.cat(parts) * colours
        return sky.add_noise(1e3 * images, rng, **NOISE) if noise else images

    return run


def caustics_row(system: dict[str, Any]) -> list[float]:
    """Return a system in caustics' words: radii on the major axis, brightness at the radius."""
    lens = system["lens"]
    row = [lens[k] for k in ("x0", "y0", "q", "phi", "theta_e")]
    row += [lens[k] for k in ("x0", "y0", "gamma1", "gamma2")]
    for name in ("source", "lens_light"):
        light = system[name]
        n, b = light["n"], gammaincinv(2 * light["n"], 0.5)
        total = 2 * np.pi * n * light["radius"] ** 2 * b ** (-2 * n) * gamma(2 * n) * np.exp(b)
        row += [light[k] for k in ("x0", "y0", "q", "phi", "n")]
        row += [light["radius"] / light["q"] ** 0.5, light["amplitude"] / total * SCALE**2]
    return row


def gaussian_kernel(fwhm: float, upsample: int) -> torch.Tensor:
    """Return a Gaussian in cells of an upsampled pixel, five standard deviations wide."""
    sigma = fwhm / np.sqrt(8 * np.log(2)) / SCALE * upsample
    half = int(np.ceil(5 * sigma))
    edges = torch.arange(-half, half + 2, dtype=torch.float64) - 0.5
    line = torch.special.ndtr(edges / sigma).diff()
    return line[:, None] * line


# --- the table ---------------------------------------------------------------------------------


def truth(systems: list[dict[str, Any]]) -> np.ndarray:
    """Return the finest images of the band whose point spread is the narrowest."""
    oracle.SURVEYS["des"] = (SCALE, FWHM[-1])
    return COLOURS[-1] * np.array([oracle.reference_image(s, PIXELS) for s in systems])


def accuracy(images: Any, true: np.ndarray) -> dict[str, float]:
    band = np.asarray(images)[: len(true), -1].astype(float)
    residual = np.abs(band - true).max((1, 2)) / true.max((1, 2))
    flux = np.abs(band.sum((1, 2)) / true.sum((1, 2)) - 1)
    return {
        "residual_median": float(np.median(residual)),
        "residual_worst": float(residual.max()),
        "flux_worst": float(flux.max()),
    }


Engine = Callable[[list[dict[str, Any]], int, bool], Callable[[], Any]]


def engines() -> Iterator[tuple[str, str, tuple[int, ...], Engine]]:
    """Yield name, type, batch sizes to try, and how to make a run of each engine."""
    for dtype in (torch.float64, torch.float32):
        kind = str(dtype).removeprefix("torch.")
        yield (
            "skywright",
            kind,
            (16, 64, 256),
            lambda systems, batch, noise, dtype=dtype: ours(systems, dtype, noise),
        )
    for supersample in (3, 5):
        yield (
            f"lenstronomy {version('lenstronomy')}, supersampling {supersample}",
            "float64",
            (2,),
            lambda systems, batch, noise, n=supersample: lenstronomy(systems, n, noise),
        )
    for dtype in (torch.float64, torch.float32):
        for upsample, quadrature in ((1, 3), (3, None), (3, 3)):
            yield (
                f"caustics {version('caustics')}, upsampling {upsample}, quadrature {quadrature}",
                str(dtype).removeprefix("torch."),
                (1, 4) if upsample > 1 else (1, 4, 16),
                lambda systems, batch, noise, d=dtype, u=upsample, q=quadrature: caustics(
                    systems, d, u, q, batch, noise
                ),
            )


def side_by_side(systems: list[dict[str, Any]]) -> list[dict[str, Any]]:
    true = truth(systems[:CHECKED])
    rows = []
    print(
        f"{'engine':<48}{'type':>9}{'batch':>6}{'sets/s':>8}{'noisy':>8}"
        f"{'residual':>10}{'worst':>8}{'flux':>8}"
    )
    for name, kind, batches, make in engines():
        rates = {b: rate(make(systems[:b], b, False), b) for b in batches}
        best = max(rates, key=lambda b: rates[b])
        noisy = rate(make(systems[:best], best, True), best)
        row = {"engine": name, "dtype": kind, "batch": best, "sets_per_second": rates[best]}
        row |= {"with_noise": noisy, **accuracy(make(systems[:CHECKED], best, False)(), true)}
        rows.append(row)
        print(
            f"{name:<48}{kind:>9}{best:>6}{rates[best]:>8.1f}{noisy:>8.1f}"
            f"{100 * row['residual_median']:>9.2f}%{100 * row['residual_worst']:>7.2f}%"
            f"{100 * row['flux_worst']:>7.3f}%",
            flush=True,
        )
    return rows


def ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return how many times faster than lenstronomy, and than caustics at least as accurate."""
    mine = next(r for r in rows if r["engine"] == "skywright" and r["dtype"] == "float64")
    found = {}
    for key in ("sets_per_second", "with_noise"):
        coarse = next(r for r in rows if "supersampling 3" in r["engine"])
        found[f"{key}: lenstronomy, supersampling 3"] = mine[key] / coarse[key]
        for kind in ("float64", "float32"):
            mine_of_kind = next(
                r for r in rows if r["engine"] == "skywright" and r["dtype"] == kind
            )
            peers = [r for r in rows if r["engine"].startswith("caustics") and r["dtype"] == kind]
            fastest = max(peers, key=lambda r: r[key])
            closest = min(peers, key=lambda r: r["residual_median"])
            found[f"{key}: caustics {kind}, its fastest"] = mine_of_kind[key] / fastest[key]
            found[f"{key}: caustics {kind}, its most accurate"] = mine_of_kind[key] / closest[key]
    for name, value in found.items():
        print(f"{value:8.1f} x {name}")
    return found


def scaling(systems: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return our rate in float64 against batch, pixels and threads."""
    many = systems * 4
    found: dict[str, dict[str, float]] = {"batch": {}, "pixels": {}, "threads": {}}
    for batch in (1, 4, 16, 64, 256):
        found["batch"][str(batch)] = rate(ours(many[:batch], torch.float64), batch, 3)
    for pixels in (25, 50, 100, 200):
        run = ours(systems[:64], torch.float64, pixels=pixels)
        found["pixels"][str(pixels)] = rate(run, 64, 3)
    for threads in range(1, len(os.sched_getaffinity(0)) + 1):
        torch.set_num_threads(threads)
        found["threads"][str(threads)] = rate(ours(systems[:64], torch.float64), 64, 3)
    torch.set_num_threads(1)
    for name, values in found.items():
        print(f"sets/s against {name}:", {k: round(v, 1) for k, v in values.items()})
    return found


def main() -> None:
    start = time.time()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    systems = draw_systems(256)
    rows = side_by_side(systems)
    figures = {"rows": rows, "times_faster": ratios(rows), "scaling": scaling(systems)}
    best = {row["dtype"]: row["sets_per_second"] for row in rows if row["engine"] == "skywright"}
    lens, source, galaxy = scene(systems[:64], torch.float64)
    figures["limits"] = {
        kind: distance(lens, source, galaxy, FWHM, SCALE, PIXELS, getattr(torch, kind), best[kind])
        for kind in best
    }
    figures["load"] = os.getloadavg()
    figures["seconds"] = round(time.time() - start)
    print(f"load average {figures['load'][0]:.1f}, {figures['seconds']} s")
    record("lens_images_speed", figures)


if __name__ == "__main__":
    main()
