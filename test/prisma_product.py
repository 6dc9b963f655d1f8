#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

"""Writes a synthetic product to the layout of PRISMA's, in which every sample follows from its place by a formula.

    prisma_product.py LEVEL FILE [--rows N] [--columns N] [--change NAME ...]

LEVEL is 1, 2B, 2C or 2D. Rows and columns are those of the image, north up. A change makes the product differ from what is
usual; the functions below named change_NAME say how. The formulas are repeated in test/app/HUDImportTest.cxx.
"""

import argparse
import math
import os

import h5py
import numpy as np

VNIR_SLOTS, SWIR_SLOTS = 66, 173
VNIR_USED, SWIR_USED = slice(3, 66), slice(0, 171)
ZONE, EAST, NORTH = 33, 512347.5, 5012972.5  # of the first pixel's centre
LATITUDE, LONGITUDE = 45.25, 15.5  # of the first sample of a swath


def numbers(first, step, used, slots):
    """Falling wavelengths in the used slots, 0 in the others."""
    values = np.zeros(slots, "f4")
    indices = np.arange(slots)[used]
    values[indices] = first + step * (indices - indices[0])
    return values


def widths(first, step, used, slots):
    values = np.zeros(slots, "f4")
    indices = np.arange(slots)[used]
    values[indices] = first + step * indices
    return values


def flags(used, slots):
    values = np.zeros(slots, "u1")
    values[used] = 1
    return values


def geographic(easting, northing, zone):
    """Latitude and longitude in degrees of UTM coordinates in the north, WGS84: Krueger's series to the third order."""
    a, f = 6378137.0, 1 / 298.257223563
    n = f / (2 - f)
    radius = a / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    xi = northing / (0.9996 * radius)
    eta = (easting - 500000.0) / (0.9996 * radius)
    beta = [n / 2 - 2 / 3 * n**2 + 37 / 96 * n**3, n**2 / 48 + n**3 / 15, 17 / 480 * n**3]
    delta = [2 * n - 2 / 3 * n**2 - 2 * n**3, 7 / 3 * n**2 - 8 / 5 * n**3, 56 / 15 * n**3]
    x, e = xi.copy(), eta.copy()
    for j, b in enumerate(beta, 1):
        x = x - b * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
        e = e - b * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
    chi = np.arcsin(np.sin(x) / np.cosh(e))
    phi = chi + sum(d * np.sin(2 * j * chi) for j, d in enumerate(delta, 1))
    return np.degrees(phi), 6 * zone - 183 + np.degrees(np.arctan2(np.sinh(e), np.cos(x)))


def is_padding(rows, columns, count_rows, count_columns):
    """The corner of an L2D beyond the swath."""
    return rows * count_columns + 2 * columns * count_rows < 0.5 * count_rows * count_columns


def cube(level, sizes, detector, rows):
    """Numbers of some indices of the first dimension, [rows, slots, columns]."""
    slots, used = (VNIR_SLOTS, VNIR_USED) if detector == "VNIR" else (SWIR_SLOTS, SWIR_USED)
    i, b, k = np.ix_(rows, np.arange(slots), np.arange(sizes[1]))
    if detector == "VNIR":
        values = (1000 + 37 * i + 11 * b + 101 * k + i * k) % 60000 + 1
    else:
        values = (5000 + 13 * i + 29 * b + 53 * k + 2 * i * k) % 50000 + 2
    values[:, flags(used, slots) == 0, :] = 0
    if level == "2D":
        padding = is_padding(i[:, 0], k[:, 0], *sizes)
        values = np.where(padding[:, None, :], 0, values)
    return values.astype("<u2")


