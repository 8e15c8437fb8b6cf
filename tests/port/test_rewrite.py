from __future__ import annotations

import pytest

from theano_colab.port.rewrite import Rule, RuleError, apply_rules, load_rules

TREE = {"a/one.py": b"x = np.float(1)\ny = np.float(2)\n", "a/b/two.py": b"np.float\n"}


def rule(**changes) -> Rule:
    values = {
        "id": "float",
        "why": "gone",
        "files": ("a/*.py",),
        "find": r"np\.float\b",
        "replace": "float",
        "count": 3,
    }
    return Rule(**{**values, **changes})


def test_every_match_is_replaced_and_nothing_else():
    changed = apply_rules(TREE, (rule(),))
    assert changed == {"a/one.py": b"x = float(1)\ny = float(2)\n", "a/b/two.py": b"float\n"}


def test_the_given_tree_is_left_alone():
    before = dict(TREE)
    apply_rules(TREE, (rule(),))
    assert before == TREE


def test_literal_text_has_no_special_characters():
    tree = {"t": rb"f(x) = \1 [a]"}
    literal = rule(files=("t",), find=r"(x) = \1 [a]", replace=r"\g<0> \n", count=1, literal=True)
    assert apply_rules(tree, (literal,)) == {"t": rb"f\g<0> \n"}


def test_rules_follow_each_other():
    second = rule(id="second", find=r"\bfloat\b", replace="double")
    assert apply_rules(TREE, (rule(), second))["a/b/two.py"] == b"double\n"


def test_a_file_named_twice_is_counted_and_changed_once():
    twice = rule(files=("a/*.py", "a/b/two.py"), find="np", replace="npnp")
    assert apply_rules(TREE, (twice,))["a/b/two.py"] == b"npnp.float\n"


def test_every_wrong_count_and_missing_file_is_named():
    rules = (rule(count=2), rule(id="nowhere", files=("b/*.py",), count=0))
    with pytest.raises(RuleError) as caught:
        apply_rules(TREE, rules)
    assert caught.value.evidence == ("float: 3 matches, 2 expected; nowhere: no file b/*.py")


HEAD = '[[rule]]\nid = "a"\nwhy = "b"\nfiles = ["c"]\nfind = "d"\nreplace = "e"\n'


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        (HEAD, "count"),
        (HEAD + "count = 1\nextra = 1\n", "extra"),
        (HEAD + "count = 1\n" + HEAD + "count = 1\n", "the id 'a' is taken"),
        (HEAD.replace('files = ["c"]\n', "") + "count = 1\n", "files"),
    ],
)
def test_a_malformed_rule_is_refused_by_name(tmp_path, text, evidence):
    (tmp_path / "rules.toml").write_text(text, "utf-8")
    with pytest.raises(RuleError, match=r"rules\.toml") as caught:
        load_rules(tmp_path)
    assert evidence in caught.value.evidence


def test_our_rules_say_why():
    for one in load_rules():
        assert len(one.why) > 10, one.id
        assert one.count > 0, one.id
