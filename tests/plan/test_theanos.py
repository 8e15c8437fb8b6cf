"""Which of the two Theanos a plan is about, and what of the other it takes the place of."""

from __future__ import annotations

import pytest
from recorded import colab, with_packages

from theano_colab.plan.model import Plan, Request
from theano_colab.plan.resolve import resolve

OURS, PYPI = "1.1.2+colab.1", "1.1.2"


def plan(*names: str, **packages: str | None) -> Plan:
    return resolve(with_packages(colab(loaded={}), **packages), Request(libraries=names))


def requirements(planned: Plan) -> list[str]:
    return [one for step in planned.steps for one in step.requirements]


def test_pymc3_wants_theano_pymc_and_3_9_3_does_not():
    assert plan("pymc3").theano == "theano-pymc"
    assert {"theano-pymc==1.1.2+colab.1", "pymc3==3.11.6+colab.1"} <= {*requirements(plan("pymc3"))}
    assert plan("pymc3==3.9.3").theano == plan().theano == "theano"


def test_nothing_that_is_there_is_downgraded_though_pymc3_pins_old_numpy():
    planned = plan("pymc3", numpy="2.1.3", scipy="1.16.3")
    assert not [one for one in requirements(planned) if one.startswith(("numpy", "scipy"))]
    assert any("NumPy 2.1.3, and nothing is downgraded" in note for note in planned.notes)


@pytest.mark.parametrize("other", ["lasagne", "keras"])
def test_two_theanos_are_refused_and_what_serves_both_is_offered(other):
    planned = plan(other, "pymc3")
    (refused,) = planned.refusals
    assert planned.steps == ()
    assert "pymc3==3.9.3" in refused.remedy
    assert plan(other, "pymc3==3.9.3").refusals == ()


def test_the_other_rebuild_gives_its_place_and_says_so():
    steps = plan("pymc3", theano="1.0.5+colab.1").steps
    assert any("takes the place of Theano 1.0.5+colab.1" in step.why for step in steps)
    steps = plan("lasagne", theano_pymc=OURS).steps
    assert any(f"takes the place of Theano-PyMC {OURS}" in step.why for step in steps)


def test_the_rebuild_that_is_there_stays_where_nothing_asks_for_the_other():
    planned = plan(theano_pymc=OURS)
    assert planned.theano == "theano-pymc"
    assert [step.kept for step in planned.steps if step.action == "build-port"] == [True]


def test_the_published_theano_pymc_stands_against_theano_alone():
    (refused,) = plan("lasagne", theano_pymc=PYPI).refusals
    assert "theano-pymc 1.1.2 is installed" in refused.cause
    assert plan("pymc3", theano_pymc=PYPI).refusals == ()


def test_what_theano_pymc_imports_is_installed_where_it_is_missing():
    assert "filelock>=3.0" in requirements(plan("pymc3", filelock=None))
    assert "filelock>=3.0" not in requirements(plan("lasagne", filelock=None))
    assert not [one for one in requirements(plan("pymc3", six=None)) if one.startswith("six")]


def test_a_kernel_that_has_imported_the_other_is_told_before():
    runtime = with_packages(colab(loaded={"theano": "1.0.5+colab.1"}), theano="1.0.5+colab.1")
    notes = resolve(runtime, Request(libraries=("pymc3",))).notes
    assert "Theano 1.0.5+colab.1 is imported already: a restart is needed after setup." in notes
    assert not [note for note in resolve(runtime, Request()).notes if "restart" in note]
