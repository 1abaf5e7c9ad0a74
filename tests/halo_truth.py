"""An independent halo mass function: published equations and scipy, nothing of the package.

Eisenstein & Hu 1998 (ApJ 496, 605) for the transfer function, the growth factor of matter and a
cosmological constant (Heath 1977), the variance by quadrature on a fine grid, and the fit of
Tinker et al. 2008 (ApJ 688, 709, table 2 and eq. 3 to 8) for 200 times the mean density.
"""

import numpy as np
from scipy import integrate

RHO_CRITICAL = 2.77536627e11  # h2 Msun / Mpc3


def scales(om, ob, theta):
    """Return equality and drag epoch: redshifts, wave number, baryon ratios, sound horizon."""
    z_eq = 2.5e4 * om * theta**-4
    k_eq = 7.46e-2 * om * theta**-2
    b1 = 0.313 * om**-0.419 * (1 + 0.607 * om**0.674)
    b2 = 0.238 * om**0.223
    z_d = 1291 * om**0.251 / (1 + 0.659 * om**0.828) * (1 + b1 * ob**b2)
    r_d, r_eq = (31.5 * ob * theta**-4 * (1e3 / z) for z in (z_d, z_eq))
    horizon = (2 / (3 * k_eq) * np.sqrt(6 / r_eq)) * np.log(
        (np.sqrt(1 + r_d) + np.sqrt(r_d + r_eq)) / (1 + np.sqrt(r_eq))
    )
    return z_eq, z_d, k_eq, r_d, horizon


def transfer(k, h, matter, baryons, t_cmb=2.7255):
    """Return T(k), k in 1 / Mpc; the equations' numbers are those of the paper."""
    om, ob, theta = matter * h**2, baryons * h**2, t_cmb / 2.7
    f_b = baryons / matter
    z_eq, z_d, k_eq, r_d, horizon = scales(om, ob, theta)
    k_silk = 1.6 * ob**0.52 * om**0.73 * (1 + (10.4 * om) ** -0.95)
    q = k / (13.41 * k_eq)

    a1 = (46.9 * om) ** 0.670 * (1 + (32.1 * om) ** -0.532)
    a2 = (12.0 * om) ** 0.424 * (1 + (45.0 * om) ** -0.582)
    alpha_c = a1**-f_b * a2 ** (-(f_b**3))
    c1 = 0.944 / (1 + (458 * om) ** -0.708)
    c2 = (0.395 * om) ** -0.0266
    beta_c = 1 / (1 + c1 * ((1 - f_b) ** c2 - 1))

    def plain(alpha, beta):
        c = 14.2 / alpha + 386 / (1 + 69.9 * q**1.08)
        log = np.log(np.e + 1.8 * beta * q)
        return log / (log + c * q**2)

    f = 1 / (1 + (k * horizon / 5.4) ** 4)
    cold = f * plain(1.0, beta_c) + (1 - f) * plain(alpha_c, beta_c)

    y = (1 + z_eq) / (1 + z_d)
    root = np.sqrt(1 + y)
    g = y * (-6 * root + (2 + 3 * y) * np.log((root + 1) / (root - 1)))
    alpha_b = 2.07 * k_eq * horizon * (1 + r_d) ** -0.75 * g
    beta_b = 0.5 + f_b + (3 - 2 * f_b) * np.sqrt((17.2 * om) ** 2 + 1)
    node = 8.41 * om**0.435
    shifted = horizon / (1 + (node / (k * horizon)) ** 3) ** (1 / 3)
    damped = np.exp(-((k / k_silk) ** 1.4)) * alpha_b / (1 + (beta_b / (k * horizon)) ** 3)
    wiggles = np.sinc(k * shifted / np.pi)
    baryonic = (plain(1.0, 1.0) / (1 + (k * horizon / 5.2) ** 2) + damped) * wiggles
    return f_b * baryonic + (1 - f_b) * cold


def growth(z, matter):
    """Return the linear growth factor of flat matter and Lambda over its value today."""

    def unnormalised(z):
        def rate(a):
            return (a / (matter + (1 - matter) * a**3)) ** 1.5

        a = 1 / (1 + z)
        return integrate.quad(rate, 0, a, epsrel=1e-10)[0] * np.sqrt(matter / a**3 + 1 - matter)

    return unnormalised(z) / unnormalised(0.0)


class Truth:
    """A flat universe of matter and Lambda; masses in Msun, lengths in Mpc, no h."""

    def __init__(self, h=0.7, matter=0.3, baryons=0.05, sigma8=0.81, ns=0.96):
        self.matter, self.density = matter, matter * RHO_CRITICAL * h**2
        log_k = np.linspace(np.log(1e-5), np.log(3e3), 60_001)
        k = np.exp(log_k)
        power = k**ns * transfer(k, h, matter, baryons) ** 2

        def variance(radius):
            x = k * radius
            window = np.where(
                x < 1e-2, 1 - x**2 / 10, 3 * (np.sin(x) - x * np.cos(x)) / np.maximum(x, 1e-9) ** 3
            )
            return integrate.simpson(k**3 * power * window**2, x=log_k)

        self.log_mass = np.linspace(np.log(1e9), np.log(1e17), 371)
        radii = np.cbrt(3 * np.exp(self.log_mass) / (4 * np.pi * self.density))
        sigma = np.sqrt([variance(r) for r in radii]) * sigma8 / np.sqrt(variance(8 / h))
        self.log_sigma = np.log(sigma)
        self.slope = np.gradient(self.log_sigma, self.log_mass, edge_order=2)

    def sigma(self, mass, z):
        """Return the rms linear contrast in spheres of these masses."""
        return np.exp(np.interp(np.log(mass), self.log_mass, self.log_sigma)) * growth(
            z, self.matter
        )

    def scaled(self, f, mass, z):
        """Return dn / dlnM [1 / Mpc3] of a multiplicity function f(sigma)."""
        slope = np.interp(np.log(mass), self.log_mass, self.slope)
        return -f(self.sigma(mass, z)) * self.density / mass * slope

    def tinker08(self, mass, z):
        """Return dn / dlnM [1 / Mpc3] for 200 times the mean density."""
        alpha = 10 ** -((0.75 / np.log10(200 / 75)) ** 1.2)
        norm, a = 0.186 * (1 + z) ** -0.14, 1.47 * (1 + z) ** -0.06
        b, c = 2.57 * (1 + z) ** -alpha, 1.19
        return self.scaled(lambda s: norm * ((s / b) ** -a + 1) * np.exp(-c / s**2), mass, z)
