"""Judges: metrics with intervals, calibration, leak tests, the report."""
