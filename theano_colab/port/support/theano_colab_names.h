/* Carries C code written for Python 2 and NumPy 1 over to today's.
 *
 * It holds macros only: Python.h and NumPy's headers may follow, or may be missing altogether.
 */
#ifndef THEANO_COLAB_NAMES_H
#define THEANO_COLAB_NAMES_H

/* NumPy 2 is required at run time. Its headers then show the fields of a descriptor (elsize) where
 * C code for NumPy 1 looks for them. */
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION

/* numpy/npy_3kcompat.h no longer says so. */
#define NPY_PY3K 1

/* Python 2's int is Python 3's int. */
#define PyInt_Check PyLong_Check
#define PyInt_CheckExact PyLong_CheckExact
#define PyInt_AsLong PyLong_AsLong
#define PyInt_AS_LONG PyLong_AsLong
#define PyInt_FromLong PyLong_FromLong
#define PyNumber_Int PyNumber_Long

/* Text: ops read their Python string parameters as C strings, UTF-8. */
#define PyString_Check PyUnicode_Check
#define PyString_AsString PyUnicode_AsUTF8
#define PyString_FromString PyUnicode_FromString
#define PyString_FromFormat PyUnicode_FromFormat

/* CObject became Capsule: the pointer is a function, the description its struct. */
#define PyCObject_Check PyCapsule_CheckExact
#define PyCObject_AsVoidPtr(capsule) PyCapsule_GetPointer((capsule), NULL)
#define PyCObject_GetDesc(capsule) PyCapsule_GetContext(capsule)

/* Names without ARRAY_ went with NumPy 1.7's deprecated API. */
#define NPY_ALIGNED NPY_ARRAY_ALIGNED
#define NPY_BEHAVED NPY_ARRAY_BEHAVED
#define NPY_CARRAY NPY_ARRAY_CARRAY
#define NPY_CONTIGUOUS NPY_ARRAY_C_CONTIGUOUS
#define NPY_C_CONTIGUOUS NPY_ARRAY_C_CONTIGUOUS
#define NPY_DEFAULT NPY_ARRAY_DEFAULT
#define NPY_ENSUREARRAY NPY_ARRAY_ENSUREARRAY
#define NPY_ENSURECOPY NPY_ARRAY_ENSURECOPY
#define NPY_FARRAY NPY_ARRAY_FARRAY
#define NPY_FORCECAST NPY_ARRAY_FORCECAST
#define NPY_FORTRAN NPY_ARRAY_F_CONTIGUOUS
#define NPY_F_CONTIGUOUS NPY_ARRAY_F_CONTIGUOUS
#define NPY_NOTSWAPPED NPY_ARRAY_NOTSWAPPED
#define NPY_OWNDATA NPY_ARRAY_OWNDATA
#define NPY_UPDATE_ALL NPY_ARRAY_UPDATE_ALL
#define NPY_UPDATEIFCOPY NPY_ARRAY_WRITEBACKIFCOPY
#define NPY_ARRAY_UPDATEIFCOPY NPY_ARRAY_WRITEBACKIFCOPY
#define NPY_WRITEABLE NPY_ARRAY_WRITEABLE

#endif
