"""L1 to L7: nothing that is judged may have been seen, and nothing seen may be the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import spearmanr, t

from skywright.data import Images
from skywright.trust.duplicates import duplicates
from skywright.trust.ranking import auroc
from skywright.trust.rules.facts import of_other_data, sides, splits_of
from skywright.trust.rules.finding import Outcome, broken, decide, passed

__all__ = [
    "answer_among_features",
    "copies_across_splits",
    "fitted_on_training_alone",
    "groups_across_splits",
    "scaled_by_all",
    "single_feature",
    "test_set_opened",
    "strongest_feature",
    "time_kept_in_order",
    "turned_copies_across_splits",
]

NEAR = 1e-3  # of the usual distance to the nearest neighbour
EXACT = 1e-5  # of a mean and a deviation that were made so, in numbers of 32 bits
FITTED_ON = ("rows_sha256", "whole_sha256", "validation_sha256")
TELLTALE = 0.98
WIDEST = 0.4  # an interval of the shuffled metric wider than this holds chance whatever leaks
FEW_POINTS = 8  # below as many distinct values a table of integers repeats by chance


def copies_across_splits(
    features: np.ndarray, roles: np.ndarray, pixels: Images | None = None
) -> Outcome:
    """L1: no test item is a copy, or nearly one, of an item that was learned from.

    Parameters
    ----------
    features : (n, feature)
        Numbers of each item.
    roles : (fold, n) str
        Roles in each fold.
    pixels : Images, optional
        Of the items: identical pixels and identical backgrounds are looked for there.
    """
    if pixels is not None:
        found = [duplicates(pixels, fold) for fold in roles]
        copies, judged = sum(f["value"] for f in found), sum(f["n"] for f in found)
        how = "share pixels or the noise of their background"
    else:
        pairs = [_near(features, learned, judged) for learned, judged in sides(roles)]
        copies, judged = sum(int(p.sum()) for p in pairs), sum(len(p) for p in pairs)
        how = f"lie within {NEAR:g} of the usual distance"
    text = f"{copies} of {judged} test items {how} of an item that was learned from"
    return decide(copies == 0, text, _count(copies, judged))


def _near(features: np.ndarray, learned: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Tell which judged rows have a neighbour much closer than neighbours usually are."""
    scale = np.nanstd(features[learned], axis=0)
    used = scale > 0
    x = np.nan_to_num(features[:, used] / scale[used])
    if not used.any():
        return np.zeros(len(judged), dtype=bool)
    tree = cKDTree(x[learned])
    usual = np.median(tree.query(x[learned], k=2)[0][:, 1])
    distance = tree.query(x[judged])[0]
    fine = sum(len(np.unique(column)) >= FEW_POINTS for column in x[learned].T)
    if not fine:
        return np.zeros(len(judged), dtype=bool)
    # a strange row is as near as that with a chance of NEAR to the power of the columns: on one
    # column alone it takes the square to make that as small as on two
    return np.asarray(distance <= (NEAR**2 if fine == 1 else NEAR) * usual)


def groups_across_splits(
    roles: np.ndarray,
    all_groups: np.ndarray,
    positions: np.ndarray | None = None,
    separation: float | None = None,
) -> Outcome:
    """L2: no object, parent, tile or night, and no patch of sky, is on both sides.

    Parameters
    ----------
    roles : (fold, n) str
        Roles in each fold.
    all_groups : (n,)
        Independent unit behind each row.
    positions : (n, 3), optional
        Unit vectors on the sky.
    separation : float [arcsec], optional
        Smallest distance on the sky that keeps two objects apart.
    """
    shared = sum(len(np.intersect1d(all_groups[a], all_groups[b])) for a, b in sides(roles))
    text = f"{shared} groups have rows on both sides of a split"
    close = 0
    if positions is not None and separation is not None:
        chord = 2 * np.sin(np.deg2rad(separation / 3600) / 2)
        for learned, judged in sides(roles):
            distance = cKDTree(positions[learned]).query(positions[judged])[0]
            close += int((distance < chord).sum())
        text += (
            f"; {close} test objects lie within {separation:g} arcsec of one that was learned from"
        )
    total = int((roles == "test").sum())
    return decide(shared + close == 0, text, _count(shared + close, total))


