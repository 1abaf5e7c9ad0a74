"""The recipe on a user's own FITS files, and then on the next tile without training.

The files are made from the deep-field picture: two bands, a unit, a world coordinate system, an
inverse variance and a mask. The next tile is the same sky mirrored: this shows that it works, not
how well.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from record import ROOT, record
from run_recipe import run
from skimage.data import hubble_deep_field

from skywright.data import artefacts
from skywright.flow.runs import node_folder

SCALE = 0.138 / 3600


def write_tile(folder: Path, name: str, pixels: np.ndarray) -> list[str]:
    """Write g and r images [nJy], their inverse variance and a mask; return the options."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [53.16, -27.79], [500, 436]
    wcs.wcs.cdelt = [-SCALE, SCALE]
    header = wcs.to_header()
    header["BUNIT"] = "nJy"
    flux = pixels.astype("f4") * 0.1
    planes = {"g": flux[..., 1], "r": flux[..., 0], "weight": np.full(flux.shape[:2], 3.0, "f4")}
    planes["mask"] = np.zeros(flux.shape[:2], "i2")
    planes["mask"][400:404, 300:340] = 1
    planes["r"][10:14, 10:14] = np.nan
    for key, plane in planes.items():
        kind = fits.Header() if key == "mask" else header
        fits.PrimaryHDU(plane, kind).writeto(folder / f"{name}_{key}.fits", overwrite=True)
    values = {
        "image": f"{{g: {name}_g.fits, r: {name}_r.fits}}",
        "weight": f"{name}_weight.fits",
        "mask": f"{name}_mask.fits",
        "zero_point": "{g: 31.4, r: 31.4}",
        "psf": "{g: 0.30 arcsec, r: 0.33 arcsec}",
    }
    return [part for key, value in values.items() for part in ("--set", f"{key}={value}")]


def main() -> int:
    place = ROOT / ".skywright" / "verify-own"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    pixels = hubble_deep_field()
    first = write_tile(place, "first", pixels)
    second = write_tile(place, "second", pixels[:, ::-1])
    made = run("lens-search", "--preset", "tiny", *first, cwd=place)
    found = artefacts.load(Path(made["run"]) / node_folder("candidates"))
    Table(found["ra", "dec"][:3]).write(place / "known.csv")
    table = ["--set", "known=known.csv"]
    judged = run("lens-search", "--preset", "tiny", *first, *table, cwd=place)
    reused = ["--set", f"model={made['run']}"]
    again = run("lens-search", "--preset", "tiny", *second, *reused, cwd=place)
    fits = ("net", "half_net", "boosting", "pretrained", "lookalikes", "lookalike_boosting")
    trained = [n for n in again["nodes"] if n.split("[")[0] in fits]
    figures = {
        "candidates_with_sky_positions": len(found),
        "known_lenses": {k: v for k, v in judged["results"].items() if "known" in k},
        "next_tile_ok": again["ok"],
        "next_tile_nodes_trained": trained,
        "next_tile_seconds": again["wall"],
    }
    print(json.dumps(figures, indent=1))
    record("own-survey", figures)
    return int(bool(trained) or not again["ok"])


if __name__ == "__main__":
    sys.exit(main())
