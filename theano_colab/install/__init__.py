"""Doing what the plan says: streamed pip, a journal, one setup at a time, healing."""

from __future__ import annotations

from theano_colab.install.apply import Applied, apply, check_installed, installed_port

__all__ = ["Applied", "apply", "check_installed", "installed_port"]
