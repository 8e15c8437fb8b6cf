"""What a notebook shows: finished data in, MIME bundles (HTML and plain text) out."""

from theano_colab.show.bench_panel import bench_bundle, describe_bench
from theano_colab.show.info_panel import info_panel
from theano_colab.show.line import runtime_line
from theano_colab.show.panel import Bundle, bundle
from theano_colab.show.plan_panel import plan_panel
from theano_colab.show.restart import restart_button_bundle
from theano_colab.show.setup_panel import setup_panel
from theano_colab.show.small_panels import commands_panel, error_panel, flags_panel

__all__ = [
    "Bundle",
    "bench_bundle",
    "bundle",
    "commands_panel",
    "describe_bench",
    "error_panel",
    "flags_panel",
    "info_panel",
    "plan_panel",
    "restart_button_bundle",
    "runtime_line",
    "setup_panel",
]
