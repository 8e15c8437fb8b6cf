import errno

from theano_colab.errors import TheanoColabError, from_os_error


def test_an_error_is_three_lines_for_people_and_for_ipython():
    error = TheanoColabError("No pip.", "exit code 1", "Install pip.")
    assert str(error).splitlines() == error._render_traceback_()
    assert len(str(error).splitlines()) == 3
    assert error.to_json() == {
        "cause": "No pip.",
        "evidence": "exit code 1",
        "remedy": "Install pip.",
    }


def test_a_full_disk_is_named_as_one():
    error = from_os_error(OSError(errno.ENOSPC, "No space left on device", "/cache/x"))
    assert error.cause == "The disk is full."
    assert "/cache/x" in error.evidence


def test_any_other_refusal_keeps_the_system_s_words():
    assert (
        "Too many open files"
        in from_os_error(OSError(errno.EMFILE, "Too many open files")).evidence
    )
