"""Counts of which two are missing, by PyMC3 3.9.3 or 3.11.6; one line of JSON on stdout."""

import json
import logging
import os
import sys
import tempfile
import warnings

import numpy as np

os.environ["THEANO_FLAGS"] += ",cxx="  # to compile would take longer than to draw in Python
warnings.simplefilter("ignore")  # about names that PyMC3 still uses
logging.getLogger("pymc3").setLevel(logging.ERROR)
import pymc3 as pm  # noqa: E402  # after what keeps it quiet
from pymc3 import _arviz  # noqa: E402

COUNTS = np.ma.masked_values([4, 5, 4, -999, 1, 0, 3, 4, -999, 1], -999)

with pm.Model():
    rate = pm.Exponential("rate", 1.0)
    pm.Poisson("disasters", rate, observed=COUNTS)
    trace = pm.sample(20, tune=20, chains=2, cores=1, random_seed=1, progressbar=False)
    told = {
        "version": pm.__version__,
        "filled_in": list(trace["disasters_missing"].shape),
        "observed": str(_arviz.from_pymc3(trace).observed_data["disasters"].values.tolist()),
    }
    if "text" in sys.argv:
        with tempfile.TemporaryDirectory() as folder:
            pm.backends.text.dump(folder, trace)
            again = pm.backends.text.load(folder)
            told["as_text"] = [trace["rate"].tolist(), again["rate"].tolist()]
print(json.dumps(told))
