"""What theano.gof.compilelock was until Theano 1.0.5: the lock taken and given back by calls."""

from theano.compile.compilelock import force_unlock, lock_ctx

_held = []


def get_lock(lock_dir=None, **_):
    """Wait for the lock of the compile directory, and take it."""
    context = lock_ctx(lock_dir)
    context.__enter__()
    _held.append(context)


def release_lock():
    """Give back the lock that was taken last."""
    _held.pop().__exit__(None, None, None)
