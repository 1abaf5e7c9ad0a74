"""P1 to P6 and G1: that it can be run again, traced, loaded without risk, and answered for."""

from __future__ import annotations

from typing import Any

from skywright.trust.rules.finding import Outcome, broken, decide, passed
from skywright.trust.rules.reforms import ITEMS, answered
from skywright.trust.rules.said import doubtful_citations, doubtful_licence, unsaid

__all__ = [
    "card_complete",
    "ethics_said",
    "numbers_traced",
    "reforms_filled",
    "rerun_equal",
    "run_recorded",
    "safe_to_serve",
]

RECORDED = ("run", "recipe", "versions", "sources", "hardware", "seconds", "threads", "nodes")
WATTS = 10.0  # of one busy core, for the estimate of energy
UNSAFE = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".dill")
STRANGE = 0.01  # share of served rows that may lie outside the domain
MOST_OPEN = 12


def run_recorded(record: dict[str, Any]) -> Outcome:
    """P1: the record holds all that it takes to do the same again.

    Parameters
    ----------
    record : dict
        Content of ``provenance.json``.
    """
    missing = [key for key in RECORDED if not record.get(key)]
    if missing:
        return broken(f"the record lacks {', '.join(missing)}", len(missing))
    core_seconds = sum(node.get("cost") or 0.0 for node in record["nodes"].values())
    energy = core_seconds * WATTS / 3600
    commit = record.get("git") or "no checkout"
    text = (
        f"recipe, seed {record['recipe'].get('seed')}, {len(record['sources'])} source digests, "
        f"{len(record['versions'])} versions, commit {commit[:12]}"
        f"{' with changes' if commit.endswith('+') else ''}, {core_seconds:.0f} core seconds, "
        f"about {energy:.2g} Wh"
    )
    return passed(text, energy)


def rerun_equal(rerun: dict[str, Any]) -> Outcome:
    """P2: run again in an empty workspace, every node comes out the same.

    Parameters
    ----------
    rerun : dict
        ``nodes`` (how many) and ``different`` (names).
    """
    different = rerun["different"]
    number = {"value": len(different), "low": len(different), "high": len(different), "limit": 0}
    if different:
        return broken(f"a second run gave other values of {', '.join(different[:4])}", number)
    return passed(f"a second run gave the same {rerun['nodes']} values", number)


def numbers_traced(orphans: list[str], traced: int, by_chance: float) -> Outcome:
    """P3: every number of the report comes from a node of the run.

    Parameters
    ----------
    orphans : list of str
        Numbers of ``report.json`` or the page that no node gave.
    traced : int
        How many were found.
    by_chance : float
        Share of numbers typed by hand, as large and with as many digits, that are found as well.
    """
    number = {"value": len(orphans), "low": len(orphans), "high": len(orphans), "limit": 0}
    if orphans:
        return broken(f"no node gave {', '.join(orphans[:6])}", number, orphans=orphans)
    text = f"{traced} numbers of the report were found in the run"
    return passed(f"{text}; of typed ones {by_chance:.0%} would be, by chance", number)


def card_complete(card: dict[str, Any], results: dict[str, Any]) -> Outcome:
    """P4: intended use, what it is not for, licence and citation are said; metrics have intervals.

    Parameters
    ----------
    card : dict
        ``use``, ``not_for``, ``licence``, ``cite``.
    results : dict
        Numbers of the report.
    """
    missing = unsaid(card, ("use", "not_for", "licence", "cite"))
    if missing:
        return broken(f"the card does not say: {', '.join(missing)}", len(missing))
    doubts = [doubtful_licence(card["licence"]), doubtful_citations(card["cite"])]
    if any(doubts):
        said = "; ".join(filter(None, doubts))
        return broken(f"on the card {said}", sum(map(bool, doubts)))
    return passed(f"the card is complete, with {len(results)} metrics and their intervals", 0)


def safe_to_serve(
    files: list[str], pickled: list[str], fits: dict[str, dict[str, Any]],
    served: dict[str, Any] | None,
) -> Outcome:  # fmt: skip
    """P5: weights cannot run code, and what lies outside the domain is not answered silently.

    Parameters
    ----------
    files : list of str
        Every file of the run.
    pickled : list of str
        Those whose content is a pickle, whatever they are called.
    fits : dict
        Node -> configuration of its model.
    served : dict or None
        ``outside``: share of the served objects outside the training domain that got an answer
        without a flag; ``n`` how many were served. Where nothing was, models need a hull.
    """
    unsafe = sorted({name for name in files if name.lower().endswith(UNSAFE)} | set(pickled))
    if unsafe:
        return broken(f"{', '.join(unsafe[:3])}: a format that can run code", len(unsafe))
    silent = [node for node, config in fits.items() if not config.get("domain")]
    if silent:
        return broken(f"{', '.join(silent[:3])}: the model does not say its domain", len(silent))
    if served and served["outside"] > STRANGE:
        text = (
            f"{served['outside']:.1%} of {served['n']} served objects lie outside the training "
            "domain and were answered without a flag"
        )
        share = served["outside"]
        return broken(text, {"value": share, "low": share, "high": share, "limit": STRANGE})
    text = f"{len(fits)} models in safe formats, each with its domain"
    if served:
        return passed(f"{text}; {served['n']} objects were served", 0)
    # a density is itself what tells strangers
    unguarded = [n for n, c in fits.items() if not c["domain"].get("hull") and "density" not in c]
    if unguarded:
        said = f"nothing was served, and {len(unguarded)} models have no hull to flag strangers by"
        return broken(said, len(unguarded), severity="WARN")
    said = "; nothing was served, and what is will be flagged by their hulls" if fits else ""
    return passed(text + said, 0)


def reforms_filled(record: dict[str, Any], card: dict[str, Any], states: dict[str, str]) -> Outcome:
    """P6: the REFORMS checklist, filled from the run; what stays open is listed.

    Parameters
    ----------
    record : dict
        Content of ``provenance.json``.
    card : dict
        What the recipe says about itself.
    states : dict
        Rule -> state, of all other rules.
    """
    table = answered(record, card, states)
    open_items = [item.id for item in ITEMS if not table[item.id]]
    n = len(open_items)
    text = f"{len(ITEMS) - n} of {len(ITEMS)} items answered"
    if open_items:
        text += f"; open: {', '.join(open_items)}"
    number = {"value": n, "low": n, "high": n, "limit": MOST_OPEN}
    return decide(n <= MOST_OPEN, text, number, table=table)


def ethics_said(card: dict[str, Any]) -> Outcome:
    """G1: dual use and who made the labels are said.

    Parameters
    ----------
    card : dict
        ``ethics`` and ``labels``.
    """
    missing = unsaid(card, ("ethics", "labels"))
    if missing:
        return broken(f"the recipe does not say: {', '.join(missing)}", len(missing))
    return passed("dual use and the origin of labels are said", 0)
