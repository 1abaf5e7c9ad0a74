"""I1 to I4: what the model looks at, what its latents mean, known physics, and its failures."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable
from scipy.stats import spearmanr

from skywright.trust.committee import column
from skywright.trust.rules.finding import Outcome, broken, decide, passed

__all__ = ["attributions_checked", "failures_shown", "latents_mean_something", "physics_holds"]


def attributions_checked(attributions: dict[str, dict[str, Any]]) -> Outcome:
    """I1: maps of attribution depend on the weights, and on what matters.

    Parameters
    ----------
    attributions : dict
        From `skywright.trust.judge_attributions`.
    """
    alike = attributions["randomisation"]
    gaps = {name: attributions[name] for name in ("deletion_gain", "insertion_gain")}
    said = ", ".join(f"{name.replace('_', ' ')} {gap['value']:+.3f}" for name, gap in gaps.items())
    text = (
        f"rank correlation with maps of random weights {alike['value']:.2f} (limit "
        f"{alike['limit']}); {said}"
    )
    good = alike["passed"] and all(gap["passed"] for gap in gaps.values())
    return decide(good, text, alike)


def latents_mean_something(information: QTable) -> Outcome:
    """I2: mutual information of latents and physical quantities, with errors.

    Parameters
    ----------
    information : QTable
        From `skywright.trust.information_table`: ``latent``, ``quantity``, ``value``,
        ``error``, ``p_value``; the unit is in its ``meta``.
    """
    value, error = column(information, "value"), column(information, "error")
    best = int(np.argmax(value))
    row = information[best]
    told = int((column(information, "p_value") < 0.05 / len(information)).sum())
    text = (
        f"{told} of {len(information)} pairs share information; most: {row['latent']} with "
        f"{row['quantity']}, {value[best]:.2f} ± {error[best]:.2f} "
        f"{information.meta.get('unit', 'nat')}"
    )
    ends = {"low": value[best] - error[best], "high": value[best] + error[best]}
    return decide(bool(np.isfinite(error).all()), text, {"value": value[best], **ends})


def physics_holds(
    physics: dict[str, tuple[np.ndarray, str]], good: np.ndarray, groups: np.ndarray | None = None
) -> Outcome:
    """I3: the score follows the physics that is known.

    Parameters
    ----------
    physics : dict
        Quantity -> its values (n,), and ``increasing`` or ``decreasing``: how the quality of an
        answer must go with it, as more lenses are found at higher signal to noise.
    good : (n,)
        Quality of each answer, higher is better; NaN where it is not asked for.
    groups : (n,), optional
        Independent unit behind each row; rows of one unit count once.
    """
    units = np.arange(len(good)) if groups is None else groups
    wrong, found = [], {}
    for name, (x, way) in physics.items():
        if way not in ("increasing", "decreasing"):
            raise ValueError(f"physics of {name} is {way!r}; expected increasing or decreasing")
        kept = np.isfinite(x) & np.isfinite(good)
        result = _trend(x[kept], good[kept], len(np.unique(units[kept])))
        found[name] = result
        end = result["low"] if way == "increasing" else -result["high"]
        if end <= 0:
            wrong.append(f"{name} ({result['value']:+.2f}, expected {way})")
    if not found:
        return broken("no physics was named", 0)
    weakest = min(found.values(), key=lambda r: abs(r["value"]))
    if wrong:
        return broken(f"answers do not follow {', '.join(wrong)}", weakest, trends=found)
    said = ", ".join(f"{name} {r['value']:+.2f}" for name, r in found.items())
    return passed(f"rank correlation of the quality of answers with {said}", weakest, trends=found)


def _trend(x: np.ndarray, y: np.ndarray, n: int) -> dict[str, Any]:
    """Return Spearman's rank correlation with its interval (Fisher's z, Fieller et al. 1957).

    The interval is that of n independent rows.
    """
    if n < 5 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return {"value": 0.0, "low": -1.0, "high": 1.0, "limit": 0}
    rho = float(spearmanr(x, y).statistic)
    half = 1.96 * 1.03 / np.sqrt(n - 3)
    z = np.arctanh(np.clip(rho, -0.999999, 0.999999))
    return {"value": rho, "low": float(np.tanh(z - half)), "high": float(np.tanh(z + half)),
            "limit": 0}  # fmt: skip


def failures_shown(failures: list[dict[str, Any]], subgroups: dict[str, Any]) -> Outcome:
    """I4: the worst answers, the most confident wrong ones, and every subgroup are shown.

    Parameters
    ----------
    failures : list of dict
        The worst answers, worst first.
    subgroups : dict
        Subgroup -> its figures.
    """
    text = f"the {len(failures)} worst answers and {len(subgroups)} subgroups are listed"
    return decide(bool(failures), text, len(failures), worst=failures, subgroups=subgroups)
