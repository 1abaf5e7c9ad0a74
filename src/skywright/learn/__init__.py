"""The one fit loop, the fitting and tuning of classical models, calibration."""
