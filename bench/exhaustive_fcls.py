#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers
"""Prints the decode error of fully constrained least squares in percent of a scene's root mean square.

usage: exhaustive_fcls.py SCENE ENDMEMBERS

In double precision and without an active set: of all sets of endmembers, each pixel takes that whose mixture, with sum one
and no negative abundance, is nearest. For at most 10 endmembers."""
import itertools
import sys

import numpy
from osgeo import gdal

gdal.UseExceptions()


def spectra(path):
    image = gdal.Open(path).ReadAsArray().astype(float)
    return image.reshape(image.shape[0], -1)


def main(scene_path, endmembers_path):
    scene, endmembers = spectra(scene_path), spectra(endmembers_path)
    if endmembers.shape[1] > 10:
        sys.exit(f"{endmembers_path} has {endmembers.shape[1]} endmembers, expected at most 10")
    least = numpy.full(scene.shape[1], numpy.inf)
    for size in range(1, endmembers.shape[1] + 1):
        for chosen in itertools.combinations(range(endmembers.shape[1]), size):
            # The last abundance is one minus the others.
            last = endmembers[:, chosen[-1]][:, None]
            edges = endmembers[:, chosen[:-1]] - last
            others = numpy.linalg.lstsq(edges, scene - last, rcond=None)[0] if size > 1 else numpy.zeros((0, scene.shape[1]))
            valid = (others >= 0).all(axis=0) & (others.sum(axis=0) <= 1)
            error = ((scene - last - edges @ others) ** 2).sum(axis=0)
            least = numpy.where(valid, numpy.minimum(least, error), least)
    print(100 * numpy.sqrt(least.sum() / (scene**2).sum()))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
