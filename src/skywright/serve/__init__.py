"""The catalogue: published tables, cutouts, regions, and read-only queries."""
