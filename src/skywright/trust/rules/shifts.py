"""S1 to S5: what is left of a score when the sky, the detector or the domain is another one."""

from __future__ import annotations

from typing import Any

import numpy as np

from skywright.trust.resampling import wilson
from skywright.trust.rules.finding import Outcome, broken, decide, passed
from skywright.trust.symmetry import judge_symmetry

__all__ = [
    "adaptation_blind_to_target_labels",
    "attack_bounded",
    "outsiders_recognised",
    "shifts_measured",
    "symmetries_kept",
]

OF_IMAGES = (
    "depth", "psf", "background", "zero_point", "colour", "dead_pixels", "cosmic_rays", "crop",
    "rotation", "quantisation", "jpeg",
)  # fmt: skip
LARGEST_DROP = 0.1
LARGEST_SHARE = 0.5  # of answers that a few pixels turn
TURNED = 0.1  # rms change of answers by a symmetry, of their scatter


def shifts_measured(shifts: list[dict[str, Any]], images: bool) -> Outcome:
    """S1: the headline metric against the severity of every shift, in physical units.

    Parameters
    ----------
    shifts : list of dict
        From `skywright.trust.judge_shift`.
    images : bool
        Whether the items are images: then every kind of `skywright.sky.perturb` is asked for.
    """
    rows = [row for row in shifts if row["kind"] != "clean"]
    kinds = sorted({row["kind"] for row in rows})
    missing = [kind for kind in OF_IMAGES if images and kind not in kinds]
    number = {"value": len(kinds), "low": len(kinds), "high": len(kinds)}
    if missing or not kinds:
        return broken(f"no curve for {', '.join(missing) or 'any shift'}", number)
    mildest = [
        max((row for row in rows if row["kind"] == kind), key=lambda row: row["change"])
        for kind in kinds
    ]
    worst = min(mildest, key=lambda row: row["change"])
    drop = {"value": -worst["change"], "low": -worst["change_high"], "high": -worst["change_low"],
            "limit": LARGEST_DROP}  # fmt: skip
    text = (
        f"{len(kinds)} shifts; at its mildest step {worst['kind']} costs most: "
        f"{drop['value']:.3f} ({drop['low']:.3f} to {drop['high']:.3f})"
    )
    if drop["low"] > LARGEST_DROP:
        return broken(text, drop, severity="WARN", shifts=shifts)
    return passed(text, drop, shifts=shifts)


def attack_bounded(attack: dict[str, Any]) -> Outcome:
    """S2: how often a few pixels, with a stated budget, change the answer.

    Parameters
    ----------
    attack : dict
        ``successes``, ``n``, ``pixels`` and ``budget`` (text, in detector units), and
        ``random`` (successes of a random search with as many queries).
    """
    n = int(attack["n"])
    share = attack["successes"] / n
    low, high = wilson(share, n)
    text = (
        f"{attack['pixels']} pixels of at most {attack['budget']} change {share:.0%} "
        f"({low:.0%} to {high:.0%}) of {n} answers, a random search {attack['random'] / n:.0%}"
    )
    # an attack that is worse than chance says nothing good of the classifier
    worst = max(share, attack["random"] / n)
    low, high = wilson(worst, n)
    number = {"value": worst, "low": low, "high": high, "limit": LARGEST_SHARE}
    if wilson(1.0, n)[0] <= LARGEST_SHARE:
        return broken(f"{text}: too few images to tell, though all of them may fall", number)
    return decide(low <= LARGEST_SHARE, text, number)


def outsiders_recognised(outliers: dict[str, Any], abstention: dict[str, Any]) -> Outcome:
    """S3: an alarm tells what is not of the training domain, and doubt goes with error.

    Parameters
    ----------
    outliers : dict
        From `skywright.trust.judge_outliers`: AUROC of the alarm.
    abstention : dict
        From `skywright.trust.judge_abstention`.
    """
    gain = abstention["gain"]
    text = (
        f"AUROC of the alarm {outliers['value']:.3f} ({outliers['low']:.3f} to "
        f"{outliers['high']:.3f}); doubt goes with error: mean loss {gain['value']:.3g} lower "
        f"({gain['low']:.3g} to {gain['high']:.3g}) when the least sure rows stay silent"
    )
    good = outliers["low"] > 0.5 and gain["low"] > 0
    return decide(good, text, {**outliers, "limit": 0.5}, abstention=abstention)


def adaptation_blind_to_target_labels(
    fits: dict[str, dict[str, Any]], domains: dict[str, Any], transfer: dict[str, Any] | None
) -> Outcome:
    """S4: labels of the target domain taught and chose nothing; harm under label shift is known.

    Parameters
    ----------
    fits : dict
        Node -> configuration of its model.
    domains : dict
        ``labelled_sha256``: fingerprints of the row sets whose labels may be used (source alone).
    transfer : dict or None
        Direction or test -> gain over no adaptation: ``source to target``, ``target to source``
        and ``label shift``.
    """
    allowed = {None, *domains["labelled_sha256"]}
    used = [node for node, config in fits.items() if _taught(config) - allowed]
    number = {"value": len(used), "low": len(used), "high": len(used), "limit": 0}
    if used:
        return broken(f"{', '.join(used[:4])}: labels of the target domain were used", number)
    missing = [name for name in ("source to target", "target to source", "label shift")
               if name not in (transfer or {})]  # fmt: skip
    if missing:
        return broken(f"adaptation was not tested: {', '.join(missing)}", number)
    said = ", ".join(f"{name} {result['value']:+.3f}" for name, result in (transfer or {}).items())
    return passed(f"no label of the target was used; gain over no adaptation: {said}", number)


def _taught(config: dict[str, Any]) -> set[str | None]:
    """Return fingerprints of the rows that a fit was given: a share of them taught no more."""
    training = config.get("training", {})
    whole = training.get("whole_sha256", training.get("rows_sha256"))
    return {whole, training.get("validation_sha256")}


def symmetries_kept(symmetries: dict[str, np.ndarray], untransformed: np.ndarray) -> Outcome:
    """S5: a turn, a mirror, a shift, another order or another unit does not change the answer.

    Parameters
    ----------
    symmetries : dict
        Name -> answers for the transformed items.
    untransformed : (n,)
        Answers for the items as they are.
    """
    if np.ptp(untransformed) == 0:
        return broken("all answers are equal: nothing is learned, so any symmetry holds", 0)
    found = judge_symmetry(untransformed, symmetries, tolerance=TURNED)
    worst = max(found, key=lambda name: float(found[name]["rms"]))
    moved = found[worst]["rms"]
    text = (
        f"{worst} moves answers most: rms {moved:.3f} of their scatter, "
        f"{found[worst]['flipped']:.1%} change sides ({len(found)} symmetries)"
    )
    number = {"value": moved, "low": moved, "high": moved, "limit": TURNED}
    return decide(all(one["passed"] for one in found.values()), text, number, symmetries=found)
