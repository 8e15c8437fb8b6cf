"""The info panel: every fact of a runtime, in groups, with its source or why it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from theano_colab.show.line import runtime_line
from theano_colab.show.panel import Cell, Panel, Table, cell
from theano_colab.show.units import count, gibibytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from theano_colab.runtime.model import (
        Blas,
        Compiler,
        CudaFile,
        CudaLibrary,
        Driver,
        Fact,
        Gpu,
        JaxDevice,
        Runtime,
        Tool,
        Toolkit,
    )

# The distributions, of the hundreds on Colab, that bear on Theano.
RELEVANT: Final = (
    "theano",
    "theano-colab",
    "theano-pymc",
    "pytensor",
    "pygpu",
    "lasagne",
    "keras",
    "pymc3",
    "numpy",
    "scipy",
    "jax",
    "jaxlib",
    "jax-cuda12-plugin",
    "torch",
    "tensorflow",
    "ipython",
    "ipykernel",
    "ipywidgets",
    "setuptools",
)
# Instruction sets that a compiler would use for numbers.
_VECTORS: Final = ("sse", "ssse", "avx", "fma", "f16c", "amx", "neon", "asimd", "sve", "bf16")
_RISK: Final = "Vulnerability "
_FOLD_ABOVE: Final = 6


def describe_info(runtime: Runtime) -> Panel:
    """Return the panel of a runtime: every field of the record is in it."""
    tables = tuple(
        Table(
            caption,
            ("What", "Value", "Source"),
            tuple(_row(getattr(runtime, field), label, lay) for field, label, lay in rows),
            source=True,
        )
        for caption, rows in GROUPS
    )
    return Panel("This runtime", tables, line=runtime_line(runtime))


def _row(fact: Fact[Any], label: str, lay: Callable[[Any], Cell]) -> tuple[Cell, Cell, Cell]:
    known = fact.value is not None
    value = lay(fact.value) if known else cell(fact.missing or "not known", "muted")
    return cell(label), value, cell(fact.source, "muted")


def _text(value: object) -> Cell:
    return cell(str(value))


def _path(value: str) -> Cell:
    return cell(value, code=True)


def _bytes(value: int) -> Cell:
    return cell(gibibytes(value))


def _yes(value: bool) -> Cell:
    return cell("yes" if value else "no")


def _lines(lines: list[str], singular: str, plural: str, none: str, *, code: bool = False) -> Cell:
    if not lines:
        return cell(none, "muted")
    fold = count(len(lines), singular, plural) if len(lines) > _FOLD_ABOVE else ""
    return Cell(tuple(lines), code=code, fold=fold)


def _packages(value: dict[str, str]) -> Cell:
    lines = [f"{name} {value[name]}" for name in RELEVANT if name in value]
    return Cell((*lines, f"({count(len(value), 'distribution')} in all)"))


def _loaded(value: dict[str, str]) -> Cell:
    return _lines([f"{k} {v}" for k, v in sorted(value.items())], "module", "", "none of them")


def _compiler(value: Compiler) -> Cell:
    return cell(f"{value.version} ({value.path})")


def _tools(value: tuple[Tool, ...]) -> Cell:
    lines = [f"{tool.version or tool.name + ', version unknown'} ({tool.path})" for tool in value]
    return _lines(lines, "tool", "", "none of them")


def _conda(value: dict[str, str]) -> Cell:
    return _lines([f"{k} {v}" for k, v in sorted(value.items())], "package", "", "none of them")


def _processor(value: dict[str, str]) -> Cell:
    """Show one line; of the vulnerabilities only how many there are and which are open."""
    known = [key.removeprefix(_RISK) for key in value if key.startswith(_RISK)]
    open_ = [name for name in known if value[_RISK + name].startswith("Vulnerable")]
    parts = [f"{key} {text}" for key, text in value.items() if not key.startswith(_RISK)]
    if known:
        named = ", ".join(open_) or "none"
        parts.append(f"vulnerable to {len(open_)} of {len(known)} known attacks: {named}")
    return cell("; ".join(parts) or "nothing")


def _features(value: tuple[str, ...]) -> Cell:
    known = [name for name in value if name.startswith(_VECTORS)]
    return cell(f"{' '.join(known)} ({count(len(value), 'feature')} in all)")


def _blas(value: tuple[Blas, ...]) -> Cell:
    lines = [f"{b.name} {b.version or '(version unknown)'}: {b.path}" for b in value]
    return _lines(lines, "library", "libraries", "none that C code can link")


def _driver(value: Driver) -> Cell:
    return cell(f"{value.release}, serves CUDA up to {value.cuda[0]}.{value.cuda[1]}")


def _gpus(value: tuple[Gpu, ...]) -> Cell:
    lines = [
        f"{g.index}: {g.name}, {gibibytes(g.memory_bytes)}, compute capability "
        f"{g.compute_capability[0]}.{g.compute_capability[1]}"
        for g in value
    ]
    return _lines(lines, "GPU", "", "none")


def _free(value: tuple[int, ...]) -> Cell:
    return _lines([gibibytes(free) for free in value], "GPU", "", "none")


def _state(value: tuple[dict[str, str], ...]) -> Cell:
    lines = [", ".join(f"{k} {v}" for k, v in one.items()) for one in value]
    return _lines(lines, "GPU", "", "none")


def _places(value: tuple[str, ...]) -> Cell:
    return _lines(list(value), "place", "", "none", code=True)


def _toolkits(value: tuple[Toolkit, ...]) -> Cell:
    lines = [f"CUDA {t.version}: {t.root} (found via {t.found_via})" for t in value]
    return _lines(lines, "toolkit", "", "none")


def _cuda_libraries(value: tuple[CudaLibrary, ...]) -> Cell:
    lines = [f"{c.name} {c.version or '(version unknown)'}, {c.origin}: {c.path}" for c in value]
    return _lines(lines, "library", "libraries", "none")


def _cuda_files(value: tuple[CudaFile, ...]) -> Cell:
    """Show a line for each folder: what of each kind is in it."""
    folders: dict[tuple[str, str], list[str]] = {}
    for one in value:
        folder = one.path if one.kind == "headers" else one.path.rpartition("/")[0]
        folders.setdefault((one.kind, folder), []).append(one.name)
    lines = [f"{kind} in {folder}: {', '.join(names)}" for (kind, folder), names in folders.items()]
    return _lines(lines, "folder", "", "none")


def _jax(value: tuple[JaxDevice, ...]) -> Cell:
    return _lines([f"{d.platform}: {d.kind}" for d in value], "device", "", "none")


def _environment(value: dict[str, str]) -> Cell:
    lines = [f"{k}={v}" for k, v in sorted(value.items())]
    return _lines(lines, "variable", "", "none of them is set", code=True)


def _named(value: dict[str, bool]) -> Cell:
    lines = [f"{path}: {'there' if exists else 'missing'}" for path, exists in value.items()]
    return _lines(lines, "path", "", "none", code=True)


def _theanorc(value: dict[str, str]) -> Cell:
    lines = [line for path, text in value.items() for line in (f"{path}:", *text.splitlines())]
    return _lines(lines, "line", "", "there is none", code=True)


GROUPS: Final[tuple[tuple[str, tuple[tuple[str, str, Callable[[Any], Cell]], ...]], ...]] = (
    (
        "Runtime",
        (
            ("front_end", "Front end", _text),
            ("colab_release", "Colab release", _text),
            ("operating_system", "Operating system", _text),
            ("kernel", "Kernel", _text),
            ("libc", "C library", _text),
            ("locale", "Locale", _text),
            ("machine", "Machine", _text),
            ("bits", "Bits of a pointer", _text),
            ("container", "Container", _text),
        ),
    ),
    (
        "Python",
        (
            ("python", "Python", _text),
            ("python_build", "Built", _text),
            ("python_executable", "Executable", _path),
            ("pip", "pip", _text),
            ("site_packages", "site-packages", _path),
            ("site_packages_writable", "site-packages can be written", _yes),
            ("user_site", "User site", _path),
            ("packages", "Installed", _packages),
            ("loaded", "Imported already", _loaded),
            ("conda", "Of conda", _conda),
            ("pygpu", "pygpu imports", _text),
            ("theano_places", "theano on sys.path", _places),
        ),
    ),
    (
        "Compiler and BLAS",
        (
            ("compiler", "C++ compiler", _compiler),
            ("tools", "Other tools", _tools),
            ("python_headers", "Python's headers", _path),
            ("blas", "BLAS", _blas),
        ),
    ),
    (
        "GPU and CUDA",
        (
            ("gpus", "GPU", _gpus),
            ("gpu_memory_free", "Free on the GPU", _free),
            ("gpu_state", "State of the GPU", _state),
            ("pci_gpus", "NVIDIA GPUs on the PCI bus", _text),
            ("driver", "Driver", _driver),
            ("driver_library", "libcuda", _path),
            ("toolkits", "CUDA toolkits", _toolkits),
            ("cuda_libraries", "CUDA libraries", _cuda_libraries),
            ("cuda_files", "Other parts of CUDA", _cuda_files),
            ("cudnn_header", "cuDNN's header", _text),
            ("jax_devices", "Devices of JAX", _jax),
        ),
    ),
    (
        "Processor, memory and disk",
        (
            ("cpu", "Processor", _text),
            ("processor", "In detail", _processor),
            ("cpu_features", "Instruction sets", _features),
            ("cpu_count", "CPUs", _text),
            ("cpu_quota", "CPUs' time that may be used", _text),
            ("memory_bytes", "Free memory", _bytes),
            ("memory_total_bytes", "Memory", _bytes),
            ("disk_free_bytes", "Free disk", _bytes),
            ("home_writable", "Home can be written", _yes),
            ("temporary_folder", "Temporary folder", _path),
        ),
    ),
    (
        "Environment",
        (
            ("environment", "Variables", _environment),
            ("theanorc", ".theanorc", _theanorc),
            ("named_paths", "Paths named there", _named),
        ),
    ),
)
