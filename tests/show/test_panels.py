"""What each panel says, for each state of what it shows."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
from panel_samples import BARE_RUNTIME, LINE, PANELS, PROBLEM, RUNNING, RUNTIME, SETUPS

from theano_colab.errors import TheanoColabError
from theano_colab.plan.model import Plan, Step
from theano_colab.runtime.model import Fact, Gpu, Runtime
from theano_colab.show.info_panel import GROUPS, describe_info
from theano_colab.show.line import runtime_line
from theano_colab.show.panel import Headline, Steps, Table
from theano_colab.show.plan_panel import describe_plan, plan_panel
from theano_colab.show.restart import restart_button_bundle
from theano_colab.show.setup_panel import READY, describe_setup, setup_panel
from theano_colab.show.small_panels import commands_panel, describe_flags, error_panel


def headline(panel):
    (found,) = [block for block in panel.blocks if isinstance(block, Headline)]
    return found


def table(panel):
    (found,) = [block for block in panel.blocks if isinstance(block, Table)]
    return [[" / ".join(c.lines) for c in row] for row in found.rows]


# Setup


@pytest.mark.parametrize("verdict", [v for v in SETUPS if v != "ready"])
def test_only_ready_is_green(verdict):
    panel = describe_setup(SETUPS[verdict])
    assert headline(panel).tone != "ok"
    assert all(READY not in part for part in setup_panel(SETUPS[verdict]).values())


def test_ready_is_green_and_says_so():
    said = headline(describe_setup(SETUPS["ready"]))
    assert (said.tone, said.text) == ("ok", "Theano 1.0.5 is ready")


def test_a_setup_whose_steps_all_ended_is_not_ready_before_its_verdict():
    state = dataclasses.replace(SETUPS["ready"], verdict="running")
    assert headline(describe_setup(state)).tone == "busy"


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("refused", "nothing was changed"),
        ("failed", "failed"),
        ("restart", "Restart the kernel"),
        ("dry-run", "nothing was changed"),
    ],
)
def test_each_verdict_is_said_in_words(verdict, words):
    assert words in headline(describe_setup(SETUPS[verdict])).text


@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
def test_a_problem_is_cause_evidence_and_remedy(kind):
    panel = " ".join(setup_panel(SETUPS["failed"])[kind].split())
    places = [panel.index(line) for line in PROBLEM]
    assert places == sorted(places)
    for label in ("Cause", "Evidence", "What to do"):
        assert label in panel


def test_the_newest_line_stands_in_the_headline_and_in_no_step():
    panel = describe_setup(RUNNING)
    assert headline(panel).detail.startswith("g++")
    (steps,) = [block for block in panel.blocks if isinstance(block, Steps)]
    assert not any(step.detail for step in steps.items)


def test_a_setup_that_only_looks_round_has_a_panel_too():
    assert "Setting up Theano" in setup_panel(dataclasses.replace(RUNNING, steps=()))["text/plain"]


# Info


def test_every_fact_of_a_runtime_is_in_one_group():
    shown = [field for _, rows in GROUPS for field, _, _ in rows]
    assert sorted(shown) == sorted(f.name for f in dataclasses.fields(Runtime))


def rows_of(runtime):
    return {
        row[0].lines[0]: row[1] for block in describe_info(runtime).blocks for row in block.rows
    }


def test_values_are_read_by_people():
    rows = rows_of(RUNTIME)
    assert rows["Free memory"].lines == ("12.7 GiB",)
    assert rows["site-packages can be written"].lines == ("yes",)
    assert rows["GPU"].lines == ("0: Tesla T4, 15.0 GiB, compute capability 7.5",)
    assert rows["Driver"].lines == ("550.54.15, serves CUDA up to 12.4",)
    assert rows["Installed"].lines[-1] == "(703 distributions in all)"
    assert rows[".theanorc"].lines == ("there is none",)


def test_a_missing_fact_gives_its_reason_in_muted_words():
    gpu = rows_of(BARE_RUNTIME)["GPU"]
    assert gpu.tone == "muted"
    assert gpu.lines == ("no NVIDIA driver: libnvidia-ml.so.1 was not found",)


def test_false_and_zero_are_values():
    runtime = dataclasses.replace(
        BARE_RUNTIME,
        home_writable=Fact.found(False, "os"),
        disk_free_bytes=Fact.found(0, "os"),
    )
    assert rows_of(runtime)["Home can be written"].lines == ("no",)
    assert rows_of(runtime)["Free disk"].lines == ("0 MiB",)


def test_the_runtime_in_one_line():
    assert runtime_line(RUNTIME) == LINE
    assert runtime_line(BARE_RUNTIME) == ("Jupyter · Python 3.12.1 · NumPy 2.0.2 · no GPU")


@pytest.mark.parametrize(
    ("tag", "place"),
    [
        ("release-colab_20240912-060302_RC00", "Colab 2024-09-12"),
        ("release-colab-2026.04", "Colab 2026.04"),
        ("something else", "Colab something else"),
    ],
)
def test_the_release_of_colab_by_its_date(tag, place):
    runtime = dataclasses.replace(BARE_RUNTIME, colab_release=Fact.found(tag, "env"))
    assert runtime_line(runtime).startswith(f"{place} · ")


def test_equal_gpus_are_counted():
    gpus = tuple(Gpu(i, "NVIDIA L4", 2**34, (8, 9)) for i in range(2))
    runtime = dataclasses.replace(BARE_RUNTIME, gpus=Fact.found(gpus, "NVML"))
    assert runtime_line(runtime).endswith("· 2 x NVIDIA L4")


# Plan


def test_a_plan_says_how_much_is_to_do():
    assert headline(PANELS["plan"]).text == "Setup would take 4 steps"
    assert headline(PANELS["plan-refused"]).text == "Setup would refuse, and change nothing"


def test_a_plan_with_nothing_to_do_says_so():
    plan = Plan("cpu", "cpu", "", (Step("verify", "Check", "why", kept=True),))
    assert headline(describe_plan(plan, "")).text == "Everything is in place"


def test_a_plan_names_what_it_installs_but_not_for_a_step_already_done():
    step = Step("install", "Install", "why", ("six>=1.16",))
    assert "six>=1.16" in plan_panel(Plan("cpu", "cpu", "", (step,)), "")["text/plain"]
    kept = dataclasses.replace(step, kept=True)
    assert "six>=1.16" not in plan_panel(Plan("cpu", "cpu", "", (kept,)), "")["text/plain"]


# Flags


def setting(name, value):
    return SimpleNamespace(name=name, value=value, origin="THEANO_FLAGS")


def test_a_flag_set_after_the_import_is_marked():
    panel = describe_flags([setting("floatX", "float32")], (), {"floatX": "float64"})
    assert headline(panel).tone == "warn"
    assert table(panel) == [
        ["floatX", "float32", "float64 / set after the import: has no effect", "THEANO_FLAGS"]
    ]


@pytest.mark.parametrize(
    ("wanted", "live"),
    [("cpu", "cpu"), ("true", "True"), ("1", "True"), ("False", "0"), ("0.80", "0.8")],
)
def test_spellings_of_one_value_do_not_differ(wanted, live):
    panel = describe_flags([setting("x", wanted)], (), {"x": live})
    assert [block for block in panel.blocks if isinstance(block, Headline)] == []
    assert table(panel)[0][2] == "the same"


def test_without_theano_there_is_no_column_of_live_values():
    assert table(describe_flags([setting("device", "cpu")]))[0] == ["device", "cpu", "THEANO_FLAGS"]


# The others


def test_an_error_in_three_labelled_lines():
    lines = error_panel(TheanoColabError("c", "e", "r"))["text/plain"].splitlines()
    assert lines[-3:] == ["Cause:      c", "Evidence:   e", "What to do: r"]


def test_commands_are_named_with_their_line():
    assert (
        "  %theano setup  Install it."
        in commands_panel([("%theano setup", "Install it.")])["text/plain"]
    )


def test_colab_is_asked_for_its_own_button_and_others_read_words():
    answer = restart_button_bundle(["theano", "numpy"])
    colab = answer["application/vnd.colab-display-data+json"]
    assert colab["pip_warning"] == {"packages": ["theano", "numpy"]}
    assert (
        colab["id"]
        != restart_button_bundle(["theano"])["application/vnd.colab-display-data+json"]["id"]
    )
    assert "theano, numpy" in answer["text/plain"]
