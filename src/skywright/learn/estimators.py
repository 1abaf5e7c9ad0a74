"""Classical models as bytes that load without running code, and that are the same each time."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

__all__ = ["TRUSTED", "dump_estimator", "load_estimator", "load_estimators"]

TRUSTED = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
BOOSTED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_EPOCH = (1980, 1, 1, 0, 0, 0)


def dump_estimator(estimator: Any) -> bytes:
    """Return a fitted model in skops format, equal bytes for equal models.

    skops names its parts by memory addresses and stamps them with the time of day; both are
    replaced, so that a digest of the bytes says something about the model.
    """
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    numbers: dict[Any, int] = {}
    schema = _renumber(json.loads(parts.pop("schema.json")), numbers)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        renamed = {_new_name(name, numbers): content for name, content in parts.items()}
        renamed["schema.json"] = json.dumps(schema, indent=1).encode()
        for name in sorted(renamed):
            packed.writestr(zipfile.ZipInfo(name, _EPOCH), renamed[name])
    return out.getvalue()


def load_estimator(content: bytes) -> Any:
    """Read one model back; types beyond scikit-learn's plain ones and `TRUSTED` are refused.

    Raises
    ------
    ValueError
        When the bytes name any other type, hold another kind of model, or a tree whose branches
        lead astray.
    """
    estimator = _read(content)
    _check(estimator)
    return estimator


def load_estimators(content: bytes) -> list[Any]:
    """Read a list of models back, with the checks of `load_estimator`."""
    estimators = _read(content)
    if not isinstance(estimators, list):
        raise ValueError("the estimator is one model; expected a list of them")
    for estimator in estimators:
        _check(estimator)
    return estimators


def _read(content: bytes) -> Any:
    """Return what skops bytes hold, if they name trusted types alone."""
    try:
        unknown = sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED))
    except Exception as error:
        raise ValueError(f"these bytes are no skops file: {error}") from error
    if unknown:
        raise ValueError(
            f"the estimator is refused: it names types that are not trusted ({', '.join(unknown)})"
        )
    return skops.io.loads(content, trusted=list(TRUSTED))


def _check(estimator: Any) -> None:
    """Refuse what is not a whole model of boosted trees."""
    if not isinstance(estimator, BOOSTED):
        raise ValueError(
            f"the estimator is a {type(estimator).__name__}; expected a "
            "HistGradientBoostingClassifier made by skywright.learn.tune_classifier, or a "
            "HistGradientBoostingRegressor made by skywright.learn.fit_regressor"
        )
    if not all(_is_tree(t, estimator.n_features_in_) for row in estimator._predictors for t in row):
        raise ValueError("the estimator is refused: a tree in it has branches that lead astray")


def _is_tree(tree: Any, features: int) -> bool:
    """Whether all branches lead on to nodes there are; compiled code follows them unchecked."""
    nodes = tree.nodes
    inner = nodes[nodes["is_leaf"] == 0]
    place = np.flatnonzero(nodes["is_leaf"] == 0)
    onward = [(place < inner[s]) & (inner[s] < len(nodes)) for s in ("left", "right")]
    known = (inner["feature_idx"] >= 0) & (inner["feature_idx"] < features)
    plain = inner["is_categorical"] == 0
    return len(nodes) > 0 and bool(np.all([*onward, known, plain]))


def _renumber(node: Any, numbers: dict[Any, int]) -> Any:
    """Replace memory addresses in a schema by numbers in order of first appearance."""
    if isinstance(node, list):
        return [_renumber(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    if "__id__" in node:
        numbers.setdefault(node["__id__"], len(numbers) + 1)
    out: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__":
            out[key] = numbers[value]
        elif key == "file":
            out[key] = _new_name(value, numbers)
        else:
            out[key] = _renumber(value, numbers)
    return out


def _new_name(name: str, numbers: dict[Any, int]) -> str:
    """Return a part's file name with its address replaced."""
    stem, dot, ending = name.partition(".")
    return f"{numbers.get(int(stem), stem)}{dot}{ending}" if stem.isdigit() else name
