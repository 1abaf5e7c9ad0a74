"""Compare every published profile of mass and light with lenstronomy, one example of each.

    python verify/profiles.py

Errors are the largest over the largest value; where the profile is not native, ours is
lenstronomy's own and the figure says that nothing is lost on the way. Seconds.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from record import record

from skywright.sky.lensing import deflect
from skywright.sky.profiles import LIGHT_PROFILES, MASS_PROFILES, mass_part
from skywright.sky.profiles.lights import NATIVE_LIGHTS
from skywright.sky.profiles.masses import NATIVE_MASSES

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "oracle"))
oracle: Any = importlib.import_module("lenstronomy_profiles")


def mass_error(name: str) -> float | None:
    """Return the error of the deflection, None where the two cannot be compared."""
    if name in ("NFW_MC", "NumericalAlpha", "SPEMD", "INTERPOL", "INTERPOL_SCALED"):
        return None
    parameters = oracle.parameters_of(name)
    ours = deflect(*oracle.grid(), mass_part(name, parameters))
    theirs = oracle.theirs(name, parameters)
    size = max(np.abs(component).max() for component in theirs)
    return float(max(np.abs(a.numpy() - b).max() for a, b in zip(ours, theirs, strict=True)) / size)


def light_error(name: str) -> float | None:
    """Return the error of the brightness, None where the two cannot be compared."""
    if name not in oracle.LIGHTS:
        return None
    ours, theirs = oracle.brightness(name)
    return float(np.abs(ours - theirs).max() / ours.max())


def main() -> None:
    warnings.simplefilter("ignore")
    rows = [
        {"kind": kind, "profile": name, "native": name in native, "error": judge(name)}
        for kind, names, native, judge in (
            ("mass", MASS_PROFILES, NATIVE_MASSES, mass_error),
            ("light", LIGHT_PROFILES, NATIVE_LIGHTS, light_error),
        )
        for name in names
    ]
    for row in rows:
        print(row)
    # Their Sersic masses have an approximate b_n; ours holds half of the mass exactly.
    same = [r for r in rows if r["error"] is not None and not r["profile"].startswith("SERSIC")]
    summary = {
        f"{kind}_{what}": sum(r["kind"] == kind and r["native"] is native for r in rows)
        for kind in ("mass", "light")
        for what, native in (("native", True), ("by_lenstronomy_or_refused", False))
    }
    summary |= {"compared": len(same), "worst_error": max(r["error"] for r in same)}
    met = {"errors_below_1e-6": summary["worst_error"] < 1e-6}
    print(summary, met)
    record("profiles", {"rows": rows, "summary": summary, "met": met})
    if not all(met.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