def fitted_on_training_alone(
    fits: dict[str, dict[str, Any]], splits: list[dict[str, Any]]
) -> Outcome:
    """L3: scalers, components and chosen features come from training rows alone.

    Parameters
    ----------
    fits : dict
        Node -> configuration of its model.
    splits : list of dict
        Of each fold: ``train_sha256``, ``features`` and the ``mean`` of each over its training
        rows, features that were ``scaled_by_all`` rows, and ``point`` of the sweep, where means of
        other data are not those of these rows.
    """
    scaled = {n: c["scaling"] for n, c in fits.items() if _is_fitted(c.get("scaling"))}
    wrong = []
    for node, scaling in scaled.items():
        fold = splits_of(node, splits)
        known = {split["train_sha256"] for split in fold}
        if own := fits[node].get("training", {}).get("rows_sha256"):
            known.add(own)
        told = of_other_data(node, splits) or _is_mean_of(fits[node], fold)
        if scaling.get("rows_sha256") not in known or not told:
            wrong.append(node)
    if wrong:
        text = f"{', '.join(wrong[:4])}: scaling was fitted on other rows than the training rows"
        return broken(text, _count(len(wrong), len(scaled)))
    before = sorted({name for split in splits for name in split.get("scaled_by_all", [])})
    if before:
        text = (
            f"{', '.join(before[:4])}: mean 0 and deviation 1 over all rows and not over the "
            "training rows, so that test rows told how to scale"
        )
        return broken(text, _count(len(before), len(scaled)))
    text = f"{len(scaled)} of {len(fits)} models scale their input, each by its training rows alone"
    return passed(text, _count(0, len(scaled)))


def scaled_by_all(features: np.ndarray, fold: np.ndarray, names: list[str]) -> list[str]:
    """Return features that have mean 0 and deviation 1 over test rows and others, not in training.

    To `EXACT` no measured quantity has both by chance.

    Parameters
    ----------
    features : (n, feature)
        Numbers of each item; NaN where a value is missing.
    fold : (n,) str
        Roles.
    names : list of str
        Name of each feature.
    """
    used = np.isin(fold, ("train", "validation", "test"))
    scaled = _is_standard(features) | _is_standard(features[used])
    scaled &= ~_is_standard(features[fold == "train"])
    return [name for name, one in zip(names, scaled, strict=True) if one]


def _is_standard(features: np.ndarray) -> np.ndarray:
    """Tell which features (n, feature) have mean 0 and deviation 1, over n or n - 1."""
    known = np.isfinite(features)
    n = np.maximum(known.sum(axis=0), 2)
    x = np.where(known, features, 0.0)
    mean = x.sum(axis=0) / n
    square = (np.where(known, x - mean, 0.0) ** 2).sum(axis=0)
    unit = (np.abs(square / n - 1) < EXACT) | (np.abs(square / (n - 1) - 1) < EXACT)
    return np.asarray((np.abs(mean) < EXACT) & unit)


def _is_fitted(scaling: Any) -> bool:
    return isinstance(scaling, dict) and bool({"mean", "rows_sha256"} & set(scaling))


def _is_mean_of(config: dict[str, Any], splits: list[dict[str, Any]]) -> bool:
    """Tell whether the scaler's means are those of the training rows of some fold.

    Means that stand under ``inputs`` are of the ``features`` that the model names; those of a share
    of the training rows, or of other features, are not known here.
    """
    scaling = config["scaling"]
    means = scaling.get("mean")
    if means is None:
        means = scaling.get("inputs", {}).get("mean", [])
        named = (config.get("features"), scaling.get("rows_sha256"))
        splits = [s for s in splits if (s.get("features"), s["train_sha256"]) == named]
    means = np.atleast_1d(np.asarray(means, dtype=float))
    known = [np.asarray(split.get("mean", []), dtype=float) for split in splits]
    known = [k for k in known if k.shape == means.shape]
    if not len(means) or not known:
        return True
    return any(np.allclose(means, k, rtol=1e-4, atol=1e-4 * np.abs(k).max()) for k in known)


