// The loop of theano.scan: feed the inner function its slices, call it, put away what it returns.
//
// theano/_port/scan.py prepares each call and ends it. Names are Scan's: mit_mot outputs come first
// among its outputs, then mit_sot and sit_sot (together the recurrent ones), then nit_sot (without
// an initial value), then shared variables. The inner function's inputs are the sequences, the
// taps of the recurrent outputs, the shared variables, and the rest, which stays.
#include <Python.h>
#include <numpy/arrayobject.h>
#include <time.h>

#include <algorithm>
#include <string.h>
#include <vector>

#include "theano_mod_helper.h"

namespace {

typedef std::vector<long> Numbers;

// What never changes between the calls of one Scan op.
struct Plan {
    long n_seqs, n_mit_mot, n_outs, n_nit_sot, n_shared;
    bool as_while;
    Numbers vector_seqs;        // per sequence: has it one axis only?
    Numbers vector_outs;        // per recurrent and nit_sot output: the same
    std::vector<Numbers> taps;  // per recurrent output
    // Per slice that the inner function writes to a mit_mot output, in its order:
    Numbers slice_output;       // which output it belongs to
    Numbers slice_tap;          // which tap it is
    Numbers slice_input;        // if it is written in place: which mit_mot input holds it, else -1
    long n_mit_mot_inputs;
    long n_returned;            // slices of mit_mot outputs that are not written in place
};

// A Python object that is held, and where its data lay when it was taken.
struct Held {
    PyObject *object;
    void *data;
    Held() : object(NULL), data(NULL) {}
};

struct Holder {
    std::vector<Held> held;
    explicit Holder(size_t size) : held(size) {}
    ~Holder() {
        for (size_t k = 0; k < held.size(); ++k) Py_XDECREF(held[k].object);
    }
    static void *data(PyObject *object) {
        // Of other types than ndarray nothing is known, so they count as moved.
        return PyArray_Check(object) ? PyArray_DATA((PyArrayObject *)object) : NULL;
    }
    void hold(size_t k, PyObject *object) {
        Py_INCREF(object);
        Py_XSETREF(held[k].object, object);
        held[k].data = data(object);
    }
    bool unmoved(size_t k, PyObject *object) const {
        return held[k].object == object && held[k].data != NULL && held[k].data == data(object);
    }
};

// One call.
struct Call {
    const Plan *plan;
    PyObject *seqs, *shared, *outs, *inputs, *outputs, *function, *update, *allocate;
    std::vector<long> store, position;
    // What is being done when an exception comes up: "calling", "storing", "".
    const char *doing;
    double seconds;
};

PyObject *get(PyObject *storages, long k) {  // borrowed
    return PyList_GET_ITEM(PyList_GET_ITEM(storages, k), 0);
}

// Put a new reference, or NULL with an exception set, into a storage.
bool put(PyObject *storages, long k, PyObject *value) {
    return value != NULL && PyList_SetItem(PyList_GET_ITEM(storages, k), 0, value) == 0;
}

bool put_none(PyObject *storages, long k) {
    Py_INCREF(Py_None);
    return put(storages, k, Py_None);
}

// Return where row k of an array begins, counting from the end if k is negative; NULL: IndexError.
char *row_data(PyArrayObject *array, long k) {
    const npy_intp length = PyArray_NDIM(array) ? PyArray_DIM(array, 0) : 0;
    if (k < -length || k >= length) {
        PyErr_Format(PyExc_IndexError, "index %ld is out of bounds for axis 0 with size %zd", k,
                     (Py_ssize_t)length);
        return NULL;
    }
    return PyArray_BYTES(array) + (k < 0 ? k + length : k) * PyArray_STRIDE(array, 0);
}

// Return array[k] as an array, also where it has no axis left: a new reference, or NULL.
PyObject *row(PyObject *object, long k, bool is_vector) {
    if (!PyArray_CheckExact(object)) {
        if (!is_vector) return PySequence_GetItem(object, k);
        PyObject *slice = PySequence_GetSlice(object, k, k + 1);
        if (slice == NULL) return NULL;
        PyObject *scalar = PyObject_CallMethod(slice, "reshape", "(())");
        Py_DECREF(slice);
        return scalar;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    char *data = row_data(array, k);
    if (data == NULL) return NULL;
    PyArray_Descr *type = PyArray_DESCR(array);
    Py_INCREF(type);
    PyObject *view = PyArray_NewFromDescr(
        &PyArray_Type, type, PyArray_NDIM(array) - 1, PyArray_DIMS(array) + 1,
        PyArray_STRIDES(array) + 1, data, PyArray_FLAGS(array) & NPY_ARRAY_WRITEABLE, NULL);
    if (view == NULL) return NULL;
    Py_INCREF(object);
    if (PyArray_SetBaseObject((PyArrayObject *)view, object) < 0) {
        Py_DECREF(view);
        return NULL;
    }
    return view;
}

// Do value and the rows of array hold the same bytes for the same elements?
bool same_layout(PyArrayObject *array, PyArrayObject *value) {
    const int axes = PyArray_NDIM(value);
    if (PyArray_DESCR(array) != PyArray_DESCR(value) || PyArray_NDIM(array) != axes + 1 ||
        !PyArray_IS_C_CONTIGUOUS(value) || !PyArray_IS_C_CONTIGUOUS(array) ||
        !PyArray_ISWRITEABLE(array) || PyDataType_REFCHK(PyArray_DESCR(array)))
        return false;
    return std::equal(PyArray_DIMS(value), PyArray_DIMS(value) + axes, PyArray_DIMS(array) + 1);
}

// array[k] = value
bool store_row(PyObject *object, long k, PyObject *value) {
    if (!PyArray_CheckExact(object)) return PySequence_SetItem(object, k, value) == 0;
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_Check(value) && same_layout(array, (PyArrayObject *)value)) {
        char *data = row_data(array, k);
        if (data == NULL) return false;
        memmove(data, PyArray_DATA((PyArrayObject *)value), PyArray_NBYTES((PyArrayObject *)value));
        return true;
    }
    PyObject *view = row(object, k, false);
    if (view == NULL) return false;
    const int status = PyArray_Check(value)
                           ? PyArray_CopyInto((PyArrayObject *)view, (PyArrayObject *)value)
                           : PyArray_CopyObject((PyArrayObject *)view, value);
    Py_DECREF(view);
    return status == 0;
}

bool feed_inputs(Call &call, long step) {
    const Plan &plan = *call.plan;
    for (long k = 0; k < plan.n_seqs; ++k)
        if (!put(call.inputs, k, row(PyList_GET_ITEM(call.seqs, k), step, plan.vector_seqs[k])))
            return false;
    long input = plan.n_seqs;
    for (long k = 0; k < plan.n_outs; ++k) {
        const Numbers &taps = plan.taps[k];
        for (size_t t = 0; t < taps.size(); ++t, ++input) {
            long at = (call.position[k] + taps[t]) % call.store[k];
            if (at < 0) at += call.store[k];
            if (!put(call.inputs, input, row(get(call.outs, k), at, plan.vector_outs[k])))
                return false;
        }
    }
    for (long k = 0; k < plan.n_shared; ++k, ++input) {
        PyObject *value = step == 0 ? PyList_GET_ITEM(call.shared, k)
                                    : get(call.outs, plan.n_outs + plan.n_nit_sot + k);
        Py_INCREF(value);
        if (!put(call.inputs, input, value)) return false;
    }
    return true;
}

// Offer the inner function the very rows where its results belong, as places to compute them in.
bool offer_outputs(Call &call, long step) {
    const Plan &plan = *call.plan;
    long output = 0;
    for (; output < plan.n_returned; ++output)
        if (!put_none(call.outputs, output)) return false;
    for (long k = plan.n_mit_mot; k < plan.n_outs + plan.n_nit_sot; ++k, ++output) {
        const bool apart = step == 0 || call.store[k] == 1 || plan.vector_outs[k];
        if (apart ? !put_none(call.outputs, output)
                  : !put(call.outputs, output, row(get(call.outs, k), call.position[k], false)))
            return false;
    }
    for (long k = 0; k < plan.n_shared + plan.as_while; ++k, ++output)
        if (!put_none(call.outputs, output)) return false;
    return true;
}

bool call_function(Call &call) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    call.doing = "calling";
    PyObject *result = PyObject_CallNoArgs(call.function);
    if (result == NULL) return false;
    Py_DECREF(result);
    call.doing = "";
    clock_gettime(CLOCK_MONOTONIC, &after);
    call.seconds += (after.tv_sec - before.tv_sec) + 1e-9 * (after.tv_nsec - before.tv_nsec);
    if (call.update != Py_None) {
        result = PyObject_CallNoArgs(call.update);
        if (result == NULL) return false;
        Py_DECREF(result);
    }
    return true;
}

