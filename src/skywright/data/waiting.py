"""How a step says that people must act before the run can go on."""

__all__ = ["Waiting"]


class Waiting(Exception):  # noqa: N818 - it is a state, not an error
    """Raised by a step whose input is not there yet; the run ends in state ``waiting`` (exit 3).

    The message says who must do what; the next run of the recipe asks again.
    """
