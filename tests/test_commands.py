import pytest

from theano_colab import commands
from theano_colab.errors import TheanoColabError


def parse(line):
    return commands.parser("%theano").parse_args(line.split())


def test_setup_takes_its_options():
    options = parse("setup --device cuda1 --floatX float32 --dry-run -q")
    assert (options.device, options.floatX) == ("cuda1", "float32")
    assert options.dry_run
    assert options.quiet


def test_a_misspelt_command_is_answered_with_the_right_one():
    with pytest.raises(TheanoColabError) as caught:
        parse("setpu")
    assert "did you mean setup?" in caught.value.evidence
    assert "%theano" in caught.value.remedy


def test_an_unknown_option_names_the_usage_of_its_command():
    with pytest.raises(TheanoColabError) as caught:
        parse("setup --devise cpu")
    assert "--devise" in caught.value.evidence


def test_help_is_text_and_ends_nothing():
    with pytest.raises(commands.HelpAsked) as caught:
        parse("setup --help")
    assert "--device" in str(caught.value)


@pytest.mark.parametrize("command", commands.COMMANDS)
def test_every_command_offers_json(command):
    assert parse(f"{command} --json").json


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("", ["setup", "info", "plan", "flags", "doctor", "report", "bench", "dashboard"]),
        ("fl", ["flags"]),
        ("setup --de", ["--device"]),
        ("setup --device ", ["auto", "cpu", "cuda", "cuda0", "cuda1", "xla"]),
        ("setup --precision ", ["float32", "tf32"]),
        ("setup --floatX float3", ["float32"]),
        ("plan --with la", ["lasagne"]),
        ("setup --with lasagne,ker", ["lasagne,keras", "lasagne,keras1"]),
        ("bench l", ["logreg", "lenet", "lstm"]),
        ("setup --device cpu --de", []),
        ("nonsense --", []),
    ],
)
def test_completion(line, offered):
    assert commands.complete(line) == offered


def test_libraries_are_named_with_commas():
    assert parse("setup").libraries == ()
    assert parse("plan --with lasagne,keras==2.2.5").libraries == ("lasagne", "keras==2.2.5")


def test_completion_offers_every_option_the_parser_takes():
    assert {"--device", "--floatX", "--dry-run", "--quiet", "--json"} <= set(
        commands.complete("setup -")
    )
