"""Plans with libraries: what they install, what they say, and what they refuse before any write."""

from __future__ import annotations

import dataclasses

import pytest
from recorded import colab, with_packages

from theano_colab.libraries import catalogue
from theano_colab.plan import libraries
from theano_colab.plan.model import Plan, Request
from theano_colab.plan.resolve import resolve
from theano_colab.runtime import packages
from theano_colab.runtime.model import Fact, Runtime


def plan(*names: str, runtime: Runtime | None = None) -> Plan:
    return resolve(runtime or colab(), Request(libraries=names))


def refusal(*names: str, runtime: Runtime | None = None) -> str:
    """The one refusal, as one text."""
    planned = plan(*names, runtime=runtime)
    assert planned.steps == ()
    (only,) = planned.refusals
    return f"{only.cause}\n{only.evidence}\n{only.remedy}"


def with_variable(name: str, value: str) -> Runtime:
    return dataclasses.replace(colab(), environment=Fact.found({name: value}, "test"))


@pytest.fixture
def two_theanos(monkeypatch):
    """A catalogue with a library that has a release for each Theano, and one for the other."""
    keras = catalogue.find("keras")

    def release(name, version, theano):
        return dataclasses.replace(
            keras, library=name, module=name, distribution=name, version=version, theano=theano
        )

    def library(name, *releases):
        return catalogue.Library(name, tuple(release(name, *one) for one in releases))

    known = {
        **catalogue.libraries(),
        "both": library("both", ("3", "theano-pymc"), ("2", "theano")),
        "other": library("other", ("1", "theano-pymc")),
    }
    monkeypatch.setattr(catalogue, "libraries", lambda: known)


def test_a_library_is_installed_after_theano_and_checked_last():
    steps = plan("lasagne").steps
    assert [step.action for step in steps] == [
        *("build-port", "install", "install-library", "set-flags", "warm", "verify"),
        "check-libraries",
    ]
    assert steps[2].requirements == ("Lasagne==0.1+colab.1",)
    assert "Lasagne 0.1" in steps[-1].title


def test_what_a_library_needs_is_installed_where_it_is_missing():
    lacking = with_packages(colab(), h5py=None, keras_applications=None, keras_preprocessing=None)
    here = with_packages(lacking, six="1.17.0", pyyaml="6.0.3")
    steps = [step for step in plan("keras", runtime=here).steps if step.action == "install"]
    (needs,) = [step for step in steps if "theano" not in step.requirements[0]]
    assert [one.split(">")[0] for one in needs.requirements] == [
        "h5py",
        "keras-applications",
        "keras-preprocessing",
    ]
    assert "models are saved with it" in needs.why


def test_what_is_there_is_kept_and_too_old_is_refused():
    old = with_packages(colab(), h5py="2.10.0")
    assert "h5py>=3.0" in refusal("keras", runtime=old)


def test_a_matplotlib_that_arviz_cannot_draw_with_is_refused():
    new = with_packages(colab(), matplotlib="3.13.0")
    assert 'pip install "matplotlib<3.13,>=3.8"' in refusal("pymc3", runtime=new)
    assert plan("pymc3", runtime=with_packages(colab(), matplotlib="3.12.4")).refusals == ()


def test_installed_already():
    done = with_packages(colab(), lasagne="0.1+colab.1")
    (step,) = [one for one in plan("lasagne", runtime=done).steps if one.library]
    assert step.kept


def test_variables_are_part_of_the_plan():
    assert plan("keras").environment == (("KERAS_BACKEND", "theano"),)
    assert plan("lasagne").environment == ()
    said = "\n".join(plan("keras", runtime=with_variable("KERAS_BACKEND", "tensorflow")).notes)
    assert "KERAS_BACKEND was tensorflow; setup sets KERAS_BACKEND=theano." in said


