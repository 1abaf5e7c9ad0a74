"""From simulated fields to real ones: what networks that only saw simulations are worth there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypedDict

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.data import Report
from skywright.trust.committee import column, committee
from skywright.trust.radii import judge_radii
from skywright.trust.ranking import auroc
from skywright.trust.resampling import bootstrap_groups, estimate
from skywright.trust.verdict import with_interval

__all__ = ["Domain", "judge_transfer"]

WIDE = 1.2 * u.arcsec
DETECTABLE = 20.0  # Collett 2015 (arXiv:1507.02657): total S/N of an arc that counts
BASELINES = ("boosting", "arc", "flux")
Found = dict[str, dict[str, Any]]
Values = dict[str, np.ndarray]
Rows = dict[str, tuple[np.ndarray, np.ndarray]]  # result -> lenses and negatives


class Scored(TypedDict):
    """A painted sample and the scores of models that were trained on simulated fields.

    Parameters
    ----------
    truth : QTable
        ``object_id``, ``group``, ``label``, ``kind``, ``theta_e`` [pixel], ``snr``.
    net, boosting : QTable
        ``object_id`` and ``mean`` (logit), any number of rows an object.
    features : QTable
        ``object_id``, ``arc_statistic``, ``flux``, ``einstein_radius`` and its error [pixel].
    """

    truth: QTable
    net: QTable
    boosting: QTable
    features: QTable


class Domain(Scored):
    """A scored sample with estimates of its Einstein radii.

    Parameters
    ----------
    radii : QTable
        ``object_id``, ``mean`` and ``aleatoric`` [pixel], any number of rows an object.
    """

    radii: QTable


def judge_transfer(
    judged: Report,
    *,
    simulated: Domain,
    real: Domain,
    own: QTable,
    scale: u.Quantity,
    rng: np.random.Generator,
    resamples: int = 1000,
    injected: Scored | None = None,
) -> Report:
    """Add to a judged search what training on simulations is worth on the same real images.

    AUROC is measured for four sets of rows: all lenses against all negatives (``auroc``), those
    with an Einstein radius above 1.2 arcsec against untouched cutouts (``auroc_wide``) and
    against impostors (``auroc_wide_impostors``), and the wide ones with S/N above 20 against
    untouched cutouts (``auroc_wide_detectable``).

    Parameters
    ----------
    judged : Report
        From `judge_search`, of networks that were fitted on the real images out of fold.
    simulated : Domain
        Simulated fields, scored out of fold.
    real : Domain
        Real images that none of the models saw.
    own : QTable
        Scores of the networks in ``judged``, on the same rows as ``real``.
    scale : Quantity [arcsec]
        Angular size of a pixel.
    rng : Generator
        For the bootstrap.
    resamples : int
        Bootstrap resamples of fields and of cutouts, never of painted rows.
    injected : Scored, optional
        Lenses on the same real images whose sources are as bright as a catalogue says. They are
        judged against the untouched cutouts of ``real``.

    Returns
    -------
    Report
        Results of ``judged``, and with a prefix: ``simulated.`` and ``transfer.`` of the network
        on simulated and on real images, ``drop.`` the first minus the second,
        ``transfer.boosting.``, ``transfer.arc.`` and ``transfer.flux.`` of the baselines,
        ``transfer_gain.`` over the best of them, ``own.`` of the networks fitted on real images,
        ``own_gain.`` over the transferred ones; ``simulated.radius.`` and ``radius.`` from
        `judge_radii` for the estimates, ``ring.`` for the radius of the brightest ring;
        ``injected.auroc_wide``, those of the baselines and the gain, of injected sources.
    """
    found = _judge_areas(simulated, real, own, scale, resamples, rng)
    for name, domain, radii in (
        ("simulated.radius", simulated, _pooled(simulated["radii"])),
        ("radius", real, _pooled(real["radii"])),
        ("ring", real, real["features"]),
    ):
        values = judge_radii(domain["truth"], radii, rng=rng, resamples=resamples)
        found |= {f"{name}.{key}": result for key, result in values.items()}
    if injected is not None:
        found |= _judge_injected(injected, real, scale, resamples, rng)
    limits = {"radius_arcsec": WIDE.to_value(u.arcsec), "snr": DETECTABLE}
    return replace(
        judged,
        results=judged.results | found,
        verdict=f"{judged.verdict} {_sentence(found)}",
        evidence=judged.evidence | {"limits": limits},
    )


def _judge_areas(
    simulated: Domain,
    real: Domain,
    own: QTable,
    scale: u.Quantity,
    resamples: int,
    rng: np.random.Generator,
) -> Found:
    """Return every AUROC on simulated and on real images, and their differences."""
    rows = {name: _rows(domain["truth"], scale) for name, domain in (("s", simulated), ("r", real))}
    there = _measure(_scores(simulated), simulated["truth"], rows["s"], resamples, rng)
    scores = _scores(real) | {"own": committee(own, column(real["truth"], "object_id"))}
    here = _measure(scores, real["truth"], rows["r"], resamples, rng)
    groups = {"s": column(simulated["truth"], "group"), "r": column(real["truth"], "group")}
    found: Found = {}

    def note(name: str, values: np.ndarray, key: str, where: str) -> None:
        mask = np.any(rows[where][key], axis=0)
        n_groups = len(np.unique(groups[where][mask]))
        found[f"{name}.{key}"] = estimate(values, n=mask.sum(), n_groups=n_groups)

    for key in rows["r"]:
        best = _best(here, key)
        note("simulated", there["net"][key], key, "s")
        note("transfer", here["net"][key], key, "r")
        note("own", here["own"][key], key, "r")
        for name in BASELINES:
            note(f"transfer.{name}", here[name][key], key, "r")
        note("drop", there["net"][key] - here["net"][key], key, "r")
        note("own_gain", here["own"][key] - here["net"][key], key, "r")
        note("transfer_gain", here["net"][key] - here[best][key], key, "r")
        found[f"transfer_gain.{key}"]["over"] = best
    return found


def _judge_injected(
    injected: Scored,
    real: Scored,
    scale: u.Quantity,
    resamples: int,
    rng: np.random.Generator,
) -> Found:
    """Judge injected lenses against the untouched cutouts that are in the main sample."""
    lens = column(injected["truth"], "label") == 1
    rest = column(real["truth"], "kind").astype(str) == "untouched"
    truth = QTable()
    for name in ("group", "label", "kind", "theta_e", "snr"):
        there, here = column(injected["truth"], name), column(real["truth"], name)
        truth[name] = np.append(there[lens], here[rest])
    ours, theirs = _scores(injected), _scores(real)
    scores = {name: np.append(ours[name][lens], theirs[name][rest]) for name in ours}
    key = "auroc_wide"
    rows = _rows(truth, scale)[key]
    area = _measure(scores, truth, {key: rows}, resamples, rng)
    best, mask = _best(area, key), np.any(rows, axis=0)
    size = {"n": mask.sum(), "n_groups": len(np.unique(column(truth, "group")[mask]))}
    snr = np.percentile(column(truth, "snr")[rows[0]], [1, 50])
    found = {f"injected.{key}": estimate(area["net"][key], **size)}
    found[f"injected.{key}"] |= {"snr_1_percent": float(snr[0]), "median_snr": float(snr[1])}
    for name in BASELINES:
        found[f"injected.{name}.{key}"] = estimate(area[name][key], **size)
    gain = estimate(area["net"][key] - area[best][key], **size)
    return found | {f"injected_gain.{key}": gain | {"over": best}}


def _best(area: dict[str, Values], key: str) -> str:
    """Return the baseline with the largest area, without resampling."""
    return max(BASELINES, key=lambda name: float(area[name][key][0]))


def _scores(domain: Scored) -> dict[str, np.ndarray]:
    """Return one score per row and scorer; every fold of a model may have judged a row."""
    ids = column(domain["truth"], "object_id")
    features = domain["features"]
    scores = {}
    for name, table in (("net", domain["net"]), ("boosting", domain["boosting"])):
        pooled = QTable({key: column(table, key) for key in ("object_id", "mean")})
        scores[name] = committee(pooled, ids)
    for name, feature in (("arc", "arc_statistic"), ("flux", "flux")):
        raw = column(features, feature).astype(float)
        raw = np.where(np.isfinite(raw), raw, np.min(raw, initial=0.0, where=np.isfinite(raw)) - 1)
        scores[name] = committee(
            QTable({"object_id": column(features, "object_id"), "mean": raw}), ids
        )
    return scores


def _pooled(radii: QTable) -> QTable:
    """Return the mean estimate, and the mean error, of all folds that judged an object."""
    ids, rows = np.unique(column(radii, "object_id"), return_inverse=True)
    count = np.bincount(rows)
    return QTable(
        {
            "object_id": ids,
            "einstein_radius": np.bincount(rows, column(radii, "mean")) / count,
            "einstein_radius_error": np.bincount(rows, column(radii, "aleatoric")) / count,
        }
    )


def _rows(truth: QTable, scale: u.Quantity) -> Rows:
    """Return for each result the lenses and the negatives that it compares."""
    label, kind = column(truth, "label").astype(bool), column(truth, "kind").astype(str)
    untouched = kind == "untouched"
    wide = label & (column(truth, "theta_e") > float(WIDE / scale))
    return {
        "auroc": (label, ~label),
        "auroc_wide": (wide, untouched),
        "auroc_wide_impostors": (wide, ~label & ~untouched),
        "auroc_wide_detectable": (
            wide & (column(truth, "snr") > DETECTABLE),
            untouched,
        ),
    }


def _measure(
    scores: dict[str, np.ndarray],
    truth: QTable,
    rows: Rows,
    resamples: int,
    rng: np.random.Generator,
) -> dict[str, Values]:
    """Return AUROC over all resamples: scorer -> result -> (1 + resample,)."""
    counts = bootstrap_groups(column(truth, "group"), resamples, rng)
    measured: dict[str, Values] = {name: {} for name in scores}
    for key, (lens, other) in rows.items():
        for what, some in (("lens", lens), ("negative", other)):
            if not some.any():
                raise ValueError(f"no {what} for {key}: paint more systems or wider arcs")
        use = lens | other
        for name, score in scores.items():
            measured[name][key] = auroc(score[use], lens[use], counts[:, use])
    return measured


def _sentence(found: Found) -> str:
    text = (
        "Networks trained on simulated fields alone tell lenses with an Einstein radius above "
        f"{WIDE.value:g} arcsec from untouched cutouts with an AUROC of "
        f"{with_interval(found['transfer.auroc_wide'], 3)} on real images and "
        f"{with_interval(found['simulated.auroc_wide'], 3)} on simulated ones; with S/N above "
        f"{DETECTABLE:g}, {with_interval(found['transfer.auroc_wide_detectable'], 3)} on real ones."
    )
    if "injected.auroc_wide" not in found:
        return text
    area, gain = found["injected.auroc_wide"], found["injected_gain.auroc_wide"]
    return text + (
        " Where sources are as bright as those of the catalogue (median S/N "
        f"{area['median_snr']:.0f}), it is {with_interval(area, 3)}, "
        f"{with_interval(gain, 3)} more than the best baseline ({gain['over']})."
    )