def time_kept_in_order(roles: np.ndarray, time: np.ndarray) -> Outcome:
    """L4: what is judged comes after what was learned from.

    Parameters
    ----------
    roles : (fold, n) str
        Roles in each fold.
    time : (n,)
        When each row was observed, in any unit.
    """
    early = judged_in_all = 0
    for learned, judged in sides(roles):
        early += int((time[judged] < time[learned].max()).sum())
        judged_in_all += len(judged)
    share = early / judged_in_all
    text = f"{early} of {judged_in_all} test rows are older than the newest row that was learned"
    return decide(early == 0, text, {"value": share, "low": share, "high": share, "limit": 0})


def test_set_opened(
    fits: dict[str, dict[str, Any]], splits: list[dict[str, Any]], openings: int
) -> Outcome:
    """L5: test rows chose nothing, and were looked at once.

    Parameters
    ----------
    fits : dict
        Node -> configuration of its model.
    splits : list of dict
        Of each fold: ``test_sha256``, and ``mixed_sha256`` of test rows with others.
    openings : int
        Finished runs of any recipe on the same test rows, this one among them.
    """
    tuned = [
        node
        for node, config in fits.items()
        if _rows_behind(config) & _tested(splits_of(node, splits))
        or set(config.get("training", {}).get("start_rows_sha256", [])) & _other_folds(node, splits)
    ]
    number = {"value": openings, "low": openings, "high": openings, "limit": 1}
    if tuned:
        text = f"{', '.join(tuned[:4])}: test rows were fitted, or chose a setting"
        return broken(text, number, severity="ERROR")
    if openings > 1:
        text = f"the test rows were judged in {openings} runs: read every metric as adaptive"
        return broken(text, number, severity="WARN")
    return passed("the test rows were judged once, and no fit has read them", number)


def _rows_behind(config: dict[str, Any]) -> set[str]:
    """Return fingerprints of the rows of a fit, and of the fits that it started from."""
    training = config.get("training", {})
    return {training[k] for k in FITTED_ON if k in training} | set(
        training.get("start_rows_sha256", [])
    )


def _other_folds(node: str, splits: list[dict[str, Any]]) -> set[str]:
    """Return fingerprints of the training rows of other folds, among which test rows are."""
    own = splits_of(node, splits)
    trained = {s["train_sha256"] for s in splits if s not in own and "train_sha256" in s}
    return trained - {s.get("train_sha256") for s in own}


def _tested(splits: list[dict[str, Any]]) -> set[str]:
    """Return fingerprints of rows that no fit may have: test rows, alone or among others."""
    mixed = {mark for split in splits for mark in split.get("mixed_sha256", [])}
    return mixed | {split["test_sha256"] for split in splits}


def answer_among_features(
    variants: dict[str, Any], chance: float, strongest: dict[str, Any] | None = None
) -> Outcome:
    """L6: no single feature is the answer, and shuffled labels teach nothing.

    Parameters
    ----------
    variants : dict
        ``shuffled``: the headline metric of each run that was trained on shuffled labels, and
        under ``seeds`` that of each of its seeds.
    chance : float
        What the headline metric is worth without knowledge.
    strongest : dict, optional
        ``name`` and ``value`` (AUROC or R2) of the feature that tells most.
    """
    alone = single_feature(strongest) if strongest else None
    if alone and not alone.passed:
        return alone
    single = alone.evidence if alone else "no table"
    shuffled = _over_shuffles(list(variants["shuffled"].values()))
    if shuffled["high"] - shuffled["low"] > WIDEST:
        text = f"with shuffled labels {_interval(shuffled)}: too few shuffles to tell"
        return broken(text, {**shuffled, "limit": chance})
    if not _holds(shuffled, chance):
        text = f"trained on shuffled labels it still gives {_interval(shuffled)}, not {chance:g}"
        return broken(text, {**shuffled, "limit": chance})
    text = f"{single}; with shuffled labels {_interval(shuffled)}, at chance"
    return passed(text, strongest or shuffled)


