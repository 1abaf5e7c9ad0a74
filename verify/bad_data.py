"""Bad and large data: each broken input gives a result or a clear error; a mosaic stays small.

Run ``python verify/bad_data.py``; it writes docs/measured/bad_data.json.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.io import fits
from record import record

SIDE = 20_000
STEP = 500


def mosaic(path: Path, side: int) -> int:
    """Write a FITS mosaic a strip at a time and return the number of galaxies in it."""
    header = fits.Header([("BUNIT", "nJy"), ("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN")])
    header.update(CRVAL1=40.0, CRVAL2=-30.0, CRPIX1=side / 2, CRPIX2=side / 2)
    header.update(CDELT1=-0.2 / 3600, CDELT2=0.2 / 3600, CUNIT1="deg", CUNIT2="deg")
    stream = fits.StreamingHDU(path, _image_header(header, side))
    rng = np.random.default_rng(0)
    line, column = np.mgrid[-20:21, -20:21]
    stamp = (150 * np.exp(-0.5 * (line**2 / 3.0**2 + column**2 / 4.0**2))).astype(np.float32)
    count = 0
    noise = rng.normal(10, 1, (STEP, side)).astype(np.float32)
    for _ in range(side // STEP):
        # One strip of noise, turned anew for every strip: drawing all would take minutes.
        strip = np.roll(noise, int(rng.integers(side)), axis=1)
        for x in range(STEP // 2, side, STEP):
            strip[STEP // 2 - 20 : STEP // 2 + 21, x - 20 : x + 21] += stamp
            count += 1
        stream.write(strip.astype(">f4"))
    stream.close()
    return count


def _image_header(header: fits.Header, side: int) -> fits.Header:
    shape = [("SIMPLE", True), ("BITPIX", -32), ("NAXIS", 2), ("NAXIS1", side), ("NAXIS2", side)]
    return fits.Header(shape + list(header.items()))


def search(path: str) -> dict[str, float]:
    """Open, detect and cut out, and return what it took; run in a process of its own."""
    from skywright.data import cut_out, open_survey
    from skywright.find import detect, measure_psf, select_galaxies

    start = time.perf_counter()
    survey = open_survey(path)
    opened = time.perf_counter()
    sources = detect(survey, threshold=4.0, box=128)
    found = time.perf_counter()
    psf = measure_psf(survey, sources, psf="0.8 arcsec")
    galaxies = select_galaxies(sources, psf=psf, size=48, radius_min=1.0)
    cutouts = cut_out(survey, galaxies, psf=psf, size=48)
    return {
        "sources": len(sources),
        "cutouts": len(cutouts),
        "seconds_open": opened - start,
        "seconds_detect": found - opened,
        "seconds_cut_out": time.perf_counter() - found,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def empty(image: str) -> str:
    from skywright.data import open_survey
    from skywright.find import detect, measure_psf, select_galaxies

    survey = open_survey(image, scale="0.2 arcsec")
    sources = detect(survey, threshold=6.0)
    psf = measure_psf(survey, sources, psf=3)
    return f"{len(select_galaxies(sources, psf=psf, size=32))} galaxies"


def unscaled(image: str) -> str:
    from skywright.data import open_survey
    from skywright.find import detect

    survey = open_survey(image)
    return f"{len(detect(survey, threshold=6.0))} sources; scale unknown: {survey.reason}"


def refusals(folder: Path) -> dict[str, str]:
    """Return what is said of each broken input, or what came of it."""
    from skywright.data import open_survey

    image = np.random.default_rng(0).normal(5, 1, (200, 200)).astype("f4")
    header = fits.Header([("BUNIT", "nJy")])

    def write(name: str, pixels: np.ndarray, head: fits.Header = header) -> str:
        fits.PrimaryHDU(pixels, head).writeto(folder / name, overwrite=True)
        return str(folder / name)

    holes = image.copy()
    holes[5:9, 5:9], holes[50, 50] = np.nan, np.inf
    whole = write("whole.fits", image)
    cut = folder / "cut.fits"
    cut.write_bytes(Path(whole).read_bytes()[:50_000])

    cases: dict[str, Callable[[], object]] = {
        "NaN and infinite pixels": lambda: (
            f"{int(open_survey(write('holes.fits', holes)).tiles[0].read(0, 200, 0, 200)[2].sum())}"
            " pixels masked"
        ),
        "nothing but NaN": lambda: open_survey(write("nan.fits", image * np.nan)),
        "truncated FITS": lambda: open_survey(str(cut)),
        "image without scale": lambda: unscaled(whole),
        "image without unit": lambda: open_survey(write("bare.fits", image, fits.Header())),
        "one band": lambda: f"bands {open_survey(whole).bands}",
        "bands of two shapes": lambda: open_survey(
            {"g": whole, "r": write("small.fits", image[:-1])}
        ),
        "empty field": lambda: empty(whole),
    }
    return {name: _outcome(case, folder) for name, case in cases.items()}


def _outcome(case: Callable[[], object], folder: Path) -> str:
    try:
        return f"result: {case()}"
    except (ValueError, OSError) as error:
        return f"{type(error).__name__}: {error}".replace(f"{folder}/", "")


def main() -> None:
    side = int(sys.argv[1]) if len(sys.argv) > 1 else SIDE
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        said = refusals(folder)
        painted = mosaic(folder / "mosaic.fits", side)
        code = (
            f"import json, bad_data; print(json.dumps(bad_data.search({name!r} + '/mosaic.fits')))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(done.stderr)
        figures = {"side_pixels": side, "painted": painted, **json.loads(done.stdout)}
    figures["bytes_of_pixels_mb"] = side * side * 4 / 2**20
    for key, value in {**said, **figures}.items():
        print(f"{key}: {value}")
    if figures["cutouts"] != painted or figures["peak_memory_mb"] > 1500:
        sys.exit("the mosaic was not searched as it should be")
    if side == SIDE:
        record("bad_data", {"refusals": said, "mosaic": figures})


if __name__ == "__main__":
    main()
