"""Mutual information with an error that holds, by Gaussian mixtures fitted many at a time."""
