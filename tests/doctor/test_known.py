"""Known failures: each entry by the text of its report; ordinary errors are no business of ours."""

import re
import sys
import types
import urllib.parse

import pytest

from theano_colab.doctor import explainer, known
from theano_colab.errors import TheanoColabError

FAILURES = known.failures()


def raised(name, message, module="user_code"):
    """Return an exception of that type's name and text, raised by a module of that name."""
    kinds = (ImportError, ModuleNotFoundError, AttributeError)
    kind = {kind.__name__: kind for kind in kinds}.get(name)
    kind = kind or type(name, (Exception,), {})
    scope = {"__name__": module, "kind": kind, "message": message}
    with pytest.raises(kind) as caught:
        exec(compile("raise kind(message)", f"<{module}>", "exec"), scope)
    return caught.value


def replay(failure):
    name, _, message = failure.example.partition(": ")
    module = failure.places[0] if failure.places else "user_code"
    return raised(name, message, module)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.id)
def test_the_reported_text_is_explained_by_its_entry(failure):
    explanation = known.explain(replay(failure))
    assert explanation is not None
    assert explanation.id == failure.id
    lines = explanation.lines()
    assert len(lines) == 3
    assert not any("\n" in line for line in lines)
    assert not any("{" in line and "}" not in line for line in lines)
    assert failure.link in lines[2]


def test_entries_are_whole_and_of_real_places():
    assert len(FAILURES) >= 40
    assert len({failure.id for failure in FAILURES}) == len(FAILURES)
    for failure in FAILURES:
        address = urllib.parse.urlparse(failure.link)
        assert address.hostname == "github.com"
        assert re.search(r"/(issues|pull)/\d+$", address.path)


@pytest.mark.parametrize(
    "failure", [f for f in FAILURES if f.places], ids=lambda failure: failure.id
)
def test_the_same_text_from_other_code_is_no_alarm(failure):
    name, _, message = failure.example.partition(": ")
    explanation = known.explain(raised(name, message, "my_project"))
    assert explanation is None


ORDINARY = [
    "1 / 0",
    "{}['x']",
    "[][1]",
    "int('x')",
    "float('True')",
    "undefined_name",
    "None.shape",
    "import no_such_module_at_all",
    "from os import no_such_name",
    "open('/no/such/file')",
    "import json; json.loads('{')",
    "assert False, 'theano is great'",
    "raise RuntimeError('out of memory')",
    "raise ValueError('shapes (2,3) and (4,5) not aligned: 3 (dim 1) != 4 (dim 0)')",
    "import numpy as np; np.ones((2, 3)) @ np.ones((4, 5))",
    "import numpy as np; np.ones(3) + np.ones(4)",
    "import numpy as np; np.no_such_function",
    "import numpy as np; np.bool8",
    "import numpy as np; np.linalg.inv(np.zeros((2, 2)))",
    "def f(): f()\nf()",
    "raise Exception('Compilation failed')",
    "raise ImportError('cannot import name gof')",
    "raise AttributeError(\"module 'torch' has no attribute 'cuda'\")",
    "raise StopIteration",
    "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()",
    "raise ExceptionGroup('several', [ValueError('one')])",
]


@pytest.mark.parametrize("code", ORDINARY)
def test_ordinary_errors_are_left_alone(code):
    with pytest.raises(Exception) as caught:  # noqa: PT011  # of every kind
        exec(compile(code, "<cell>", "exec"), {"__name__": "__main__"})
    assert known.explain(caught.value) is None


def test_the_cause_of_another_exception_counts_and_a_hidden_one_does_not():
    inner = replay(next(f for f in FAILURES if f.id == "old-gpu-device"))
    outer = ValueError("it did not work")
    outer.__cause__ = inner
    assert known.explain(outer).id == "old-gpu-device"
    hidden = ValueError("it did not work")
    hidden.__context__, hidden.__suppress_context__ = inner, True
    assert known.explain(hidden) is None


def test_our_own_errors_have_explained_themselves():
    text = "You are tring to use the old GPU back-end"
    assert known.explain(TheanoColabError(text, "", "")) is None


