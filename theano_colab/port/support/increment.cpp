// x[index] += y and x[index] = y over the first axis of x, for AdvancedIncSubtensor1.
//
// NumPy 2 took the MapIter C API away that Theano used. An index that occurs more than once counts
// each time: increments add up, and of several values set, the last stays.

namespace theano_colab {

// bool's addition is "or", as in NumPy.
struct Truth {
    npy_bool value;
    Truth operator+(const Truth &other) const {
        Truth sum = {(npy_bool)(value || other.value)};
        return sum;
    }
};

template <typename Value>
struct Add {
    static void to(Value &target, const Value &value) { target = target + value; }
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
void rows(const Rows &x, const Rows &y, int axes, const npy_intp *shape, const npy_intp *index) {
    for (npy_intp k = 0; k < shape[0]; ++k)
        row<Value, Operation>(x.data + index[k] * x.stride[0], y.data + k * y.stride[0], axes - 1,
                              shape + 1, x.stride + 1, y.stride + 1);
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

// Add y to x[index] (add != 0) or set x[index] to y, where Value is the C type of x's elements.
// Returns 0, or -1 with an exception set; x is then untouched.
template <typename Value>
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
    if (PyArray_ITEMSIZE(x) != sizeof(Value)) {
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
        const npy_intp *place = (const npy_intp *)PyArray_DATA(indices);
        if (status == 0 && add)
            rows<Value, Add<Value> >(to, from, axes, shape, place);
        else if (status == 0)
            rows<Value, Set<Value> >(to, from, axes, shape, place);
    }
    Py_XDECREF(values);
    Py_XDECREF(indices);
    return status;
}
