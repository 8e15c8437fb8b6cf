"""Starts what computes on the device that the flags name: pygpu's backend, or else XLA's."""

import importlib
import importlib.util
import logging

logger = logging.getLogger("theano.device")


def start(config):
    """Take the device of ``device``, ``init_gpu_device`` or ``contexts`` into use, if one is named.

    A device that cannot be used is an error in the log, and everything runs on the CPU; with
    ``force_device`` it is an exception.
    """
    named = [config.device, config.init_gpu_device]
    if not (config.contexts or any(one.startswith(("cuda", "opencl", "xla")) for one in named)):
        return
    if not config.device.startswith("xla") and importlib.util.find_spec("pygpu"):
        importlib.import_module("theano.gpuarray")
        return
    try:
        from theano_colab.xla import start as xla
    except ImportError as error:
        why = f"theano_colab's XLA backend cannot be imported: {error}"
        if config.force_device:
            raise RuntimeError(why) from error
        stay_on_cpu(config, why)
        return
    xla.start(config)


def stay_on_cpu(config, why):
    """Log why no device is used, and let ``config.device`` say so."""
    logger.error("device=%s cannot be used; the CPU computes. %s", config.device, why)
    # The flag may not be changed by users once it was read; this is the one who tells what is so.
    type(config).device.val = "cpu"


def on_host(outputs):
    """Return a function's outputs (a variable, an Out, or a list), fetched from the device.

    What was transferred there explicitly stays: Theano's tutorial has it as the way to keep a
    result on the device.
    """
    if isinstance(outputs, (list, tuple)):
        return [on_host(one) for one in outputs]
    variable = getattr(outputs, "variable", outputs)
    fetch = getattr(variable.type, "fetch_output", None)
    if fetch is None:
        return outputs
    fetched = fetch(variable)
    if variable is outputs:
        return fetched
    outputs.variable = fetched
    return outputs


def stays(value):
    """Tell whether an op that takes arrays on a device takes ``value`` as it is.

    Tensors, and pygpu's arrays, for which pygpu's backend has ops; not a variable of XLA's.
    """
    kind = getattr(value, "type", None)
    return kind is not None and not hasattr(kind, "fetch_output")
