"""What the user sees when something cannot be done: cause, evidence, remedy."""

from __future__ import annotations

import errno


class TheanoColabError(Exception):
    """A failure explained in three short lines.

    Parameters
    ----------
    cause
        What went wrong, in the user's terms: "The sdist of Theano could not be downloaded."
    evidence
        The fact it was concluded from, quoted: pip's last line, an errno, a version, a path.
    remedy
        What to do now, as an instruction that can be followed.
    """

    def __init__(self, cause: str, evidence: str, remedy: str) -> None:
        super().__init__(cause, evidence, remedy)
        self.cause = cause
        self.evidence = evidence
        self.remedy = remedy

    def __str__(self) -> str:
        return "\n".join(self._render_traceback_())

    def to_json(self) -> dict[str, str]:
        """Return the three lines under their names."""
        return {"cause": self.cause, "evidence": self.evidence, "remedy": self.remedy}

    def _render_traceback_(self) -> list[str]:
        """Return what IPython prints instead of a traceback (its hook for such errors)."""
        return [
            self.cause,
            f"  evidence: {self.evidence}",
            f"  remedy:   {self.remedy}",
        ]


_OS_CAUSES = {
    errno.ENOSPC: ("The disk is full.", "Free some space, then run it again."),
    errno.EDQUOT: ("Your disk quota is used up.", "Free some space, then run it again."),
    errno.EROFS: ("The file system is read-only.", "Set THEANO_COLAB_CACHE to a writable folder."),
    errno.EACCES: ("A file may not be written.", "Set THEANO_COLAB_CACHE to a writable folder."),
    errno.EPERM: ("A file may not be written.", "Set THEANO_COLAB_CACHE to a writable folder."),
}


def from_os_error(error: OSError) -> TheanoColabError:
    """Explain an operating system's refusal by its errno (errno(3))."""
    cause, remedy = _OS_CAUSES.get(
        error.errno or 0, ("The operating system refused a step.", "Run it again.")
    )
    return TheanoColabError(cause, f"{type(error).__name__}: {error}", remedy)