def test_what_is_replaced_is_told_with_the_way_back():
    planned = plan("keras", runtime=with_packages(colab(loaded={}), keras="3.10.0"))
    note = planned.notes[0]
    assert "Keras 2.2.4 takes the place of Keras 3.10.0." in note
    assert "TensorFlow 2" in note
    assert note.endswith("pip install keras==3.10.0")
    again = plan("keras1", runtime=with_packages(colab(loaded={}), keras="2.2.5+colab.1")).notes[0]
    assert "TensorFlow" not in again
    assert again.endswith("%theano setup --with keras==2.2.5")


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["lasange"], ["lasange", "Did you mean --with lasagne?"]),
        (["torch"], ["torch", "pip install --no-deps torch"]),
        (["keras==3.0"], ["keras 3.0", "2.2.4, 2.2.5, 1.2.2"]),
        (["keras=="], ["without a version"]),
        (["blocks"], ["not on the package index", "git+https://github.com/mila-iqia/blocks"]),
        (["keras", "keras1"], ["both are imported as keras", "--with keras==1.2.2"]),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(names, parts):
    text = refusal(*names)
    assert all(part in text for part in parts)


def test_two_theanos_are_refused_and_the_one_that_serves_both_is_offered(two_theanos):
    text = refusal("keras", "both")
    assert "keras 3" not in text
    assert "Keras 2.2.4: Theano 1.0.5; both 3: Theano-PyMC 1.1.2" in text
    assert "--with keras==2.2.4,both==2" in text


def test_two_theanos_with_nothing_that_serves_both(two_theanos):
    text = refusal("keras", "other")
    assert "in a runtime each: --with keras==2.2.4, or --with other==1" in text


def test_imported_already_at_another_version():
    text = refusal("keras", runtime=colab(loaded={"keras": "3.10.0"}))
    assert "Keras 3.10.0" in text
    assert "Restart" in text
    assert plan("keras", runtime=colab(loaded={"keras": "2.2.4"})).steps


def test_the_same_asked_for_twice_is_one():
    assert [s.library for s in plan("keras", "keras==2.2.4").steps if s.library] == ["keras==2.2.4"]


def test_a_release_on_no_index_is_refused_with_the_command_that_installs_it():
    text = refusal("lasagne==0.2.dev1")
    assert "Lasagne 0.2.dev1 is on no package index" in text
    assert "git+https://github.com/Lasagne/Lasagne.git, then run the same setup again" in text
    other = with_packages(colab(loaded={}), lasagne="0.1+colab.1")
    assert "installed is Lasagne 0.1+colab.1" in refusal("lasagne==0.2.dev1", runtime=other)


@pytest.mark.parametrize("spec", ["lasagne", "lasagne==0.2.dev1"])
def test_one_that_is_there_is_kept_and_checked(spec):
    there = with_packages(colab(loaded={}), lasagne="0.2.dev1")
    steps = plan(spec, runtime=there).steps
    (step,) = [one for one in steps if one.library]
    assert (step.kept, step.title, step.library) == (
        *(True, "Keep Lasagne 0.2.dev1", "lasagne==0.2.dev1"),
    )
    assert steps[-1].title == "Check Lasagne 0.2.dev1"
    (replaced,) = [n for n in plan("lasagne==0.1", runtime=there).notes if "takes the place" in n]
    assert "Back to it: pip install --no-deps git+https://github.com/Lasagne" in replaced


def test_no_plan_touches_numpy():
    for library in catalogue.libraries().values():
        for release in library.releases:
            steps = plan(release.spec).steps
            assert not any("numpy" in one for step in steps for one in step.requirements)
            assert not any(need.requirement.startswith("numpy") for need in release.needs)


def test_facts_know_every_distribution_and_module_of_the_catalogue():
    for library in catalogue.libraries().values():
        for release in library.releases:
            assert release.module in packages.MODULES
            assert packages.normalised(release.distribution) in packages.OF_INTEREST
            for need in release.needs:
                name = libraries.Requirement(need.requirement).name
                assert packages.normalised(name) in packages.OF_INTEREST, name
