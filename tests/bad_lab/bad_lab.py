"""A laboratory whose work is sound: variable stars in a survey, told from the rest by a classifier.

Recipes of `tests/bad_lab` use these steps with ``--allow bad_lab``. Each flaw is a step of its own
in `flaws.py`, or data of its own; nothing here says which flaw is asked for.
"""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.optimize import minimize
from scipy.special import expit

from skywright.data import Model, Report, fit_hull, outside_hull
from skywright.data.splits import digest_rows

FEATURES = ("period", "amplitude", "colour", "skewness", "snr")


def draw_catalog(rng, *, n=3000, fields=6, noise=0.3):
    """Stars of some fields: five features, a position, a field, a night and a label."""
    field = rng.integers(fields, size=n)
    snr = np.exp(rng.normal(2.5, 0.6, n))
    measured = rng.normal(size=(n, 4)) * np.sqrt(1 + (3 * noise / snr[:, None]) ** 2)
    period, amplitude, colour, _ = measured.T
    # all of it is in reach of a model with squares and products, so that it can be calibrated
    clear = 1 + 1.2 * (np.log(snr) - 2.5)
    signal = 1.1 * amplitude**2 + clear * (1.5 * period - 1.2 * colour)
    label = (rng.random(n) < expit(signal - 2.6)).astype(int)
    # fields are 5 degrees apart, stars within 1 degree of the middle of their own
    return QTable(
        {
            "object_id": np.arange(n),
            "period": measured[:, 0],
            "amplitude": measured[:, 1],
            "colour": measured[:, 2] * u.mag,
            "skewness": measured[:, 3],
            "snr": snr,
            "ra": (20 + 5 * field + rng.uniform(-1, 1, n)) * u.deg,
            "dec": rng.uniform(-1, 1, n) * u.deg,
            "field": field,
            "night": rng.integers(1000, size=n),
            "label": label,
        }
    )


def features_of(catalog):
    """The columns that a model may see."""
    return catalog["object_id", *FEATURES]


def split_by_field(catalog, *, fields=6):
    """Whole fields: the last two are judged, the one before them validates."""
    field = np.asarray(catalog["field"])
    role = np.where(
        field >= fields - 2, "test", np.where(field == fields - 3, "validation", "train")
    )
    return QTable({"role": role})


def matrix_of(features, *, squares=True):
    """Features as a matrix, with their squares and the product with the signal to noise."""
    x = np.stack([np.asarray(getattr(features[n], "value", features[n])) for n in FEATURES], axis=1)
    x[:, 4] = np.log(x[:, 4])
    if not squares:
        return x
    products = [x[:, i] * x[:, j] for i in range(5) for j in range(i, 5)]
    return np.concatenate([x, np.stack(products, axis=1)], axis=1)


def fit(
    features, labels, roles, rng, *, squares=True, trials=8, fraction=1.0, shuffle=False, seed=0
):
    """Fit a logistic regression; the penalty is searched for on the validation rows."""
    labels = np.asarray(labels)
    roles = np.asarray(roles).astype(str)
    rows = {role: np.flatnonzero(roles == role) for role in ("train", "validation")}
    draw = np.random.default_rng([seed, 1])
    kept = draw.permutation(rows["train"])[: round(fraction * len(rows["train"]))]
    rows["train"] = np.sort(kept)
    if shuffle:
        labels = draw.permutation(labels)
    raw = matrix_of(features, squares=squares)
    mean, scale = raw[rows["train"]].mean(axis=0), raw[rows["train"]].std(axis=0)
    return fit_scaled(raw, labels, rows, mean, scale, draw, squares, trials, seed, rows["train"])


def fit_scaled(raw, labels, rows, mean, scale, draw, squares, trials, seed, scaled_rows):
    """Search the penalty, and record what was done."""
    x = (raw - mean) / scale
    history = {"penalty": [], "validation_loss": []}
    best = None
    for _ in range(trials):
        penalty = float(np.exp(draw.uniform(-3, 5)))
        weights = solve(x[rows["train"]], labels[rows["train"]], penalty)
        loss = cross_entropy(weights, x[rows["validation"]], labels[rows["validation"]])
        history["penalty"].append(penalty)
        history["validation_loss"].append(loss)
        if best is None or loss < best[0]:
            best = (loss, weights)
    names = list(FEATURES)
    config = {
        "estimator": "logistic",
        "features": names,
        "squares": squares,
        "scaling": {"rows_sha256": digest_rows(scaled_rows)},
        "domain": {"features": len(names), "rows": len(rows["train"])},
        "training": {
            "rows": len(rows["train"]),
            "rows_sha256": digest_rows(rows["train"]),
            "validation_sha256": digest_rows(rows["validation"]),
            "seed": seed,
            "trials": trials,
        },
    }
    weights = {"weights": best[1], "mean": mean, "scale": scale}
    return Model(config, weights, history=history, card="# logistic regression\n")


