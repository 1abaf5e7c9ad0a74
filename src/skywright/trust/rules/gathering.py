"""Derive the facts that rules ask for from the rows that were judged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from astropy.table import QTable

from skywright.data import Images
from skywright.data.hull import fit_hull, outside_hull
from skywright.data.splits import digest_rows
from skywright.trust.abstention import judge_abstention, judge_outliers
from skywright.trust.committee import bare, column
from skywright.trust.resampling import bootstrap_groups
from skywright.trust.rules.facts import CALIBRATION, LEARNED, read_scores
from skywright.trust.rules.headline import compare, losses, measure
from skywright.trust.rules.leaks import scaled_by_all, strongest_feature
from skywright.trust.rules.uncertainty import cut_into_bins, probabilities
from skywright.trust.shift import judge_shift

__all__ = ["Rows", "describe_items", "fitted_facts", "kept_facts"]

WORST = 20
FEW = 200  # resamples of figures that are not the headline


@dataclass(frozen=True)
class Rows:
    """Every row of the data with its truth, its roles and its prediction.

    Parameters
    ----------
    task : str
        ``classification`` or ``regression``.
    object_id, truth, mean : (n,)
        ``mean`` is NaN for rows without prediction.
    groups : (n,) or None
        Independent unit behind each row; None when nothing is known of it.
    roles : (fold, n) str
        Role in each fold.
    spread : (n,) or None
        Predicted standard deviation.
    members : dict
        Seed -> (n,).
    prior : float or None
        Share of positives at which logits are meant.
    folds : list of str
        Names of the folds.
    """

    task: str
    object_id: np.ndarray
    truth: np.ndarray
    roles: np.ndarray
    groups: np.ndarray | None
    mean: np.ndarray
    spread: np.ndarray | None
    members: dict[int, np.ndarray]
    prior: float | None
    folds: list[str]

    @property
    def judged(self) -> np.ndarray:
        """Return the rows that are a test row of some fold and have a prediction."""
        return np.flatnonzero((self.roles == "test").any(axis=0) & np.isfinite(self.mean))

    @property
    def units(self) -> np.ndarray:
        """Return the independent unit of every row: itself, when nothing else is known."""
        return np.arange(len(self.object_id)) if self.groups is None else self.groups

    def of(self, table: QTable) -> np.ndarray:
        """Return the predictions of another table for the judged rows.

        Raises
        ------
        ValueError
            When it has none for some of them.
        """
        found = read_scores(table, self.object_id)[0][self.judged]
        if not np.isfinite(found).all():
            lacking = int((~np.isfinite(found)).sum())
            raise ValueError(
                f"{lacking} of {len(found)} judged rows have no score: give one for each of them"
            )
        return np.asarray(found)


def describe_items(
    items: Images | QTable, features: np.ndarray | None, names: list[str]
) -> dict[str, Any]:
    """Return units, share of missing values, number and checksum of the items."""
    matrix = np.zeros((0, 0)) if features is None else features
    if isinstance(items, Images):
        units = dict.fromkeys(items.bands, items.unit.to_string())
    else:
        units = {n: str(items[n].unit) if items[n].unit else "" for n in items.colnames}
    gaps = np.mean(~np.isfinite(matrix), axis=0) if len(matrix) else np.zeros(0)
    missing = {name: float(gap) for name, gap in zip(names, gaps, strict=True) if gap}
    checksum = hashlib.sha256(np.ascontiguousarray(matrix).tobytes()).hexdigest()
    return {"rows": len(items), "units": units, "missing": missing, "sha256": checksum}


def fitted_facts(
    rows: Rows, facts: dict[str, Any], given: dict[str, Any], resamples: int
) -> dict[str, Any]:
    """Return what rules on predictions need, by the names that they ask for."""
    judged, task = _judged(rows), rows.task
    truth, answers, groups = rows.truth[judged], rows.mean[judged], rows.units[judged]
    spread = None if rows.spread is None else rows.spread[judged]
    counts = bootstrap_groups(groups, resamples, facts["rng"])
    baselines = {kind: rows.of(table) for kind, table in (given["baselines"] or {}).items()}
    learned = np.isin(rows.roles, LEARNED).any(axis=0)
    baselines["trivial"] = np.full(len(judged), float(np.mean(rows.truth[learned])))
    loss = losses(task, answers, truth, spread)
    # over its deviation a calibrated error goes with nothing: neither with doubt nor with physics
    error = losses(task, answers, truth, None)
    found: dict[str, Any] = {
        "roles": rows.roles,
        "all_groups": rows.groups,
        "all_units": rows.units,
        "all_truth": rows.truth,
        "truth": truth,
        "groups": groups,
        "answers": answers,
        "spread": spread,
        "prior": rows.prior,
        "failures": _failures(rows, judged, loss),
        **compare(task, answers, baselines, truth, counts, groups),
        **_conformal(rows),
    }
    if given["strata"] is not None:
        strata = given["strata"][judged]
        found["strata"] = strata
        found["subgroups"] = _subgroups(strata, loss)
    if given["physics"]:
        values = {
            n: (bare(x)[judged].astype(float), way) for n, (x, way) in given["physics"].items()
        }
        found |= {"physics": values, "good": _quality(task, answers, truth, error)}
    if given["shifts"] is not None:
        found |= _shifts(rows, given["shifts"], facts["rng"])
        found["images"] = facts["pixels"] is not None
    if given["symmetries"]:
        found["symmetries"] = {n: rows.of(table) for n, table in given["symmetries"].items()}
        found["untransformed"] = answers
    return found | _alarms(rows, given, error, facts["rng"])


def _judged(rows: Rows) -> np.ndarray:
    """Return the rows that are judged, which have to be all test rows."""
    judged, tested = rows.judged, int((rows.roles == "test").any(axis=0).sum())
    if not len(judged):
        raise ValueError("no test row has a score: nothing can be judged out of sample")
    if len(judged) < tested:
        raise ValueError(
            f"{tested - len(judged)} of {tested} test rows have no score: give one for each, NaN "
            "where it could not be measured, or what is left out decides the result"
        )
    return judged


def _failures(rows: Rows, judged: np.ndarray, loss: np.ndarray) -> list[dict[str, Any]]:
    worst = np.argsort(-loss)[:WORST]
    return [
        {
            "object_id": str(rows.object_id[judged[i]]),
            "truth": float(rows.truth[judged[i]]),
            "answer": float(rows.mean[judged[i]]),
            "loss": float(loss[i]),
        }
        for i in worst
    ]


def _subgroups(strata: QTable, loss: np.ndarray) -> dict[str, Any]:
    """Return the mean loss of every bin of every column."""
    return {
        f"{name} {label}": {"n": int(bin_.sum()), "loss": float(loss[bin_].mean())}
        for name in strata.colnames
        for label, bin_ in cut_into_bins(column(strata, name))
        if bin_.any()
    }


def _quality(task: str, answers: np.ndarray, truth: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Return how good each answer is; of classes, that of the positives alone."""
    return np.where(truth > 0, answers, np.nan) if task == "classification" else -loss


