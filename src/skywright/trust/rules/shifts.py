"""S1 to S5: what is left of a score when the sky, the detector or the domain is another one."""

from __future__ import annotations

from typing import Any

import numpy as np

from skywright.trust.ranking import auroc
from skywright.trust.resampling import wilson
from skywright.trust.rules.finding import Outcome, broken, decide, passed

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
TURNED = 0.1  # share of answers that a symmetry may change


def shifts_measured(curves: dict[str, list[dict[str, Any]]], images: bool) -> Outcome:
    """S1: the headline metric against the severity of every shift, in physical units.

    Parameters
    ----------
    curves : dict
        Kind of shift -> points with ``severity`` and ``drop`` (with ``low``, ``high``) of the
        headline metric, mildest first.
    images : bool
        Whether the items are images: then every kind of `skywright.sky.perturb` is asked for.
    """
    missing = [kind for kind in OF_IMAGES if images and kind not in curves]
    number = {"value": len(curves), "low": len(curves), "high": len(curves)}
    if missing or not curves:
        return broken(f"no curve for {', '.join(missing) or 'any shift'}", number)
    worst = max(curves, key=lambda kind: curves[kind][0]["drop"]["value"])
    drop = {**curves[worst][0]["drop"], "limit": LARGEST_DROP}
    text = (
        f"{len(curves)} shifts; at its mildest step {worst} costs most: {drop['value']:.3f} "
        f"({drop['low']:.3f} to {drop['high']:.3f})"
    )
    if drop["low"] > LARGEST_DROP:
        return broken(text, drop, severity="WARN", curves=curves)
    return passed(text, drop, curves=curves)


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
    number = {"value": share, "low": low, "high": high, "limit": 0.5}
    return decide(low <= 0.5, text, number)


def outsiders_recognised(
    outside: np.ndarray, inside: np.ndarray, abstention: dict[str, list[float]]
) -> Outcome:
    """S3: an alarm tells what is not of the training domain, and doubt goes with error.

    Parameters
    ----------
    outside, inside : (n,)
        Alarm of objects that lie outside the training domain, and of test rows; higher is
        stranger.
    abstention : dict
        ``coverage`` and ``risk``: mean loss among the most confident share of the answers.
    """
    alarm = np.concatenate([outside, inside])
    label = np.repeat([1, 0], [len(outside), len(inside)])
    value = float(auroc(alarm, label))
    half = 1.96 * float(np.sqrt(value * (1 - value) / min(len(outside), len(inside)) + 1e-12))
    number = {"value": value, "low": value - half, "high": min(value + half, 1.0), "limit": 0.5}
    risk = np.asarray(abstention["risk"])
    middle = risk[len(risk) // 2]
    text = (
        f"AUROC of the alarm {value:.3f}; answering the surer half, the loss is {middle:.3g} "
        f"instead of {risk[-1]:.3g}"
    )
    return decide(number["low"] > 0.5 and middle <= risk[-1], text, number, abstention=abstention)


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
    allowed = set(domains["labelled_sha256"])
    keys = ("rows_sha256", "validation_sha256")
    used = [
        node
        for node, config in fits.items()
        if {config.get("training", {}).get(k) for k in keys} - allowed - {None}
    ]
    number = {"value": len(used), "low": len(used), "high": len(used), "limit": 0}
    if used:
        return broken(f"{', '.join(used[:4])}: labels of the target domain were used", number)
    missing = [name for name in ("source to target", "target to source", "label shift")
               if name not in (transfer or {})]  # fmt: skip
    if missing:
        return broken(f"adaptation was not tested: {', '.join(missing)}", number)
    said = ", ".join(f"{name} {result['value']:+.3f}" for name, result in (transfer or {}).items())
    return passed(f"no label of the target was used; gain over no adaptation: {said}", number)


def symmetries_kept(symmetries: dict[str, np.ndarray], answers: np.ndarray) -> Outcome:
    """S5: a turn, a mirror, a shift, another order or another unit does not change the answer.

    Parameters
    ----------
    symmetries : dict
        Name -> answers for the transformed items.
    answers : (n,)
        Answers for the items as they are.
    """
    scale = float(np.nanstd(answers))
    moved = {
        name: float(np.nanmean(np.abs(turned - answers))) / (scale or 1.0)
        for name, turned in symmetries.items()
    }
    worst = max(moved, key=lambda name: moved[name])
    text = (
        f"{worst} moves answers most: by {moved[worst]:.3f} of their scatter "
        f"({len(moved)} symmetries)"
    )
    number = {"value": moved[worst], "low": moved[worst], "high": moved[worst], "limit": TURNED}
    return decide(moved[worst] <= TURNED, text, number, moved=moved)
