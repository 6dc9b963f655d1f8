// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

namespace hud
{

/// Returns the Inception Score of a set of images: exp of the mean Kullback-Leibler divergence of each image's class
/// probabilities from their mean (Salimans et al. 2016, arXiv 1606.03498). From 1, where all images have the same
/// probabilities, to the number of classes, where each image is surely of one class and all classes are equally frequent.
/// The set counts as a whole: the mean over ten parts of it, which is often published, is lower where images are few.
/// @param probabilities [classes x n], each column from 0 to 1 and with sum one within 1e-5
/// @throws InvalidData when the set is empty or a column holds no probabilities
double InceptionScore(const Eigen::Ref<const Eigen::MatrixXd>& probabilities);

} // namespace hud
