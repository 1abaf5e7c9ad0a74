"""A noisy pendulum: the one regression whose answer is known exactly, to judge uncertainties by."""
