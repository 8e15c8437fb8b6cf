"""What users get wrong, each done for real in a kernel that must live on."""

from collections.abc import Callable

import pytest
from harness import Cell, Kernel, Place, Story

pytestmark = pytest.mark.slow

READY = "Theano 1.0.5 is ready"


def explained(cell: Cell) -> str:
    """Return the text of a failure that was explained, and not thrown at the user."""
    text = cell.text
    assert READY not in text
    assert "Traceback" not in text
    assert 'File "' not in text
    return text


def test_flags_set_after_the_import_are_reported(kernel: Kernel) -> None:
    kernel.ok("import theano")
    before = kernel.value("theano.config.floatX")
    wanted = "float64" if before == "float32" else "float32"
    kernel.ok(f"import os; os.environ['THEANO_FLAGS'] = 'floatX={wanted}'")
    assert kernel.value("theano.config.floatX") == before
    text = kernel.ok("%theano flags").text
    assert wanted in text
    assert before in text


def test_setup_after_the_import_sets_live_what_can_be_set(kernel: Kernel) -> None:
    kernel.ok("import theano")
    wanted = "float64" if kernel.value("theano.config.floatX") == "float32" else "float32"
    text = kernel.ok(f"%theano setup --floatX {wanted}").text
    assert READY in text
    assert "imported before" in text
    assert kernel.value("theano.config.floatX") == wanted


def test_setup_after_the_import_asks_for_a_restart_only_when_it_must(
    kernel_with: Callable[..., Kernel], story: Story, tmp_path
) -> None:
    kernel = kernel_with(THEANO_FLAGS=f"base_compiledir={tmp_path}/one")
    kernel.ok("import theano; import os")
    kernel.ok(f"os.environ['THEANO_FLAGS'] = 'base_compiledir={tmp_path}/two'")
    cell = kernel.run("%theano setup")
    text = explained(cell)
    assert "estart" in text
    assert "base_compiledir" in text
    assert kernel.value("1 + 1") == 2


@pytest.mark.parametrize("flags", ["floatX", "floatX=float32,device", "=cpu"])
def test_malformed_flags_are_explained_and_the_kernel_lives(
    kernel_with: Callable[..., Kernel], flags: str
) -> None:
    kernel = kernel_with(THEANO_FLAGS=flags)
    for command in ("setup", "plan", "flags"):
        text = explained(kernel.run(f"%theano {command}"))
        assert "THEANO_FLAGS" in text
    kernel.ok("import os; os.environ['THEANO_FLAGS'] = 'floatX=float32'")
    assert READY in kernel.ok("%theano setup").text


def test_a_malformed_theanorc_is_explained(kernel_with: Callable[..., Kernel], tmp_path) -> None:
    rc = tmp_path / "theanorc"
    rc.write_text("[global\nfloatX = float32\n")
    kernel = kernel_with(THEANORC=str(rc))
    assert str(rc) in explained(kernel.run("%theano setup"))
    rc.write_text("[global]\nfloatX = float64\n")
    assert READY in kernel.ok("%theano setup").text
    assert kernel.value("__import__('theano').config.floatX") == "float64"


def test_an_obsolete_device_is_translated_or_refused_in_words(
    kernel_with: Callable[..., Kernel],
) -> None:
    kernel = kernel_with(THEANO_FLAGS="device=gpu0,floatX=float32")
    text = kernel.run("%theano plan").text
    assert "gpu0" in text
    assert "cuda0" in text


def test_a_gpu_that_is_not_there_is_refused_before_anything_is_written(bare_place: Place) -> None:
    before = bare_place.freeze()
    with Kernel(bare_place) as kernel:
        kernel.ok("%load_ext theano_colab")
        text = explained(kernel.run("%theano setup --device cuda"))
        assert "cuda" in text
    assert bare_place.freeze() == before


def test_without_an_index_setup_fails_in_words_and_works_once_it_is_back(
    make_place: Callable[[str], Place],
) -> None:
    place = make_place("offline")
    place.run("-m", "pip", "install", "-q", "theano-colab")
    # A port that nothing listens on: every download is refused at once.
    offline = place.with_variables(
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_EXTRA_INDEX_URL="",
        PIP_CONFIG_FILE="/dev/null",
        PIP_NO_CACHE_DIR="1",
        PIP_RETRIES="0",
    )
    before = place.freeze()
    with Kernel(offline) as kernel:
        kernel.ok("%load_ext theano_colab")
        text = explained(kernel.run("%theano setup"))
        assert "remedy" in text.lower() or "network" in text.lower()
        assert place.freeze() == before
        online = {k: v for k, v in place.variables.items() if k.startswith("PIP_")}
        kernel.ok(
            "import os\n"
            "for name in [name for name in os.environ if name.startswith('PIP_')]:\n"
            "    del os.environ[name]\n"
            f"os.environ.update({online})"
        )
        assert READY in kernel.ok("%theano setup").text


def test_without_a_compiler_setup_says_so(kernel_with: Callable[..., Kernel], tmp_path) -> None:
    kernel = kernel_with(PATH=str(tmp_path))
    text = kernel.run("%theano setup").text
    assert "compiler" in text or "g++" in text
    assert kernel.value("1 + 1") == 2
