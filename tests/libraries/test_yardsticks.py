"""What came of the libraries' own tests, as the repository has it: see yardstick.py."""

from __future__ import annotations

import pytest
import yardstick

LIBRARIES = sorted(path.stem for path in yardstick.EXPECTED.glob("*.toml"))
ENOUGH = 0.98


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_passes_natively_passes_on_the_port_but_for_what_has_a_reason(library):
    gone, natively = yardstick.lost(library)
    reasons = yardstick.expected(library)
    assert set(gone) == set(reasons)
    assert 1 - len(gone) / natively >= ENOUGH


def test_every_file_of_results_has_its_expectations():
    stems = {path.stem.rpartition("-")[0] for path in yardstick.RESULTS.glob("*.tsv")}
    assert stems == set(LIBRARIES)
