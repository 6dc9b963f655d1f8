#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

"""Writes MATLAB files for the tests: matlab_scene.py KIND FILE. The values are those of test/app/HUDImportTest.cxx."""

import sys

import h5py
import numpy as np
import scipy.io

ROWS, COLUMNS, BANDS = 7, 5, 4


def scene(dtype):
    row, column, band = np.ogrid[:ROWS, :COLUMNS, :BANDS]
    return (1 + 100 * row + 10 * column + band).astype(dtype)


def write73(path, arrays, header=True):
    """Version 7.3: HDF5 behind a header of 512 bytes, with the dimensions in reverse order."""
    with h5py.File(path, "w", userblock_size=512 if header else 0) as file:
        for name, values in arrays.items():
            data = file.create_dataset(name, data=values.T)
            classes = {"f8": "double", "f4": "single", "u2": "uint16", "i2": "int16", "c16": "double"}
            # As MATLAB writes it: a string that would end with a 0, were there place for one.
            text = classes[values.dtype.str[1:]].encode()
            string = h5py.h5t.C_S1.copy()
            string.set_size(len(text))
            attribute = h5py.h5a.create(data.id, b"MATLAB_class", string, h5py.h5s.create(h5py.h5s.SCALAR))
            attribute.write(np.array(text), mtype=string)
    if not header:
        return
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, for tests".ljust(116) + bytes(8) + b"\x00\x02IM")


def main():
    kind, path = sys.argv[1:]
    doubles = scene("f8") / 8
    ground_truth = np.ones((ROWS, COLUMNS), "u1")
    if kind == "double":
        doubles[2, 3, 1] = np.nan
        scipy.io.savemat(path, {"map": ground_truth, "cube": doubles})
    elif kind == "compressed":
        scipy.io.savemat(path, {"cube": scene("u2"), "map": ground_truth}, do_compression=True)
    elif kind == "int16":
        scipy.io.savemat(path, {"cube": -scene("i2")})
    elif kind == "v73":
        write73(path, {"map": doubles[:, :, 0], "cube": doubles})
    elif kind == "v73_uint16":
        write73(path, {"cube": scene("u2")})
    elif kind == "v73_plain":
        write73(path, {"cube": scene("u2")}, header=False)
    elif kind == "v73_two":
        write73(path, {"first": scene("f8"), "second": scene("f4")})
    elif kind == "v73_complex":
        pair = np.dtype([("real", "f8"), ("imag", "f8")])
        with h5py.File(path, "w", userblock_size=512) as file:
            values = np.zeros((BANDS, COLUMNS, ROWS), pair)
            file.create_dataset("cube", data=values).attrs["MATLAB_class"] = np.bytes_("double")
    elif kind == "hdf5":
        with h5py.File(path, "w") as file:
            file["cube"] = doubles
    elif kind == "flat":
        scipy.io.savemat(path, {"map": ground_truth, "name": "x"})
    elif kind == "two":
        scipy.io.savemat(path, {"first": scene("f4"), "second": 2 * scene("f4")})
    elif kind == "complex":
        scipy.io.savemat(path, {"cube": doubles * 1j})
    elif kind == "logical":
        scipy.io.savemat(path, {"cube": doubles > 20})
    else:
        raise SystemExit(f"unknown kind {kind}")


if __name__ == "__main__":
    main()
