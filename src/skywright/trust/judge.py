"""Judge a run by the rule book, from its data and predictions: the rules that need arrays."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.data import Images, Report
from skywright.trust.committee import bare
from skywright.trust.rules import book
from skywright.trust.rules.facts import (
    check_point,
    fold_names,
    like_items,
    read_domain,
    read_items,
    read_positions,
    read_roles,
    read_scores,
    read_truth,
)
from skywright.trust.rules.gathering import Rows, describe_items, fitted_facts, kept_facts

__all__ = ["judge"]


def judge(
    *,
    task: str,
    rng: np.random.Generator,
    items: Images | QTable | None = None,
    truth: np.ndarray | None = None,
    object_id: np.ndarray | None = None,
    scores: QTable | None = None,
    roles: Any = None,
    groups: np.ndarray | None = None,
    baselines: dict[str, QTable] | None = None,
    positions: Any = None,
    separation: u.Quantity | None = None,
    time: np.ndarray | None = None,
    prior: float | None = None,
    strata: QTable | None = None,
    physics: dict[str, tuple[Any, str]] | None = None,
    deployment: Images | QTable | None = None,
    served: QTable | None = None,
    real: Images | QTable | None = None,
    shifts: QTable | dict[str, Any] | None = None,
    attack: dict[str, Any] | None = None,
    alarm: QTable | None = None,
    outside: QTable | None = None,
    symmetries: dict[str, QTable] | None = None,
    attributions: dict[str, Any] | None = None,
    information: QTable | None = None,
    posterior: dict[str, np.ndarray] | None = None,
    domain: np.ndarray | None = None,
    transfer: dict[str, Any] | None = None,
    point: dict[str, Any] | None = None,
    resamples: int = 500,
) -> Report:
    """Apply every rule of the book that is about data and predictions.

    The rules that are about the run itself (its record, its models, other runs of it) are added
    by ``skywright trust RUN``; ``recipe: {trust: {judge: $node}}`` names the node of this step.

    Parameters
    ----------
    task : str
        ``classification`` (two classes), ``regression``, ``posterior``, or ``simulation``, where
        nothing was fitted.
    rng : Generator
        For resamples and for classifiers that tell sets apart.
    items : Images or QTable
        What is classified: n images, or n rows of features.
    truth : (n,)
        0 or 1, or true values.
    object_id : (n,) int
        Identifier of each row; by default that of ``items``.
    scores : QTable
        ``object_id`` and ``mean`` (logit or value) of the rows that were predicted; ``fold``,
        ``seed``, ``aleatoric`` and ``epistemic`` where there are such.
    roles : (n,) str or QTable
        ``train``, ``validation``, ``test``, ``calibration`` for rows that nothing was fitted on,
        or anything else for rows that are left out; of several folds as a sweep collects them.
    groups : (n,)
        Independent unit behind each row: galaxy, parent simulation, night. Give ``object_id``
        where every row is its own.
    baselines : dict
        ``simple`` and ``domain`` -> scores. The trivial one is computed here.
    positions, separation : SkyCoord or table with ra and dec, angle
        On the sky, and how far apart two objects have to be to share nothing.
    time : (n,)
        When each row was observed.
    prior : float
        Share of positives at which logits are meant; by default that of the judged rows.
    strata : QTable
        n rows: magnitude, colour, field, … in whose bins calibration is asked for; what an observer
        knows, not the truth.
    physics : dict
        Quantity -> its n values, and ``increasing`` or ``decreasing``: how the quality of answers
        goes with it, as more lenses are found at higher signal to noise.
    deployment, served : Images or QTable, QTable
        What the model is used on, and the answers given there: ``mean``, and ``in_domain`` where
        the server flags.
    real : Images or QTable
        Real items, when ``items`` are simulated.
    shifts : QTable or dict
        ``kind``, ``severity``, ``object_id``, ``mean``: scores of perturbed items. Or ``scores``
        and ``key``: what `skywright.sky.perturb_sample` returns to tell which is which.
    attack : dict
        ``successes``, ``random``, ``n``, ``pixels``, ``budget`` of a few-pixel attack.
    alarm, outside : QTable
        ``surprise``, as from `skywright.find.find_unknown`, of the judged rows (with
        ``object_id``), and of objects known to lie outside the domain.
    symmetries : dict
        Name -> scores of the transformed items.
    attributions : dict
        From `judge_attributions`.
    information : QTable
        From `information_table`.
    posterior : dict
        ``truth`` (n, parameter) and ``samples`` (n, draw, parameter).
    domain : (n,) str
        ``source`` or ``target``, when a model was adapted.
    transfer : dict
        Gain over no adaptation: ``source to target``, ``target to source``, ``label shift``.
    point : dict
        Swept parameter -> the value whose data are judged, where other values made other data:
        models of those were fitted to rows that are not here.
    resamples : int
        Bootstrap resamples of the groups.

    Returns
    -------
    Report
        ``results``: the headline metric, baselines, gain. ``evidence``: ``findings``, and the
        ``facts`` that later rules need.

    Raises
    ------
    ValueError
        When the task is unknown, or rows do not fit together.
    """
    if task not in book.ALL:
        raise ValueError(f"task is {task!r}; expected one of {', '.join(book.ALL)}")
    features, names = read_items(items) if items is not None else (None, [])
    place, axes = read_domain(items) if items is not None else (None, [])
    facts = {
        "attack": attack, "attributions": attributions, "information": information,
        "posterior": posterior, "transfer": transfer, "task": task, "rng": rng,
        "features": features, "place": place,
        "pixels": items if isinstance(items, Images) else None,
        **_of_others(items, real, deployment), **_of_places(positions, separation, time),
    }  # fmt: skip
    kept: dict[str, Any] = {"task": task}
    if items is not None:
        kept["items"] = describe_items(items, features, names)
    if scores is not None:
        ids = _identifiers(object_id, items, truth)
        check_point(point, roles=roles, scores=scores)
        sides = read_roles(roles, len(ids))
        rows = Rows(
            task, ids, read_truth(truth, task, sides), sides,
            None if groups is None else np.asarray(groups), *read_scores(scores, ids), prior,
            fold_names(roles),
        )  # fmt: skip
        _check_lengths(len(ids), physics, strata=strata, groups=groups, time=time, domain=domain)
        given = {
            "strata": _table(strata), "alarm": _table(alarm), "outside": _table(outside),
            "served": _table(served), "scores": _table(scores), "shifts": shifts,
            "baselines": {kind: QTable(table) for kind, table in (baselines or {}).items()},
            "symmetries": symmetries, "physics": physics, "domain": domain,
            "point": None if point is None else {k: str(v) for k, v in point.items()},
            "deployed": None if deployment is None else _ids_of(deployment),
        }  # fmt: skip
        facts |= fitted_facts(rows, facts, given, resamples)
        kept |= kept_facts(rows, facts, {"features": names, "place": axes}, given)
    facts = {name: value for name, value in facts.items() if value is not None}
    findings = [asdict(finding) for finding in book.apply_all("data", facts)]
    results = _results(facts)
    return Report(results, _verdict(findings), {"findings": findings, "facts": kept})


def _of_others(items: Any, real: Any, deployment: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if real is not None and items is not None:
        facts |= {"real": read_items(like_items(real, items))[0], "real_id": _ids_of(real)}
    if deployment is not None and items is not None:
        facts["deployment"] = read_domain(like_items(deployment, items))[0]
    return facts


def _of_places(positions: Any, separation: Any, time: Any) -> dict[str, Any]:
    if (positions is None) != (separation is None):
        given, lacking = ("positions", "separation")[:: 1 if separation is None else -1]
        raise ValueError(f"got {given} without {lacking}: L2 needs both to compare on the sky")
    return {
        "positions": read_positions(positions),
        "separation": None if separation is None else u.Quantity(separation).to_value("arcsec"),
        "time": None if time is None else bare(time),
    }


def _table(columns: Any) -> QTable | None:
    """Return a table of what a recipe gives as a table, or as its columns."""
    return None if columns is None else QTable(columns)


def _ids_of(items: Any) -> np.ndarray:
    found = items.object_id if isinstance(items, Images) else items["object_id"]
    return np.asarray(found)


def _identifiers(object_id: Any, items: Any, truth: Any) -> np.ndarray:
    """Return the identifier of each row."""
    if object_id is not None:
        ids = np.asarray(object_id)
    elif isinstance(items, Images) or (items is not None and "object_id" in items.colnames):
        ids = _ids_of(items)
    else:
        raise ValueError("rows have no identifier: give object_id, or items with that column")
    if truth is None or len(truth) != len(ids):
        got = "no truth" if truth is None else f"{len(truth)} true values"
        raise ValueError(f"got {got} for {len(ids)} rows; expected one for each row")
    return ids


def _check_lengths(n: int, physics: Any, **columns: Any) -> None:
    """Refuse what does not have one value for each of n rows."""
    columns |= {name: values for name, (values, _) in (physics or {}).items()}
    columns["strata"] = _table(columns["strata"])
    for name, values in columns.items():
        if values is not None and len(values) != n:
            raise ValueError(f"{name} has {len(values)} values for {n} rows; expected one a row")


def _results(facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    if "headline" not in facts:
        return {}
    headline = facts["headline"]
    results = {headline["metric"]: headline, "gain": facts["gain"]}
    others = {kind: r for kind, r in facts["baselines"].items() if kind != "trivial"}
    return results | {f"{kind}.{headline['metric']}": r for kind, r in others.items()}


def _verdict(findings: list[dict[str, Any]]) -> str:
    """Return how many rules hold, of those that were computed inside the run."""
    states = [finding["state"] for finding in findings]
    broken = [f["rule"] for f in findings if f["state"] == "failed"]
    said = f"broken: {', '.join(broken)}" if broken else "none is broken"
    return (
        f"{states.count('passed')} rules on data and predictions hold, {said}; "
        f"{states.count('not computed')} were not computed."
    )