bool store_mit_mot(Call &call, const Holder &inputs) {
    const Plan &plan = *call.plan;
    long output = 0;
    for (size_t s = 0; s < plan.slice_output.size(); ++s) {
        const long k = plan.slice_output[s], input = plan.slice_input[s];
        PyObject *value;
        if (input >= 0) {
            value = get(call.inputs, plan.n_seqs + input);
            if (inputs.unmoved(input, value)) continue;
        } else {
            value = get(call.outputs, output++);
        }
        if (!store_row(get(call.outs, k), plan.slice_tap[s] + call.position[k], value))
            return false;
    }
    return true;
}

bool store_outputs(Call &call, long step, const Holder &offered) {
    const Plan &plan = *call.plan;
    for (long k = plan.n_mit_mot; k < plan.n_outs + plan.n_nit_sot; ++k) {
        const long place = k - plan.n_mit_mot, output = plan.n_returned + place;
        PyObject *value = get(call.outputs, output);
        const bool first = step == 0 && k >= plan.n_outs;
        if (first) {
            PyObject *result = PyObject_CallFunction(call.allocate, "lO", k, value);
            if (result == NULL) return false;
            Py_DECREF(result);
        }
        const bool apart = first || call.store[k] == 1 || plan.vector_outs[k];
        if (!apart && offered.unmoved(place, value)) continue;
        if (!apart && step > 0 && k < plan.n_outs) call.doing = "storing";
        if (!store_row(get(call.outs, k), call.position[k], value)) return false;
        call.doing = "";
    }
    for (long k = 0; k < plan.n_shared; ++k) {
        const long out = plan.n_outs + plan.n_nit_sot + k;
        PyObject *value = get(call.outputs, plan.n_returned + out - plan.n_mit_mot);
        Py_INCREF(value);
        if (!put(call.outs, out, value)) return false;
    }
    return true;
}

