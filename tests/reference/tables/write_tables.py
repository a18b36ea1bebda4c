"""Writes random tables by pandas, pyarrow and polars, in every format and compression, with what a reader must find.

    python write_tables.py FOLDER [SEED [TABLES]]

FOLDER/expected.json is a list of {file, rows, columns: [{name, values}], lists: [{name, length, values}], left_out: [name]}:
columns of numbers in the order of the file, missing values null, other values as `float.hex`; columns of lists, which are
arrays of their own; and columns that hold no numbers or number the rows, which must be left out by name or in a note.
"""

import datetime
import decimal
import json
import random
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet

WORDS = ["red", "green", "blue", "", "a,b", 'q"q', "größe"]


def hexed(values):
    """Numbers as exact text; what is missing or NaN as None."""
    found = []
    for value in values:
        missing = value is None or value is pd.NA or value is pd.NaT
        number = None if missing else float(value)
        found.append(None if number is None or number != number else number.hex())
    return found


def fractions(rng, rows, missing=0.1):
    """Doubles none of which is whole, some of them missing."""
    values = rng.standard_t(2, rows) + 0.123456789
    return [None if rng.random() < missing else float(value) for value in values]


def integers(rng, rows, low, high):
    return [int(value) for value in rng.integers(low, high, rows, dtype=np.int64, endpoint=False)]


NUMBERS = {
    "int8": pa.int8(), "int16": pa.int16(), "int32": pa.int32(), "int64": pa.int64(),
    "uint8": pa.uint8(), "uint16": pa.uint16(), "uint32": pa.uint32(), "uint64": pa.uint64(),
    "halffloat": pa.float16(), "float": pa.float32(), "double": pa.float64(),
}


def arrow_column(rng, rows):
    """A column of any type: (array, values of numbers or None, length of lists or None)."""
    kind = rng.choice(list(NUMBERS) + [
        "bool", "decimal", "dictionary", "dictionary of words", "words", "dates", "null", "list", "fixed", "ragged",
        "nested", "large list",
    ])
    if kind in ("halffloat", "float", "double"):
        numpy_type = {"halffloat": np.float16, "float": np.float32, "double": np.float64}[kind]
        values = [None if value is None else numpy_type(value) for value in fractions(rng, rows)]
        return pa.array(values, NUMBERS[kind]), values, None
    if kind in NUMBERS:
        limits = np.iinfo(kind)
        values = integers(rng, rows, max(limits.min, -2**53), min(int(limits.max), 2**53))
        values = [None if rng.random() < 0.1 else value for value in values]
        return pa.array(values, NUMBERS[kind]), values, None
    if kind == "bool":
        values = [None if rng.random() < 0.1 else bool(rng.random() < 0.5) for _ in range(rows)]
        return pa.array(values, pa.bool_()), values, None
    if kind == "decimal":
        values = [None if v is None else decimal.Decimal(repr(round(v, 7))) for v in fractions(rng, rows)]
        return pa.array(values, pa.decimal128(30, 7)), values, None
    if kind == "dictionary":
        values = [None if rng.random() < 0.1 else float(v) for v in rng.integers(0, 4, rows) / 8]
        return pa.array(values, pa.float64()).dictionary_encode(), values, None
    if kind == "dictionary of words":
        return pa.array([WORDS[i] for i in rng.integers(0, 7, rows)]).dictionary_encode(), None, None
    if kind == "words":
        return pa.array([WORDS[i] for i in rng.integers(0, 7, rows)]), None, None
    if kind == "dates":
        day = datetime.datetime(2024, 1, 1)
        return pa.array([day + datetime.timedelta(hours=int(h)) for h in rng.integers(0, 999, rows)]), None, None
    if kind == "null":
        return pa.nulls(rows), None, None
    length = int(rng.integers(1, 6))
    lists = [[float(v) for v in rng.standard_normal(length)] for _ in range(rows)]
    flat = [v for values in lists for v in values]
    if kind == "fixed":
        return pa.array(lists, pa.list_(pa.float32(), length)), [np.float32(v) for v in flat], length
    if kind == "large list":
        return pa.array(lists, pa.large_list(pa.float64())), flat, length
    if kind == "nested":
        nested = [[values, values] for values in lists]
        return pa.array(nested, pa.list_(pa.list_(pa.float64()))), [v for row in nested for l in row for v in l], 2 * length
    if kind == "ragged" and rows > 1:
        lists[int(rng.integers(1, rows))].append(0.5)
        return pa.array(lists, pa.list_(pa.float64())), None, None
    return pa.array(lists, pa.list_(pa.float64())), flat, length


def arrow_table(rng):
    rows = int(rng.integers(1, 60))
    columns, lists, left_out, arrays, names = [], [], [], [], []
    # One column of numbers at least.
    for i in range(int(rng.integers(1, 7)) + 1):
        name = f"c{i}"
        if i == 0:
            values = fractions(rng, rows)
            array, length = pa.array(values, pa.float64()), None
        else:
            array, values, length = arrow_column(rng, rows)
        arrays.append(array)
        names.append(name)
        if values is None:
            left_out.append(name)
        elif length is None:
            columns.append({"name": name, "values": hexed(values)})
        else:
            lists.append({"name": name, "length": length, "values": hexed(values)})
    expected = {"rows": rows, "columns": columns, "lists": lists, "left_out": left_out}
    return pa.Table.from_arrays(arrays, names), expected


