// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "Canvas.h"
#include "Denoiser.h"
#include "NetworkCoordinates.h"

#include "hud/core/AbundanceMap.h"
#include "hud/diffusion/SampleSession.h"

#include <functional>

namespace hud
{

/// Returns Z_0 on a canvas of whole windows, at least the size that was asked for. See SampleSession::Sample.
/// @param place an existing place; may be empty
/// @param proceed called with the fraction done; returning false ends the work with an Error; may be empty
/// @throws InvalidOption as SampleOptions::Check, FileError (scratch file)
Canvas SampleCanvas(Denoiser& denoiser, const ModelInfo& info, const SampleOptions& options, const PlaceReader& place,
                    const std::function<bool(double)>& proceed);

/// Writes the abundances of the canvas's rows from `first` on, [d x width * rows], of the first `width` pixels of each.
/// @throws FileError (scratch file)
void ReadAbundances(const Canvas& canvas, const NetworkCoordinates& coordinates, Eigen::Index width, Eigen::Index first,
                    Eigen::Index rows, Eigen::Ref<Eigen::MatrixXf> abundances);

/// Returns the abundances of the canvas's upper left part.
AbundanceMap ReadAbundances(const Canvas& canvas, const NetworkCoordinates& coordinates, Eigen::Index width,
                            Eigen::Index height);

} // namespace hud
