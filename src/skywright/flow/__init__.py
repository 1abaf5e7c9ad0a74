"""Recipes: grammar, checks, store, runner, provenance."""

from skywright.flow.again import load_again as load_again
from skywright.flow.again import read_record as read_record
from skywright.flow.events import Event as Event
from skywright.flow.events import RunError as RunError
from skywright.flow.expect import met as met
from skywright.flow.plan import Plan as Plan
from skywright.flow.plan import RecipeError as RecipeError
from skywright.flow.recipe import describe as describe
from skywright.flow.recipe import load as load
from skywright.flow.recipe import recipes as recipes
from skywright.flow.runner import forecast as forecast
from skywright.flow.runner import run as run
from skywright.flow.runs import Run as Run
from skywright.flow.runs import finished as finished
from skywright.flow.runs import measured as measured
