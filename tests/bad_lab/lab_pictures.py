"""Sound work on images: arcs told from companions by their light in rings."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable
from bad_lab import cross_entropy, solve
from scipy.special import expit

from skywright.data import Images, Model, fit_hull, image_summary, outside_hull
from skywright.data.splits import digest_rows
from skywright.sky import shift_suite
from skywright.trust import attack_few_pixels, judge_attributions, pixel_budget

SIDE = 20
GAIN = 1.0
BANDS = ("g", "r", "i")
SEVERITIES = {
    "depth": (0.9, 0.5),
    "psf": (0.1, 0.6),
    "background": (1.0, 10.0),
    "zero_point": (0.01, 0.3),
    "colour": (0.01, 0.3),
    "dead_pixels": (0.001, 0.02),
    "cosmic_rays": (50.0, 1000.0),
    "crop": (1.0, 4.0),
    "rotation": (90.0, 30.0),
    "quantisation": (0.25, 2.0),
    "jpeg": (5.0, 60.0),
}


def draw_galaxies_with_light(rng, *, n=600, fields=6):
    """Images [electron] and a table: a galaxy with an arc (label 1) or a companion (label 0)."""
    label = rng.integers(2, size=n)
    snr = np.exp(rng.normal(2.75, 0.4, n))
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    angle = rng.uniform(0, 2 * np.pi, n)[:, None, None]
    radius = rng.uniform(4, 6, n)[:, None, None]
    turn = np.angle(np.exp(1j * (np.arctan2(y, x) - angle)))
    arc = np.exp(-0.5 * ((np.hypot(x, y) - radius) ** 2 + (turn / 0.8) ** 2))
    dx, dy = x - radius * np.cos(angle), y - radius * np.sin(angle)
    companion = np.exp(-0.5 * (dx**2 + dy**2) / 1.4**2)
    light = np.where(label[:, None, None] == 1, arc, companion)
    light *= (snr / np.sqrt((light**2).sum(axis=(1, 2))))[:, None, None]
    galaxy = 30 * np.exp(-np.hypot(x, y / rng.uniform(0.7, 1, n)[:, None, None]) / 2)
    tint = np.array([1.2, 1.0, 0.8])[None, :, None, None]
    clean = 6 * (light[:, None] * tint + galaxy[:, None] / tint)
    flux = (clean + rng.normal(size=clean.shape) * np.sqrt(36 + clean)).astype(np.float32)
    variance = np.full((n, 3, 1, 1), 36.0, dtype=np.float32)
    images = Images(
        flux=flux, bands=BANDS, unit=u.electron, scale=0.2 * u.arcsec,
        object_id=np.arange(n), variance=variance, psf_fwhm=np.full(3, 2.5),
    )  # fmt: skip
    field = rng.integers(fields, size=n)
    table = QTable(
        {
            "object_id": np.arange(n),
            "label": label,
            "snr": snr,
            "field": field,
            "ra": (20 + 5 * field + rng.uniform(-1, 1, n)) * u.deg,
            "dec": rng.uniform(-1, 1, n) * u.deg,
        }
    )
    return {"images": images, "table": table}


def images_of(drawn):
    """What a classifier may see."""
    return drawn["images"]


def table_of(drawn):
    """What is known of each galaxy."""
    return drawn["table"]


def rings(flux, *, contrast=True):
    """Mean light of rings in each band, and how uneven the light of a ring is: (n, feature)."""
    radius = np.hypot(*(np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2))
    which = np.minimum((radius / 1.5).astype(int), 5).ravel()
    member = (which == np.arange(6)[:, None]) / np.bincount(which)[:, None]
    pixels = np.asarray(flux, dtype=float).reshape(*flux.shape[:2], -1)
    mean = pixels @ member.T
    parts = [mean]
    if contrast:
        uneven = (np.arcsinh(pixels / 12) ** 2) @ member.T - (
            np.arcsinh(pixels / 12) @ member.T
        ) ** 2
        square = np.sqrt(np.maximum(pixels**2 @ member.T - mean**2, 1e-6))
        parts += [square, uneven]
    return np.arcsinh(np.concatenate(parts, axis=2).mean(axis=1) / 6)


def fit_rings(
    images, labels, roles, rng, *, contrast=True, trials=8, fraction=1.0, shuffle=False, seed=0
):
    """Logistic regression on rings; the penalty is searched for on the validation rows."""
    roles = np.asarray(roles).astype(str)
    draw = np.random.default_rng([seed, 1])
    train = draw.permutation(np.flatnonzero(roles == "train"))
    train = np.sort(train[: round(fraction * len(train))])
    held = np.flatnonzero(roles == "validation")
    labels = np.asarray(labels)
    labels = draw.permutation(labels) if shuffle else labels
    raw = rings(images.flux, contrast=contrast)
    mean, scale = raw[train].mean(axis=0), raw[train].std(axis=0)
    x = (raw - mean) / scale
    history, best = {"penalty": [], "validation_loss": []}, None
    for _ in range(trials):
        penalty = float(np.exp(draw.uniform(-3, 3)))
        weights = solve(x[train], labels[train], penalty)
        loss = cross_entropy(weights, x[held], labels[held])
        history["penalty"].append(penalty)
        history["validation_loss"].append(loss)
        best = (loss, weights) if best is None or loss < best[0] else best
    config = {
        "estimator": "logistic regression on rings",
        "contrast": contrast,
        "scaling": {"rows_sha256": digest_rows(train)},
        "domain": {"bands": list(BANDS), "side": SIDE, "rows": len(train)},
        "training": {
            "rows": len(train),
            "rows_sha256": digest_rows(train),
            "validation_sha256": digest_rows(held),
            "seed": seed,
            "trials": trials,
        },
    }
    weights = {"weights": best[1], "mean": mean, "scale": scale}
    return Model(config, weights, history=history, card="# logistic regression on rings\n")


def logits(model, flux):
    """Logit of every image of an array."""
    x = (rings(flux, contrast=model.config["contrast"]) - model.weights["mean"]) / model.weights[
        "scale"
    ]
    return model.weights["weights"][0] + x @ model.weights["weights"][1:]


def predict_rings(model, images):
    """Logit of every image."""
    return QTable({"object_id": np.asarray(images.object_id), "mean": logits(model, images.flux)})


def brightest_ring(images):
    """What was done before: light away from the middle makes an arc."""
    x = rings(images.flux, contrast=False)
    return QTable({"object_id": np.asarray(images.object_id), "mean": x[:, 3]})


def predict_suite(model, images, roles, rng):
    """Scores of perturbed test images, by kind and severity."""
    tested = images[np.flatnonzero(np.asarray(roles).astype(str) == "test")]
    suite = shift_suite(tested, rng, severities=SEVERITIES, gain=GAIN)
    parts = []
    for kind, severity, changed in suite:
        table = predict_rings(model, changed)
        table["kind"], table["severity"] = kind, severity
        parts.append(table)
    return QTable({n: np.concatenate([np.asarray(p[n]) for p in parts]) for n in parts[0].colnames})


def predict_turned(model, images):
    """Logit of every image after a quarter turn."""
    turned = np.rot90(np.asarray(images.flux), axes=(-2, -1))
    return QTable({"object_id": np.asarray(images.object_id), "mean": logits(model, turned)})


def predict_mirrored(model, images):
    """Logit of every image in a mirror."""
    mirrored = np.asarray(images.flux)[..., ::-1]
    return QTable({"object_id": np.asarray(images.object_id), "mean": logits(model, mirrored)})


def attack(model, images, labels, roles, rng, *, n=30):
    """How many of some images one pixel changes the answer of, with what a cosmic ray leaves."""
    rows = _right(model, images, labels, roles)[:n]
    flux, labels = np.asarray(images.flux)[rows], np.asarray(labels)[rows]
    budget = pixel_budget(np.asarray(images.flux), 1, electrons=100.0, gain=GAIN)

    def scores(some):
        value = logits(model, some)
        return np.stack([-value, value], axis=1)

    said = {}
    for search in ("evolution", "random"):
        found = attack_few_pixels(
            scores, flux, labels, budget, rng, search=search, population=20, generations=4
        )
        said[search] = int(found["fooled"].sum())
    return {"successes": said["evolution"], "random": said["random"], "n": len(rows), "pixels": 1,
            "budget": "100 electrons"}  # fmt: skip


def _right(model, images, labels, roles):
    tested = np.asarray(roles).astype(str) == "test"
    right = (logits(model, images.flux) > 0) == (np.asarray(labels) == 1)
    return np.flatnonzero(tested & right)


def explain(model, images, labels, roles, rng, *, n=24):
    """Attributions by taking pixels away, judged: of arcs that were found."""
    rows = _right(model, images, labels, roles)
    rows = rows[np.asarray(labels)[rows] == 1][:n]
    flux = np.asarray(images.flux)[rows]
    drawn = Model(
        model.config, model.weights | {"weights": rng.normal(size=len(model.weights["weights"]))}
    )
    learned = np.isin(np.asarray(roles).astype(str), ["train", "validation"])
    usual = np.median(np.asarray(images.flux)[learned], axis=0)
    maps, randomised = (_taken_away(one, flux, usual) for one in (model, drawn))

    def scores(some):
        return expit(logits(model, some))

    return judge_attributions(
        maps, randomised, scores, flux, rng, fill=usual, steps=10, resamples=200
    )


def _taken_away(model, flux, usual):
    """By how much the logit falls when three by three pixels are those of the median image."""
    whole = logits(model, flux)
    found = np.empty((len(flux), 1, SIDE, SIDE))
    for y in range(SIDE):
        for x in range(SIDE):
            gone = flux.copy()
            patch = (..., slice(max(y - 1, 0), y + 2), slice(max(x - 1, 0), x + 2))
            gone[patch] = usual[patch]
            found[:, 0, y, x] = whole - logits(model, gone)
    return found


def draw_ghosts(rng, *, n=100):
    """What a survey holds beside galaxies: stripes of a reflection."""
    images = draw_galaxies_with_light(rng, n=n)["images"]
    stripes = 300 * (np.arange(SIDE) % 4 < 2).astype(np.float32)
    return Images(
        flux=images.flux + stripes, bands=BANDS, unit=u.electron, scale=0.2 * u.arcsec,
        object_id=images.object_id, variance=images.variance, psf_fwhm=images.psf_fwhm,
    )  # fmt: skip


def far_from_learned(images, roles, others):
    """How far the rings of each image lie from those of the training images."""
    x, new = rings(images.flux), rings(others.flux)
    learned = x[np.isin(np.asarray(roles).astype(str), ["train", "validation"])]
    hull = fit_hull(learned, [str(i) for i in range(x.shape[1])])
    z = (new - np.asarray(hull["mean"])) @ np.asarray(hull["whitening"]).T
    distance = np.linalg.norm(z, axis=1)
    return QTable({"object_id": np.asarray(others.object_id), "surprise": distance})


def serve_images(model, images, roles, deployment):
    """Scores for the survey; images outside the hull of those learned are flagged."""
    learned = np.isin(np.asarray(roles).astype(str), ["train", "validation"])
    place, names = image_summary(images)
    table = predict_rings(model, deployment)
    hull = fit_hull(place[learned], names)
    table["in_domain"] = ~outside_hull(hull, image_summary(deployment)[0])
    return table
