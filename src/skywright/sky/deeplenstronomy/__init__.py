"""Configuration files of deeplenstronomy: read, checked, drawn and rendered by our own engine."""
