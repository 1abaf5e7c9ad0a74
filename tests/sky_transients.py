"""What is true of transients, by quadrature and from the literature; nothing of ours is used."""

import numpy as np
from astropy.cosmology import FlatLambdaCDM
from scipy import integrate, stats

COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)

# Measured rates [1e-5 / (Mpc3 yr)] with 1 sigma errors, statistics and systematics added in
# quadrature, larger side of each: Dilday et al. 2010; Frohmaier et al. 2019; Neill et al. 2006.
MEASURED_IA = [(0.12, 2.69, 0.40), (0.073, 2.43, 0.44), (0.47, 4.2, 1.4)]
# Taylor et al. 2014; Dahlen et al. 2012 at three redshifts.
MEASURED_CC = [(0.072, 10.6, 1.9), (0.39, 30.0, 16.5), (0.73, 73.9, 37.0), (1.11, 95.7, 62.2)]


def seen_per_year(rate, low, high, area):
    """Return how many events a year a survey sees between two redshifts, by quadrature."""

    def density(z):
        volume = COSMOLOGY.differential_comoving_volume(z).to_value("Mpc3 / sr")
        return rate(z) / (1 + z) * volume * area.to_value("sr")

    return integrate.quad(density, low, high, limit=200)[0]


def mass_distribution(alpha=3.4, m_min=5.1, m_max=87.0, delta=4.8, mu=34.0, sigma=3.6, share=0.039):
    """Return masses and the distribution function of the heavier, by the trapezoidal rule."""
    m = np.linspace(m_min, m_max, 400_001)
    power = m**-alpha / integrate.quad(lambda x: x**-alpha, m_min, m_max)[0]
    peak = stats.norm(mu, sigma).pdf(m) / np.diff(stats.norm(mu, sigma).cdf([m_min, m_max]))
    density = ((1 - share) * power + share * peak) * start(m, m_min, delta)
    integral = integrate.cumulative_trapezoid(density, m, initial=0)
    return m, integral / integral[-1]


def start(m, m_min, delta):
    if delta == 0:
        return (m >= m_min).astype(float)
    x = np.clip(m - m_min, 1e-9, None)
    inside = np.clip(x, None, delta * (1 - 1e-9))
    value = 1 / (1 + np.exp(np.clip(delta / inside + delta / (inside - delta), -700, 700)))
    return np.where(x >= delta, 1.0, value)
