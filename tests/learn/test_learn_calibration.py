"""Temperature and prior correction against numbers worked out by hand."""

import numpy as np
import pytest

from skywright.learn import correct_prior, temperature


@pytest.mark.parametrize("true", [0.3, 1.0, 4.0])
def test_recovers_a_known_temperature(true):
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, 100_000)
    labels = rng.uniform(size=logits.size) < 1 / (1 + np.exp(-logits))
    assert temperature(true * logits, labels) == pytest.approx(true, rel=0.03)


def test_temperature_needs_both_classes():
    with pytest.raises(ValueError, match="one class only"):
        temperature(np.zeros(3), np.ones(3))
    with pytest.raises(ValueError, match="3 logits for 2 labels"):
        temperature(np.zeros(3), np.ones(2))


def test_prior_correction_is_bayes_rule():
    # two normal populations of unit width one apart: the exact logit is x - 1/2 + log odds
    x = np.linspace(-3, 3, 7)

    def posterior(prevalence):
        top = prevalence * np.exp(-0.5 * (x - 1) ** 2)
        return top / (top + (1 - prevalence) * np.exp(-0.5 * x**2))

    logit = np.log(posterior(0.5) / (1 - posterior(0.5)))
    moved = correct_prior(logit, 0.5, 0.005)
    np.testing.assert_allclose(1 / (1 + np.exp(-moved)), posterior(0.005), rtol=1e-12)
    np.testing.assert_allclose(correct_prior(moved, 0.005, 0.5), logit, rtol=1e-12)
    assert correct_prior(logit, 0.5, None) is logit


@pytest.mark.parametrize("value", [0.0, 1.0, 3.0, float("nan")])
def test_prevalence_is_between_none_and_all(value):
    with pytest.raises(ValueError, match="survey prevalence"):
        correct_prior(np.zeros(2), 0.5, value)
