"""Sweeps fan out, shared ancestors run once; nodes can be pruned and taken from other runs."""

import textwrap

import pytest

from skywright.flow import RecipeError, load, run

SWEEP = """
    recipe:
      sweep: {fold: [0, 1], net: [cnn, hgb]}
    parameters: {fold: 0, net: cnn, n: 5}
    shared: !numpy.arange [$n]
    split: !dict {rows: $shared, fold: $fold}
    model: !dict {split: $split, net: $net, history: !dict {loss: [3, 2]}}
    scores: !dict {model: $model.net, value: !numpy.sum [[$split.fold, 1]]}
    tables:
      t:
        x: !numpy.add [$shared, $fold]
    every: !list [[$scores.*]]
    curves: $model.history.*
    columns: [$t.*, $t.x.*]
    last: [$every, $curves]
    """


@pytest.fixture
def recipe(tmp_path):
    def write(text=SWEEP, **options):
        path = tmp_path / "recipe.yml"
        path.write_text(textwrap.dedent(text))
        return load(path, **options)

    return write


def test_dependants_fan_out_over_what_they_depend_on(recipe):
    plan = recipe()
    bases = [name.partition("[")[0] for name in plan.nodes]
    counts = {base: bases.count(base) for base in bases}
    once = dict.fromkeys(["shared", "t", "every", "curves", "columns", "last"], 1)
    assert counts == once | {"split": 2, "t.x": 2, "t.complete": 2, "model": 4, "scores": 4}
    node = plan.nodes["scores[fold=1,net=hgb]"]
    assert node.point == {"fold": 1, "net": "hgb"}
    assert node.base == "scores"
    assert set(plan.graph.predecessors(node.name)) == {"split[fold=1]", "model[fold=1,net=hgb]"}
    assert plan.nodes["model[fold=0,net=hgb]"].value.kwargs["net"] == "hgb"
    assert plan.nodes["split[fold=1]"].value.kwargs["fold"] == 1


def test_collections_are_in_order_of_the_sweep(recipe):
    plan = recipe()
    ((every,),) = plan.nodes["every"].value.args
    assert every.collect == tuple(
        f"scores[fold={f},net={n}]" for f in (0, 1) for n in ("cnn", "hgb")
    )
    curves = plan.nodes["curves"].value
    assert curves.part == ("history",)
    assert len(curves.collect) == 4
    whole, column = plan.nodes["columns"].value
    assert whole.collect == ("t.complete[fold=0]", "t.complete[fold=1]")
    assert column.collect == ("t.x[fold=0]", "t.x[fold=1]")
    assert set(plan.graph.predecessors("every")) == set(every.collect)


GATHERED = """
    recipe:
      sweep: {fold: [0, 1], seed: [0, 1, 2]}
    parameters: {fold: 0, seed: 0}
    net: !dict {fold: $fold, seed: $seed}
    half: !dict {fold: $fold, deep: !dict {size: 3}}
    model: {net: $net, half: $half, itself: {of: $half}}
    scores: !list [[$model.net.seed]]
    half_scores: !list [[$model.half.deep.size]]
    both: !list [[$half_scores.*]]
    """


def test_a_part_of_a_mapping_waits_for_that_part_alone(recipe, tmp_path):
    plan = recipe(GATHERED)
    bases = [name.partition("[")[0] for name in plan.nodes]
    assert {base: bases.count(base) for base in bases} == {
        "net": 6, "half": 2, "model": 6, "scores": 6, "half_scores": 2, "both": 1
    }  # fmt: skip
    assert set(plan.graph.predecessors("half_scores[fold=1]")) == {"half[fold=1]"}
    done = run(plan, workspace=tmp_path / "w", workers=1)
    assert done["half_scores[fold=1]"] == [3]
    # a run that stands in for the mapping stands in for its parts
    again = recipe(GATHERED, set=[f"model={done.folder}"], only="half_scores")
    assert {name.partition("[")[0] for name in again.nodes} == {"model", "half_scores"}
    assert run(again, workspace=tmp_path / "w", workers=1)["half_scores[fold=1,seed=2]"] == [3]


def test_a_mapping_of_itself_is_a_cycle(recipe):
    with pytest.raises(RecipeError, match="wait for each other"):
        recipe("a: {x: $a.x}\n")
    with pytest.raises(RecipeError, match="wait for each other"):
        recipe("a: {x: $b.y}\nb: {y: $a.x}\n")


def test_swept_cosmology_reaches_its_users_alone(recipe):
    plan = recipe(
        """
        recipe: {sweep: {h: [60.0, 80.0]}}
        parameters: {h: 70.0}
        cosmology: !astropy.cosmology.FlatLambdaCDM {H0: $h, Om0: 0.3}
        a: !list [[$cosmology]]
        b: 1
        """
    )
    assert set(plan.nodes) == {"a[h=60.0]", "a[h=80.0]", "b"}
    assert plan.nodes["a[h=80.0]"].value.args[0][0].kwargs["H0"] == 80.0
    assert plan.cosmology is None


