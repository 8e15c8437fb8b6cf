"""A line's two parameters by PyMC3, and models' log-probabilities; one line of JSON on stdout.

python pymc3_line.py samples    NUTS and ADVI, with the analytic posterior
python pymc3_line.py logp       values and gradients, with the ops that were compiled
"""

import json
import logging
import sys
import warnings
from collections.abc import Callable

import matplotlib as mpl
import numpy as np

mpl.use("agg")
warnings.simplefilter("ignore")  # about names that PyMC3 still uses
logging.getLogger("pymc3").setLevel(logging.ERROR)
import arviz as az  # noqa: E402  # after what keeps it quiet
import pymc3 as pm  # noqa: E402
import theano.tensor as tt  # noqa: E402
from matplotlib import pyplot as plt  # noqa: E402

NOISE, WIDTH = 0.5, 10.0


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return the places and the heights of points near a line."""
    x = np.linspace(-1, 1, 40)
    return x, 1.0 + 2.0 * x + np.random.default_rng(1).normal(0, NOISE, x.size)


def line() -> pm.Model:
    """Return the model: a normal prior, normal noise of known size."""
    x, y = data()
    with pm.Model() as model:
        line = pm.Normal("line", 0, WIDTH, shape=2)
        pm.Normal("y", line[0] + line[1] * x, NOISE, observed=y)
    return model


def mixture() -> pm.Model:
    """Return a model with transformed parameters, matrix products and discrete data."""
    rng = np.random.default_rng(2)
    features, group = rng.normal(size=(30, 3)), rng.integers(0, 4, 30)
    with pm.Model() as model:
        scale = pm.HalfCauchy("scale", 2)
        level = pm.Normal("level", 0, scale, shape=4)
        slopes = pm.StudentT("slopes", 4, 0, 1, shape=3)
        rate = tt.exp(level[group] + tt.dot(features, slopes))
        pm.Poisson("counts", rate, observed=rng.poisson(3, 30))
        weights = pm.Dirichlet("weights", np.ones(2))
        pm.NormalMixture("mixed", weights, np.array([-1, 1]), 1, observed=rng.normal(size=20))
    return model


def dark(plot: Callable[[object], object], what: object) -> int:
    """Return how many dark pixels a plot's figure has."""
    plot(what)
    figure = plt.gcf()
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())
    plt.close(figure)
    return int((pixels[..., :3].min(axis=-1) < 200).sum())


def samples() -> dict[str, object]:
    """Return means by NUTS and by ADVI, mean and spread of the posterior, and what plots drew."""
    x, y = data()
    with line():
        options = {"chains": 1, "cores": 1, "random_seed": 1, "progressbar": False}
        found = pm.sample(400, tune=400, return_inferencedata=True, **options)
        trace = pm.sample(50, tune=50, return_inferencedata=False, **options)
        drawn = {"az.plot_trace": dark(az.plot_trace, found)}
        for name in ("traceplot", "plot_posterior", "forestplot", "autocorrplot", "energyplot"):
            drawn[f"pm.{name}"] = dark(getattr(pm, name), trace)
        fitted = pm.fit(15000, method="advi", random_seed=1, progressbar=False).sample(2000)
    design = np.stack([np.ones_like(x), x], axis=1)
    covariance = np.linalg.inv(design.T @ design / NOISE**2 + np.eye(2) / WIDTH**2)
    return {
        "drawn": drawn,
        "nuts": found.posterior["line"].mean(("chain", "draw")).values.tolist(),
        "log_likelihood": list(found.log_likelihood["y"].shape),
        "advi": fitted["line"].mean(axis=0).tolist(),
        "mean": (covariance @ design.T @ y / NOISE**2).tolist(),
        "spread": np.sqrt(np.diag(covariance)).tolist(),
    }


def logp() -> dict[str, object]:
    """Return each model's log-probability and gradient away from its starting point."""
    told = {}
    for name, model in (("line", line()), ("mixture", mixture())):
        function = model.logp_dlogp_function()
        function.set_extra_values({})
        point = function.dict_to_array(model.test_point) + 0.1
        value, gradient = function(point)
        nodes = function._theano_function.maker.fgraph.toposort()
        told[name] = {
            "value": float(value),
            "gradient": gradient.tolist(),
            "ops": [type(node.op).__name__ for node in nodes],
        }
    return told


print(json.dumps({"samples": samples, "logp": logp}[sys.argv[1]]()))
