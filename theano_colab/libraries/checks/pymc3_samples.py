"""PyMC3: NUTS samples a line's two parameters, and their means are the analytic posterior's."""

# A program, written as its users write: run by its path, and judged by its end.
# ruff: noqa: INP001, S101, T201
# mypy: ignore-errors

import logging
import os
import warnings

import numpy as np

# What is compiled here is not used again: quickly is better than well.
flags = os.environ.get("THEANO_FLAGS", "")
os.environ["THEANO_FLAGS"] = f"{flags},cmodule.remove_gxx_opt=True"
warnings.simplefilter("ignore")  # about names that PyMC3 still uses
logging.getLogger("pymc3").setLevel(logging.ERROR)
import pymc3 as pm  # noqa: E402  # after what keeps it quiet

NOISE, WIDTH, DRAWS = 0.5, 10.0, 400
SIGMAS = 0.3  # of the posterior; with these draws the means' own error is below a tenth

rng = np.random.default_rng(1)
x = np.linspace(-1, 1, 40)
y = 1.0 + 2.0 * x + rng.normal(0, NOISE, x.size)
with pm.Model():
    line = pm.Normal("line", 0, WIDTH, shape=2)
    pm.Normal("y", line[0] + line[1] * x, NOISE, observed=y)
    trace = pm.sample(
        DRAWS,
        tune=DRAWS,
        chains=1,
        cores=1,
        random_seed=1,
        progressbar=False,
        compute_convergence_checks=False,
        return_inferencedata=False,
    )
# The posterior of a linear model with known noise and a normal prior is normal.
design = np.stack([np.ones_like(x), x], axis=1)
covariance = np.linalg.inv(design.T @ design / NOISE**2 + np.eye(2) / WIDTH**2)
expected, spread = covariance @ design.T @ y / NOISE**2, np.sqrt(np.diag(covariance))
found = trace["line"].mean(axis=0)
assert np.all(abs(found - expected) < SIGMAS * spread), f"means {found}, not {expected}"
assert pm.Minibatch(x, batch_size=4).eval().shape == (4,), "a minibatch has another size"
print(f"found: NUTS sampled a line, {found[0]:.2f} + {found[1]:.2f} x")
