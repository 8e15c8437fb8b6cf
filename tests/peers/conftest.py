"""Makes ``peers`` importable by the tests of this folder, which pytest imports by path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
