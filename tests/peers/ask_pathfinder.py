"""Prints what cuda-pathfinder's public functions find, a line "kind name : path" each."""

from cuda import pathfinder

# It finds these too, but its list has only what a toolkit brings.
BESIDE = ("cudnn", "nccl", "nvshmem_host", "cutensor", "cusparseLt")
LOOKUPS = (
    (
        "library",
        (*sorted(pathfinder.SUPPORTED_NVIDIA_LIBNAMES), *BESIDE),
        pathfinder.load_nvidia_dynamic_lib,
    ),
    ("headers", pathfinder.SUPPORTED_HEADERS_CTK, pathfinder.find_nvidia_header_directory),
    ("program", pathfinder.SUPPORTED_BINARY_UTILITIES, pathfinder.find_nvidia_binary_utility),
    ("static", pathfinder.SUPPORTED_STATIC_LIBS, pathfinder.find_static_lib),
    ("bitcode", pathfinder.SUPPORTED_BITCODE_LIBS, pathfinder.find_bitcode_lib),
)

for kind, names, find in LOOKUPS:
    for name in names:
        try:
            found = find(name)
        except Exception:  # noqa: BLE001  # it has a class for each kind of "not found"
            found = None
        print(f"{kind} {name} : {getattr(found, 'abs_path', found)}")
print(f"$CUDA_PATH or $CUDA_HOME : {pathfinder.get_cuda_path_or_home()}")