def test_named_parts_of_the_message_are_in_the_explanation():
    error = raised("ValueError", "dimension mismatch in args to gemv (50,50)x(80)->(50)")
    assert "shape (50,50)" in known.explain(error).cause
    assert "length 80" in known.explain(error).cause


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("module 'lasagne.layers' has no attribute 'TransformerLayer'", "TransformerLayer"),
        ("cannot import name 'batch_norm' from 'lasagne.layers' (/a/b.py)", "batch_norm"),
        ("unexpected keyword argument 'only_return_final'", "only_return_final"),
        ("module 'lasagne.layers' has no attribute 'Dens'", None),
    ],
)
def test_what_lasagne_has_since_0_1_is_told_from_what_it_never_had(text, name):
    explanation = known.explain(raised("AttributeError", text, "lasagne"))
    assert (explanation and explanation.cause) == (
        name and f"This code is written for Lasagne 0.2.dev1: Lasagne 0.1 has no {name}."
    )


def test_the_node_of_a_missing_input_is_named_whole():
    text = (
        "Input 1 of the graph (indices start from 0), used to compute "
        "Elemwise{add,no_inplace}(x, y), was not provided and not given a value."
    )
    explanation = known.explain(raised("MissingInputError", text))
    assert explanation.cause.endswith("used in Elemwise{add,no_inplace}.")


def test_evidence_is_of_this_runtime():
    error = raised("AttributeError", "module 'numpy' has no attribute 'bool'.", "theano.tensor")
    import numpy as np

    assert f"numpy {np.__version__}" in known.explain(error).evidence


def test_a_line_that_imports_theano_counts_where_its_module_was_never_reached(
    tmp_path, monkeypatch
):
    script = tmp_path / "cell.py"
    script.write_text("import theano\n")
    (tmp_path / "theano.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'distutils'\")"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "theano", raising=False)
    with pytest.raises(ModuleNotFoundError) as caught:
        exec(compile(script.read_text(), str(script), "exec"), {"__name__": "__main__"})
    assert known.explain(caught.value).id == "distutils"


# In IPython


@pytest.fixture
def shell():
    from IPython.testing.globalipapp import get_ipython, start_ipython

    shell = start_ipython() or get_ipython()
    explainer.register(shell)
    yield shell
    explainer.unregister(shell)


CELL = "raise ValueError('You are tring to use the old GPU back-end. It was removed from Theano.')"


def test_three_lines_under_an_unchanged_traceback(shell, capsys):
    explainer.unregister(shell)
    shell.run_cell(CELL)
    plain = capsys.readouterr().out
    explainer.register(shell)
    shell.run_cell(CELL)
    shown = capsys.readouterr().out
    without_numbers = [
        re.sub(r"\x1b\[[\d;]*m|<ipython-input[^>]*>|In ?\[\d+\]|Cell", "", t)
        for t in (plain, shown)
    ]
    assert without_numbers[1].startswith(without_numbers[0].rstrip("\n"))
    extra = shown.strip().splitlines()[-3:]
    assert extra[0].startswith("device=gpu is the name of Theano's first GPU backend")
    assert extra[1].startswith("  evidence: ")
    assert "%theano setup" in extra[2]


def test_a_cell_that_works_or_fails_otherwise_shows_nothing_more(shell, capsys):
    shell.run_cell("1 + 1")
    shell.run_cell("1 / 0")
    shell.run_cell("raise KeyboardInterrupt")
    shell.run_cell("this is no Python")
    assert "evidence" not in capsys.readouterr().out


def test_a_users_own_exception_handler_stays(shell, capsys):
    seen = []
    shell.set_custom_exc((ValueError,), lambda *seen_by, **_: seen.append(seen_by))
    shell.run_cell(CELL)
    shell.set_custom_exc((), None)
    assert len(seen) == 1
    assert "evidence" in capsys.readouterr().out


def test_registering_twice_explains_once(shell, capsys):
    explainer.register(shell)
    explainer.register(shell)
    shell.run_cell(CELL)
    assert capsys.readouterr().out.count("evidence: ") == 1


def test_a_failure_while_explaining_is_silent(shell, capsys, monkeypatch):
    monkeypatch.setattr(known, "explain", lambda error: 1 / 0)
    shell.run_cell(CELL)
    shown = capsys.readouterr()
    assert "ZeroDivisionError" not in shown.out + shown.err


def test_nothing_is_needed_of_the_result():
    explainer._after_cell(types.SimpleNamespace())