def write(path, level, rows, columns):
    # An L2D is stored row by row, the others across the track from east to west.
    sizes = (rows, columns) if level == "2D" else (columns, rows)
    with h5py.File(path, "w") as file:
        text = lambda value: np.bytes_(value)
        attributes = file.attrs
        attributes["Processing_Level"] = text(level)
        attributes["Product_ID"] = text("PRS_L1_STD" if level == "1" else f"PRS_L{level}_STD")
        attributes["Product_StartTime"] = text("2020-10-02T19:37:10.216000")
        attributes["Product_StopTime"] = text("2020-10-02T19:37:14.530000")
        attributes["Processor_Name"] = text("Synthetic")
        attributes["List_Cw_Vnir"] = numbers(977.37, -9.2, VNIR_USED, VNIR_SLOTS)
        attributes["List_Cw_Swir"] = numbers(2497.12, -9.14, SWIR_USED, SWIR_SLOTS)
        attributes["List_Fwhm_Vnir"] = widths(11, 0.02, VNIR_USED, VNIR_SLOTS)
        attributes["List_Fwhm_Swir"] = widths(9, 0.03, SWIR_USED, SWIR_SLOTS)
        attributes["List_Cw_Vnir_Flags"] = flags(VNIR_USED, VNIR_SLOTS)
        attributes["List_Cw_Swir_Flags"] = flags(SWIR_USED, SWIR_SLOTS)
        attributes["CNM_VNIR_SELECT"] = np.ones(VNIR_SLOTS, "u1")
        attributes["CNM_SWIR_SELECT"] = np.r_[np.zeros(3, "u1"), np.ones(SWIR_SLOTS - 3, "u1")]
        attributes["Sun_zenith_angle"] = np.float32(38.5)
        attributes["Sun_azimuth_angle"] = np.float32(161.25)
        attributes["Product_center_lat"] = np.float32(LATITUDE)
        attributes["Product_center_long"] = np.float32(LONGITUDE)
        attributes["Num_Frames"] = np.int32(1000)
        if level == "1":
            for name, scale, offset in (("Vnir", 100, 0.5), ("Swir", 250, 0), ("Pan", 100, 0)):
                attributes[f"ScaleFactor_{name}"] = np.float32(scale)
                attributes[f"Offset_{name}"] = np.float32(offset)
        else:
            for name, lowest, highest in (("Vnir", 0, 430.64), ("Swir", 0, 170.74), ("Pan", 0, 430.64)) if level == "2B" \
                    else (("Vnir", 0, 1), ("Swir", -0.0625, 1.25), ("Pan", 0, 1)):
                attributes[f"L2Scale{name}Min"] = np.float32(lowest)
                attributes[f"L2Scale{name}Max"] = np.float32(highest)
        if level == "2D":
            attributes["Epsg_Code"] = np.uint32(32600 + ZONE)
            attributes["Projection_Name"] = text("UTM")
            attributes["Projection_Id"] = text(str(ZONE))
            attributes["Reference_Ellipsoid"] = text("WGS84")
            for name, row, column in (("UL", 0, 0), ("UR", 0, columns - 1), ("LL", rows - 1, 0),
                                      ("LR", rows - 1, columns - 1)):
                attributes[f"Product_{name}corner_easting"] = np.float32(EAST + 30 * column)
                attributes[f"Product_{name}corner_northing"] = np.float32(NORTH - 30 * row)

        i, k = np.meshgrid(np.arange(sizes[0]), np.arange(sizes[1]), indexing="ij")
        if level == "2D":
            latitude, longitude = geographic(EAST + 30.0 * k, NORTH - 30.0 * i, ZONE)
        else:
            latitude = LATITUDE + (7.7 * i - 28.9 * k) / 111132.0
            longitude = LONGITUDE + (-29.5 * i - 7.5 * k) / (111320.0 * math.cos(math.radians(LATITUDE)))

        file.create_group("HDFEOS INFORMATION").attrs["HDFEOSVersion"] = text("HDFEOS_5.1.15")
        swath = file.create_group(f"HDFEOS/SWATHS/PRS_L{level}_HCO")
        data = swath.create_group("Data Fields")
        error = "SAT" if level == "1" else "L2"
        for detector, slots in (("VNIR", VNIR_SLOTS), ("SWIR", SWIR_SLOTS)):
            shape = (sizes[0], slots, sizes[1])
            values = data.create_dataset(f"{detector}_Cube", shape, "<u2")
            for first in range(0, sizes[0], 64):
                some = np.arange(first, min(first + 64, sizes[0]))
                values[some[0]:some[-1] + 1] = cube(level, sizes, detector, some)
            codes = data.create_dataset(f"{detector}_PIXEL_{error}_ERR_MATRIX", shape, "u1", fillvalue=0)
            codes[sizes[0] - 1] = 0  # else nothing would be stored
        data[f"VNIR_PIXEL_{error}_ERR_MATRIX"][4, 10, 9] = 1
        data[f"SWIR_PIXEL_{error}_ERR_MATRIX"][4, 20, 9] = 2
        data[f"SWIR_PIXEL_{error}_ERR_MATRIX"][6, 100, 11] = 4
        data[f"VNIR_PIXEL_{error}_ERR_MATRIX"][7, 0, 12] = 3  # in a slot that is not used
        data["VNIR_Cube"][8, 30, 13] = 0  # a number like any other, as nothing flags it
        geolocation = swath.create_group("Geolocation Fields")
        for suffix in ("_VNIR", "_SWIR") if level == "1" else ("",):
            geolocation["Latitude" + suffix] = latitude.astype("<f4")
            geolocation["Longitude" + suffix] = longitude.astype("<f4")
        if level == "1":
            for name in ("Cloud_Mask", "LandCover_Mask", "SunGlint_Mask"):
                data[name] = np.full(sizes, 10, "u1")
            file[f"HDFEOS/SWATHS/PRS_L1_HRC/Data Fields/VNIR_Cube"] = np.zeros((sizes[0], VNIR_SLOTS, sizes[1]), "<u2")
        else:
            geolocation["Time"] = np.linspace(7580.5, 7580.6, sizes[0])[:, None]
            geometric = swath.create_group("Geometric Fields")
            for name in ("Observing_Angle", "Rel_Azimuth_Angle", "Solar_Zenith_Angle"):
                geometric[name] = np.full(sizes, 38.5, "<f4")
            swath.create_group("Geocoding Model").attrs["LINE_OFF"] = np.float64(sizes[0] / 2)
        if level == "2C":
            file["HDFEOS/SWATHS/PRS_L2C_AOT/Data Fields/AOT_Map"] = np.zeros((5, 4), "<u2")
        file[f"HDFEOS/SWATHS/PRS_L{level}_PCO/Data Fields/Cube"] = np.zeros((6 * sizes[0], 6), "<u2")
        file["KDP_AUX/LOS_Vnir"] = np.zeros((sizes[0], 3), "<f4")


