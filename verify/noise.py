"""Compare drawn noise with what Poisson and read noise say it is: six surveys, all their bands.

    python verify/noise.py

Each band: 2000 empty stamps, and 2000 of a ramp of light up to 100 times the sky. Expected are
the variance of the coadd, a variance that grows with the mean as 1 / total exposure time, and
residuals whose sum of squares per stamp follows chi^2. Truth is written out here, from the
constants of the surveys and nothing else of the package. About a minute.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch
from record import record
from scipy.stats import chi2, kstest, norm

from skywright.sky.noise import add_noise
from skywright.sky.surveys import SURVEYS, survey_value

STAMPS, SIDE = 2000, 24
BRIGHTEST = 100.0  # skies: the ramp of light


def judge_band(survey: str, band: str, seed: int) -> dict[str, Any]:
    """Return how far the noise of one band is from what it should be."""
    s = SURVEYS[survey]
    names = ("zero_point", "exposure_time", "exposures", "sky")
    zero, seconds, count, sky = (float(survey_value(survey, k, band, 0.5)) for k in names)
    total = seconds * count
    rate = 10 ** (-0.4 * (sky - zero)) * s.scale**2
    variance = (rate * total + count * s.read_noise**2) / total**2
    settings = {
        "sky": sky,
        "zero_point": zero,
        "exposure_time": seconds,
        "exposures": count,
        "scale": s.scale,
        "read_noise": s.read_noise,
    }
    rng = np.random.default_rng([9, seed])
    empty = torch.zeros(STAMPS, 1, SIDE, SIDE, dtype=torch.float64)
    noise = add_noise(empty, rng, **settings).numpy().reshape(STAMPS, -1)
    ramp = torch.linspace(0, BRIGHTEST * rate, SIDE**2, dtype=torch.float64)
    light = ramp.reshape(1, SIDE, SIDE).expand(STAMPS, 1, SIDE, SIDE)
    bright = add_noise(light, rng, **settings).numpy().reshape(STAMPS, -1)
    found = bright.var(0, ddof=1)
    expected = ramp.numpy() / total + variance
    slope = np.polyfit(ramp.numpy(), found, 1, w=1 / expected)[0]
    squares = (noise**2 / variance).sum(1)
    return {
        "band": f"{survey} {band}",
        "sky_electrons": rate * total,
        "rms_over_expected": float(noise.std() / np.sqrt(variance)),
        "slope_times_time": float(slope * total),
        "chi2_p": float(kstest(squares, chi2(noise.shape[1]).cdf).pvalue),
        "pixel_p": float(kstest(noise[:, 0] / np.sqrt(variance), norm.cdf).pvalue),
        "mean_over_its_error": float(noise.mean() / np.sqrt(variance / noise.size)),
    }


def main() -> None:
    start = time.time()
    pairs = [(survey, band) for survey, s in SURVEYS.items() for band in s.bands]
    rows = [judge_band(survey, band, seed) for seed, (survey, band) in enumerate(pairs)]
    for row in rows:
        print({k: v if isinstance(v, str) else float(f"{v:.4g}") for k, v in row.items()})
    met = {
        "rms_within_2_percent": all(abs(r["rms_over_expected"] - 1) < 0.02 for r in rows),
        "slope_within_3_percent": all(abs(r["slope_times_time"] - 1) < 0.03 for r in rows),
        "chi2_p_above_0.001": all(min(r["chi2_p"], r["pixel_p"]) > 1e-3 for r in rows),
    }
    print(met)
    summary = {
        "bands": len(rows),
        "stamps_each": STAMPS,
        "worst_rms_error": max(abs(r["rms_over_expected"] - 1) for r in rows),
        "worst_slope_error": max(abs(r["slope_times_time"] - 1) for r in rows),
        "lowest_chi2_p": min(r["chi2_p"] for r in rows),
        "lowest_pixel_p": min(r["pixel_p"] for r in rows),
    }
    figures = {"rows": rows, "summary": summary, "met": met}
    record("noise", figures | {"seconds": round(time.time() - start)})
    if not all(met.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
