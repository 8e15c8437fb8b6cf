"""Writes parameters.zip, by Python 2.7 with NumPy 1.16.6: a network's parameters.

lasagne.layers.get_all_param_values gives a list of arrays; it was pickled, or saved by NumPy.
"""

# Python 2's own style and names.
# ruff: noqa: I001, ICN001, UP031

import cPickle
import io
import zipfile

import numpy

VALUES = [
    (numpy.arange(6.0).reshape(2, 3) - 200).astype("float32"),
    numpy.arange(3.0),
    numpy.array([[-1.5], [2.5], [128.0]], "float32", order="F"),
]


def saved(save, *values):
    file = io.BytesIO()
    save(file, *values)
    return file.getvalue()


def main():
    files = {"protocol%d" % number: cPickle.dumps(VALUES, number) for number in range(3)}
    files["list.npy"] = saved(numpy.save, VALUES)
    files["list.npz"] = saved(numpy.savez, VALUES)
    files["each.npz"] = saved(numpy.savez, *VALUES)
    with zipfile.ZipFile("parameters.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(name, content)


main()