def swath_of(file):
    return next(group for name, group in file["HDFEOS/SWATHS"].items() if name.endswith("_HCO"))


def replace(group, name, values, **options):
    del group[name]
    group.create_dataset(name, data=values, **options)


def change_no_swath(file):
    swaths = file["HDFEOS/SWATHS"]
    for name in [name for name in swaths if name.endswith("_HCO")]:
        del swaths[name]


def change_no_cube(file):
    del swath_of(file)["Data Fields/SWIR_Cube"]


def change_no_wavelengths(file):
    del file.attrs["List_Cw_Vnir"]


def change_no_scale(file):
    for name in ("ScaleFactor_Swir", "L2ScaleSwirMax"):
        if name in file.attrs:
            del file.attrs[name]


def change_no_level(file):
    del file.attrs["Processing_Level"]


def change_other_level(file):
    file.attrs["Processing_Level"] = np.bytes_("0")


def change_no_location(file):
    del swath_of(file)["Geolocation Fields"]


def change_no_epsg(file):
    del file.attrs["Epsg_Code"]


def change_no_corner(file):
    del file.attrs["Product_ULcorner_easting"]


def change_sizes(file):
    data = swath_of(file)["Data Fields"]
    replace(data, "SWIR_Cube", data["SWIR_Cube"][:, :, :-1])


def change_lists(file):
    for name in ("List_Cw_Vnir", "List_Fwhm_Vnir", "List_Cw_Vnir_Flags"):
        file.attrs[name] = file.attrs[name][:-1]


def change_no_bands(file):
    file.attrs["List_Cw_Vnir_Flags"] = np.zeros(VNIR_SLOTS, "u1")
    file.attrs["List_Cw_Swir_Flags"] = np.zeros(SWIR_SLOTS, "u1")


def change_select67(file):
    file.attrs["CNM_VNIR_SELECT"] = np.ones(67, "u1")


def change_zero_scale(file):
    for name in ("ScaleFactor_Vnir", "L2ScaleVnirMax"):
        if name in file.attrs:
            file.attrs[name] = np.float32(0)


def change_wavelengths(file):
    values = file.attrs["List_Cw_Swir"]
    values[[40, 41]] = values[[41, 40]]
    file.attrs["List_Cw_Swir"] = values


def change_georeferenced(file):
    """Geolocation as in an L1G."""
    fields = swath_of(file)["Geolocation Fields"]
    for name in ("Latitude", "Longitude"):
        fields.move(name + "_VNIR", name)
        del fields[name + "_SWIR"]


def change_encoding(file):
    """Other types of attributes that mean the same: strings of variable length, arrays of one number, wider numbers."""
    for name, value in list(file.attrs.items()):
        if isinstance(value, bytes):
            file.attrs[name] = value.decode()
        elif np.ndim(value) == 0:
            file.attrs[name] = np.array([value], "f8" if value.dtype.kind == "f" else "i8")
        elif value.dtype == "f4":
            file.attrs[name] = value.astype("f8")
        elif value.dtype == "u1":
            file.attrs[name] = value.astype("i4")


def change_chunks(file):
    data = swath_of(file)["Data Fields"]
    for name in list(data):
        if data[name].ndim == 3:
            replace(data, name, data[name][:], chunks=(5, 16, 7), compression="gzip", shuffle=True)


