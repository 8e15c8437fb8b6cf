"""What every test may take for granted."""

import signal


def pytest_configure():
    """Let Ctrl-C interrupt: what a shell starts in the background ignores it, children included."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
