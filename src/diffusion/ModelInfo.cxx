// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/ModelInfo.h"

#include "hud/core/Error.h"

#include <algorithm>

namespace hud
{

std::size_t SceneInfo::FindLabel(const std::string& name) const
{
  const auto found =
      std::find_if(m_Labels.begin(), m_Labels.end(), [&](const LabelInfo& label) { return label.m_Name == name; });
  if (found != m_Labels.end())
  {
    return static_cast<std::size_t>(found - m_Labels.begin());
  }
  std::string known;
  for (const LabelInfo& label : m_Labels)
  {
    known += (known.empty() ? "" : ", ") + label.m_Name;
  }
  throw InvalidOption("the label is '" + name + "', " +
                      (known.empty() ? "but the model was trained without labels" : "expected one of " + known));
}

const Eigen::MatrixXd& SceneInfo::EndmembersOf(const std::string& label) const
{
  if (label.empty())
  {
    return m_Endmembers;
  }
  const LabelInfo& info = m_Labels[FindLabel(label)];
  return info.m_Endmembers.size() > 0 ? info.m_Endmembers : m_Endmembers;
}

const std::optional<ResidualModel>& SceneInfo::ResidualOf(const std::string& label) const
{
  if (label.empty())
  {
    return m_Residual;
  }
  const LabelInfo& info = m_Labels[FindLabel(label)];
  return info.m_Endmembers.size() > 0 ? info.m_Residual : m_Residual;
}

} // namespace hud
