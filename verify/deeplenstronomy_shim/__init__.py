"""Names of deeplenstronomy's package on our reader and engine, for its own tests alone."""

from deeplenstronomy.deeplenstronomy import Dataset, make_dataset

__all__ = ["Dataset", "make_dataset"]
