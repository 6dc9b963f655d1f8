// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/Vca.h"

#include <Eigen/Core>

#include <functional>
#include <vector>

namespace hud
{

/// Returns the endmembers of runs of Smoothed VCA in one branch, [bands x d] each: where VCA takes the one pixel farthest
/// along a direction, this takes the median of many, so that neither noise in dark pixels nor an outlier makes an
/// endmember (Nadisic, Gillis and Kervazo, "Smoothed separable nonnegative matrix factorization", Linear Algebra and its
/// Applications 676, 2023). With one pixel a run gives the endmembers of the same run of ExtractVcaRuns.
/// @param spectra [bands x pixels], a sample of the scene, at least one
/// @param options whose branch does not matter
/// @param pixels to take the median of
/// @param checkIn is called before each run; what it throws stops the work; may be empty
/// @throws InvalidOption when these are fewer than 1 or more than those of the sample
std::vector<Eigen::MatrixXd> ExtractSmoothedVcaRuns(const Eigen::Ref<const Eigen::MatrixXf>& spectra,
                                                    const VcaOptions& options, const VcaRuns& runs, Eigen::Index pixels,
                                                    const std::function<void()>& checkIn = {});

} // namespace hud
