"""What XLA compiled is kept on disk: read again, healed, bounded; the user's settings count."""

import errno
import os
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from pathlib import Path

import jax
import jax.monitoring
import numpy as np
import pytest
import theano
from differ import XLA, C, clusters, same
from jax.experimental.compilation_cache import compilation_cache
from theano import tensor

from theano_colab.runtime.model import Fact
from theano_colab.xla import cache

EVENTS = Counter()
jax.monitoring.register_event_listener(lambda event, **_: EVENTS.update([event.rpartition("/")[2]]))


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Keep everything that is compiled, in a folder of this test; return the folder."""
    place = cache.Store(tmp_path / "xla" / "made by")
    monkeypatch.setattr(cache, "store", lambda: place)
    monkeypatch.setattr(cache, "WORTH", 0.0)
    jax.config.update("jax_enable_compilation_cache", True)
    compilation_cache.reset_cache()
    EVENTS.clear()
    yield place._path
    jax.config.update("jax_compilation_cache_dir", None)
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()


def hits():
    """Return how often code was read since this was last asked, and how often it was written."""
    found = EVENTS["cache_hits"], EVENTS["cache_misses"]
    EVENTS.clear()
    return found


def trains(mode):
    """Return what a sequence of calls gives that change a shared variable; built anew each time."""
    x = tensor.matrix("x")
    w = theano.shared(np.linspace(-1.0, 1.0, 12).reshape(4, 3))
    cost = tensor.tanh(tensor.dot(x, w)).sum()
    step = theano.function([x], [cost, w], updates=[(w, w - 0.1 * tensor.grad(cost, w))], mode=mode)
    data = np.arange(8.0).reshape(2, 4) / 8
    return [one for _ in range(3) for one in (*step(data), w.get_value())], step


def is_right():
    """Assert that XLA gives what the C linker gives, on the device."""
    got, step = trains(XLA)
    for one, other in zip(got, trains(C)[0], strict=True):
        same(one, other)
    assert [op.program.counts.on_host for op in clusters(step)] == [0]


def is_made_anew():
    """Assert that the next function does not read what is kept, and the one after it does."""
    EVENTS.clear()
    is_right()
    assert hits() == (0, 1)
    is_right()
    assert hits() == (1, 0)


def test_a_second_function_reads_what_the_first_compiled(kept):
    is_made_anew()
    assert len(list(kept.iterdir())) == 1


@pytest.mark.parametrize("left", [0, 20, 32, 33, 1000, -1])
def test_a_file_that_was_cut_off_is_made_anew(kept, left):
    is_right()
    (file,) = kept.iterdir()
    file.write_bytes(file.read_bytes()[:left])
    is_made_anew()


def test_a_file_with_a_wrong_bit_is_made_anew(kept):
    is_right()
    (file,) = kept.iterdir()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    is_made_anew()


def test_a_folder_that_cannot_be_made_or_read_costs_nothing_but_time(kept):
    kept.parent.write_text("no folder")
    is_right()
    is_right()
    assert hits() == (0, 2)
    kept.parent.unlink()
    is_right()
    (file,) = kept.iterdir()
    file.unlink()
    file.mkdir()  # what can neither be read as a file, nor removed, nor replaced
    is_right()


def test_a_disk_that_can_only_be_read_is_read(kept, monkeypatch):
    def refused(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    is_right()
    monkeypatch.setattr(os, "utime", refused)
    hits()
    is_right()
    assert hits() == (1, 0)


def test_a_full_disk_costs_nothing_but_time(kept, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    is_right()
    is_right()
    assert hits() == (0, 2)
    assert list(kept.iterdir()) == []


def test_a_write_that_is_interrupted_leaves_nothing(kept, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cache.store().put("key", b"value")
    assert list(kept.iterdir()) == []


def test_the_folder_of_the_user_counts(kept, tmp_path):
    theirs = tmp_path / "theirs"
    jax.config.update("jax_compilation_cache_dir", str(theirs))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    try:
        is_right()
    finally:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
    assert [file.name.endswith("-cache") for file in theirs.iterdir()]
    assert not kept.exists()


def test_what_the_user_switched_off_is_off(kept):
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()
    is_right()
    assert hits() == (0, 0)
    assert not kept.exists()


def test_the_users_own_code_is_not_kept_and_a_later_folder_is_heard(kept, tmp_path):
    is_right()
    assert hits() == (0, 1)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    try:
        jax.jit(lambda x: x * 2.5 + 1)(np.ones(3))
        assert hits() == (0, 0)
        theirs = tmp_path / "theirs"
        jax.config.update("jax_compilation_cache_dir", str(theirs))
        jax.jit(lambda x: x * 3.5 + 1)(np.ones(3))
        assert hits()[1] > 0
        assert len(list(theirs.iterdir())) > 0
    finally:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
    assert len(list(kept.iterdir())) == 1


def test_jax_has_its_own_back_after_a_graph_that_cannot_be_compiled(kept):
    x = tensor.vector()
    picks = theano.function([x], x[5] + 1, mode=XLA)
    with pytest.raises(IndexError):
        picks(np.ones(3))
    jax.jit(lambda x: x * 4.5 + 1)(np.ones(3))
    assert hits() == (0, 0)


def test_two_threads_compile_at_once(kept):
    def build(count, found):
        x = tensor.vector()
        out = x
        for _ in range(count):
            out = tensor.tanh(out) + count
        function = theano.function([x], out, mode=XLA)
        ready.wait()
        found.append(function(np.ones(3)))

    for expected in ((0, 2), (2, 0)):
        ready, found = threading.Barrier(2), []
        workers = [threading.Thread(target=build, args=(k, found)) for k in (40, 60)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
        assert len(found) == 2
        assert hits() == expected
    jax.jit(lambda x: x * 5.5 + 1)(np.ones(3))
    assert hits() == (0, 0)


def test_files_used_longest_ago_go_first(tmp_path):
    store = cache.Store(tmp_path / "xla" / "new", limit=3 * 132)
    old = tmp_path / "xla" / "another version's" / "file"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"." * 132)
    os.utime(old, ns=(1, 1))
    for number, key in enumerate("abc"):
        store.put(key, b"." * 100)
        os.utime(store._file(key), ns=(10 + number, 10 + number))
    assert not old.exists()
    assert store.get("a") is not None
    store.put("d", b"." * 100)
    assert [key for key in "abcd" if store.get(key)] == ["a", "c", "d"]


def test_code_of_another_processor_is_not_read(monkeypatch):
    folders = set()
    for features in (("avx",), ("avx", "avx512f")):
        monkeypatch.setattr(cache.processor, "cpu_features", lambda f=features: Fact.found(f, "x"))
        folders.add(cache.store.__wrapped__()._path)
    assert len(folders) == 2
    assert {folder.parent for folder in folders} == {Path(theano.config.compiledir) / "xla"}
    monkeypatch.setattr(cache.processor, "cpu_features", lambda: Fact.absent("unknown", "x"))
    assert cache.store.__wrapped__() is None


def test_a_jax_with_another_cache_compiles_as_before(kept, monkeypatch):
    monkeypatch.setattr(cache, "_jax", None)
    is_right()
    assert hits() == (0, 0)


def test_a_second_process_reads_what_the_first_compiled(tmp_path):
    program = """
        import pathlib, sys
        import theano
        from theano_colab.xla import cache
        cache.WORTH, store = 0, cache.Store(pathlib.Path(sys.argv[1]))
        cache.store = lambda: store
        from test_cache import XLA, hits, trains
        print(hits(), trains(XLA)[0][-1].tolist(), hits())
    """
    here = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "true", "PYTHONPATH": here}
    environment["THEANO_FLAGS"] += ",device=xla,print_active_device=False"
    said = [
        subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-c",
                textwrap.dedent(program),
                tmp_path / "xla" / "it",
            ],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        for _ in range(2)
    ]
    values = trains(XLA)[0][-1].tolist()
    assert said[0].stdout == f"(0, 0) {values} (0, 1)\n", said
    assert said[1].stdout == f"(0, 0) {values} (1, 0)\n", said
    # The one line is Theano's own, of the flags of these tests: they name no BLAS.
    assert [one.stderr.count("\n") for one in said] == [1, 1], said