def _conformal(rows: Rows) -> dict[str, np.ndarray]:
    """Return nonconformity of two sets: calibration and test rows, or two halves of the folds."""
    predicted = np.isfinite(rows.mean)
    # validation rows have chosen an epoch or a setting: better are rows that no fit has seen
    role = CALIBRATION if (rows.roles == CALIBRATION).any() else LEARNED[1]
    tested = [np.flatnonzero((fold == "test") & predicted) for fold in rows.roles]
    sets = [np.flatnonzero((rows.roles == role).any(axis=0) & predicted), rows.judged]
    if len(rows.roles) > 1:
        half = len(tested) // 2
        sets = [np.unique(np.concatenate(part)) for part in (tested[:half], tested[half:])]
    if min(len(part) for part in sets) < WORST:
        return {}
    scores = [_nonconformity(rows, part) for part in sets]
    return {
        "calibration": scores[0],
        "conformal": scores[1],
        "calibration_groups": rows.units[sets[0]],
        "conformal_groups": rows.units[sets[1]],
    }


def _nonconformity(rows: Rows, part: np.ndarray) -> np.ndarray:
    truth, answers = rows.truth[part], rows.mean[part]
    if rows.task == "classification":
        p = probabilities(answers, truth, rows.prior)
        return np.asarray(1 - np.where(truth > 0, p, 1 - p))
    return losses(rows.task, answers, truth, None if rows.spread is None else rows.spread[part])


