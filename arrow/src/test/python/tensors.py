"""Reads what Gyre wrote into a folder, and writes a table for it to read: tensors.py FOLDER"""
import pathlib
import sys

import numpy
import pyarrow
import pyarrow.ipc

folder = pathlib.Path(sys.argv[1])
expected = numpy.arange(12).reshape(2, 2, 3)

table = pyarrow.ipc.open_file(folder / "columns.arrow").read_all()


def array(column):
    column = column.combine_chunks()
    return column.chunk(0) if isinstance(column, pyarrow.ChunkedArray) else column


for name, dtype in dict(F32="float32", F16="float16", I32="int32", I64="int64", U8="uint8", BF16="uint16").items():
    column = array(table[name])
    assert isinstance(column.type, pyarrow.FixedShapeTensorType), column.type
    values = column.to_numpy_ndarray()
    assert values.dtype == dtype, (name, values.dtype)
    if name == "BF16":
        assert table.schema.field(name).metadata[b"gyre.dtype"] == b"BF16"
        values = (values.astype("uint32") << 16).view("float32")
    assert (values == expected).all(), (name, values)

rows = pyarrow.ipc.open_file(folder / "table.arrow").read_all().to_pylist()
assert len(rows) == 1 and rows[0]["name"] == "w" and rows[0]["dtype"] == "BF16" and rows[0]["shape"] == [2, 3]
words = numpy.frombuffer(rows[0]["data"], "uint16").astype("uint32") << 16
assert (words.view("float32").reshape(2, 3) == expected[0]).all()

flat = pyarrow.array(expected.reshape(2, 6).astype("float32").tolist(), pyarrow.list_(pyarrow.float32(), 6))
theirs = pyarrow.ExtensionArray.from_storage(
    pyarrow.fixed_shape_tensor(pyarrow.float32(), [2, 3], dim_names=["h", "w"]), flat)
with pyarrow.ipc.new_file(folder / "theirs.arrow", (out := pyarrow.table({"x": theirs})).schema) as writer:
    writer.write_table(out)
