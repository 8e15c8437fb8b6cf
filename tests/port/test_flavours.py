"""Theano-PyMC, the port's second flavour: its rules, its wheel, and what it answers to."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import zipfile

import pytest

from theano_colab.port import build_port
from theano_colab.port.changes import change
from theano_colab.port.flavour import FLAVOURS, PYMC, THEANO, by_distribution
from theano_colab.port.rewrite import Rule, RuleError

RULE = Rule("cast", "why", ("theano/a.py",), "old", "new", 1)


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    with zipfile.ZipFile(build_port(tmp_path_factory.mktemp("cache"), flavour=PYMC)) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def changed(tmp_path, text):
    (tmp_path / "some.toml").write_text(text)
    return change((RULE,), tmp_path)


def test_a_change_names_only_what_differs(tmp_path):
    text = '[moved]\n"theano/a.py" = "theano/b.py"\n[[rule]]\nid = "cast"\nfind = "other"\n'
    (rule,) = changed(tmp_path, text)
    assert (rule.files, rule.find) == (("theano/b.py",), "other")
    assert (rule.why, rule.replace, rule.count) == (RULE.why, RULE.replace, RULE.count)


def test_a_rule_can_be_left_out_with_a_reason_and_no_other_can(tmp_path):
    assert changed(tmp_path, '[without]\ncast = "There is none."\n') == ()
    with pytest.raises(RuleError, match="product"):
        changed(tmp_path, '[without]\nproduct = "There is none."\n')


def test_a_rule_of_its_own_is_whole(tmp_path):
    with pytest.raises(RuleError, match="mine"):
        changed(tmp_path, '[[rule]]\nid = "mine"\nfiles = []\nfind = "x"\n')


def test_flavours_are_found_by_the_name_of_their_distribution():
    assert [by_distribution(one.distribution) for one in FLAVOURS] == [THEANO, PYMC]
    assert by_distribution("Theano_PyMC") is PYMC


def test_the_wheel_is_theano_pymc_and_is_imported_as_theano(contents):
    metadata = contents["theano_pymc-1.1.2+colab.1.dist-info/METADATA"].decode()
    assert "Name: Theano-PyMC\nVersion: 1.1.2+colab.1\n" in metadata
    assert {name.split("/")[0] for name in contents} == {
        "theano",
        "theano_pymc-1.1.2+colab.1.dist-info",
    }


def test_rules_put_in_no_name_that_its_modules_lack(contents, tmp_path):
    for name, content in contents.items():
        if name.endswith(".py"):
            ast.parse(content)
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select=F821"]
    done = subprocess.run([*ruff, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


PROGRAM = """
import theano, theano.tensor as T
from theano.gof import Apply, Op
from theano.gof.graph import io_toposort
from theano.scan_module.scan_op import Scan
from theano.compile.function_module import FunctionMaker
assert theano.Apply is Apply and issubclass(Scan, theano.gof.PureOp)
assert theano.config.gcc__cxxflags == "-O1", "a flag with a dot"
assert theano.config.blas__ldflags == ""
x = T.dvector()
doubled, updates = theano.scan(lambda last: last * 2, outputs_info=T.ones(()), n_steps=4)
f = theano.function([x], [T.grad((x**2).sum(), x), doubled])
assert isinstance(f.maker, FunctionMaker)
gradient, powers = f([1.5])
assert gradient.tolist() == [3.0] and powers.tolist() == [2, 4, 8, 16]
sums = [node for node in f.maker.fgraph.toposort() if f.maker.fgraph.clients(node.outputs[0])]
assert sums, "clients answers to a call"
"""


def test_old_names_flags_and_a_scan_work(contents, tmp_path):
    for name, content in contents.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    flags = f"base_compiledir={tmp_path / 'compiled'},gcc.cxxflags=-O1,blas.ldflags="
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "site"),
        "THEANO_FLAGS": flags,
        "THEANORC": os.devnull,
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
