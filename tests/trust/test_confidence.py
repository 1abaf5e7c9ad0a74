"""Rules U1 to U3 on predictors whose confidence is known; verify/confidence.py does 100 draws."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from scipy.stats import norm

from skywright.trust import (
    decide_classification,
    decide_pit,
    decide_posterior,
    decide_regression,
    sbc_ranks,
    tarp,
)
from skywright.trust.confidence import spread_of_pit

RNG = np.random.default_rng
FACTORS = [(1.0, "calibrated"), (1.5, "overconfident"), (1 / 1.5, "underconfident")]


@pytest.mark.parametrize(("factor", "decision"), FACTORS)
def test_two_classes(factor, decision):
    rng = RNG(0)
    logits = rng.normal(-1, 2, 2000)
    labels = rng.random(2000) < expit(logits)
    result = decide_classification(expit(factor * logits), labels)
    assert result["decision"] == decision
    assert result["low"] < 1 / factor < result["high"]


@pytest.mark.parametrize(("factor", "decision"), FACTORS)
def test_three_classes(factor, decision):
    rng = RNG(1)
    logits = rng.normal(0, 2, (2000, 3))
    p = softmax(logits, axis=1)
    labels = (p.cumsum(axis=1) < rng.random(2000)[:, None]).sum(axis=1)
    result = decide_classification(softmax(factor * logits, axis=1), labels)
    assert result["decision"] == decision
    assert result["low"] < 1 / factor < result["high"]


def test_a_shift_of_all_logits_is_a_bias_and_names_its_size():
    rng = RNG(2)
    logits = rng.normal(0, 2, 3000)
    labels = rng.random(3000) < expit(logits)
    result = decide_classification(expit(logits + 0.5), labels)
    assert result["decision"] == "biased"
    assert 0.03 < result["low"] < result["value"]


@pytest.mark.parametrize("classes", [2, 3])
def test_no_errors_are_no_fault_where_none_were_promised(classes):
    labels = np.arange(600) % classes
    p = np.full((600, classes), 1e-4 / (classes - 1))
    p[np.arange(600), labels] = 1 - 1e-4
    p[:300] = (p[:300] + 1e-5) / (1 + classes * 1e-5)
    assert decide_classification(p, labels)["decision"] == "calibrated"
    timid = 0.7 * p + 0.3 / classes
    assert decide_classification(timid, labels)["decision"] == "underconfident"


@pytest.mark.parametrize(("factor", "decision"), FACTORS)
def test_numbers(factor, decision):
    rng = RNG(3)
    sd = rng.uniform(0.5, 2, 2000)
    result = decide_regression(rng.normal(0, sd), np.zeros(2000), sd / factor)
    assert result["decision"] == decision
    assert result["value"] == pytest.approx(0.5 - 2 / np.pi * np.arctan(factor), abs=0.02)


def test_a_shift_of_all_means_is_a_bias():
    rng = RNG(4)
    result = decide_regression(rng.normal(0.15, 1, 4000), np.zeros(4000), np.ones(4000))
    assert result["decision"] == "biased"


def test_spread_of_pit_is_the_mean_excess_coverage_over_levels():
    pit = RNG(5).beta(0.6, 0.6, 5000)
    levels = (np.arange(400) + 0.5) / 400
    low, high = norm.interval(levels)
    z = norm.ppf(pit)[:, None]
    observed = ((z >= low) & (z <= high)).mean(axis=0)
    assert spread_of_pit(pit).mean() == pytest.approx((observed - levels).mean(), abs=1e-3)


def test_copies_of_objects_do_not_make_a_decision_surer():
    rng = RNG(6)
    pit = rng.random(400)
    groups = np.repeat(np.arange(400), 9)
    alone = decide_pit(pit)
    copied = decide_pit(np.repeat(pit, 9), groups=groups)
    assert copied["high"] == pytest.approx(alone["high"], rel=1e-6)
    assert decide_pit(np.repeat(pit, 9))["high"] < copied["high"]


def test_a_tolerance_lets_small_faults_pass():
    pit = norm.cdf(1.1 * RNG(7).normal(size=20_000))
    assert decide_pit(pit)["decision"] == "overconfident"
    assert decide_pit(pit, tolerance=0.05)["decision"] == "calibrated"


def posterior(factor=1.0, correlation=0.6, claimed=0.6, n=400, draws=99):
    """Truths and draws of a normal posterior, widths over ``factor``, correlation ``claimed``."""
    rng = RNG(8)
    true = np.linalg.cholesky([[1, correlation], [correlation, 1]])
    said = np.linalg.cholesky([[1, claimed], [claimed, 1]])
    centre = rng.normal(0, 3, (n, 1, 2))
    truth = centre[:, 0] + rng.normal(size=(n, 2)) @ true.T
    return truth, centre + rng.normal(size=(n, draws, 2)) @ said.T / factor


@pytest.mark.parametrize(("factor", "decision"), FACTORS)
def test_posteriors(factor, decision):
    truth, samples = posterior(factor)
    result = decide_posterior(
        sbc_ranks(truth, samples), 99, RNG(0), tarp=tarp(truth, samples, RNG(1))
    )
    assert result["decision"] == decision


def test_only_tarp_sees_a_wrong_correlation():
    truth, samples = posterior(correlation=0.0, claimed=0.97, n=2000)
    ranks = sbc_ranks(truth, samples)
    assert decide_posterior(ranks, 99, RNG(0))["decision"] == "calibrated"
    result = decide_posterior(ranks, 99, RNG(0), tarp=tarp(truth, samples, RNG(1)))
    assert (result["decision"], result["quantity"]) == ("overconfident", "excess coverage of TARP")


def test_one_bad_parameter_is_named():
    truth, samples = posterior()
    samples[..., 1] += 1
    result = decide_posterior(sbc_ranks(truth, samples), 99, RNG(0))
    assert "parameter 1" in result["quantity"]
    assert result["decision"] != "calibrated"


def test_broken_input_is_refused():
    with pytest.raises(ValueError, match="not positive"):
        decide_regression(np.zeros(3), np.zeros(3), np.array([1, 0, np.nan]))
    with pytest.raises(ValueError, match="not between 0 and 1"):
        decide_pit(np.array([0.5, 1.2]))
    with pytest.raises(ValueError, match="one class"):
        decide_classification(np.array([0.5, 0.6]), np.ones(2))
    with pytest.raises(ValueError, match="all probabilities are equal"):
        decide_classification(np.full(4, 0.3), np.array([0, 1, 0, 1]))
    with pytest.raises(ValueError, match="expected 0 to 10"):
        decide_posterior(np.array([[11]]), 10, RNG(0))
