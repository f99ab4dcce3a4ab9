"""Reads tables of results: read.py ONE_SHAPE.arrow SEVERAL_SHAPES.arrow"""
import importlib.util
import sys

import numpy
import pyarrow
import pyarrow.ipc

table = pyarrow.ipc.open_file(sys.argv[1]).read_all()
assert table.num_rows == 8, table.num_rows
assert table["row"].to_pylist() == list(range(8))
assert table["prompt"].to_pylist() == 4 * ["a red circle"] + 4 * ["a yellow star"]
assert table["kind"].to_pylist() == 4 * ["one"] + 4 * [None]
assert table["seed"].to_pylist() == 4 * [7, 8]
errors = table["error"].to_pylist()
assert [error is None for error in errors] == 2 * [True, True, False, False], errors
assert table.schema.metadata[b"gyre.precision"] == b"f32"
assert table.schema.metadata[b"gyre.rows"] == b"8"

latents = table["latents"].combine_chunks()
latents = latents.chunk(0) if isinstance(latents, pyarrow.ChunkedArray) else latents
assert isinstance(latents.type, pyarrow.FixedShapeTensorType), latents.type
assert latents.type.shape == [4, 8, 8] and latents.type.dim_names == ["channel", "height", "width"]
assert latents.null_count == 4
whole = latents.take(pyarrow.array([0, 1, 4, 5])).to_numpy_ndarray()
assert whole.shape == (4, 4, 8, 8) and whole.dtype == numpy.float32
assert numpy.isfinite(whole).all() and 0.1 < whole.std() < 10, whole.std()

def tensors(column):
    """[(shape, numbers)] of a column of tensors of several shapes, known to this pyarrow or not."""
    storage = column.combine_chunks()
    storage = storage.chunk(0) if isinstance(storage, pyarrow.ChunkedArray) else storage
    storage = storage.storage if isinstance(storage, pyarrow.ExtensionArray) else storage
    return [row and numpy.array(row["data"], numpy.float32).reshape(row["shape"]) for row in storage.to_pylist()]

steps = tensors(table["step_latents"])
assert steps[0].shape == (2, 4, 8, 8) and steps[2] is None
for png in table["png"].to_pylist()[:2]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
several = pyarrow.ipc.open_file(sys.argv[2]).read_all()
assert [x.shape for x in tensors(several["latents"])] == [(4, 8, 8), (4, 4, 8)]
read = ["pyarrow " + pyarrow.__version__]

flat = table.drop_columns(["latents", "step_latents"])
if importlib.util.find_spec("pandas"):
    frame = flat.to_pandas()
    assert frame.groupby("prompt")["denoise_seconds"].count().to_dict() == {"a red circle": 2, "a yellow star": 2}
    read.append("pandas")
if importlib.util.find_spec("duckdb"):
    import duckdb
    assert duckdb.sql("select count(*) from flat where error is not null").fetchone() == (4,)
    read.append("duckdb")
if importlib.util.find_spec("polars"):
    import polars
    assert polars.from_arrow(flat)["seed"].sum() == 60
    read.append("polars")
print("read by " + ", ".join(read))