def change_bare(file):
    """Without what an import can do without."""
    swath = swath_of(file)
    data = swath["Data Fields"]
    for name in [name for name in data if not name.endswith("_Cube")]:
        del data[name]
    for group, names in ((swath, ("Geometric Fields", "Geocoding Model")),
                         (file, ("KDP_AUX", "HDFEOS INFORMATION"))):
        for name in names:
            if name in group:
                del group[name]
    for name in ("Product_ID", "Product_StartTime", "Sun_zenith_angle", "Sun_azimuth_angle", "CNM_VNIR_SELECT",
                 "Offset_Vnir", "Offset_Swir"):
        if name in file.attrs:
            del file.attrs[name]


def change_reversed(file):
    """Stored the other way round in both dimensions, as an ascending orbit might be."""
    swath = swath_of(file)
    for fields in (swath["Data Fields"], swath["Geolocation Fields"]):
        for name in list(fields):
            values = fields[name][:]
            if values.ndim == 3 or values.shape[1] > 1:
                replace(fields, name, values[::-1, ..., ::-1])


def change_swapped(file):
    """With the image's rows and columns swapped."""
    swath = swath_of(file)
    for fields in (swath["Data Fields"], swath["Geolocation Fields"]):
        for name in list(fields):
            values = fields[name][:]
            if values.ndim == 3 or values.shape[1] > 1:
                replace(fields, name, values.swapaxes(0, values.ndim - 1))


def change_shifted(file):
    """Its locations are 600 m east of its grid."""
    fields = swath_of(file)["Geolocation Fields"]
    fields["Longitude"][...] = fields["Longitude"][...] + np.float32(0.0077)


def change_bad_band(file):
    """Two bands are flagged in most pixels, and one in some."""
    data = swath_of(file)["Data Fields"]
    name = next(name for name in data if name.startswith("SWIR_PIXEL"))
    codes = data[name]
    codes[:, 60, :] = 2
    codes[:, 61, :-3] = 2
    codes[:5, 62, :] = 2


def change_lower_level(file):
    file.attrs["Processing_Level"] = np.bytes_("l" + file.attrs["Processing_Level"].decode().lower())


def change_empty_level(file):
    file.attrs["Processing_Level"] = np.bytes_(" ")


def change_zero_epsg(file):
    """The zone and the hemisphere follow from the rest."""
    file.attrs["Epsg_Code"] = np.uint32(0)
    del file.attrs["Product_center_lat"]


def change_swir_location(file):
    fields = swath_of(file)["Geolocation Fields"]
    for name in ("Latitude_VNIR", "Longitude_VNIR"):
        del fields[name]


def change_small_location(file):
    fields = swath_of(file)["Geolocation Fields"]
    replace(fields, "Latitude", fields["Latitude"][:-1])


def change_invalid_location(file):
    fields = swath_of(file)["Geolocation Fields"]
    for name in [name for name in fields if name.startswith("L")]:
        fields[name][...] = -999


def change_turned_location(file):
    """Longitudes of 0 to 360 degrees, west of Greenwich."""
    fields = swath_of(file)["Geolocation Fields"]
    for name in [name for name in fields if name.startswith("Longitude")]:
        fields[name][...] = fields[name][...] + np.float32(270)


def change_signed(file):
    data = swath_of(file)["Data Fields"]
    replace(data, "VNIR_Cube", (data["VNIR_Cube"][:] // 2).astype("<i2"))


def change_bytes(file):
    data = swath_of(file)["Data Fields"]
    replace(data, "SWIR_Cube", (data["SWIR_Cube"][:] // 256).astype("u1"))


def change_wide(file):
    data = swath_of(file)["Data Fields"]
    replace(data, "VNIR_Cube", data["VNIR_Cube"][:].astype("<i4"))
    replace(data, "SWIR_Cube", data["SWIR_Cube"][:].astype("<f4"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("level", choices=("1", "2B", "2C", "2D"))
    parser.add_argument("file")
    parser.add_argument("--rows", type=int, default=23)
    parser.add_argument("--columns", type=int, default=17)
    parser.add_argument("--change", action="append", default=[])
    arguments = parser.parse_args()
    write(arguments.file, arguments.level, arguments.rows, arguments.columns)
    for change in arguments.change:
        if change == "truncate":
            os.truncate(arguments.file, os.path.getsize(arguments.file) * 2 // 3)
        elif change == "damage":  # after chunks
            with h5py.File(arguments.file, "r") as file:
                chunk = swath_of(file)["Data Fields/SWIR_Cube"].id.get_chunk_info(0)
            with open(arguments.file, "r+b") as file:
                file.seek(chunk.byte_offset)
                file.write(bytes(chunk.size))
        elif change == "user_block":
            with open(arguments.file, "rb") as file:
                content = file.read()
            with open(arguments.file, "wb") as file:
                file.write(bytes(512) + content)
        else:
            with h5py.File(arguments.file, "r+") as file:
                globals()["change_" + change](file)


if __name__ == "__main__":
    main()
