"""What a rule found: passed or broken, and the number it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Finding", "Outcome", "broken", "passed", "decide"]

Number = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """The result of one check, before the book says which rule it was.

    Parameters
    ----------
    passed : bool
        Whether the rule holds.
    evidence : str
        One sentence with the figures it rests on.
    number : dict
        ``value``, ``low``, ``high`` and, where there is one, ``limit``.
    severity : str
        ``ERROR`` or ``WARN`` when it differs from that of the rule; empty otherwise.
    detail : dict
        Anything more as JSON: tables, curves.
    """

    passed: bool
    evidence: str
    number: Number = field(default_factory=dict)
    severity: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One line of the verdict on a run.

    Parameters
    ----------
    rule : str
        ``L1`` to ``G1``.
    title : str
        The rule in a few words.
    state : str
        ``passed``, ``failed``, ``not computed`` or ``not applicable``.
    severity : str
        ``ERROR`` stops a release, ``WARN`` and ``INFO`` are printed.
    evidence : str
        What it rests on; for a rule that was not computed, what it needs.
    mend : str
        What to do; empty when there is nothing to do.
    number : dict
        As in `Outcome`.
    detail : dict
        As in `Outcome`.
    """

    rule: str
    title: str
    state: str
    severity: str
    evidence: str
    mend: str = ""
    number: Number = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def stops(self) -> bool:
        """Tell whether this finding stands in the way of a release."""
        return self.severity == "ERROR"


def passed(evidence: str, number: Number | float | None = None, **detail: Any) -> Outcome:
    """Return the outcome of a rule that holds."""
    return Outcome(True, evidence, _number(number), detail=detail)


def broken(
    evidence: str, number: Number | float | None = None, *, severity: str = "", **detail: Any
) -> Outcome:
    """Return the outcome of a rule that is broken."""
    return Outcome(False, evidence, _number(number), severity, detail)


def decide(
    good: bool, evidence: str, number: Number | float | None = None, **detail: Any
) -> Outcome:
    """Return ``passed`` or ``broken``, for rules that say the same sentence in both cases."""
    return (passed if good else broken)(evidence, number, **detail)


def _number(number: Number | float | None) -> Number:
    if number is None:
        return {}
    if isinstance(number, dict):
        return number
    return {"value": number, "low": number, "high": number}
