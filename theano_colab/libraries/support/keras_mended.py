"""What keras_preprocessing 1.1.2, the last, asks of NumPy and Python, and today's no longer give.

Goes into the wheel of Keras as ``keras.preprocessing._mended``. Keras Preprocessing itself is the
package index's own.
"""

import random
import types

import numpy as np
from keras_preprocessing import sequence


def _with(module, **names):
    """Return a module with a module's names and these."""
    mended = types.ModuleType(module.__name__)
    vars(mended).update(vars(module), **names)
    return mended


def _randint(low, high):
    """``random.randint`` for limits like 10e6, which Python 3.12 refuses; skipgrams has one."""
    return random.randint(int(low), int(high))


sequence.np = _with(np, unicode_=np.str_)  # pad_sequences: NumPy 2 has the second name alone
sequence.random = _with(random, randint=_randint)
