"""Populations of galaxies: how many, how bright, how large, of which colour. After SkyPy."""
