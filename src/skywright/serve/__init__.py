"""The catalogue: what came out of the runs, for people, other programs and queries."""

from skywright.serve.candidates import candidates as candidates
from skywright.serve.products import products as products
from skywright.serve.query import query as query
from skywright.serve.query import tables as tables
from skywright.serve.statement import QueryError as QueryError
