"""What a kernel does: apply a plan, and tell on stdout, as JSON lines, what happened.

Arguments: the cache folder ("-" for the default), which Theano, then the requirements to install
before the port.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

from theano_colab.errors import TheanoColabError
from theano_colab.install import apply, check_installed, installed_port
from theano_colab.install.distributions import find_port
from theano_colab.plan.model import Plan, Step
from theano_colab.port.flavour import by_distribution


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def main(cache: Path | None, theano: str, dependencies: tuple[str, ...]) -> None:
    version = by_distribution(theano).version
    steps = [Step("build-port", "Build the port", "")]
    if dependencies:
        steps.append(Step("install", "Install what it needs", "", dependencies))
    steps.append(Step("install", "Install the port", "", (f"{theano}=={version}",)))
    steps.append(Step("warm", "Not for apply", ""))
    plan = Plan("cpu", "cpu", "", tuple(steps), theano=theano)
    try:
        done = apply(plan, on_step=lambda *told: say(step=told), cache=cache)
    except TheanoColabError as error:
        say(error=error.to_json(), id=getattr(error, "id", None))
        raise SystemExit(1) from None
    port = find_port()
    assert port is not None
    # What this running process would import; importing it would compile C for seconds.
    found = importlib.util.find_spec("theano")
    assert found is not None

    say(
        changed=done.changed,
        versions=dict(done.versions),
        seconds=done.seconds,
        port=installed_port(),
        damage=check_installed(port.site),
        file=found.origin,
    )


if __name__ == "__main__":
    main(None if sys.argv[1] == "-" else Path(sys.argv[1]), sys.argv[2], tuple(sys.argv[3:]))
