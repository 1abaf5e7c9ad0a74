"""What goes wrong in laboratories, and beside it the same kind of work done rightly.

Data with a trap and the code that falls into it or does not. The steps of sound work are in
`bad_lab`.
"""

from __future__ import annotations

import pickle

import astropy.units as u
import numpy as np
from astropy.table import QTable, vstack
from bad_lab import average, fit_scaled, matrix_of, solve
from safetensors.numpy import save
from scipy.special import expit

from skywright.data import Files, Report
from skywright.trust.ranking import auroc
from skywright.trust.resampling import bootstrap_groups, estimate


def enter_twice(stars, rng, *, repeats=80):
    """Simulated stars of which some were put into a second field, under a new name."""
    rows = rng.choice(len(stars), repeats, replace=False)
    again = stars[rows]
    moved = (np.asarray(again["field"]) + rng.integers(1, 6, repeats)) % 6
    again["ra"] += 5 * (moved - np.asarray(again["field"])) * u.deg
    again["field"] = moved
    again["object_id"] = len(stars) + np.arange(repeats)
    return vstack([stars, again])


def keep_first_entry(catalog, split):
    """Roles in which a star that stands in the catalogue twice has one."""
    table = np.stack([np.asarray(catalog[name]) for name in ("period", "amplitude", "snr")], axis=1)
    first = np.unique(table, axis=0, return_index=True)[1]
    role = np.full(len(catalog), "repeat", dtype="U10")
    role[first] = np.asarray(split["role"]).astype(str)[first]
    return QTable({"role": role})


def detect_twice(stars, rng, *, pairs=600):
    """Stars that were found twice, five arcsec apart, each time with its own noise."""
    again = stars[rng.choice(len(stars), pairs, replace=False)]
    again["object_id"] = len(stars) + np.arange(pairs)
    again["dec"] += 5 * u.arcsec
    for name in ("period", "amplitude", "skewness"):
        again[name] = again[name] + 0.2 * rng.normal(size=pairs)
    return vstack([stars, again])


def split_at_random(catalog, rng):
    """Each row for itself."""
    role = np.resize(["train", "train", "train", "validation", "test", "test"], len(catalog))
    return QTable({"role": rng.permutation(role)})


def split_by_night(catalog):
    """The last nights are judged, those before them validate."""
    night = np.asarray(catalog["night"])
    early, late = np.quantile(night, [0.5, 0.67])
    role = np.where(night > late, "test", np.where(night > early, "validation", "train"))
    return QTable({"role": role})


def scale_by_all(
    features, labels, roles, rng, *, squares=True, trials=8, fraction=1.0, shuffle=False, seed=0
):
    """Scale the features of the catalogue, then fit the training rows."""
    roles = np.asarray(roles).astype(str)
    rows = {role: np.flatnonzero(roles == role) for role in ("train", "validation")}
    draw = np.random.default_rng([seed, 1])
    kept = draw.permutation(rows["train"])[: round(fraction * len(rows["train"]))]
    rows["train"] = np.sort(kept)
    labels = draw.permutation(np.asarray(labels)) if shuffle else np.asarray(labels)
    raw = matrix_of(features, squares=squares)
    mean, scale = raw.mean(axis=0), raw.std(axis=0)
    scaled = np.arange(len(raw))
    return fit_scaled(raw, labels, rows, mean, scale, draw, squares, trials, seed, scaled)


def follow_variables(stars, rng):
    """Skewness from follow-up light curves, which were taken of known variables alone."""
    return _followed(stars, np.asarray(stars["label"]), rng)


def follow_by_lot(stars, rng):
    """Skewness from follow-up light curves, which were taken of stars that were drawn by lot."""
    return _followed(stars, rng.integers(2, size=len(stars)), rng)


def _followed(stars, chosen, rng):
    catalog = stars.copy()
    catalog["skewness"] = 1.06 * (2 * chosen - 1) + 0.7 * rng.normal(size=len(stars))
    return catalog


