"""Random lens systems, and their images by lenstronomy: truth that shares no code with ours.

Two properties of lenstronomy matter. Its default convolves only the inner five pixels of a kernel
on the supersampled grid, so `supersampling_kernel_size=None` is needed; and its Sersic b_n is
1.9992 n - 0.3271, so radius and amplitude are translated to give exactly the same profile.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.special import gamma, gammaincinv

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # syntax warnings of lenstronomy's own modules
    from lenstronomy.Data.imaging_data import ImageData
    from lenstronomy.Data.psf import PSF
    from lenstronomy.ImSim.image_model import ImageModel
    from lenstronomy.LensModel.lens_model import LensModel
    from lenstronomy.LightModel.light_model import LightModel
    from lenstronomy.LightModel.Profiles.sersic import Sersic

from skywright import sky

SURVEYS = {"des": (0.263, 0.9), "lsst": (0.2, 0.7), "hst": (0.05, 0.1), "euclid": (0.101, 0.16)}
PSFS = ("gaussian", "moffat", "pixel")
BETA = 3.0
REACH = 5  # FWHM: half-width of kernels


def draw_system(rng: np.random.Generator) -> dict[str, Any]:
    """Draw an isothermal ellipsoid with shear, a Sersic source, and a Sersic lens galaxy."""
    survey = list(SURVEYS)[rng.integers(len(SURVEYS))]
    theta_e = rng.uniform(0.6, 1.6 if survey == "hst" else 1.8)
    distance, angle = theta_e * rng.uniform(0, 0.5), rng.uniform(0, 2 * np.pi)
    x0, y0 = rng.uniform(-0.1, 0.1, 2)
    gamma1, gamma2 = rng.normal(0, 0.03, 2)
    return {
        "survey": survey,
        "psf": PSFS[rng.integers(len(PSFS))],
        "lens": {
            "theta_e": theta_e,
            "q": rng.uniform(0.5, 1),
            "phi": rng.uniform(0, np.pi),
            "x0": x0,
            "y0": y0,
            "gamma1": gamma1,
            "gamma2": gamma2,
        },
        "source": {
            "amplitude": rng.uniform(0.02, 0.5),
            "radius": rng.uniform(0.3, 2),
            "n": rng.uniform(0.5, 4),
            "q": rng.uniform(0.4, 1),
            "phi": rng.uniform(0, np.pi),
            "x0": distance * np.cos(angle),
            "y0": distance * np.sin(angle),
        },
        "lens_light": {
            "amplitude": 1.0,
            "radius": rng.uniform(0.3, 2),
            "n": rng.uniform(0.5, 4),
            "q": rng.uniform(0.5, 1),
            "phi": rng.uniform(0, np.pi),
            "x0": x0,
            "y0": y0,
        },
    }


def point_spread(kind: str, fwhm: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the brightness of a point; ``pixel`` is a lopsided sum of two Gaussians."""
    if kind == "moffat":
        alpha = fwhm / 2 / np.sqrt(2 ** (1 / BETA) - 1)
        return (1 + (x**2 + y**2) / alpha**2) ** -BETA
    sigma = fwhm / np.sqrt(8 * np.log(2))
    if kind == "gaussian":
        return np.exp(-0.5 * (x**2 + y**2) / sigma**2)
    u, v = np.cos(0.5) * x + np.sin(0.5) * y, np.cos(0.5) * y - np.sin(0.5) * x
    wing = 0.15 * np.exp(-0.5 * ((u - 0.5 * sigma) ** 2 + v**2) / (2 * sigma) ** 2)
    return np.exp(-0.5 * ((u / 1.1) ** 2 + (v / 0.9) ** 2) / sigma**2) + wing


def cell_kernel(kind: str, fwhm: float, cell: float) -> np.ndarray:
    """Integrate a point over square cells, as a measured kernel would come."""
    half = int(np.ceil(REACH * fwhm / cell))
    nodes, weights = np.polynomial.legendre.leggauss(5)
    axis = (np.arange(-half, half + 1)[:, None] + nodes / 2) * cell
    values = point_spread(kind, fwhm, axis[None, None], axis[:, :, None, None])
    return np.einsum("aibj,i,j->ab", values, weights, weights)