// Return the number of steps made, or -1 with an exception set.
long loop(Call &call, long n_steps) {
    const Plan &plan = *call.plan;
    const long n_stored = plan.n_outs + plan.n_nit_sot - plan.n_mit_mot;
    Holder offered(n_stored), inputs(plan.n_mit_mot_inputs);
    for (long step = 0; step < n_steps;) {
        if (!feed_inputs(call, step) || !offer_outputs(call, step)) return -1;
        for (long k = 0; k < n_stored; ++k)
            offered.hold(k, get(call.outputs, plan.n_returned + k));
        for (long k = 0; k < plan.n_mit_mot_inputs; ++k)
            inputs.hold(k, get(call.inputs, plan.n_seqs + k));
        if (!call_function(call)) return -1;
        bool go_on = true;
        if (plan.as_while) {
            PyObject *zero = PyLong_FromLong(0);
            PyObject *stop = get(call.outputs, plan.n_returned + n_stored + plan.n_shared);
            const int equal = PyObject_RichCompareBool(stop, zero, Py_EQ);
            Py_DECREF(zero);
            if (equal < 0) return -1;
            go_on = equal;
        }
        if (!store_mit_mot(call, inputs) || !store_outputs(call, step, offered)) return -1;
        for (size_t k = 0; k < call.position.size(); ++k)
            call.position[k] = (call.position[k] + 1) % call.store[k];
        ++step;
        if (!go_on || step == n_steps) return step;
    }
    return 0;
}

// ---- From and to Python ----

bool read_numbers(PyObject *object, Numbers *result) {
    PyObject *list = PySequence_Fast(object, "a sequence of integers is needed");
    if (list == NULL) return false;
    result->clear();
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(list); ++k)
        result->push_back(PyLong_AsLong(PySequence_Fast_GET_ITEM(list, k)));
    Py_DECREF(list);
    return !PyErr_Occurred();
}

void delete_plan(PyObject *capsule) { delete (Plan *)PyCapsule_GetPointer(capsule, "scan.Plan"); }

