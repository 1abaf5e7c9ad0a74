"""The REFORMS checklist (Kapoor et al. 2024, Sci. Adv. 10, eadk3452, table 1), answered by the run.

Items are in our words. An answer is a rule that was computed, an entry of the run's record, or an
entry of the recipe's card: what no code can know has to be said by people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["ITEMS", "Item", "answered"]


@dataclass(frozen=True)
class Item:
    """One item: what is asked, and where its answer is found.

    Parameters
    ----------
    id : str
        ``1a`` to ``8b``.
    asks : str
        What is asked.
    source : str
        ``card:KEY``, ``record:KEY`` or ``rule:ID``.
    """

    id: str
    asks: str
    source: str


ITEMS = (
    Item("1a", "population that the claim is about", "card:use"),
    Item("1b", "why this population", "card:motivation"),
    Item("1c", "why machine learning", "rule:B2"),
    Item("2a", "data set, so that it can be found", "card:data.source"),
    Item("2b", "code, so that this version can be found", "record:sources"),
    Item("2c", "computing infrastructure", "record:hardware"),
    Item("2d", "how to run it", "record:recipe"),
    Item("2e", "one command that gives all results", "rule:P2"),
    Item("3a", "sources, dates, and who made the labels", "rule:D1"),
    Item("3b", "what the sample is drawn from", "card:data.selection"),
    Item("3c", "why these data fit the question", "card:data.reason"),
    Item("3d", "the outcome and how it is distributed", "rule:D2"),
    Item("3e", "sample size", "rule:L2"),
    Item("3f", "missing values", "rule:D1"),
    Item("3g", "whether the sample stands for the population", "rule:D4"),
    Item("4a", "rows that were left out", "card:data.selection"),
    Item("4b", "impossible and corrupt values", "rule:D1"),
    Item("4c", "transformations", "rule:L3"),
    Item("5a", "every model in detail", "rule:M2"),
    Item("5b", "why these models", "rule:M3"),
    Item("5c", "how they are evaluated", "rule:L2"),
    Item("5d", "how the final model was chosen", "rule:L5"),
    Item("5e", "hyper-parameters and their search", "rule:M2"),
    Item("5f", "baselines", "rule:B1"),
    Item("6a", "training and test rows are apart", "rule:L3"),
    Item("6b", "dependence and copies across the split", "rule:L1"),
    Item("6c", "features that are fair to use", "rule:L6"),
    Item("7a", "metrics, and why", "record:results"),
    Item("7b", "uncertainties", "rule:U7"),
    Item("7c", "tests and their assumptions", "rule:B2"),
    Item("8a", "evidence that it holds elsewhere", "rule:S1"),
    Item("8b", "where it is expected not to hold", "card:not_for"),
)


def answered(
    record: dict[str, Any], card: dict[str, Any], states: dict[str, str]
) -> dict[str, str]:
    """Return the answer of each item; empty where there is none.

    Parameters
    ----------
    record : dict
        Content of ``provenance.json``.
    card : dict
        What the recipe says about itself.
    states : dict
        Rule -> state.
    """
    return {item.id: _answer(item, record, card, states) for item in ITEMS}


def _answer(
    item: Item, record: dict[str, Any], card: dict[str, Any], states: dict[str, str]
) -> str:
    kind, _, key = item.source.partition(":")
    if kind == "rule":
        state = states.get(key, "not computed")
        return f"rule {key}: {state}" if state != "not computed" else ""
    value: Any = record if kind == "record" else card
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if not value:
        return ""
    return f"provenance.json, {key}" if kind == "record" else str(value)