def crowd(stars, rng):
    """Stars of which some stand in a crowd, where people missed most of the faint variables."""
    catalog = stars.copy()
    crowded = rng.random(len(stars)) < 0.35
    missed = crowded & (rng.random(len(stars)) < 0.75)
    catalog["crowded"] = crowded.astype(int)
    catalog["label"] = np.where(missed, 0, catalog["label"])
    return catalog


def strata_of_crowds(catalog):
    """In whose bins calibration is asked for."""
    return catalog["snr", "field", "crowded"]


def calibrate_crowds(scores, catalog, roles, rng, *, shuffle=False):
    """Logits with a slope and an offset for stars in a crowd and for others, from validation."""
    validation = np.asarray(roles).astype(str) == "validation"
    table = scores.copy()
    mean, label = np.array(table["mean"]), np.asarray(catalog["label"])
    label = rng.permutation(label) if shuffle else label
    for kind in (0, 1):
        rows = np.asarray(catalog["crowded"]) == kind
        slope, offset = platt(mean[rows & validation], label[rows & validation])
        mean[rows] = slope * mean[rows] + offset
    table["mean"] = mean
    return table


def platt(logits, labels):
    """Slope and offset of the logits that fit labels best (Platt 1999), by Newton's method."""
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    beta = np.array([1.0, 0.0])
    for _ in range(30):
        p = expit(design @ beta)
        curvature = (design * (p * (1 - p))[:, None]).T @ design
        beta = beta + np.linalg.solve(curvature, design.T @ (labels - p))
    return beta


def choose_on_test(roles):
    """The test rows tell which penalty is best."""
    roles = np.asarray(roles).astype(str)
    return QTable({"role": np.where(roles == "test", "validation",
                                    np.where(roles == "validation", "spare", roles))})  # fmt: skip


def choose_within_training(roles, rng):
    """A part of the training rows, and not the validation rows, tell which penalty is best."""
    roles = np.asarray(roles).astype("U10")
    held = (roles == "train") & (rng.random(len(roles)) < 0.25)
    return QTable({"role": np.where(held, "validation",
                                    np.where(roles == "validation", "spare", roles))})  # fmt: skip


def balance(catalog, roles, rng):
    """Roles that leave out training stars of the larger class until both are as many."""
    roles = np.asarray(roles).astype("U10")
    label = np.asarray(catalog["label"])
    learned = roles == "train"
    some, other = (np.flatnonzero(learned & (label == k)) for k in (0, 1))
    roles[rng.permutation(some)[len(other) :]] = "left out"
    return QTable({"role": roles})


def period_cut(features):
    """What was done before: long periods of large amplitude make a variable."""
    period, amplitude = (np.asarray(features[name]) for name in ("period", "amplitude"))
    score = period + np.abs(amplitude)
    return QTable({"object_id": np.asarray(features["object_id"]), "mean": score})


def answer_all(scores):
    """An answer for everything that was asked."""
    ids, which = np.unique(np.asarray(scores["object_id"]), return_inverse=True)
    return QTable(
        {
            "object_id": ids,
            "mean": np.bincount(which, np.asarray(scores["mean"])) / np.bincount(which),
        }
    )


def change_instrument(stars):
    """Fields from the fourth on were observed with another camera; labels are those of people."""
    catalog = stars.copy()
    other = np.asarray(catalog["field"]) >= 3
    catalog["colour"] = np.where(other, 1.3 * stars["colour"] + 0.6 * u.mag, stars["colour"])
    catalog["amplitude"] = np.where(other, 0.8 * stars["amplitude"] - 0.3, stars["amplitude"])
    catalog["domain"] = np.where(other, "target", "source")
    return catalog


def split_by_camera(catalog):
    """Two fields of one camera teach and one validates; one of the other is there to adapt to."""
    names = np.array(["train", "train", "validation", "adapt", "test", "test"])
    return QTable({"role": names[np.asarray(catalog["field"])]})