PyObject *make_plan(PyObject *, PyObject *arguments) {
    PyObject *vector_seqs, *vector_outs, *taps, *slice_output, *slice_tap, *slice_input;
    int as_while;
    Plan plan;
    if (!PyArg_ParseTuple(arguments, "lllllpOOO!OOO", &plan.n_seqs, &plan.n_mit_mot, &plan.n_outs,
                          &plan.n_nit_sot, &plan.n_shared, &as_while, &vector_seqs, &vector_outs,
                          &PyList_Type, &taps, &slice_output, &slice_tap, &slice_input))
        return NULL;
    plan.as_while = as_while;
    if (!read_numbers(vector_seqs, &plan.vector_seqs) ||
        !read_numbers(vector_outs, &plan.vector_outs) ||
        !read_numbers(slice_output, &plan.slice_output) ||
        !read_numbers(slice_tap, &plan.slice_tap) || !read_numbers(slice_input, &plan.slice_input))
        return NULL;
    plan.taps.resize(PyList_GET_SIZE(taps));
    for (size_t k = 0; k < plan.taps.size(); ++k)
        if (!read_numbers(PyList_GET_ITEM(taps, k), &plan.taps[k])) return NULL;
    if ((long)plan.vector_seqs.size() != plan.n_seqs || (long)plan.taps.size() != plan.n_outs ||
        (long)plan.vector_outs.size() != plan.n_outs + plan.n_nit_sot ||
        plan.n_mit_mot > plan.n_outs) {
        PyErr_SetString(PyExc_ValueError, "the numbers of a Scan op do not fit together");
        return NULL;
    }
    plan.n_mit_mot_inputs = 0;
    for (long k = 0; k < plan.n_mit_mot; ++k) plan.n_mit_mot_inputs += plan.taps[k].size();
    plan.n_returned = std::count(plan.slice_input.begin(), plan.slice_input.end(), -1L);
    return PyCapsule_New(new Plan(plan), "scan.Plan", delete_plan);
}

// Are these lists of one-element lists, long enough?
bool are_storages(PyObject *list, long length) {
    if (PyList_GET_SIZE(list) < length) return false;
    for (long k = 0; k < length; ++k) {
        PyObject *storage = PyList_GET_ITEM(list, k);
        if (!PyList_Check(storage) || PyList_GET_SIZE(storage) != 1) return false;
    }
    return true;
}

PyObject *run(PyObject *, PyObject *arguments) {
    PyObject *capsule, *store, *position, *progress;
    long n_steps;
    Call call;
    if (!PyArg_ParseTuple(arguments, "OlO!O!O!OOO!O!OOOO!", &capsule, &n_steps, &PyList_Type,
                          &call.seqs, &PyList_Type, &call.shared, &PyList_Type, &call.outs, &store,
                          &position, &PyList_Type, &call.inputs, &PyList_Type, &call.outputs,
                          &call.function, &call.update, &call.allocate, &PyList_Type, &progress))
        return NULL;
    call.plan = (Plan *)PyCapsule_GetPointer(capsule, "scan.Plan");
    if (call.plan == NULL || !read_numbers(store, &call.store) ||
        !read_numbers(position, &call.position))
        return NULL;
    const Plan &plan = *call.plan;
    const long n_stored = plan.n_outs + plan.n_nit_sot;
    long n_taps = 0;
    for (size_t k = 0; k < plan.taps.size(); ++k) n_taps += plan.taps[k].size();
    if (PyList_GET_SIZE(call.seqs) != plan.n_seqs || PyList_GET_SIZE(call.shared) != plan.n_shared ||
        (long)call.store.size() != n_stored || (long)call.position.size() != n_stored ||
        std::count(call.store.begin(), call.store.end(), 0L) ||
        !are_storages(call.outs, n_stored + plan.n_shared) ||
        !are_storages(call.inputs, plan.n_seqs + n_taps + plan.n_shared) ||
        !are_storages(call.outputs, plan.n_returned + n_stored - plan.n_mit_mot + plan.n_shared +
                                        plan.as_while)) {
        PyErr_SetString(PyExc_ValueError, "the arguments of a scan do not fit its plan");
        return NULL;
    }
    call.doing = "";
    call.seconds = 0;
    const long made = loop(call, n_steps);
    if (made < 0) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        PyList_SetItem(progress, 0, PyUnicode_FromString(call.doing));
        PyErr_Restore(type, value, traceback);
        return NULL;
    }
    PyObject *ends = PyList_New(n_stored);
    if (ends == NULL) return NULL;
    for (long k = 0; k < n_stored; ++k)
        PyList_SET_ITEM(ends, k, PyLong_FromLong(call.position[k]));
    return Py_BuildValue("lNd", made, ends, call.seconds);
}

PyMethodDef methods[] = {
    {"plan", make_plan, METH_VARARGS, "Return what stays the same between the calls of a Scan."},
    {"run", run, METH_VARARGS, "Make the steps; return their number, the positions, the seconds."},
    {NULL, NULL, 0, NULL}};

struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "scan_perform", NULL, -1, methods, NULL, NULL, NULL, NULL};

}  // namespace

PyMODINIT_FUNC PyInit_scan_perform(void) {
    import_array();
    return PyModule_Create(&definition);
}