def _shifts(
    rows: Rows, shifts: QTable | dict[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    """Return the headline metric against severity, and answers after whole quarter turns."""
    curves = _curves(shifts)
    common = set.intersection(*({*p} for curve in curves.values() for p in curve.values()))
    kept = np.array([one in common for one in rows.object_id[rows.judged].tolist()])
    judged = rows.judged[kept]
    if not len(judged):
        raise ValueError(
            "no judged row has a score for every kind and severity of shifts: perturb test rows, "
            "and name them by their identifiers"
        )
    names = rows.object_id[judged].tolist()
    shifted = {
        kind: {severity: np.array([p[one] for one in names]) for severity, p in curve.items()}
        for kind, curve in curves.items()
    }
    turns = {
        f"rotation by {angle:g} deg": scored
        for angle, scored in shifted.get("rotation", {}).items()
        if angle % 90 == 0
    }
    return {
        "shifts": judge_shift(
            rows.mean[judged], shifted, rows.truth[judged], rng,
            metric=partial(measure, rows.task), groups=rows.units[judged], resamples=FEW,
        ),
        **({"symmetries": turns, "untransformed": rows.mean[judged]} if turns else {}),
    }  # fmt: skip


def _curves(shifts: QTable | dict[str, Any]) -> dict[str, dict[float, dict[int, float]]]:
    """Return kind -> severity -> original object -> score."""
    apart = isinstance(shifts, dict)
    key, scores = (shifts["key"], shifts["scores"]) if apart else (shifts, shifts)
    original = column(key, "original" if apart else "object_id").tolist()
    identifiers = column(key, "object_id") if apart else np.arange(len(key))
    if not apart:  # the same object once for every kind and severity
        scores = QTable({"object_id": identifiers, "mean": column(scores, "mean")})
    mean = read_scores(scores, identifiers)[0].tolist()
    kinds, severities = column(key, "kind").astype(str), column(key, "severity").astype(float)
    curves: dict[str, dict[float, dict[int, float]]] = {}
    for row in zip(kinds.tolist(), severities.tolist(), original, mean, strict=True):
        kind, severity, one, score = row
        if np.isfinite(score):
            curves.setdefault(kind, {}).setdefault(severity, {})[one] = score
    return curves


def _alarms(
    rows: Rows, given: dict[str, Any], loss: np.ndarray, rng: np.random.Generator
) -> dict[str, Any]:
    """Return how well the alarm finds strangers, and risk against coverage."""
    if given["alarm"] is None or given["outside"] is None:
        return {}
    table = QTable({"object_id": given["alarm"]["object_id"], "mean": given["alarm"]["surprise"]})
    answers = rows.mean[rows.judged]
    sure = np.abs(answers) if rows.spread is None else -rows.spread[rows.judged]
    strange = column(given["outside"], "surprise").astype(float)
    groups = rows.units[rows.judged]
    return {
        "outliers": judge_outliers(rows.of(table), strange, rng, resamples=FEW),
        "abstention": judge_abstention(sure, loss, rng, groups=groups, resamples=FEW),
    }


def kept_facts(
    rows: Rows, facts: dict[str, Any], names: dict[str, list[str]], given: dict[str, Any]
) -> dict[str, Any]:
    """Return the small facts that rules on the run need later, as JSON."""
    features, judged = facts["features"], rows.judged
    headline = facts["headline"] | {"draws": facts["draws"]}
    for part in ("aleatoric", "epistemic"):
        if part in given["scores"].colnames:
            headline[part] = float(np.mean(column(given["scores"], part)))
    kept: dict[str, Any] = {
        "headline": headline,
        "baselines": facts["baselines"],
        "chance": headline["chance"],
        "splits": [
            {
                "fold": name,
                "point": given["point"],
                "judged_sha256": _fingerprint(rows, np.flatnonzero(fold == "test")),
                **_describe_split(fold, features, names["features"]),
            }
            for name, fold in zip(rows.folds, rows.roles, strict=True)
        ],
        "seeds": _seeds(rows),
        "epistemic": headline.get("epistemic"),
        "transfer": facts["transfer"],
    }
    if features is not None and facts["pixels"] is None:
        kept["strongest"] = strongest_feature(
            features[judged], names["features"], rows.truth[judged], rows.task
        )
    if given["domain"] is not None:
        kept["domains"] = {"labelled_sha256": _labelled(rows, np.asarray(given["domain"]))}
    if features is not None:
        learned = np.isin(rows.roles, LEARNED).any(axis=0)
        kept["hull"] = fit_hull(facts["place"][learned], names["place"])
        if given["served"] is not None and facts["deployment"] is not None:
            kept["served"] = _served(
                kept["hull"], facts["deployment"], given["served"], given["deployed"]
            )
    return kept


def _fingerprint(rows: Rows, judged: np.ndarray) -> str:
    """Return a fingerprint of rows by name and truth, in whatever order and table they stand."""
    order = judged[np.argsort(rows.object_id[judged], kind="stable")]
    names = "\n".join(rows.object_id[order].astype(str).tolist())
    return hashlib.sha256(names.encode() + rows.truth[order].astype("<f8").tobytes()).hexdigest()


def _describe_split(
    fold: np.ndarray, features: np.ndarray | None, names: list[str]
) -> dict[str, Any]:
    """Return fingerprints of the rows of each side, and how the features were scaled."""
    side = {role: np.flatnonzero(fold == role) for role in (*LEARNED, "test")}
    described: dict[str, Any] = {f"{role}_sha256": digest_rows(r) for role, r in side.items()}
    # a fit that took test rows along with others has the fingerprint of all
    calibrating = fold == CALIBRATION
    rest = ~(np.isin(fold, (*LEARNED, "test")) | calibrating)
    others = [*(side[role] for role in LEARNED), *map(np.flatnonzero, (calibrating, rest))]
    others = [rows for rows in others if len(rows)]
    described["mixed_sha256"] = [
        digest_rows(np.concatenate([*some, side["test"]]))
        for n in range(1, len(others) + 1)
        for some in combinations(others, n)
    ]
    described["rows"] = {role: len(r) for role, r in side.items()}
    if features is not None:
        described["features"] = names
        described["mean"] = np.nanmean(features[side["train"]], axis=0).tolist()
        described["scaled_by_all"] = scaled_by_all(features, fold, names)
    return described


def _seeds(rows: Rows) -> list[float]:
    """Return the headline metric of each seed."""
    judged = rows.judged
    ones = np.ones((1, len(judged)))
    return [
        float(measure(rows.task, member[judged], rows.truth[judged], ones)[0])
        for member in rows.members.values()
        if np.isfinite(member[judged]).all()
    ]


def _labelled(rows: Rows, domain: np.ndarray) -> list[str]:
    """Return fingerprints of the source rows whose labels a fit may use."""
    return [
        digest_rows(np.flatnonzero(np.isin(fold, roles) & (domain == "source")))
        for fold in rows.roles
        for roles in (*LEARNED, LEARNED)
    ]


def _served(
    hull: dict[str, Any], deployment: np.ndarray, served: QTable, object_id: np.ndarray
) -> dict[str, Any]:
    """Return the share of served objects outside the domain that got an answer without a flag.

    Raises
    ------
    ValueError
        When an object that was served is not in the deployment: nothing would be known of it.
    """
    ids = column(served, "object_id")
    unknown = ~np.isin(ids, object_id)
    if unknown.any() or not len(ids):
        raise ValueError(
            f"{int(unknown.sum())} of {len(ids)} served objects are not in the deployment: give "
            "the objects that the answers are about"
        )
    here = np.isin(object_id, ids)
    silent = outside_hull(hull, deployment) & np.isin(object_id, ids[_answered(served)])
    return {"outside": float(np.mean(silent[here])), "n": int(here.sum())}


def _answered(served: QTable) -> np.ndarray:
    answered = np.isfinite(column(served, "mean").astype(float))
    if "in_domain" in served.colnames:
        answered &= column(served, "in_domain").astype(bool)
    return np.asarray(answered)