def reference_image(
    system: dict[str, Any],
    pixels: int,
    supersample: int = 15,
    margin: int | None = None,
) -> np.ndarray:
    """Render with lenstronomy, on a stamp wider by ``margin`` pixels that is then cut."""
    scale, fwhm = SURVEYS[system["survey"]]
    margin = int(np.ceil(1.5 * fwhm / scale)) if margin is None else margin
    side = pixels + 2 * margin
    corner = -(side - 1) / 2 * scale
    data = ImageData(
        np.zeros((side, side)),
        ra_at_xy_0=corner,
        dec_at_xy_0=corner,
        transform_pix2angle=np.eye(2) * scale,
    )
    # lenstronomy wants kernels of an odd number of whole pixels.
    half = int(np.ceil(REACH * fwhm / scale)) * supersample + (supersample - 1) // 2
    axis = np.arange(-half, half + 1) * scale / supersample
    kernel = point_spread(system["psf"], fwhm, axis[None], axis[:, None])
    psf = PSF("PIXEL", kernel_point_source=kernel, point_source_supersampling_factor=supersample)
    model = ImageModel(
        data,
        psf,
        LensModel(["SIE", "SHEAR"]),
        LightModel(["SERSIC_ELLIPSE"]),
        LightModel(["SERSIC_ELLIPSE"]),
        kwargs_numerics={
            "supersampling_factor": supersample,
            "supersampling_convolution": True,
            "supersampling_kernel_size": None,
        },
    )
    image = model.image(
        lens_arguments(system["lens"]),
        [sersic_arguments(system["source"])],
        [sersic_arguments(system["lens_light"])],
    )
    return image[margin : margin + pixels, margin : margin + pixels]


def lens_arguments(lens: dict[str, float]) -> list[dict[str, float]]:
    """Return our isothermal ellipsoid with shear in lenstronomy's words (SIE, SHEAR)."""
    e1, e2 = ellipticities(lens["q"], lens["phi"])
    x0, y0 = lens.get("x0", 0.0), lens.get("y0", 0.0)
    return [
        {"theta_E": lens["theta_e"], "e1": e1, "e2": e2, "center_x": x0, "center_y": y0},
        {"gamma1": lens["gamma1"], "gamma2": lens["gamma2"], "ra_0": x0, "dec_0": y0},
    ]


def sersic_arguments(light: dict[str, float]) -> dict[str, float]:
    """Return a Sersic profile of total flux ``amplitude`` in lenstronomy's words."""
    n, radius = light["n"], light["radius"]
    exact, theirs = gammaincinv(2 * n, 0.5), Sersic().b_n(n)
    central = light["amplitude"] / (2 * np.pi * n * radius**2 * exact ** (-2 * n) * gamma(2 * n))
    e1, e2 = ellipticities(light["q"], light["phi"])
    return {
        "amp": central * np.exp(-theirs),
        "R_sersic": radius * (theirs / exact) ** n,
        "n_sersic": n,
        "e1": e1,
        "e2": e2,
        "center_x": light["x0"],
        "center_y": light["y0"],
    }


def ellipticities(q: float, phi: float) -> tuple[float, float]:
    """Return lenstronomy's e1, e2."""
    modulus = (1 - q) / (1 + q)
    return modulus * np.cos(2 * phi), modulus * np.sin(2 * phi)


def draw_lens(
    kind: str, rng: np.random.Generator
) -> tuple[list[dict[str, Any]], LensModel, list[dict[str, float]]]:
    """Draw a lens (``sie`` or ``nfw``, with shear) in our words and in lenstronomy's."""
    gamma1, gamma2 = rng.normal(0, 0.03, 2)
    shear = {"gamma1": gamma1, "gamma2": gamma2}
    if kind == "nfw":
        ours = [
            {"deflector": sky.nfw, "radius_s": 5.0, "alpha_s": 2.5},
            {"deflector": sky.shear, **shear},
        ]
        halo = {"Rs": 5.0, "alpha_Rs": 2.5, "center_x": 0, "center_y": 0}
        return ours, LensModel(["NFW", "SHEAR"]), [halo, shear]
    lens = {"theta_e": 1.2, "q": rng.uniform(0.5, 0.95), "phi": rng.uniform(0, np.pi), **shear}
    e1, e2 = ellipticities(lens["q"], lens["phi"])
    ellipsoid = {"theta_E": 1.2, "gamma": 2.0, "e1": e1, "e2": e2, "center_x": 0, "center_y": 0}
    return [lens], LensModel(["EPL", "SHEAR"]), [ellipsoid, shear]