def test_depends_inherits_the_sweep(recipe):
    plan = recipe(
        """
        recipe: {sweep: {s: [1 km, 2 km]}}
        parameters: {s: 1 km}
        a: $s
        b: !list {.depends: a}
        """
    )
    assert "b[s=1.0-km]" in plan.nodes
    assert list(plan.graph.predecessors("b[s=1.0-km]")) == ["a[s=1.0-km]"]


def test_only_keeps_a_node_and_what_it_needs(recipe):
    assert set(recipe(only="split").nodes) == {"shared", "split[fold=0]", "split[fold=1]"}
    assert set(recipe(only="split[fold=1]").nodes) == {"shared", "split[fold=1]"}
    assert set(recipe(only="t").nodes) == {
        "shared", "t", "t.x[fold=0]", "t.x[fold=1]", "t.complete[fold=0]", "t.complete[fold=1]"
    }  # fmt: skip


def test_node_of_another_run_prunes_what_nothing_else_needs(recipe, tmp_path):
    (tmp_path / "earlier").mkdir()
    (tmp_path / "earlier" / "provenance.json").write_text("{}")
    plan = recipe(set=[f"model={tmp_path / 'earlier'}"], only="scores")
    assert set(plan.reused) == {f"model[fold={f},net={n}]" for f in (0, 1) for n in ("cnn", "hgb")}
    assert set(plan.reused.values()) == {tmp_path / "earlier"}
    assert not list(plan.graph.predecessors("model[fold=0,net=cnn]"))
    assert "split[fold=0]" in plan.nodes  # the scores need it still
    plan = recipe(set=[f"split={tmp_path / 'earlier'}"], only="model")
    assert {n.partition("[")[0] for n in plan.nodes} == {"split", "model"}


def test_table_of_another_run(recipe, tmp_path):
    (tmp_path / "provenance.json").write_text("{}")
    plan = recipe(set=[f"t={tmp_path}"], only="columns")
    assert set(plan.nodes) == {"t.x[fold=0]", "t.x[fold=1]", "t.complete[fold=0]",
                               "t.complete[fold=1]", "columns"}  # fmt: skip
    assert set(plan.reused) == set(plan.nodes) - {"columns"}


def test_sweep_runs_and_collects(recipe, tmp_path):
    plan = recipe(
        """
        recipe: {sweep: {fold: [0, 1], name: [a, b]}}
        parameters: {fold: 0, name: a}
        score: !dict {value: !numpy.multiply [$fold, 10], name_length: !len [$name]}
        all: $score.*
        """
    )
    done = run(plan, workspace=tmp_path / "w", workers=1)
    assert done.state == "done"
    table = done["all"]
    assert table.colnames == ["fold", "name", "value", "name_length"]
    assert list(table["fold"]) == [0, 0, 1, 1]
    assert list(table["name"]) == ["a", "b", "a", "b"]
    assert list(table["value"]) == [0, 0, 10, 10]


def test_collected_part_has_to_be_swept_still_when_a_setting_leaves_one_value(recipe):
    plan = recipe(set=["fold=1", "net=[hgb]"])
    assert plan.nodes["every"].value.args[0][0].collect == ("scores[fold=1,net=hgb]",)
    with pytest.raises(RecipeError, match="swept over no values"):
        recipe(set=["net=[]"])


def test_a_nested_part_waits_for_itself_alone(recipe):
    plan = recipe(
        """
        recipe: {sweep: {n: [1, 2]}}
        parameters: {n: 1}
        half: !numpy.arange [$n]
        whole: !dict {size: 3}
        model: {deep: {of: $whole}, half: $half}
        a: !list [[$model.deep.of.size, 1]]
        """
    )
    assert set(plan.graph.predecessors("a")) == {"whole"}


def test_a_library_is_not_handed_a_step_by_way_of_a_node(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yml").write_text(
        textwrap.dedent(
            """
            f: !astropy.table.join
            table: !astropy.table.Table [{k: [1]}]
            a: !numpy.fromfunction {function: $f, shape: [], left: $table, right: $table}
            """
        )
    )
    done = run(load(tmp_path / "recipe.yml"), workspace=tmp_path / "w", workers=1)
    assert done.state == "failed"
    assert "may not be given the function join" in (done.folder / "run.log").read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x: !range [5]\ny: !numpy.cumsum {a: $x, .map: a, .rows: 2}\n", "'x' is not kept"),
        ("x: !numpy.zeros [20_000]\ny: !numpy.cumsum {a: $x, .map: a, .rows: 1}\n", "10,000"),
    ],
)
def test_what_cannot_be_cut_into_blocks_fails_with_its_node(text, says, tmp_path):
    (tmp_path / "recipe.yml").write_text(text)
    done = run(load(tmp_path / "recipe.yml"), workspace=tmp_path / "w", workers=1)
    assert done.state == "failed"
    assert done.nodes["y"]["state"] == "failed"
    assert says in (done.folder / "run.log").read_text()


def test_a_file_that_never_ends_is_not_read(tmp_path):
    (tmp_path / "recipe.yml").write_text("a: /proc/self/pagemap\n")
    done = run(load(tmp_path / "recipe.yml"), workspace=tmp_path / "w", workers=1)
    assert done["a"] == "/proc/self/pagemap"
