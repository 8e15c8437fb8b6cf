"""Every command as a notebook's user meets it: output, completion, help, mistakes."""

import json
from collections.abc import Callable

import pytest
from harness import Kernel, Story

pytestmark = pytest.mark.slow

COMMANDS = ("setup", "info", "plan", "flags", "doctor", "report", "bench", "dashboard")


def test_theano_alone_lists_the_commands(kernel: Kernel) -> None:
    text = kernel.ok("%theano").text
    assert [name for name in COMMANDS if name not in text] == []


@pytest.mark.parametrize("command", ["info", "plan", "flags", "doctor"])
def test_a_command_shows_one_panel_in_html_and_in_text(kernel: Kernel, command: str) -> None:
    panel = kernel.ok(f"%theano {command}").panel()
    assert panel["text/plain"].strip()
    assert panel["text/html"].strip()


@pytest.mark.parametrize("command", ["info", "plan", "flags", "setup"])
def test_json_is_json(kernel: Kernel, command: str) -> None:
    assert json.loads(kernel.ok(f"%theano {command} --json").stream)


def test_info_names_this_runtime(story: Story, kernel: Kernel) -> None:
    text = kernel.ok("%theano info").text
    assert kernel.value("'.'.join(map(str, __import__('sys').version_info[:3]))") in text
    assert story.before["numpy"] in text
    assert story.before["ipykernel"] in text


def test_bench_measures(kernel: Kernel) -> None:
    kernel.ok("%theano setup -q")
    cell = kernel.ok("%theano bench dot --sizes 200 --time 3")
    assert "dot" in cell.text
    assert "200" in cell.text


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%theano ", COMMANDS),
        ("%theano se", ("setup",)),
        ("%theano setup --", ("--device", "--floatX", "--dry-run")),
        ("%theano setup --fl", ("--floatX",)),
        ("%theano setup --device ", ("cpu", "cuda")),
        ("%theano setup --floatX float", ("float32", "float64")),
        ("%theano bench ", ("dot",)),
    ],
)
def test_tab_offers(kernel: Kernel, line: str, offered: tuple[str, ...]) -> None:
    matches = [match.split()[-1] for match in kernel.complete(line)]
    assert [word for word in offered if word not in matches] == []


def test_tab_offers_no_command_after_a_command(kernel: Kernel) -> None:
    assert "bench" not in [match.split()[-1] for match in kernel.complete("%theano setup ")]


def test_help_of_the_magic_and_of_a_command(kernel: Kernel) -> None:
    assert "%theano setup" in kernel.pager("%theano?")
    text = kernel.pager("%theano setup?")
    assert "--device" in text
    assert "--dry-run" in text
    assert "--device" in kernel.pager("%theano setup --help")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("stup", "setup"),
        ("setup --device tpu9", "tpu9"),
        ("setup --floatX float8", "float8"),
        ("setup --floatx float32", "--floatx"),
        ("setup 'unclosed", "quot"),
    ],
)
def test_a_mistyped_command_is_answered_in_lines_not_in_a_traceback(
    kernel: Kernel, line: str, said: str
) -> None:
    text = kernel.run(f"%theano {line}").text
    assert said in text
    assert "Traceback" not in text
    assert 'File "' not in text
    assert len(text.strip().splitlines()) <= 40
    assert kernel.value("1 + 1") == 2


def test_a_chosen_float_type_is_the_one_in_force(kernel_with: Callable[..., Kernel]) -> None:
    kernel = kernel_with(THEANO_FLAGS="optimizer_including=cudnn")
    kernel.ok("%theano setup --floatX float64")
    assert kernel.value("__import__('theano').config.floatX") == "float64"
    assert "optimizer_including=cudnn" in kernel.value("__import__('os').environ['THEANO_FLAGS']")


def test_a_known_failure_is_explained_beside_its_traceback(kernel: Kernel) -> None:
    cell = kernel.run("raise ValueError('You are tring to use the old GPU back-end')")
    assert cell.error is not None
    assert "ValueError" in cell.error
    assert len(cell.stream.strip().splitlines()) == 3
    assert "%theano setup" in cell.stream
    assert kernel.run("1 / 0").stream == ""


def test_the_doctor_finds_theano_in_order_and_the_report_names_it(kernel: Kernel) -> None:
    checks = json.loads(kernel.ok("%theano doctor --json").stream)["checks"]
    verdicts = {check["name"]: check["verdict"] for check in checks}
    assert verdicts["Theano"] in {"ok", "warn"}  # a busy machine cuts it off
    assert verdicts["C++ compiler"] == "ok"
    report = kernel.ok("%theano report").stream
    assert "theano 1.0.5+colab" in report
    assert "/" not in report.replace("GNU/Linux", "").split("packages:")[1].split("doctor:")[0]
