"""Run a project of the laboratory: a patch on the sound recipe, by the engine, and its judges."""

from __future__ import annotations

import copy
import sys
import tempfile
from pathlib import Path

import yaml

from skywright import flow
from skywright.cli.comparisons import compare_with_others, known_variants
from skywright.trust.rules.assess import assess

HERE = Path(__file__).parent
PARTS = ("both", "flawed", "mended")
STEPS = ["bad_lab", "flaws", "lab_nets", "lab_galaxies", "lab_pictures"]
sys.path[:0] = [str(HERE)] if str(HERE) not in sys.path else []


def projects():
    """Return the files of all flawed projects by name."""
    return {file.stem: file for file in sorted((HERE / "projects").glob("*.yml"))}


def clean():
    """Return the recipes of sound work by name."""
    return {file.stem: file for file in sorted((HERE / "clean").glob("*.yml"))}


def plain(name):
    """Return what a project says about itself: ``trips``, ``lawful``, ``why``, …"""
    root = yaml.compose(projects()[name].read_text("utf-8"), yaml.SafeLoader)
    told = [(k, v) for k, v in root.value if k.value not in PARTS]
    return yaml.safe_load(yaml.serialize(yaml.MappingNode(root.tag, told)))


def merge(base, patch):
    """Return a YAML node with the entries of a patch: mappings are merged, null takes away.

    The tag of a step in the patch wins, so that another step may take the same arguments.
    """
    if not (isinstance(base, yaml.MappingNode) and isinstance(patch, yaml.MappingNode)):
        return patch
    entries = {key.value: (key, value) for key, value in base.value}
    for key, value in patch.value:
        if value.tag == "tag:yaml.org,2002:null":
            entries.pop(key.value, None)
        elif key.value in entries:
            entries[key.value] = (key, merge(entries[key.value][1], value))
        else:
            entries[key.value] = (key, value)
    tag = base.tag if patch.tag == "tag:yaml.org,2002:map" else patch.tag
    return yaml.MappingNode(tag, list(entries.values()))


def write_recipe(name, twin, folder):
    """Write the whole recipe of a project's ``flawed`` or ``mended`` twin; return the file."""
    node = yaml.compose((HERE / "sound.yml").read_text("utf-8"), yaml.SafeLoader)
    root = yaml.compose(projects()[name].read_text("utf-8"), yaml.SafeLoader)
    parts = {key.value: value for key, value in root.value}
    for part in ("both", twin):
        node = merge(node, parts[part]) if part in parts else node
    # neither the recipe nor its run tells by its name what is wrong
    file = folder / f"project-{list(projects()).index(name):02d}-{'ab'[twin == 'mended']}.yml"
    file.write_text(yaml.serialize(node), "utf-8")
    return file


def judge_recipe(file, workspace, *, variants=()):
    """Run a recipe in this process and return what the rule book finds.

    Of the runs to compare with that the recipe names, those of some kinds are made, and a run of
    the same.
    """
    run = flow.run(flow.load(file, allow=STEPS), workspace=workspace, workers=0)
    if run.state != "done":
        raise RuntimeError(f"{file.name} is {run.state}: {(run.folder / 'run.log').read_text()}")
    record = flow.read_record(run.folder)
    if variants:
        named = record["recipe"]["head"]["trust"]["variants"]
        made = {kind: labels for kind, labels in named.items() if kind in variants}
        changed = copy.deepcopy(record)
        changed["recipe"]["head"]["trust"]["variants"] = made
        with tempfile.TemporaryDirectory() as empty:
            compare_with_others(run.folder, changed, workspace, Path(empty), 0, True)
    # projects are laboratories of their own, though they draw the same stars in one workspace
    return assess(run.folder, record, variants=known_variants(record, workspace), openings=1)


def failed(findings, severity):
    """Return the rules that are broken with a severity."""
    return [f.rule for f in findings if f.state == "failed" and f.severity == severity]
