"""Asks for every name that names.toml lists, and prints what is not as it says, as JSON."""

import importlib
import json
import warnings

from theano._port import legacy


def asked(module, name):
    """Return the value, the texts of its warnings and the refusal, whichever there are."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            value = getattr(importlib.import_module(module), name)
        except AttributeError as error:
            return None, [], str(error)
    return value, [str(one.message) for one in seen if name in str(one.message)], ""


wrong = []
for module, table in legacy.tables().items():
    for name, entry in table["names"].items():
        value, warned, refused = asked(module, name)
        old = f"{module}.{name}"
        if "gone" in entry:
            expected = f"{old} is gone: Theano "
            if not (refused.startswith(expected) and refused.endswith(entry["gone"])):
                wrong.append([old, refused])
        elif refused or warned != [f"{old} is an old name; today it is {entry['now']}"]:
            wrong.append([old, refused or warned])
        elif asked(module, name)[1]:
            wrong.append([old, "warns twice"])
print(
    json.dumps(
        {"asked": sum(len(table["names"]) for table in legacy.tables().values()), "wrong": wrong}
    )
)
