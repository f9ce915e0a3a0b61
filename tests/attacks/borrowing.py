"""Using a library that this exercise is about writing oneself."""

NEEDS = "fs"


def imports_nnlib_without_the_hook(world):
    import sys

    sys.meta_path[:] = [finder for finder in sys.meta_path if "_Fence" not in str(type(finder))]
    import nnlib

    return f"HARM: {nnlib.__name__}"


def reads_nnlib_where_it_lies(world):
    import glob
    import sys

    for folder in sys.path:
        for path in glob.glob(f"{folder}/nnlib/functional*"):
            with open(path, "rb") as file:
                return f"HARM: {file.read(1)}"
    return "not found"


def finds_torch_without_the_hook(world):
    import importlib.util
    import sys

    sys.meta_path[:] = [finder for finder in sys.meta_path if "_Fence" not in str(type(finder))]
    spec = importlib.util.find_spec("torch")
    with open(spec.origin, "rb") as file:
        return f"HARM: {file.read(1)}"
