// x[index] += y and x[index] = y over the first axis of x, for AdvancedIncSubtensor1.
//
// NumPy 2 took the MapIter C API away that Theano used. An index that occurs more than once counts
// each time: increments add up, and of several values set, the last stays.

namespace theano_colab {

template <typename Real>
struct Pair {
    Real real, imag;
    Pair &operator+=(const Pair &other) {
        real += other.real;
        imag += other.imag;
        return *this;
    }
};

struct Truth {
    npy_bool value;
    Truth &operator+=(const Truth &other) {
        value = value || other.value;
        return *this;
    }
};

template <typename Value>
struct Add {
    static void to(Value &target, const Value &value) { target += value; }
};

template <typename Value>
struct Set {
    static void to(Value &target, const Value &value) { target = value; }
};

// The rows of one array: where they begin, and the step in bytes along each axis.
struct Rows {
    char *data;
    npy_intp stride[NPY_MAXDIMS];
};

// Apply Operation to every element of a row; shape and strides leave out the first axis.
template <typename Value, typename Operation>
void row(char *to, const char *from, int axes, const npy_intp *shape, const npy_intp *to_stride,
         const npy_intp *from_stride) {
    if (axes == 0) {
        Operation::to(*(Value *)to, *(const Value *)from);
    } else if (axes > 1) {
        for (npy_intp i = 0; i < shape[0]; ++i)
            row<Value, Operation>(to + i * to_stride[0], from + i * from_stride[0], axes - 1,
                                  shape + 1, to_stride + 1, from_stride + 1);
    } else if (to_stride[0] == sizeof(Value) && from_stride[0] == sizeof(Value)) {
        // The usual case, apart, so that the compiler can vectorize it.
        for (npy_intp i = 0; i < shape[0]; ++i)
            Operation::to(((Value *)to)[i], ((const Value *)from)[i]);
    } else {
        for (npy_intp i = 0; i < shape[0]; ++i)
            Operation::to(*(Value *)(to + i * to_stride[0]),
                          *(const Value *)(from + i * from_stride[0]));
    }
}

template <typename Value, typename Operation>
void rows(const Rows &x, const Rows &y, int axes, const npy_intp *shape, const npy_intp *index,
          npy_intp count) {
    for (npy_intp k = 0; k < count; ++k)
        row<Value, Operation>(x.data + index[k] * x.stride[0], y.data + k * y.stride[0], axes - 1,
                              shape + 1, x.stride + 1, y.stride + 1);
}

typedef void (*Loop)(const Rows &, const Rows &, int, const npy_intp *, const npy_intp *, npy_intp);

template <typename Value>
Loop choose(bool add) {
    return add ? &rows<Value, Add<Value> > : &rows<Value, Set<Value> >;
}

inline Loop loop_for(int type, bool add) {
    switch (type) {
        case NPY_BOOL: return choose<Truth>(add);
        case NPY_INT8: return choose<npy_int8>(add);
        case NPY_INT16: return choose<npy_int16>(add);
        case NPY_INT32: return choose<npy_int32>(add);
        case NPY_INT64: return choose<npy_int64>(add);
        case NPY_UINT8: return choose<npy_uint8>(add);
        case NPY_UINT16: return choose<npy_uint16>(add);
        case NPY_UINT32: return choose<npy_uint32>(add);
        case NPY_UINT64: return choose<npy_uint64>(add);
        case NPY_FLOAT32: return choose<npy_float32>(add);
        case NPY_FLOAT64: return choose<npy_float64>(add);
        case NPY_COMPLEX64: return choose<Pair<npy_float32> >(add);
        case NPY_COMPLEX128: return choose<Pair<npy_float64> >(add);
        default: return NULL;
    }
}

// Make every index lie in [0, length), counting negative ones from the end as NumPy does.
inline int wrap(PyArrayObject *index, npy_intp length) {
    npy_intp *value = (npy_intp *)PyArray_DATA(index);
    const npy_intp count = PyArray_SIZE(index);
    for (npy_intp k = 0; k < count; ++k) {
        const npy_intp given = value[k];
        if (given < -length || given >= length) {
            PyErr_Format(PyExc_IndexError,
                         "index %zd is out of bounds for axis 0 with size %zd",
                         (Py_ssize_t)given, (Py_ssize_t)length);
            return -1;
        }
        if (given < 0) value[k] += length;
    }
    return 0;
}

// Lay out the rows of y, broadcast to the shape (number of indices, *x.shape[1:]).
inline int broadcast(PyArrayObject *y, int axes, const npy_intp *shape, Rows *result) {
    const int missing = axes - PyArray_NDIM(y);
    result->data = PyArray_BYTES(y);
    for (int axis = 0; axis < axes; ++axis) {
        const npy_intp length = axis < missing ? 1 : PyArray_DIM(y, axis - missing);
        if (length == shape[axis] && axis >= missing) {
            result->stride[axis] = PyArray_STRIDE(y, axis - missing);
        } else if (length == 1) {
            result->stride[axis] = 0;
        } else {
            PyErr_Format(PyExc_ValueError,
                         "array is not broadcastable to correct shape: axis %d has length %zd, "
                         "not %zd",
                         axis, (Py_ssize_t)length, (Py_ssize_t)shape[axis]);
            return -1;
        }
    }
    return 0;
}

}  // namespace theano_colab

// Add y to x[index] (add != 0) or set x[index] to y. Returns 0, or -1 with an exception set; x is
// then untouched.
static int inplace_increment(PyArrayObject *x, PyObject *index, PyArrayObject *y, int add) {
    using namespace theano_colab;
    const int axes = PyArray_NDIM(x);
    if (PyArray_FailUnlessWriteable(x, "input/output array") < 0) return -1;
    if (axes == 0) {
        PyErr_SetString(PyExc_IndexError, "0-d arrays can't be indexed.");
        return -1;
    }
    if (PyArray_NDIM(y) > axes) {
        PyErr_SetString(PyExc_ValueError, "array is not broadcastable to correct shape");
        return -1;
    }
    const Loop loop = loop_for(PyArray_TYPE(x), add != 0);
    if (loop == NULL) {
        PyErr_SetString(PyExc_TypeError, "unsupported type for a");
        return -1;
    }
    PyArray_Descr *type = PyArray_DESCR(x);
    Py_INCREF(type);
    PyArrayObject *values = (PyArrayObject *)PyArray_FromAny(
        (PyObject *)y, type, 0, 0, NPY_ARRAY_FORCECAST | NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED,
        NULL);
    // A copy, because negative indices are rewritten in it.
    PyArrayObject *indices = (PyArrayObject *)PyArray_FromAny(
        index, PyArray_DescrFromType(NPY_INTP), 1, 1,
        NPY_ARRAY_CARRAY | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_FORCECAST, NULL);
    int status = -1;
    if (values != NULL && indices != NULL && wrap(indices, PyArray_DIM(x, 0)) == 0) {
        npy_intp shape[NPY_MAXDIMS];
        Rows to, from;
        to.data = PyArray_BYTES(x);
        for (int axis = 0; axis < axes; ++axis) {
            shape[axis] = PyArray_DIM(x, axis);
            to.stride[axis] = PyArray_STRIDE(x, axis);
        }
        shape[0] = PyArray_DIM(indices, 0);
        status = broadcast(values, axes, shape, &from);
        if (status == 0)
            loop(to, from, axes, shape, (const npy_intp *)PyArray_DATA(indices), shape[0]);
    }
    Py_XDECREF(values);
    Py_XDECREF(indices);
    return status;
}
