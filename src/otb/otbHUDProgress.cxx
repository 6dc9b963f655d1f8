// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDProgress.h"

#include "otbHUDInterrupt.h"

#include "otbSystem.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>

namespace otb
{

namespace
{

constexpr double kSecondsBeforeEstimate = 1.;
constexpr std::size_t kWatcherLineLength = 79;

} // namespace

HUDProgressLines::HUDProgressLines(std::string name, std::ostream& stream, std::chrono::milliseconds interval)
  : m_Name(std::move(name)), m_Stream(stream), m_Interval(interval), m_Start(Clock::now()), m_LastLine(m_Start)
{
  std::replace(m_Name.begin(), m_Name.end(), ':', ' ');
}

void HUDProgressLines::Print(double fraction, const std::string& detail)
{
  const Clock::time_point now = Clock::now();
  if (now - m_LastLine < m_Interval)
  {
    return;
  }
  m_LastLine = now;
  fraction = std::clamp(fraction, 0., 1.);

  std::string inside = detail;
  const double elapsed = std::chrono::duration<double>(now - m_Start).count();
  if (fraction > 0. && fraction < 1. && elapsed >= kSecondsBeforeEstimate)
  {
    inside += (inside.empty() ? "" : ", ") + FormatDuration(elapsed * (1. - fraction) / fraction) + " left";
  }
  std::string line = m_Name + ": " + std::to_string(static_cast<int>(fraction * 100.)) + "% [" + inside + "]";
  if (&m_Stream == &std::cout && System::IsInteractive(1))
  {
    // On a terminal OTB's watcher draws its bar in the current line.
    line.resize(std::max(line.size(), kWatcherLineLength), ' ');
    line.insert(line.begin(), '\r');
  }
  m_Stream << line << std::endl;
}

std::string HUDProgressLines::FormatDuration(double seconds)
{
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60)
  {
    return std::to_string(whole) + " s";
  }
  if (whole < 3600)
  {
    return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  }
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

HUDProgress::HUDProgress() = default;

void HUDProgress::SetName(const std::string& name)
{
  m_Name = name;
}

void HUDProgress::Start()
{
  SetAbortGenerateData(false);
  m_Lines.emplace(m_Name, std::cout, HUDProgressLines::kInterval);
  InvokeEvent(itk::StartEvent());
  UpdateProgress(0.f);
}

bool HUDProgress::Advance(double fraction, const std::string& detail)
{
  UpdateProgress(static_cast<float>(std::clamp(fraction, 0., 1.)));
  if (m_Lines && HasObserver(itk::ProgressEvent()))
  {
    m_Lines->Print(fraction, detail);
  }
  return !HUDInterrupt::Requested() && !GetAbortGenerateData();
}

void HUDProgress::Finish()
{
  UpdateProgress(1.f);
  InvokeEvent(itk::EndEvent());
}

} // namespace otb
