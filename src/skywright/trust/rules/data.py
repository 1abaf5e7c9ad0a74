"""D1 to D4: where the data come from, how they are distributed, and what they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

from skywright.data.hull import fit_hull, outside_hull
from skywright.trust.label_noise import estimate_label_noise
from skywright.trust.leaks import separability
from skywright.trust.rules.facts import sides
from skywright.trust.rules.finding import Outcome, broken, decide, passed
from skywright.trust.rules.said import doubtful_date, doubtful_licence, unsaid
from skywright.trust.rules.uncertainty import probabilities

__all__ = ["balance_and_shift", "data_card_complete", "domain_covered", "simulation_like_real"]

CARD = ("source", "release", "selection", "licence", "date")
SHIFTED = 0.6  # AUROC with which test rows are told from training rows
UNREAL = 0.75
STRANGE = 0.05
MOST_ROWS = 1000
RESAMPLES = 200


def data_card_complete(card: dict[str, Any], items: dict[str, Any]) -> Outcome:
    """D1: source, release, selection, licence and date are said; units and gaps were counted.

    Parameters
    ----------
    card : dict
        Under ``data``, what the recipe says of its data.
    items : dict
        ``units`` (column -> unit), ``missing`` (column -> share), ``rows``, ``sha256``.
    """
    data = card.get("data") or {}
    lacking = unsaid(data, CARD)
    gaps = sum(share > 0 for share in items["missing"].values())
    text = (
        f"{items['rows']} rows, checksum {items['sha256'][:12]}, {len(items['units'])} columns, "
        f"{gaps} with missing values"
    )
    if lacking:
        return broken(f"the recipe does not say of its data: {', '.join(lacking)}", len(lacking))
    doubts = [doubtful_licence(data["licence"]), doubtful_date(data["date"])]
    if any(doubts):
        said = "; ".join(filter(None, doubts))
        return broken(f"the recipe says of its data: {said}", sum(map(bool, doubts)))
    return passed(f"{data['source']}, {data['release']}: {text}", 0, items=items)


def balance_and_shift(
    place: np.ndarray, roles: np.ndarray, all_units: np.ndarray, all_truth: np.ndarray,
    task: str, rng: np.random.Generator, answers: np.ndarray, truth: np.ndarray,
    groups: np.ndarray, prior: float | None = None,
) -> Outcome:  # fmt: skip
    """D2: class balance, labels that look wrong, and whether test rows are told from training rows.

    Parameters
    ----------
    place : (n, feature)
        The few numbers of each item in which the domain is drawn.
    roles : (fold, n) str
        Roles; the fold with the largest shift counts.
    all_units : (n,)
        Independent unit behind each row.
    all_truth : (n,)
        Labels or values.
    task : str
        ``classification`` or ``regression``.
    rng : Generator
        For the sub-samples, the folds of the trees, and the bootstrap.
    answers, truth, groups : (m,)
        Logits, labels and units of judged rows.
    prior : float, optional
        Share of positives at which the logits are meant.
    """
    folds = [tell_apart(place, *rows, all_units, rng) for rows in sides(roles)]
    found = max(folds, key=lambda one: float(one["low"]))
    text = (
        f"test rows are told from training rows with AUROC {found['value']:.3f} "
        f"({found['low']:.3f} to {found['high']:.3f})"
    )
    text += f" in the worst of {len(folds)} folds" if len(folds) > 1 else ""
    number = {**found, "limit": SHIFTED}
    if task != "classification" or len(np.unique(truth)) < 2:
        return decide(found["low"] <= SHIFTED, text, number)
    p = probabilities(answers, truth, prior)
    noise = estimate_label_noise(p, truth, rng, groups=groups, resamples=RESAMPLES)
    text = (
        f"{np.mean(all_truth):.2%} positives; at most {noise['value']:.1%} ({noise['low']:.1%} to "
        f"{noise['high']:.1%}) of the judged labels look wrong; {text}"
    )
    said = {key: noise[key] for key in ("value", "low", "high")}
    return decide(found["low"] <= SHIFTED, text, number, label_noise=said)


def simulation_like_real(
    features: np.ndarray, real: np.ndarray, rng: np.random.Generator,
    all_groups: np.ndarray | None = None, real_id: np.ndarray | None = None,
) -> Outcome:  # fmt: skip
    """D3: how well simulated items are told from real ones.

    Parameters
    ----------
    features, real : (n, feature)
        Numbers of simulated and of real items.
    rng : Generator
        For the sub-sample and the folds.
    all_groups, real_id : (n,), (m,), optional
        Object behind each simulated item, and identifier of each real one.
    """
    both = np.concatenate([features, real])
    first, second = np.arange(len(features)), np.arange(len(features), len(both))
    units = np.arange(len(both))
    if all_groups is not None and real_id is not None:
        # what was painted on a real object stays on its side of every fold
        units = np.unique(np.concatenate([all_groups, real_id]), return_inverse=True)[1]
    found = tell_apart(both, first, second, units, rng)
    text = (
        f"simulated items are told from real ones with AUROC {found['value']:.3f} "
        f"({found['low']:.3f} to {found['high']:.3f})"
    )
    return decide(found["low"] <= UNREAL, text, {**found, "limit": UNREAL})


def tell_apart(
    features: np.ndarray, first: np.ndarray, second: np.ndarray, groups: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """Return the AUROC of a classifier that tells two sets of rows apart (`separability`)."""
    a, b = (np.sort(rng.permutation(rows)[:MOST_ROWS]) for rows in (first, second))
    return separability(features[a], features[b], groups[a], groups[b], rng, resamples=RESAMPLES)


def domain_covered(place: np.ndarray, roles: np.ndarray, deployment: np.ndarray) -> Outcome:
    """D4: what the model will be used on lies where it was trained.

    Parameters
    ----------
    place : (n, feature)
        The few numbers of each item in which the domain is drawn.
    roles : (fold, n) str
        Roles.
    deployment : (m, feature)
        The same of the objects that the model is used on.
    """
    learned = np.unique(np.concatenate([a for a, _ in sides(roles)]))
    hull = fit_hull(place[learned], [str(i) for i in range(place.shape[1])])
    share = float(np.mean(outside_hull(hull, deployment)))
    text = f"{share:.1%} of {len(deployment)} objects of the deployment lie outside the training"
    return decide(share <= STRANGE, text, {"value": share, "low": share, "high": share,
                                           "limit": STRANGE})  # fmt: skip
