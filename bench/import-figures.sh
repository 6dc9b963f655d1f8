#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Prints the time and the peak memory of HUDImport on a synthetic L2D product, beside gdal_translate writing the same amount
# as a float32 GeoTIFF.
#
#   bench/import-figures.sh [SIZE [RAM]]
#
# SIZE x SIZE pixels, 1200 unless given, of 66 + 173 bands, 234 of them valid and imported; RAM in MB, 256 unless given. The
# source of gdal_translate is the imported image as a flat file (ENVI), once interleaved by pixel as what it writes is, once by
# band. Times are of the whole program, the least of three runs in turn. Needs SIZE^2 * 3500 bytes in TMPDIR.
#
# Run scripts/setup.sh first, and nothing else meanwhile. HUD_PREFIX is as there. PYTHON is one with h5py and numpy.
# shellcheck source=bench/measuring.sh
. "$(dirname "$0")/measuring.sh"

size=${1:-1200}
ram=${2:-256}
[[ $size =~ ^[1-9][0-9]{1,3}$ ]] || fail "SIZE is '$size', expected pixels, from 10 to 9999"
[[ $ram =~ ^[1-9][0-9]*$ ]] || fail "RAM is '$ram', expected MB"
need HUDImport
[ -x /usr/bin/time ] || fail "/usr/bin/time is missing: install the package time"
load=$(cut -d ' ' -f 1 /proc/loadavg)

cd "$work"
quietly "${PYTHON:-/usr/bin/python3}" -B "$here/test/prisma_product.py" 2D product.he5 --rows "$size" --columns "$size"
import=("$prefix/bin/otbcli_HUDImport" -in product.he5 -out scene.tif -join sorted -ram "$ram" -progress false)
quietly "${import[@]}"
for interleave in BIP BSQ; do
  quietly gdal_translate -q -of ENVI -co INTERLEAVE=$interleave scene.tif $interleave.img
done

# measure KEY COMMAND...: adds a line to the times of KEY.
measure()
{
  local key=$1
  shift
  /usr/bin/time -a -o "times-$key" -f "%e %M" "$@" >log 2>&1 || fail "failed: $* $(cat log)"
}
for _ in 1 2 3; do
  measure import "${import[@]}"
  for interleave in BIP BSQ; do
    measure $interleave gdal_translate -q $interleave.img copy.tif
    rm copy.tif
  done
done

seconds() { sort -g "times-$1" | awk 'NR == 1 {print $1}'; }
megabytes() { awk '$2 > peak {peak = $2} END {printf "%.0f", peak / 1024}' "times-$1"; }
row() { printf '| %-45s | %7s | %5s |\n' "$1" "$(seconds "$2")" "$(megabytes "$2")"; }

echo "CPU cores: $(nproc), load before: $load; $size x $size pixels, $(gdalinfo scene.tif | grep -c '^Band ') bands"
echo
printf '| %-45s | %7s | %5s |\n' program seconds MB
echo "|-----------------------------------------------|--------:|------:|"
row "HUDImport, ram $ram" import
row "gdal_translate, from bands side by side" BIP
row "gdal_translate, from one band after the other" BSQ
echo
for interleave in BIP BSQ; do
  echo "HUDImport : gdal_translate from $interleave: $(awk "BEGIN {printf \"%.2f\", $(seconds import) / $(seconds $interleave)}")"
done
