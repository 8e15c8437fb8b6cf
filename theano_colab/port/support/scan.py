"""Runs theano.scan's loop in compiled code: compiles it once, prepares and ends each call.

``scan_perform.cpp`` makes the steps. The results are those of ``Scan.execute``, Theano's own loop
in Python, which is used where there is no compiler.
"""

import hashlib
import importlib
import sys
import time
from pathlib import Path

from theano import config
from theano._port import build
from theano.gof import cmodule, link
from theano.gof.compilelock import get_lock, release_lock

SOURCE = build.FOLDER / "scan_perform.cpp"
_compiled = None


def compiled():
    """Return the extension module, compiled into the compile directory at its first use.

    Raises MissingGXX where there is no compiler and nothing compiled before.
    """
    global _compiled
    if _compiled is None:
        folder = Path(config.compiledir) / "scan_perform"
        if not _is_current(folder):
            get_lock()
            try:
                # Another process may have compiled it while this one waited.
                if not _is_current(folder):
                    _compile(folder)
            finally:
                release_lock()
        _compiled = _load(folder)
    return _compiled


def _fingerprint():
    return hashlib.sha256(SOURCE.read_bytes() + repr(build.header_flags()).encode()).hexdigest()


def _is_current(folder):
    try:
        return (folder / "fingerprint.txt").read_text("utf-8") == _fingerprint()
    except OSError:
        return False


def _compile(folder):
    if not config.cxx:
        raise cmodule.MissingGXX("no C++ compiler: scan runs through its Python loop")
    folder.mkdir(exist_ok=True)
    arguments = [*cmodule.GCC_compiler.compile_args(), "-O2"]
    source = SOURCE.read_text("utf-8")
    cmodule.GCC_compiler.compile_str(
        "scan_perform", source, location=str(folder), preargs=arguments, py_module=False
    )
    (folder / "__init__.py").touch()
    (folder / "fingerprint.txt").write_text(_fingerprint(), "utf-8")


def _load(folder):
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder.parent))
    try:
        return importlib.import_module("scan_perform.scan_perform")
    finally:
        sys.path.remove(str(folder.parent))


def loop(op):
    """Return ``perform(node, args, outs)`` for a Scan op whose inner function is compiled.

    ``args`` holds the values of the node's inputs, ``outs`` the storage of its outputs. Raises
    MissingGXX as ``compiled`` does.
    """
    module = compiled()
    plan = module.plan(
        op.n_seqs,
        op.n_mit_mot,
        op.n_outs,
        op.n_nit_sot,
        op.n_shared_outs,
        op.as_while,
        op.vector_seqs,
        op.vector_outs,
        [list(taps) for taps in op.tap_array[: op.n_outs]],
        *_mit_mot_slices(op),
    )
    first_state, first_shared = op.seqs_arg_offset, op.shared_arg_offset
    first_length = op.nit_sot_arg_offset
    first_rest = first_length + op.n_nit_sot
    n_fed = op.n_seqs + sum(map(len, op.tap_array[: op.n_outs])) + op.n_shared_outs

    def perform(node, args, outs):
        start = time.perf_counter()
        n_steps = int(args[0])
        seqs = args[1:first_state]
        _check_lengths(n_steps, seqs, node)
        store = [len(state) for state in args[first_state:first_shared]]
        store += [int(length) for length in args[first_length:first_rest]]
        position = [-least % length for least, length in zip(op.mintaps, store, strict=False)]
        for index in range(op.n_outs):
            _place_state(op, index, args[first_state + index], outs[index], store[index])
        inputs = [container.storage for container in op.fn.input_storage]
        outputs = [container.storage for container in op.fn.output_storage]
        for storage, value in zip(inputs[n_fed:], args[first_rest:], strict=False):
            storage[0] = value

        def allocate(index, value):
            _place_rows(node.outputs[index].type, outs[index], store[index], value)

        progress = [""]
        function = op.fn.fn
        try:
            made, position, seconds = module.run(
                plan,
                n_steps,
                list(seqs),
                list(args[first_shared:first_length]),
                list(outs),
                store,
                position,
                inputs,
                outputs,
                function,
                _updater(op.fn),
                allocate,
                progress,
            )
        except Exception as error:
            if progress[0] == "calling":
                _explain(op.fn)
            if progress[0] == "storing" and isinstance(error, ValueError):
                raise ValueError(
                    "An output of the scan has changed shape. This may be caused by a pushout "
                    "optimization. Try adding 'optimizer_excluding=scanOp_pushout_output' to "
                    "your Theano flags."
                ) from error
            raise
        for index in range(op.n_mit_mot, op.n_outs + op.n_nit_sot):
            filled = made - op.mintaps[index]
            if store[index] < filled and position[index] < store[index]:
                _unroll(outs[index][0], store[index], position[index])
            elif store[index] > filled:
                # Truncated gradients leave the rest zero; a while loop that ended early has none.
                outs[index][0][filled:] = 0
                if made < n_steps:
                    outs[index][0] = outs[index][0][: made - n_steps]
        for storage in inputs:
            storage[0] = None
        for storage in outputs:
            storage[0] = None
        _record(op, n_steps, time.perf_counter() - start, seconds)

    return perform