def single_feature(strongest: dict[str, Any]) -> Outcome:
    """L6, what can be told before labels were shuffled: no single feature is the answer.

    Parameters
    ----------
    strongest : dict
        ``name`` and ``value`` (AUROC or R2) of the feature that tells most.
    """
    number = {**strongest, "limit": TELLTALE}
    if strongest["value"] > TELLTALE:
        text = f"{strongest['name']} alone gives {strongest['value']:.4f}, above {TELLTALE}"
        return broken(text, number)
    return passed(f"the best single feature gives {strongest['value']:.3f}", number)


def _over_shuffles(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean over shuffles with Student's interval; of a single one its own interval.

    One model ends off chance in either direction, however many rows judge it: only the mean over
    shuffles has chance as its expectation. Seeds shuffle for themselves.
    """
    values = [v for result in results for v in result.get("seeds") or [result["value"]]]
    n = len(values)
    if n < 2:
        return results[0]
    mean = float(np.mean(values))
    half = float(np.std(values, ddof=1) / np.sqrt(n) * t.ppf(0.975, n - 1))
    return {"value": mean, "low": mean - half, "high": mean + half, "n": n}


def _holds(result: dict[str, Any], chance: float) -> bool:
    """Tell whether an interval, widened by a fifth of itself, holds chance or lies below it."""
    slack = 0.2 * (result["high"] - result["low"])
    return bool(result["low"] - slack <= chance)


def strongest_feature(
    features: np.ndarray, names: list[str], truth: np.ndarray, task: str
) -> dict[str, Any]:
    """Return what alone tells most of the truth: AUROC, or squared rank correlation.

    That is a feature where it is known, or whether it is known at all.
    """
    told = []
    for name, column in zip(names, features.T, strict=True):
        known = np.isfinite(column)
        told.append((_tells(column[known], truth[known], task), name))
        # a follow-up that only the chosen were given tells by being there
        told.append((_tells(known.astype(float), truth, task), f"whether there is a {name}"))
    value, name = max(told, key=lambda one: one[0])
    return {"name": name, "value": value, "low": value, "high": value}


def _tells(values: np.ndarray, truth: np.ndarray, task: str) -> float:
    """Return how much of the truth one column of numbers tells."""
    if len(values) < 3 or np.ptp(values) == 0 or np.ptp(truth) == 0:
        return 0.0
    if task == "classification":
        area = float(auroc(values, truth))
        return max(area, 1 - area)
    return float(spearmanr(values, truth).statistic ** 2)


def turned_copies_across_splits(pixels: Images, roles: np.ndarray) -> Outcome:
    """L7: augmentation came after the split: no test image is a turn or mirror of a learned one.

    Parameters
    ----------
    pixels : Images
        The items.
    roles : (fold, n) str
        Roles in each fold.
    """
    marks = np.concatenate([_turned(np.asarray(block.flux)) for block in pixels.blocks()])
    copies = 0
    for learned, judged in sides(roles):
        copies += int(np.isin(marks[judged, 0], marks[learned, 1:]).sum())
    total = int((roles == "test").sum())
    text = f"{copies} of {total} test images are a turn or a mirror image of a learned one"
    return decide(copies == 0, text, _count(copies, total))


def _turned(flux: np.ndarray) -> np.ndarray:
    """Return a hash of each image as it is, then of its seven other orientations: (n, 8)."""
    square = flux.shape[-1] == flux.shape[-2]
    marks = []
    for mirror in (flux, flux[..., ::-1]):
        for turns in range(4) if square else (0, 2):
            turned = np.ascontiguousarray(np.rot90(mirror, turns, axes=(-2, -1)))
            marks.append([hash(one.tobytes()) for one in turned])
    return np.array(marks).T


def _count(found: int, n: int) -> dict[str, Any]:
    return {"value": found, "low": found, "high": found, "limit": 0, "n": n}


def _interval(result: dict[str, Any]) -> str:
    return f"{result['value']:.3f} ({result['low']:.3f} to {result['high']:.3f})"
