"""Severity curves, symmetry and abstention on predictions whose answer is known."""

import numpy as np
import pytest

from skywright.trust import (
    auroc,
    judge_abstention,
    judge_outliers,
    judge_shift,
    judge_symmetry,
    risk_at_coverage,
    shift_figure,
)

RNG = np.random.default_rng


@pytest.fixture
def scored():
    rng = RNG(0)
    labels = np.arange(600) % 2
    return rng.normal(3 * labels - 1.5, 1), labels


def test_curves_fall_and_changes_are_paired(scored):
    clean, labels = scored
    rng = RNG(1)
    shifted = {"depth": {s: clean + rng.normal(0, s, 600) for s in (0.1, 2.0, 5.0)}}
    rows = judge_shift(clean, shifted, labels, RNG(2))
    assert [row["kind"] for row in rows] == ["clean", "depth", "depth", "depth"]
    values = [row["value"] for row in rows]
    assert values[0] == pytest.approx(0.93, abs=0.03)
    assert values[1] > values[2] > values[3]
    small, large = rows[1], rows[3]
    assert large["change_high"] < 0
    # both judged on the same galaxies: the change is known better than either value
    paired = small["change_high"] - small["change_low"]
    assert paired < 0.7 * (small["high"] - small["low"])
    assert large["change"] == pytest.approx(large["value"] - values[0])


def test_any_metric_of_the_room_will_do(scored):
    clean, labels = scored
    rows = judge_shift(clean, {"zero_point": {1.0: clean - 9}}, labels, RNG(0), metric=auroc)
    assert rows[1]["change"] == 0
    assert judge_shift(clean, {"zero_point": {1.0: clean - 9}}, labels, RNG(0))[1]["value"] == 0.5


def test_perfect_accuracy_keeps_an_interval():
    labels = np.arange(40) % 2
    row = judge_shift(2.0 * labels - 1, {}, labels, RNG(0))[0]
    assert row["value"] == 1.0
    assert row["low"] < 0.95


def test_scores_of_several_classes_and_figures(scored):
    _, labels = scored
    scores = np.eye(3)[labels]
    rows = judge_shift(scores, {"psf": {0.3: scores, 9.0: 1 - scores}}, labels, RNG(0))
    assert [row["value"] for row in rows] == [1, 1, 0]
    picture = shift_figure(rows, "psf", unit="FWHM added [arcsec]")
    assert picture.startswith("<svg")
    assert "FWHM added [arcsec]" in picture
    with pytest.raises(ValueError, match="expected one of psf"):
        shift_figure(rows, "depth")
    with pytest.raises(ValueError, match="3 predictions at psf"):
        judge_shift(scores, {"psf": {1.0: scores[:3]}}, labels, RNG(0))


def test_risk_falls_where_confidence_knows_the_errors():
    rng = RNG(3)
    confidence = rng.random(3000)
    loss = rng.random(3000) > confidence
    known = judge_abstention(confidence, loss, RNG(0))
    blind = judge_abstention(rng.random(3000), loss, RNG(0))
    # the risk of the surest c is the mean of 1 - q for q above 1 - c, so c / 2
    for row in known["curve"]:
        assert row["value"] == pytest.approx(row["coverage"] / 2, abs=0.03)
    assert known["aurc"]["value"] == pytest.approx(0.25, abs=0.02)
    assert known["gain"]["low"] > 0.2
    assert blind["gain"]["low"] < 0 < blind["gain"]["high"]


def test_equal_confidence_shares_the_coverage():
    risk = risk_at_coverage(np.ones(4), np.array([1, 0, 0, 0]), np.ones(4), [0.25, 0.5, 1])
    np.testing.assert_allclose(risk, 0.25)


def test_strange_objects_are_ranked():
    rng = RNG(4)
    result = judge_outliers(rng.normal(size=400), rng.normal(2, 1, 100), RNG(0))
    # two normal laws two apart: Phi(2 / sqrt 2)
    assert result["low"] < 0.921 < result["high"]
    assert result["n"] == 500


def test_symmetry_passes_what_holds_and_counts_what_flips():
    logits = RNG(5).normal(0, 2, 500)
    noise = RNG(6).normal(0, 1, 500)
    results = judge_symmetry(
        logits, {"rotation": logits + 1e-6, "parity": logits + noise}, tolerance=1e-4
    )
    assert results["rotation"]["passed"]
    assert not results["parity"]["passed"]
    assert results["parity"]["rms"] == pytest.approx(0.5, rel=0.15)
    flipped = ((logits > 0) != (logits + noise > 0)).mean()
    assert results["parity"]["flipped"] == flipped
    assert results["parity"]["flipped_low"] < flipped < results["parity"]["flipped_high"]
    ten = judge_symmetry(10 * logits, {"parity": 10 * (logits + noise)}, tolerance=1e-4)
    assert ten["parity"]["rms"] == pytest.approx(results["parity"]["rms"])
    with pytest.raises(ValueError, match="nothing is learned"):
        judge_symmetry(np.ones(5), {}, tolerance=0.1)
