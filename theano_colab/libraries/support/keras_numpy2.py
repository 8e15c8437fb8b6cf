"""pad_sequences on NumPy 2: keras_preprocessing 1.1.2, the last, asks NumPy for ``unicode_``.

Goes into the wheel of Keras as ``keras.preprocessing._numpy2``. Keras Preprocessing itself is the
package index's own.
"""

import types

import numpy as np
from keras_preprocessing import sequence


class _NumPy(types.ModuleType):
    """NumPy, with the name that NumPy 2 has as ``str_`` alone."""

    unicode_ = np.str_

    def __getattr__(self, name):
        return getattr(np, name)


sequence.np = _NumPy("numpy")
