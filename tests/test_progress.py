import pytest

from theano_colab.progress import Progress, SetupState, StepState


@pytest.fixture
def seen():
    return []


@pytest.fixture
def progress(seen):
    steps = (StepState("Build", "none yet"), StepState("Check", "to be sure"))
    return Progress(SetupState("Colab", steps), ["build", "check"], seen.append)


def test_a_step_runs_shows_its_lines_and_ends_timed(progress, seen):
    with progress.step("build"):
        progress.detail("build", "compiling")
    assert [state.steps[0].status for state in seen] == ["running", "running", "done"]
    assert seen[1].steps[0].detail == "compiling"
    assert seen[0].steps[0].seconds is None
    assert seen[-1].steps[0].seconds >= 0


def test_a_step_that_finds_its_work_done_is_kept(progress):
    with progress.step("check"):
        progress.keep("check", "verified before")
    assert progress.state.steps[1].status == "kept"


def test_a_step_that_raises_has_failed_and_the_error_goes_on(progress):
    with pytest.raises(ValueError, match="boom"), progress.step("check"):
        raise ValueError("boom")
    assert progress.state.steps[1].status == "failed"


def test_results_stand_only_under_a_good_verdict(progress):
    progress.results((("Theano", "1.0.5"),))
    assert progress.fail("cause", "evidence", "remedy").results == ()
    progress.results((("Theano", "1.0.5"),))
    assert progress.end("ready").results == (("Theano", "1.0.5"),)
