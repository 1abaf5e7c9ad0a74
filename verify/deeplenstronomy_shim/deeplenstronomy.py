"""``deeplenstronomy.deeplenstronomy``: our `make_dataset`, with tables that answer like pandas."""

import os

from skywright.sky import deeplenstronomy as ours
from skywright.sky.deeplenstronomy import Dataset

__all__ = ["Dataset", "make_dataset"]

COMPAT = bool(os.environ.get("SHIM_COMPAT"))  # what --compat is on the command line


class Column:
    """A column that has its numbers under ``values``."""

    def __init__(self, column):
        self.values = column.data


class Metadata:
    """The few things of a pandas table that the tests ask for."""

    def __init__(self, table):
        self.table, self.columns = table, table.colnames

    def __getitem__(self, name):
        return Column(self.table[name])

    def __len__(self):
        return len(self.table)


class Organizer:
    """What is simulated, image by image: band -> parameter -> value."""

    def __init__(self, tables, bands):
        self.configuration_sim_dicts = {
            label: [
                {
                    band: {
                        n.removesuffix(f"-{band}"): row[n]
                        for n in row.colnames
                        if n.endswith(f"-{band}")
                    }
                    for band in bands
                }
                for row in table
            ]
            for label, table in tables.items()
        }


def make_dataset(config, *args, **arguments):
    made = ours.make_dataset(config, *args, **arguments, compat=COMPAT)
    names = {label: f"{label}_metadata" for label in made.configurations}
    tables = {label: getattr(made, name) for label, name in names.items() if hasattr(made, name)}
    made.organizer = Organizer(tables, made.bands)
    for label, table in tables.items():
        setattr(made, names[label], Metadata(table))
    return made
