"""What the user sees when something cannot be done: cause, evidence, remedy."""

from __future__ import annotations


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
        return f"{self.cause}\n  evidence: {self.evidence}\n  remedy:   {self.remedy}"

    def to_json(self) -> dict[str, str]:
        """Return the three lines under their names."""
        return {"cause": self.cause, "evidence": self.evidence, "remedy": self.remedy}
