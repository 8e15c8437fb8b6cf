"""What ArviZ had for PyMC3 until 0.12: ``from_pymc3``, and plots and statistics of a MultiTrace.

Goes into the wheel of PyMC3 as ``pymc3._arviz``. PyMC3 asks ArviZ for ``from_pymc3`` after each
``pm.sample``, to check convergence; notebooks call ``az.plot_trace(trace)``.
"""

import functools
import sys

import arviz
import numpy as np
import theano
from arviz.data import converters


def from_pymc3(
    trace=None,
    *,
    prior=None,
    posterior_predictive=None,
    log_likelihood=None,
    coords=None,
    dims=None,
    model=None,
    save_warmup=None,
    density_dist_obs=True,
):
    """Return an ``arviz.InferenceData`` of a MultiTrace and what belongs to it.

    Arguments and groups are those of ArviZ 0.11; groups for which nothing is given are left out.
    Without ``model`` it is the one of the surrounding ``with``, or that of the trace.
    """
    model = _model(model, trace)
    groups, attributes = {}, {"inference_library": "pymc3"}
    if save_warmup is None:
        save_warmup = arviz.rcParams["data.save_warmup"]
    if log_likelihood is None:
        log_likelihood = arviz.rcParams.get("data.log_likelihood", True)
    if trace is not None:
        tuned, drawn = _split(trace)
        groups |= _drawn("", drawn)
        if save_warmup and tuned is not None:
            groups |= _drawn("warmup_", tuned)
        if seconds := getattr(trace.report, "t_sampling", None):
            attributes["sampling_time"] = seconds
        attributes["tuning_steps"] = getattr(trace.report, "n_tune", None) or 0
        if log_likelihood and model is not None and model.observed_RVs:
            chosen = model.observed_RVs if log_likelihood is True else log_likelihood
            chosen = [model[one] if isinstance(one, str) else one for one in chosen]
            groups["log_likelihood"] = _likelihood(chosen, drawn)
            if save_warmup and tuned is not None:
                groups["warmup_log_likelihood"] = _likelihood(chosen, tuned)
    if posterior_predictive is not None:
        chains, draws = (trace.nchains, len(_split(trace)[1])) if trace is not None else (1, -1)
        groups["posterior_predictive"] = _by_chain(posterior_predictive, chains, draws)
    observed = {} if model is None else _observed(model, density_dist_obs=density_dist_obs)
    if prior is not None:
        names = set() if model is None else {one.name for one in model.observed_RVs}
        split = {name: np.asarray(value)[None] for name, value in prior.items()}
        groups["prior"] = {k: v for k, v in split.items() if k not in names}
        groups["prior_predictive"] = {k: v for k, v in split.items() if k in names}
    if model is not None:
        groups["observed_data"] = observed
        groups["constant_data"] = _constants(model)
        coords, dims = _axes(model, coords, dims)
    groups = {name: values for name, values in groups.items() if values}
    return arviz.from_dict(
        **groups, coords=coords, dims=dims, save_warmup=save_warmup, attrs=attributes
    )


def from_pymc3_predictions(
    predictions,
    posterior_trace=None,
    model=None,
    coords=None,
    dims=None,
    idata_orig=None,
    inplace=False,
):
    """Return an ``InferenceData`` of predictions, added to ``idata_orig`` where it is given."""
    model = _model(model, posterior_trace)
    chains, draws = (1, -1)
    if posterior_trace is not None:
        chains, draws = posterior_trace.nchains, len(posterior_trace)
    coords, dims = _axes(model, coords, dims)
    found = arviz.from_dict(
        predictions=_by_chain(predictions, chains, draws),
        predictions_constant_data=_constants(model) or None,
        pred_coords=coords,
        pred_dims=dims,
    )
    if idata_orig is None:
        return found
    both = arviz.concat([idata_orig, found], dim=None, inplace=inplace)
    return idata_orig if inplace else both


def geweke(values, first=0.1, last=0.5, intervals=20):
    """Return rows of (start, z): how far parts of the first half are from the last part's mean."""
    values = np.asarray(values)
    if values.ndim > 1:
        return np.array([geweke(chain, first, last, intervals) for chain in values])
    if not 0 < first < 1 or not 0 < last < 1 or first + last >= 1:
        raise ValueError("first and last must lie between 0 and 1, and so must their sum")
    end = len(values) - 1
    rows = []
    for start in np.linspace(0, end / 2, num=intervals).astype(int):
        early = values[start : start + int(first * (end - start))]
        late = values[int(end - last * (end - start)) :]
        spread = np.sqrt(early.var() + late.var())
        rows.append([start, (early.mean() - late.mean()) / spread])
    return np.array(rows)


