"""``%theano dashboard``: the benchmark with controls, in stock ipywidgets of either generation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets
from IPython.display import display

from theano_colab import benchmark, commands
from theano_colab.canvas import Canvas
from theano_colab.errors import TheanoColabError
from theano_colab.show.bench_panel import bench_bundle
from theano_colab.show.panel import Headline, Panel, bundle
from theano_colab.show.small_panels import describe_error

if TYPE_CHECKING:
    import argparse

    from theano_colab.bench.progress import Bench

ALL: Final = "all of them"
HINT: Final = (
    "Choose, then press Run. The notebook's own stop button ends a run and keeps what it has."
)


class Dashboard:
    """Controls over a panel. A run goes on in the button's callback, as in a cell.

    The panel is a display of its own and no widget: it is live while the kernel is busy, and it
    stays in the saved notebook.
    """

    def __init__(self) -> None:
        self._canvas = Canvas()
        self._last: tuple[Bench, Panel] | None = None
        wide = {"description_width": "initial"}
        choices = (*commands.WORKLOADS, ALL)
        self.workload = widgets.Dropdown(options=choices, description="Workload", style=wide)
        self.sizes = widgets.Text(placeholder="64..2048", description="Sizes", style=wide)
        self.precision = widgets.Dropdown(
            options=("float32", "float64"), description="Precision", style=wide
        )
        self.seconds = widgets.IntSlider(
            20, min=5, max=120, step=5, description="Seconds for a workload", style=wide
        )
        self.run = widgets.Button(description="Run", button_style="primary", icon="play")
        self.file = widgets.Text("bench.json", description="File", style=wide)
        self.save = widgets.Button(description="Save", icon="save", disabled=True)
        self.says = widgets.Label(HINT)
        self.run.on_click(self._on_run)
        self.save.on_click(self._on_save)

    def show(self) -> None:
        """Display controls and panel."""
        rows = (
            (self.workload, self.sizes, self.precision),
            (self.seconds, self.run),
            (self.file, self.save),
        )
        wrapped = widgets.Layout(flex_flow="row wrap")
        display(widgets.VBox([*(widgets.HBox(row, layout=wrapped) for row in rows), self.says]))
        waiting = Panel("Theano bench", (Headline("plain", "Nothing measured yet"),))
        self._canvas.draw(lambda: dict(bundle(waiting)), final=True)

    def options(self) -> argparse.Namespace:
        """Return what the controls ask for, as the command line would.

        Raises
        ------
        TheanoColabError
            If that cannot be read.
        """
        words = ["bench", "--floatX", self.precision.value, "--time", str(self.seconds.value)]
        if self.workload.value != ALL:
            words.append(self.workload.value)
        if self.sizes.value.strip():
            words += ["--sizes", self.sizes.value.replace(" ", "")]
        return commands.parser("%theano").parse_args(words)

    def _draw(self, panel: Panel, final: bool) -> None:  # actions.Draw
        self._canvas.draw(lambda: bench_bundle(panel), final=final)

    def _on_run(self, _: Any) -> None:  # noqa: ANN401  # the button, which we know
        controls = (self.run, self.save, self.workload, self.sizes, self.precision, self.seconds)
        for control in controls:
            control.disabled = True
        self.says.value = "Measuring. The notebook's own stop button ends it."
        try:
            self._last = benchmark.measure(self.options(), self._draw)
            self.says.value = (
                "Interrupted; what was measured is below."
                if self._last[0].verdict == "interrupted"
                else "Done."
            )
        except TheanoColabError as error:
            self._draw(describe_error(error), final=True)
            self.says.value = error.remedy
        except KeyboardInterrupt:  # before anything was measured
            self.says.value = "Interrupted."
        finally:
            for control in controls:
                control.disabled = False
            self.save.disabled = self._last is None

    def _on_save(self, _: Any) -> None:  # noqa: ANN401  # as above
        if self._last is None:
            return
        try:
            benchmark.save(*self._last, self.file.value)
            self.says.value = f"Saved as {self.file.value}."
        except TheanoColabError as error:
            self.says.value = f"{error.cause} {error.evidence}. {error.remedy}"
