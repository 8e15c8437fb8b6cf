import pytest

from theano_colab.__main__ import main


@pytest.mark.parametrize("words", [["bench", "nothing"], ["bench", "dot", "--time", "0"]])
def test_what_cannot_be_measured_is_said_in_three_lines(words, capsys):
    assert main(words) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 3