def pandas_frame(rng):
    """A frame of numbers, missing values, words and dates, under an index of any kind; the names of its numbers."""
    rows = int(rng.integers(8, 60))
    names = [0, 1, 2, 3] if rng.random() < 0.5 else ["a", "b", "grösse", "d e"]
    frame = pd.DataFrame({name: pd.array(fractions(rng, rows), dtype="Float64").astype("float64") for name in names})
    left_out = []
    if rng.random() < 0.4:
        frame["whole"] = integers(rng, rows, -1000, 1000)
        names = names + ["whole"]
    if rng.random() < 0.4:
        frame["truth"] = rng.random(rows) < 0.5
        names = names + ["truth"]
    if rng.random() < 0.4:
        frame["word"] = [WORDS[i] for i in rng.integers(0, 3, rows)]
        left_out.append("word")
    if rng.random() < 0.3:
        frame["day"] = pd.date_range("2024-01-01", periods=rows, freq="D")
        left_out.append("day")
    index = rng.choice(["range", "filtered", "words", "dates", "levels"])
    if index == "filtered":
        frame.index = np.cumsum(rng.integers(1, 4, rows))
    elif index == "words":
        frame.index = [f"row {i}" for i in range(rows)]
    elif index == "dates":
        frame.index = pd.date_range("2020-05-01", periods=rows, freq="h")
    elif index == "levels":
        frame.index = pd.MultiIndex.from_arrays([np.arange(rows) // 3, np.arange(rows) % 3])
    expected = {
        "rows": rows,
        "columns": [{"name": str(name), "values": hexed(frame[name])} for name in names],
        "lists": [],
        "left_out": left_out,
    }
    return frame, expected, index


def write(folder, seed, tables):
    written = []

    def add(file, expected, **settings):
        written.append({"file": file, **expected, **settings})

    for number in range(tables):
        rng = np.random.default_rng([seed, number])
        random.seed(int(rng.integers(1 << 30)))
        table, expected = arrow_table(rng)
        compression = random.choice(["none", "snappy", "gzip", "brotli", "lz4", "zstd"])
        file = f"{number}-arrow-{compression}.parquet"
        parquet.write_table(
            table, folder / file, compression=compression, row_group_size=random.choice([7, 1000]),
            version=random.choice(["1.0", "2.4", "2.6"]), use_dictionary=random.random() < 0.5,
            data_page_version=random.choice(["1.0", "2.0"]),
        )
        # Parquet 1.0 has no unsigned integers of 32 bits: they are written as int64.
        add(file, expected)
        compression = random.choice(["uncompressed", "lz4", "zstd"])
        file = f"{number}-{compression}.feather"
        feather.write_feather(table, folder / file, compression=compression, chunksize=random.choice([5, 1000]))
        add(file, expected)
        options = pa.ipc.IpcWriteOptions(compression=random.choice([None, "lz4", "zstd"]))
        file = f"{number}-stream.arrow"
        with pa.ipc.new_stream(folder / file, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=random.choice([5, 1000]))
        add(file, expected)

        frame, expected, index = pandas_frame(rng)
        text_names = frame.rename(columns=str)
        compression = random.choice([None, "snappy", "gzip", "brotli", "lz4", "zstd"])
        file = f"{number}-pandas-{compression}.parquet"
        text_names.to_parquet(folder / file, compression=compression)
        add(file, expected)
        if index == "range":
            file = f"{number}-pandas.feather"
            text_names.to_feather(folder / file)
            add(file, expected)
        separator = random.choice([",", ";", "\t", "|"])
        point = random.choice([".", ","]) if separator == ";" else "."
        encoding = random.choice(["utf-8", "utf-8-sig", "utf-16", "latin-1"])
        packed = random.choice(["", ".gz"])
        with_index = random.random() < 0.7
        ending = random.choice([".csv", ".txt"]) if separator != "\t" else random.choice([".tsv", ".txt"])
        file = f"{number}-pandas{ending}{packed}"
        frame.to_csv(
            folder / file, sep=separator, decimal=point, encoding=encoding, index=with_index,
            lineterminator=random.choice(["\n", "\r\n"]),
        )
        add(file, expected)

        floats = [column for column in expected["columns"] if column["name"] not in ("whole", "truth")]
        polars = pl.DataFrame({
            column["name"]: [None if v is None else float.fromhex(v) for v in column["values"]] for column in floats
        }).with_columns(pl.Series("word", ["x y"] * expected["rows"]))
        expected = {"rows": expected["rows"], "columns": floats, "lists": [], "left_out": ["word"]}
        compression = random.choice(["lz4", "uncompressed", "snappy", "gzip", "brotli", "zstd"])
        file = f"{number}-polars-{compression}.parquet"
        polars.write_parquet(folder / file, compression=compression)
        add(file, expected)
        compression = random.choice(["uncompressed", "lz4", "zstd"])
        file = f"{number}-polars-{compression}.arrow"
        polars.write_ipc(folder / file, compression=compression)
        add(file, expected)
        file = f"{number}-polars.csv"
        polars.write_csv(folder / file, separator=random.choice([",", ";", "\t"]))
        add(file, expected)
    with open(folder / "expected.json", "w", encoding="utf-8") as out:
        json.dump(written, out)
    print(f"{len(written)} files of {tables} tables, seed {seed}: pandas {pd.__version__}, pyarrow {pa.__version__}, "
          f"polars {pl.__version__}")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, int(sys.argv[2]) if len(sys.argv) > 2 else 0, int(sys.argv[3]) if len(sys.argv) > 3 else 20)
