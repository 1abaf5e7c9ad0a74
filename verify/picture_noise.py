"""How far the sky noise of the deep-field picture is from independent, between bands and pixels.

Arc S/N is counted in the noise of the added bands on the scale of the point spread function; this
says by how much that is larger than the noise of single pixels, and how much of it the bands make.
"""

from __future__ import annotations

import numpy as np
from record import record
from skimage.data import hubble_deep_field

from skywright.data import cut_out, open_survey
from skywright.find import detect, measure_psf, select_galaxies

CLIP = 2.5  # robust standard deviations beyond which a pixel is not sky in any band


def main() -> None:
    picture = hubble_deep_field().astype(float)
    above = picture - np.median(picture, axis=(0, 1))
    sigma = 1.4826 * np.median(np.abs(above), axis=(0, 1))
    sky = (np.abs(above) < CLIP * sigma).all(axis=2)
    bands = np.corrcoef(above[sky].T)
    pairs = sky[:, 1:] & sky[:, :-1]
    right, left = above[:, 1:][pairs], above[:, :-1][pairs]
    neighbours = [float(np.corrcoef(right[:, i], left[:, i])[0, 1]) for i in range(3)]
    figures = {
        "share_of_sky_pixels": float(sky.mean()),
        "correlation_r_g": float(bands[0, 1]),
        "correlation_r_b": float(bands[0, 2]),
        "correlation_g_b": float(bands[1, 2]),
        "correlation_of_neighbours_rgb": neighbours,
        "noise_excess_by_bands_alone": float(np.sqrt(bands.sum() / 3)),
        "noise_excess": _excess_of_cutouts(),
    }
    print(figures)
    record("picture-noise", figures)


def _excess_of_cutouts() -> float:
    """Return the factor that the recipe counts arc S/N with."""
    survey = open_survey("hubble-deep-field")
    sources = detect(survey)
    psf = measure_psf(survey, sources)
    galaxies = select_galaxies(sources, psf=psf, size=48)
    return cut_out(survey, galaxies, psf=psf, size=48).noise_excess[0]


if __name__ == "__main__":
    main()