def install():
    """Give ArviZ the functions back, and let all of it take a MultiTrace as it did."""
    arviz.from_pymc3, arviz.from_pymc3_predictions = from_pymc3, from_pymc3_predictions
    before = converters.convert_to_inference_data

    @functools.wraps(before)
    def convert(obj, *arguments, **options):
        if type(obj).__name__ == "MultiTrace":
            options.pop("group", None)
            obj, options = from_pymc3(obj, **options), {}
        return before(obj, *arguments, **options)

    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "arviz":
            for attribute, value in list(vars(module).items()):
                if value is before:
                    setattr(module, attribute, convert)


def _model(model, trace):
    from pymc3.model import modelcontext

    if model is not None:
        return model
    try:
        return modelcontext(None)
    except TypeError:  # outside of every model
        chains = () if trace is None else trace._straces.values()
        return next((chain.model for chain in chains), None)


def _split(trace):
    """Return the part of the trace that was tuning, or None, and the part that counts."""
    draws = getattr(trace.report, "n_draws", None) or len(trace)
    tuned = max(0, len(trace) - draws)
    return (trace[:tuned], trace[tuned:]) if tuned else (None, trace)


def _drawn(prefix, trace):
    # Python and Theano have names with two underscores at their end for what is transformed.
    names = [name for name in trace.varnames if not name.endswith("__")]
    posterior = {n: np.array(trace.get_values(n, combine=False, squeeze=False)) for n in names}
    stats = {
        {"model_logp": "lp"}.get(name, name): np.array(
            trace.get_sampler_stats(name, combine=False, squeeze=False)
        )
        for name in sorted(trace.stat_names - {"tune"})
    }
    # One sampler has no axis of samplers.
    stats = {
        name: value[..., 0] if value.ndim > 2 and value.shape[2] == 1 else value
        for name, value in stats.items()
        if value.dtype != object
    }
    return {f"{prefix}posterior": posterior, f"{prefix}sample_stats": stats}


def _likelihood(variables, trace):
    functions = {one: one.logp_elemwise for one in variables}
    found = {one.name: [] for one in variables}
    for chain in trace.chains:
        points = list(trace.points([chain]))
        for one, function in functions.items():
            values = np.array([np.asarray(function(point)) for point in points])
            mask = getattr(getattr(one, "observations", None), "mask", None)
            if mask is not None and np.shape(mask) == values.shape[1:]:
                values = np.where(mask, np.nan, values)
            found[one.name].append(values)
    return {name: np.array(values) for name, values in found.items()}


def _observed(model, *, density_dist_obs):
    found = {}
    for one in model.observed_RVs:
        if hasattr(one, "observations"):
            found[one.name] = _value(one.observations)
        elif isinstance(one.data, dict) and density_dist_obs:
            found |= {name: _value(value) for name, value in one.data.items()}
        elif density_dist_obs:
            found[one.name] = _value(one.data)
    return found


def _constants(model):
    observed = {one.name for one in model.observed_RVs}
    return {
        name: np.atleast_1d(_value(value))
        for name, value in model.named_vars.items()
        if isinstance(value, theano.compile.SharedVariable) and name not in observed
    }


def _value(one):
    if hasattr(one, "get_value"):
        return np.asarray(one.get_value())
    if isinstance(one, theano.tensor.Constant):
        return np.asarray(one.data)
    if isinstance(one, theano.tensor.Variable):
        return np.asarray(one.eval())
    if np.ma.is_masked(one):  # integers, too: what is missing makes floats of them
        return np.where(np.ma.getmaskarray(one), np.nan, np.ma.getdata(one))
    return np.asarray(one)


def _axes(model, coords, dims):
    own = {
        name: [one for one in axes if one is not None]
        for name, axes in (getattr(model, "RV_dims", None) or {}).items()
        if axes is not None
    }
    return {**(getattr(model, "coords", None) or {}), **(coords or {})}, {**own, **(dims or {})}


def _by_chain(samples, chains, draws):
    found = {}
    for name, value in samples.items():
        array = np.asarray(value)
        if array.shape[:2] == (chains, draws):
            found[name] = array
        elif array.shape[:1] == (chains * draws,):
            found[name] = array.reshape((chains, draws, *array.shape[1:]))
        else:
            found[name] = array[None]
    return found


install()
