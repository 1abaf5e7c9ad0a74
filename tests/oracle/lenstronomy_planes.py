"""Systems with light and mass in three planes, and their images and delays by lenstronomy."""

from __future__ import annotations

import warnings
from typing import Any

import lenstronomy_images as single
import numpy as np
import torch
from astropy.cosmology import FlatLambdaCDM

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # syntax warnings of lenstronomy's own modules
    from lenstronomy.ImSim.image_model import ImageModel
    from lenstronomy.LensModel.lens_model import LensModel
    from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver
    from lenstronomy.LightModel.light_model import LightModel

COSMOLOGY = FlatLambdaCDM(70, 0.3)
NUMERICS = {"supersampling_convolution": True, "supersampling_kernel_size": None}


def draw_planes(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a lens, a second lens that shines, and a source behind both."""
    system = single.draw_system(rng)
    distance, angle = system["lens"]["theta_e"] * rng.uniform(0, 0.6), rng.uniform(0, 2 * np.pi)
    x0, y0 = distance * np.cos(angle), distance * np.sin(angle)
    middle = {"theta_e": rng.uniform(0.1, 0.4), "q": rng.uniform(0.6, 1), "phi": rng.uniform(0, 3)}
    return system | {
        "redshifts": [rng.uniform(0.2, 0.6), rng.uniform(0.7, 1.2), rng.uniform(1.5, 3)],
        "middle": middle | {"x0": x0, "y0": y0},
        "middle_light": {
            "amplitude": rng.uniform(0.05, 0.5),
            "radius": rng.uniform(0.3, 1),
            "n": rng.uniform(0.5, 4),
            "q": rng.uniform(0.4, 1),
            "phi": rng.uniform(0, np.pi),
            "x0": x0,
            "y0": y0,
        },
    }


def lens_model(system: dict[str, Any]) -> tuple[LensModel, list[dict[str, float]]]:
    """Return the two lenses in lenstronomy's words."""
    near, mid, far = system["redshifts"]
    model = LensModel(
        ["SIE", "SHEAR", "SIE"],
        lens_redshift_list=[near, near, mid],
        z_source=far,
        z_source_convention=far,
        multi_plane=True,
        cosmo=COSMOLOGY,
    )
    lens = single.lens_arguments(system["lens"])
    return model, [*lens, single.lens_arguments(system["middle"] | NO_SHEAR)[0]]


NO_SHEAR = {"gamma1": 0.0, "gamma2": 0.0}


def reference_image(system: dict[str, Any], pixels: int, supersample: int = 15) -> np.ndarray:
    """Render with lenstronomy, on a wider stamp that is then cut; the point spread is Gaussian."""
    scale, fwhm = single.SURVEYS[system["survey"]]
    margin = int(np.ceil(1.5 * fwhm / scale))
    side = pixels + 2 * margin
    corner = -(side - 1) / 2 * scale
    data = single.ImageData(
        np.zeros((side, side)),
        ra_at_xy_0=corner,
        dec_at_xy_0=corner,
        transform_pix2angle=np.eye(2) * scale,
    )
    half = int(np.ceil(single.REACH * fwhm / scale)) * supersample + (supersample - 1) // 2
    axis = np.arange(-half, half + 1) * scale / supersample
    kernel = single.point_spread("gaussian", fwhm, axis[None], axis[:, None])
    model, arguments = lens_model(system)
    image = ImageModel(
        data,
        single.PSF(
            "PIXEL", kernel_point_source=kernel, point_source_supersampling_factor=supersample
        ),
        model,
        LightModel(["SERSIC_ELLIPSE"] * 2, source_redshift_list=system["redshifts"][1:]),
        LightModel(["SERSIC_ELLIPSE"]),
        kwargs_numerics={"supersampling_factor": supersample, **NUMERICS},
    ).image(
        arguments,
        [single.sersic_arguments(system[name]) for name in ("middle_light", "source")],
        [single.sersic_arguments(system["lens_light"])],
    )
    return image[margin : margin + pixels, margin : margin + pixels]


def our_planes(system: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the system as `skywright.sky.render_planes` takes it."""
    light = {
        name: {**system[name], "amplitude": torch.full((1, 1, 1), system[name]["amplitude"])}
        for name in ("lens_light", "middle_light", "source")
    }
    return [
        {"redshift": z, "lens": lens, "light": light[name]}
        for z, lens, name in zip(
            system["redshifts"], (system["lens"], system["middle"], None), light, strict=True
        )
    ]


def images_of_point(
    system: dict[str, Any], x: float, y: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return positions, magnifications and arrival times [day] of a point in the last plane."""
    model, arguments = lens_model(system)
    image_x, image_y = LensEquationSolver(model).image_position_from_source(
        x, y, arguments, min_distance=0.02, search_window=8, precision_limit=1e-10
    )
    mu = model.magnification(image_x, image_y, arguments)
    return image_x, image_y, mu, model.arrival_time(image_x, image_y, arguments)
