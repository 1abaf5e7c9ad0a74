"""What changes or happens once: rates of events, supernovae, mergers, and their light curves."""