def _mit_mot_slices(op):
    """Return, per slice of a mit_mot output: its output, its tap, and its input or -1.

    The input is the one that the inner function overwrites with the slice, where it does.
    """
    outputs, taps, inputs = [], [], []
    first = 0
    for index in range(op.n_mit_mot):
        for tap in op.mit_mot_out_slices[index]:
            in_place = op.mitmots_preallocated[len(outputs)]
            outputs.append(index)
            taps.append(tap)
            inputs.append(first + op.tap_array[index].index(tap) if in_place else -1)
        first += len(op.tap_array[index])
    return outputs, taps, inputs


def _check_lengths(n_steps, seqs, node):
    if n_steps < 0:
        raise IndexError(f"Scan was asked to run for negative number of step {n_steps}")
    if n_steps == 0:
        raise NotImplementedError("We didn't implemented yet the case where scan do 0 iteration")
    for index, seq in enumerate(seqs):
        if seq.shape[0] < n_steps:
            raise ValueError(
                "Sequence is shorter then the required number of steps : "
                "(n_steps, seq, seq.shape):",
                n_steps,
                node.inputs[1 + index],
                seq.shape,
            )


def _place_state(op, index, state, out, length):
    """Put the initial state where the output of this index will grow: in place, or copied."""
    old = out[0]
    if index in (getattr(op, "destroy_map", None) or ()):
        out[0] = state
    elif old is not None and old.shape[1:] == state.shape[1:] and old.shape[0] >= length:
        out[0] = old = old[:length]
        # Of a mit_mot output every row is read, of the others those before the first step.
        rows = length if index < op.n_mit_mot else -op.mintaps[index]
        old[:rows] = state[:rows]
    else:
        out[0] = state.copy()


def _place_rows(kind, out, length, value):
    """Make room for the rows of a nit_sot output, now that the first one is known."""
    old, shape = out[0], (length, *value.shape)
    if (
        old is None
        or old.shape[0] < length
        or old.shape[1:] != shape[1:]
        or old.dtype != value.dtype
    ):
        out[0] = kind.value_zeros(shape)
    elif old.shape[0] != length:
        out[0] = old[:length]


def _updater(fn):
    """Return what carries out the updates of an inner function that leaves them to its caller."""
    if not getattr(fn.fn, "need_update_inputs", True):
        return None
    updated = [
        storage
        for inner, storage in zip(fn.maker.expanded_inputs, fn.input_storage, strict=True)
        if inner.update is not None
    ]
    if not updated:
        return None
    results = fn.output_storage[-len(updated) :]

    def update():
        for storage, result in zip(updated, results, strict=True):
            storage.data = result.data

    return update


def _explain(fn):
    """Raise the current exception again, with the inner function's node that it came from."""
    vm = fn.fn
    if hasattr(vm, "position_of_error"):
        where = vm.position_of_error
        thunks = getattr(vm, "thunks", None)
        # Theano-PyMC, whose nodes do not know their graph, wants it first.
        graph = [] if hasattr(vm.nodes[where], "fgraph") else [fn.maker.fgraph]
        link.raise_with_op(*graph, vm.nodes[where], thunks[where] if thunks else None)


def _unroll(rows, length, position):
    """Turn a ring of rows so that the oldest, which is at ``position``, comes first."""
    if position >= length // 2:
        late = rows[:position].copy()
        rows[: length - position] = rows[position:]
        rows[length - position :] = late
    else:
        early = rows[position:].copy()
        rows[length - position :] = rows[:position]
        rows[: length - position] = early


def _record(op, n_steps, seconds, inner_seconds):
    profile = getattr(op.fn.maker, "profile", None)
    if profile:
        profile.callcount += 1
        profile.nbsteps += n_steps
        profile.call_time += seconds
        profile.vm_call_time += inner_seconds
        if hasattr(op.fn.fn, "update_profile"):
            op.fn.fn.update_profile(profile)
    op.t_call, op.t_fn = seconds, inner_seconds
