"""The simulated universe and the instrument: lenses, light, PSF, noise, painting."""
