"""Makes ``recorded`` importable by the tests of this folder, which pytest imports by path."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# A shared machine stalls now and then; how fast flags are parsed is no property to test.
settings.register_profile("plan", deadline=None)
settings.load_profile("plan")
