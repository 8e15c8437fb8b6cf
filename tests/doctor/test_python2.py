"""Python 2 in cells: every idiom's example is run, and what is advised in its place compiles."""

from __future__ import annotations

import linecache
import sys
import types
from importlib import metadata

import pytest
from IPython.core.interactiveshell import InteractiveShell

from theano_colab.doctor import explainer, python2

IDIOMS = python2.idioms()
CELL = "<ipython-input-1>"


@pytest.fixture
def explained(monkeypatch):
    """Return what explains the exception of a cell; its lines are found as IPython's are.

    For scikit-learn stands an empty package, which lacks what today's lacks.
    """
    monkeypatch.setitem(sys.modules, "sklearn", types.ModuleType("sklearn"))
    monkeypatch.setattr(sys.modules["sklearn"], "__path__", [], raising=False)

    def explain(source):
        lines = source.splitlines(keepends=True)
        monkeypatch.setitem(linecache.cache, CELL, (len(source), None, lines, CELL))
        try:
            exec(compile(source, CELL, "exec"), {"err": sys.stderr})
        except Exception as error:  # noqa: BLE001  # whatever it is
            return python2.explain(error)
        raise AssertionError(f"runs in Python 3: {source}")

    return explain


@pytest.mark.parametrize("idiom", IDIOMS, ids=[idiom.example.strip()[:40] for idiom in IDIOMS])
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore:scipy.misc is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_line_and_its_modern_form_are_named(idiom, explained):
    if "getargspec" in idiom.example and sys.version_info < (3, 11):
        pytest.skip("this Python has it still")
    explanation = explained(idiom.example.strip())
    assert explanation is not None
    assert explanation.cause == idiom.cause
    assert "cell, line " in explanation.evidence
    if idiom.write is not None:
        modern = explanation.remedy.removeprefix("Write: ")
        assert modern != explanation.remedy
        compile(f"try: pass\n{modern}" if modern.startswith("except") else modern, "", "exec")


@pytest.mark.parametrize(
    ("line", "modern"),
    [
        ("print 'epoch %d' % n, cost", "print('epoch %d' % n, cost)"),
        ("    print 'a',", "print('a', end=\" \")"),
        ("print 'a' if b else 'c';", "print('a' if b else 'c')"),
        ("except (IOError, OSError), e:", "except (IOError, OSError) as e:"),
        ("raise ValueError, 'a' + b", "raise ValueError('a' + b)"),
        ("os.chmod(name, 0755)", "os.chmod(name, 0o755)"),
    ],
)
def test_lines_of_old_notebooks(line, modern):
    source = f"try:\n    pass\n{line}\n    pass\n" if "except" in line else line.strip()
    try:
        compile(source, CELL, "exec")
    except SyntaxError as error:
        explanation = python2.explain(error)
    assert explanation is not None
    assert explanation.remedy == f"Write: {modern}"


def test_a_module_of_the_user_is_named_with_its_line(tmp_path, monkeypatch):
    (tmp_path / "old_utils.py").write_text("import os\n\n\ndef f():\n    print 'a'\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SyntaxError) as raised:
        __import__("old_utils")
    assert python2.explain(raised.value).evidence.startswith("old_utils.py, line 5: print 'a'")


@pytest.mark.parametrize(
    "error",
    [SyntaxError("invalid syntax"), NameError("name 'xranges' is not defined"), ValueError("no")],
)
def test_what_is_no_python_2_is_left_alone(error):
    assert python2.explain(error) is None


def test_a_package_that_dropped_a_name_is_named_with_its_version(explained):
    explanation = explained("import numpy\nn = numpy.product((2, 3)) + numpy.cumproduct([1])[0]")
    assert explanation.evidence.endswith(f"(numpy {metadata.version('numpy')})")
    assert explanation.remedy == "Write: n = numpy.prod((2, 3)) + numpy.cumprod([1])[0]"
    assert "numpy.org" in explanation.link


def test_a_division_that_is_not_to_blame(explained):
    assert explained("a = 'b/c'\nrange(2.5)") is None


def test_ipython_puts_it_under_the_cell(capsys):
    shell = InteractiveShell.instance()
    explainer.register(shell)
    try:
        shell.run_cell("for i in xrange(3):\n    pass")
        shell.run_cell("a = 1\nprint 'a'")
        shell.run_cell("a = 1")
    finally:
        explainer.unregister(shell)
        InteractiveShell.clear_instance()
    said = capsys.readouterr().out
    assert "  remedy:   Write: for i in range(3): [https://" in said
    assert "cell, line 2: print 'a'" in said
    assert said.count("remedy:") == 2