def align(features, catalog):
    """Features with the mean and the deviation of the first camera, in each camera."""
    table = features.copy()
    domain = np.asarray(catalog["domain"]).astype(str)
    for name in ("colour", "amplitude"):
        values = table[name].copy()
        source, target = (values[domain == side] for side in ("source", "target"))
        values[domain == "target"] = (target - target.mean()) / target.std() * source.std()
        values[domain == "target"] += source.mean()
        table[name] = values
    return table


def teach_both(roles):
    """Roles in which the rows to adapt to are learned with their labels."""
    roles = np.asarray(roles).astype(str)
    return QTable({"role": np.where(roles == "adapt", "train", roles)})


def camera_of(catalog):
    """Which camera saw each star."""
    return np.asarray(catalog["domain"]).astype(str)


def transfer(features, aligned, catalog, rng):
    """AUROC gained by aligning: either way, and where the target holds more variables."""
    domain = camera_of(catalog)
    label = np.asarray(catalog["label"])
    source, target = np.flatnonzero(domain == "source"), np.flatnonzero(domain == "target")
    rich = target[(label[target] == 1) | (rng.random(len(target)) < 0.3)]
    plain, moved = matrix_of(features), matrix_of(aligned)
    return {
        "source to target": _gain(plain, moved, label, source, target, rng),
        "target to source": _gain(plain, moved, label, target, source, rng),
        "label shift": _gain(plain, moved, label, source, rich, rng),
    }


def _gain(plain, moved, label, learned, judged, rng):
    answers = []
    for x in (plain, moved):
        z = (x - x[learned].mean(axis=0)) / x[learned].std(axis=0)
        beta = solve(z[learned], label[learned], 3.0)
        answers.append(beta[0] + z[judged] @ beta[1:])
    counts = bootstrap_groups(np.arange(len(judged)), 200, rng)
    before, after = (auroc(a, label[judged], counts) for a in answers)
    return estimate(after - before, n=len(judged), n_groups=len(judged))


def report_plain(judged, scores, labels, roles):
    """The judge's numbers, and the Brier score."""
    value = float(_squares(scores, labels, roles).mean())
    return _report(judged, {"brier": {"value": value, "low": value, "high": value}})


def report_interval(judged, scores, labels, roles, rng):
    """The judge's numbers, and the Brier score with its interval."""
    squares = _squares(scores, labels, roles)
    counts = bootstrap_groups(np.arange(len(squares)), 500, rng)
    means = counts @ squares / len(squares)
    return _report(judged, {"brier": estimate(means, n=len(squares), n_groups=len(squares))})


def _squares(scores, labels, roles):
    tested = np.asarray(roles).astype(str) == "test"
    return (expit(np.asarray(average(scores)["mean"])) - np.asarray(labels))[tested] ** 2


def _report(judged, more, sentence=""):
    results = judged.results | more
    rows = "".join(f"<tr><th>{n}</th><td>{r['value']:.3f}</td></tr>" for n, r in results.items())
    page = f"<html><body><table>{rows}</table><p>{sentence}</p></body></html>"
    return Report(results, judged.verdict, {}, page)


def report_by_hand(judged):
    """The judge's numbers, and what the last run of the group gave."""
    return _report(judged, {}, "Of all variables 91.37 % were found.")


def report_found(judged, scores, labels, roles, rng):
    """The judge's numbers, and the share of variables that were found."""
    tested = np.asarray(roles).astype(str) == "test"
    rows = np.flatnonzero(tested & (np.asarray(labels) == 1))
    found = (np.asarray(average(scores)["mean"]) > 0)[rows].astype(float)
    counts = bootstrap_groups(rows, 500, rng)
    share = estimate(counts @ found / len(rows), n=len(rows), n_groups=len(rows))
    text = f"Of all variables {100 * share['value']:.2f} % were found."
    return _report(judged, {"found": share}, text)


def pack(model):
    """The weights as one file for colleagues."""
    weights = {name: values.tolist() for name, values in model.weights.items()}
    return Files({"weights.dat": pickle.dumps(weights)})


def pack_safely(model):
    """The weights as one file for colleagues."""
    return Files({"weights.safetensors": save(model.weights)})
