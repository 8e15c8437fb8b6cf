"""What XLA compiled is kept on disk, as Theano keeps what the C compiler made of a graph.

JAX has such a cache, but one for a whole process, which writes in place and warns of what it cannot
read or write. Here JAX asks ``Store`` instead, and only while a cluster is compiled: the user's own
JAX code is compiled, and kept, as he has told JAX. If he has given JAX a folder or switched its
cache off (``JAX_ENABLE_COMPILATION_CACHE=false``), that counts for clusters, too.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import theano

from theano_colab.runtime import processor

try:
    from jax._src import compilation_cache as _jax
    from jax._src.config import persistent_cache_min_compile_time_secs as _threshold
except ImportError:  # a JAX that keeps its own elsewhere
    _jax = None  # asked for below

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger("theano_colab.xla")
# Seconds of compiling that are worth a file: reading one takes a few hundredths.
WORTH = 0.1
# Bytes of all files together, of every JAX and processor; the ones used longest ago go first.
LIMIT = 128 * 2**20
_DIGEST = hashlib.sha256().digest_size


class Store:
    """Files in a folder, each whole or not there: what JAX takes for its cache.

    Nothing is raised and nobody is warned: a folder that cannot be read or written, or a full disk,
    costs the time to compile, no more. A file starts with the SHA-256 of the rest; one that does
    not hold what was written is removed, and made anew.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._path = folder  # JAX's name: it is in the log when a user resets JAX's cache
        self._limit = limit

    def get(self, key: str) -> bytes | None:
        """Return what was kept under this key, None if nothing was."""
        file = self._file(key)
        with contextlib.suppress(OSError):
            content = file.read_bytes()
            value = content[_DIGEST:]
            if hashlib.sha256(value).digest() == content[:_DIGEST]:
                with contextlib.suppress(OSError):  # a disk that is mounted to be read alone
                    os.utime(file)
                return value
            logger.info("Removed a file that is not as it was written: %s", file)
            file.unlink()
        return None

    def put(self, key: str, value: bytes) -> None:
        """Keep a value, and remove the oldest files if there is too much."""
        with contextlib.suppress(OSError):
            self._path.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._path, delete=False) as file:
                unfinished = Path(file.name)
                try:
                    file.write(hashlib.sha256(value).digest() + value)
                    file.close()
                    unfinished.replace(self._file(key))
                except BaseException:
                    unfinished.unlink(missing_ok=True)
                    raise
            self._shrink()

    def _file(self, key: str) -> Path:
        # Its hash, because the key begins with the name of a function, which may be long.
        return self._path / hashlib.sha256(key.encode()).hexdigest()

    def _shrink(self) -> None:
        """Remove the files used longest ago, what killed processes left unfinished among them."""
        found = []
        for file in self._path.parent.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):  # another process is removing them, too
                status = file.stat()
                found.append((status.st_mtime_ns, status.st_size, file))
        excess = sum(size for _, size, _ in found) - self._limit
        for _, size, file in sorted(found):
            if excess <= 0:
                break
            file.unlink(missing_ok=True)
            excess -= size


@functools.cache
def store() -> Store | None:
    """Return the files of this processor and this JAX below Theano's compile directory.

    Code for one processor may crash another, so where its features are not known nothing is kept.
    """
    features = processor.cpu_features().value
    if features is None:
        return None
    made_by = hashlib.sha256(repr((jax.__version__, features)).encode()).hexdigest()[:16]
    return Store(Path(theano.config.compiledir) / "xla" / made_by)


_lock = threading.Lock()
_users = 0
_mine = threading.local()


def begin() -> None:
    """Let JAX ask the store, in this thread until ``end``; called as a cluster is traced.

    What another thread compiles meanwhile may be kept as well: JAX has one cache for all.
    """
    if getattr(_mine, "open", None) is None:
        _mine.open = contextlib.ExitStack()
        _mine.open.enter_context(_in_use())


def end() -> None:
    """Give JAX back its own, if ``begin`` was called in this thread."""
    opened = getattr(_mine, "open", None)
    if opened is not None:
        _mine.open = None
        opened.close()


@contextlib.contextmanager
def _in_use() -> Iterator[None]:
    global _users  # noqa: PLW0603  # JAX's cache is global as well
    kept = store() if _is_free() else None
    if kept is None:
        yield
        return
    with _lock:
        _users += 1
        _jax._cache = kept  # noqa: SLF001  # it has no other place
    try:
        with _threshold(WORTH):
            yield
    finally:
        with _lock:
            _users -= 1
            if not _users and _jax._cache is kept:  # noqa: SLF001  # as above
                _jax._cache = None  # noqa: SLF001  # as above


def _is_free() -> bool:
    """Tell whether JAX has a cache, of a form that is known here, that nobody has set."""
    return (
        hasattr(_jax, "_cache")
        and _jax._cache in (None, store())  # noqa: SLF001  # as above
        and jax.config.jax_compilation_cache_dir is None
        and bool(jax.config.jax_enable_compilation_cache)
    )