def solve(x, labels, penalty):
    """Maximum of the penalised likelihood."""
    design = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    sign = 2 * labels - 1

    def loss(beta):
        z = sign * (design @ beta)
        value = np.logaddexp(0, -z).sum() + 0.5 * penalty * beta[1:] @ beta[1:]
        slope = -design.T @ (sign * expit(-z))
        slope[1:] += penalty * beta[1:]
        return value, slope

    return minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x


def cross_entropy(weights, x, labels):
    """Mean loss [nat]."""
    logits = weights[0] + x @ weights[1:]
    return float(np.mean(np.logaddexp(0, -(2 * labels - 1) * logits)))


def predict(model, features):
    """Logit of every row."""
    x = matrix_of(features, squares=model.config["squares"])
    x = (x - model.weights["mean"]) / model.weights["scale"]
    beta = model.weights["weights"]
    return QTable({"object_id": np.asarray(features["object_id"]), "mean": beta[0] + x @ beta[1:]})


def amplitude_cut(features):
    """What was done before: a large amplitude makes a variable."""
    return QTable(
        {
            "object_id": np.asarray(features["object_id"]),
            "mean": np.abs(np.asarray(features["amplitude"])),
        }
    )


def perturb(features, rng, *, depth=(0.8, 0.5), zero_point=(0.01, 0.05)):
    """The same stars with fewer photons, and with a wrong zero point: name, severity, features."""
    tables = {}
    for share in depth:
        table = features.copy()
        for name in ("period", "amplitude", "skewness"):
            extra = 0.3 * 10 / np.asarray(table["snr"]) * np.sqrt(1 / share - 1)
            table[name] = table[name] + extra * rng.normal(size=len(table))
        table["snr"] = table["snr"] * np.sqrt(share)
        tables[f"depth {share}"] = table
    for offset in zero_point:
        table = features.copy()
        table["colour"] = table["colour"] + offset * u.mag
        tables[f"zero_point {offset}"] = table
    return tables


def predict_shifted(model, shifted):
    """Scores of perturbed stars, by name and severity."""
    parts = []
    for name, features in shifted.items():
        kind, severity = name.split()
        table = predict(model, features)
        table["kind"], table["severity"] = kind, float(severity)
        parts.append(table)
    columns = {n: np.concatenate([np.asarray(p[n]) for p in parts]) for n in parts[0].colnames}
    return QTable(columns)


def draw_strangers(rng, *, n=300):
    """What the survey holds beside stars: artefacts with features that no star has."""
    catalog = draw_catalog(rng, n=n)
    catalog["amplitude"] = catalog["amplitude"] + 12
    catalog["skewness"] = catalog["skewness"] - 9
    return features_of(catalog)


def raise_alarm(features, roles, others):
    """How far each row lies from the training rows."""
    x = matrix_of(features, squares=False)
    learned = x[np.isin(np.asarray(roles).astype(str), ["train", "validation"])]
    middle, scale = learned.mean(axis=0), learned.std(axis=0)
    z = (matrix_of(others, squares=False) - middle) / scale
    ids = np.asarray(others["object_id"])
    return QTable({"object_id": ids, "surprise": np.linalg.norm(z, axis=1)})


def average(scores):
    """Mean score of each object over the seeds."""
    ids, which = np.unique(np.asarray(scores["object_id"]), return_inverse=True)
    total = np.bincount(which, np.asarray(scores["mean"]))
    return QTable({"object_id": ids, "mean": total / np.bincount(which)})


def serve(scores, features, roles, deployment):
    """Answers for the survey; rows outside the domain are flagged."""
    names = list(FEATURES)
    x, new = (
        np.stack([np.asarray(getattr(t[n], "value", t[n])) for n in names], axis=1)
        for t in (features, deployment)
    )
    learned = np.isin(np.asarray(roles).astype(str), ["train", "validation"])
    table = average(scores)
    table["in_domain"] = ~outside_hull(fit_hull(x[learned], names), new)
    return table


def draw_survey(rng, *, n=1500, strange=0):
    """Objects that the model is used on: stars, and a number of strangers."""
    catalog = features_of(draw_catalog(rng, n=n))
    if strange:
        others = draw_strangers(rng, n=strange)
        for name in FEATURES:
            catalog[name][:strange] = others[name]
    return catalog


def report(judged):
    """Publish what the judge found."""
    cells = "<tr><th>{}</th><td>{:.3f}</td><td>{:.3f} to {:.3f}</td></tr>"
    results = judged.results
    rows = "".join(cells.format(n, r["value"], r["low"], r["high"]) for n, r in results.items())
    page = f"<html><body><table>{rows}</table></body></html>"
    return Report(results, judged.verdict, {}, page)


def strata_of(catalog):
    """In whose bins calibration is asked for."""
    return catalog["snr", "field"]
