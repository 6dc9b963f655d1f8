// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

namespace hud
{

/// Matrices that are too many for the memory, in a file without a name in the folder for temporary files (TMPDIR). The
/// system frees it when the object ends, however the program ends.
class ScratchFile
{
public:
  /// @throws FileError when there is no room for a file
  ScratchFile();

  /// @throws FileError when the disk is full
  void Append(const Eigen::MatrixXf& matrix);

  /// Calls `visit` for each matrix, in the order in which they were appended. May be called again; no Append after it.
  /// @throws FileError
  void Visit(const std::function<void(const Eigen::MatrixXf&)>& visit);

private:
  struct Shape
  {
    Eigen::Index m_Rows;
    Eigen::Index m_Cols;
  };

  std::unique_ptr<std::FILE, int (*)(std::FILE*)> m_File;
  std::vector<Shape> m_Shapes;
};

} // namespace hud
