"""Sound work of another kind: properties of galaxies, as numbers and as posteriors."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.data import Model, fit_hull, outside_hull
from skywright.data.splits import digest_rows

COLOURS = ("u_g", "g_r", "r_i", "i_z")
TARGETS = ("redshift", "mass")


def draw_galaxies(rng, *, n=2400, fields=6):
    """Galaxies with four colours, a signal to noise, and two properties that go with them."""
    colour = rng.normal(size=(n, 4))
    snr = np.exp(rng.normal(2.5, 0.5, n))
    one, two = rng.normal(size=(2, n)) * np.sqrt(1 + (12 / snr) ** 2)
    a, b, c, d = colour.T
    redshift = 0.6 + 0.1 * a + 0.05 * b + 0.05 * a * b + 0.03 * c**2 + 0.04 * one
    mass = 10.5 + 0.3 * a - 0.2 * d + 0.1 * d**2 + 0.15 * (0.6 * one + 0.8 * two)
    field = rng.integers(fields, size=n)
    table = {"object_id": np.arange(n)} | {k: colour[:, i] * u.mag for i, k in enumerate(COLOURS)}
    return QTable(
        table
        | {
            "snr": snr,
            "ra": (20 + 5 * field + rng.uniform(-1, 1, n)) * u.deg,
            "dec": rng.uniform(-1, 1, n) * u.deg,
            "field": field,
            "redshift": redshift,
            "mass": mass,
        }
    )


def photometry(catalog):
    """The columns that a model may see."""
    return catalog["object_id", *COLOURS, "snr"]


def design(features, *, squares=True):
    """A matrix of colours, their squares and products, without the column of ones."""
    x = np.stack([np.asarray(getattr(features[n], "value", features[n])) for n in COLOURS], axis=1)
    if not squares:
        return x
    pairs = [x[:, i] * x[:, j] for i in range(4) for j in range(i, 4)]
    return np.concatenate([x, np.stack(pairs, axis=1)], axis=1)


def scatter(features, powers):
    """The two variances of each row (n, 2), which fall with the signal to noise."""
    return powers[0] * (1 + powers[1] / np.asarray(features["snr"])[:, None] ** 2)


def fit_properties(
    features, catalog, roles, rng, *, squares=True, trials=8, fraction=1.0, shuffle=False, seed=0
):
    """Bayesian linear regression of both properties, its noise from the training residuals."""
    roles = np.asarray(roles).astype(str)
    draw = np.random.default_rng([seed, 1])
    train = draw.permutation(np.flatnonzero(roles == "train"))
    train = np.sort(train[: round(fraction * len(train))])
    held = np.flatnonzero(roles == "validation")
    y = np.stack([np.asarray(catalog[name]) for name in TARGETS], axis=1)
    y = draw.permutation(y) if shuffle else y
    raw = design(features, squares=squares)
    mean, scale = raw[train].mean(axis=0), raw[train].std(axis=0)
    x = np.concatenate([np.ones((len(raw), 1)), (raw - mean) / scale], axis=1)
    history, best = {"penalty": [], "validation_loss": []}, None
    for _ in range(trials):
        penalty = float(np.exp(draw.uniform(-3, 3)))
        fitted = _solve(x[train], y[train], features[train], penalty)
        error = y[held] - x[held] @ fitted["beta"]
        variance = scatter(features[held], fitted["powers"])
        loss = float(np.mean(error**2 / variance + np.log(variance)))
        history["penalty"].append(penalty)
        history["validation_loss"].append(loss)
        best = (loss, fitted) if best is None or loss < best[0] else best
    config = {
        "estimator": "Bayesian linear regression",
        "squares": squares,
        "scaling": {"rows_sha256": digest_rows(train)},
        "domain": {"features": len(COLOURS) + 1, "rows": len(train)},
        "training": {
            "rows": len(train),
            "rows_sha256": digest_rows(train),
            "validation_sha256": digest_rows(held),
            "seed": seed,
            "trials": trials,
        },
    }
    weights = best[1] | {"mean": mean, "scale": scale}
    return Model(config, weights, history=history, card="# Bayesian linear regression\n")


def _solve(x, y, features, penalty):
    """Weights, their covariances, and the noise, in three rounds of weighted least squares."""
    inverse = 1 / np.asarray(features["snr"]) ** 2
    powers = np.stack([y.var(axis=0), np.zeros(2)])
    for _ in range(4):
        variance = powers[0] * (1 + powers[1] * inverse[:, None])
        beta, covariance = [], []
        for k in range(2):
            precision = (x / variance[:, [k]]).T @ x
            precision += penalty / variance[:, k].mean() * np.diag(np.arange(x.shape[1]) > 0)
            covariance.append(np.linalg.inv(precision))
            beta.append(covariance[k] @ (x.T @ (y[:, k] / variance[:, k])))
        beta = np.stack(beta, axis=1)
        # the mean square of a residual lacks what the weights have taken of it
        square = (y - x @ beta) ** 2 * len(x) / (len(x) - x.shape[1])
        line = np.stack([np.ones_like(inverse), inverse], axis=1)
        powers = _powers(line, square, variance)
    residual = (y - x @ beta) / np.sqrt(powers[0] * (1 + powers[1] * inverse[:, None]))
    return {
        "beta": beta,
        "covariance": np.stack(covariance),
        "powers": powers,
        "correlation": np.corrcoef(residual.T),
    }


def _powers(line, square, variance):
    """Fit the mean square a (1 + b / snr^2) of each residual, by weighted least squares."""
    found = []
    for k in range(2):
        weight = 1 / variance[:, k] ** 2
        a, ab = np.linalg.solve((line * weight[:, None]).T @ line, line.T @ (weight * square[:, k]))
        a = max(a, 1e-6)
        found.append((a, max(ab / a, 0.0)))
    return np.array(found).T


def predict_properties(model, features):
    """Mean, aleatoric and epistemic deviation of both properties: (n, 2) each."""
    w = model.weights
    raw = design(features, squares=model.config["squares"])
    x = np.concatenate([np.ones((len(raw), 1)), (raw - w["mean"]) / w["scale"]], axis=1)
    epistemic = np.sqrt(np.einsum("ni,kij,nj->nk", x, w["covariance"], x))
    return x @ w["beta"], np.sqrt(scatter(features, w["powers"])), epistemic


def predict_redshift(model, features):
    """Redshift with the two parts of its deviation."""
    mean, aleatoric, epistemic = (part[:, 0] for part in predict_properties(model, features))
    ids = np.asarray(features["object_id"])
    return QTable({"object_id": ids, "mean": mean, "aleatoric": aleatoric, "epistemic": epistemic})


def predict_shifted_redshift(model, shifted):
    """Redshifts of perturbed galaxies, by kind and severity."""
    parts = []
    for name, features in shifted.items():
        kind, severity = name.split()
        table = predict_redshift(model, features)
        table["kind"], table["severity"] = kind, float(severity)
        parts.append(table)
    columns = {n: np.concatenate([np.asarray(p[n]) for p in parts]) for n in parts[0].colnames}
    return QTable(columns)


def draw_posterior(model, features, catalog, roles, rng, *, draws=150):
    """Samples of both properties for the test rows, and the truth."""
    rows = np.flatnonzero(np.asarray(roles).astype(str) == "test")
    mean, aleatoric, epistemic = predict_properties(model, features[rows])
    root = np.linalg.cholesky(model.weights["correlation"])
    noise = rng.normal(size=(len(rows), draws, 2)) @ root.T
    samples = mean[:, None] + noise * np.hypot(aleatoric, epistemic)[:, None]
    truth = np.stack([np.asarray(catalog[name])[rows] for name in TARGETS], axis=1)
    return {"truth": truth, "samples": samples}


def colour_relation(features):
    """What was done before: one colour, and a relation from a paper."""
    value = 0.63 + 0.1 * np.asarray(getattr(features["u_g"], "value", features["u_g"]))
    return QTable({"object_id": np.asarray(features["object_id"]), "mean": value})


def perturb_photometry(features, rng, *, depth=(0.9, 0.5), zero_point=(0.01, 0.05)):
    """The same galaxies with fewer photons, and with a wrong zero point of the first band."""
    tables = {}
    for share in depth:
        table = features.copy()
        for name in COLOURS:
            extra = 0.3 / np.asarray(table["snr"]) * np.sqrt(1 / share - 1)
            table[name] = table[name] + extra * rng.normal(size=len(table)) * u.mag
        table["snr"] = table["snr"] * np.sqrt(share)
        tables[f"depth {share}"] = table
    for offset in zero_point:
        table = features.copy()
        table["u_g"] = table["u_g"] + offset * u.mag
        tables[f"zero_point {offset}"] = table
    return tables


def draw_quasars(rng, *, n=300):
    """What the survey holds beside galaxies: colours that no galaxy has."""
    table = photometry(draw_galaxies(rng, n=n))
    table["u_g"] = table["u_g"] - 9 * u.mag
    return table


def strangeness(features, roles, others):
    """How far each row lies from the training rows."""
    x, new = (design(t, squares=False) for t in (features, others))
    learned = x[np.isin(np.asarray(roles).astype(str), ["train", "validation"])]
    z = (new - learned.mean(axis=0)) / learned.std(axis=0)
    return QTable(
        {"object_id": np.asarray(others["object_id"]), "surprise": np.linalg.norm(z, axis=1)}
    )


def serve_redshift(model, features, roles, deployment):
    """Redshifts for the survey; rows outside the domain are flagged."""
    names = [*COLOURS, "snr"]
    x, new = (
        np.stack([np.asarray(getattr(t[n], "value", t[n])) for n in names], axis=1)
        for t in (features, deployment)
    )
    learned = np.isin(np.asarray(roles).astype(str), ["train", "validation"])
    table = predict_redshift(model, deployment)
    table["in_domain"] = ~outside_hull(fit_hull(x[learned], names), new)
    return table
