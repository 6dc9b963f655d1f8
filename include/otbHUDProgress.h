// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "itkProcessObject.h"

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>

namespace otb
{

/// Prints progress as lines of the form `NAME: 35% [DETAIL, 1 min 20 s left]`, at most one in some seconds. QGIS reads the
/// number between the first colon of a line and "% [": so it is no log line, whose time would come first, and NAME holds no
/// colon. Every line is flushed: OTB's own watcher keeps its line until the end when the output is not a terminal.
class HUDProgressLines
{
public:
  /// Time between the lines of the applications.
  static constexpr std::chrono::milliseconds kInterval{3000};

  /// @param name "Training"; colons are replaced
  /// @param stream std::cout for QGIS
  /// @param interval least time between two lines; zero prints every one
  HUDProgressLines(std::string name, std::ostream& stream, std::chrono::milliseconds interval);

  /// Prints a line if it is time, with the time left if there is enough to estimate it from.
  /// @param fraction 0 to 1; beyond is cut
  /// @param detail may be empty
  void Print(double fraction, const std::string& detail);

  /// Returns "50 s", "1 min 20 s" or "2 h 5 min".
  /// @param seconds at least 0
  static std::string FormatDuration(double seconds);

private:
  using Clock = std::chrono::steady_clock;

  std::string m_Name;
  std::ostream& m_Stream;
  std::chrono::milliseconds m_Interval;
  Clock::time_point m_Start;
  Clock::time_point m_LastLine;
};

/// Progress of work that is not a pipeline, such as training, for OTB's watchers (Application::AddProcess) and in lines.
/// Lines appear only where a watcher listens, that is unless the user switched progress off.
class HUDProgress : public itk::ProcessObject
{
public:
  using Self = HUDProgress;
  using Superclass = itk::ProcessObject;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDProgress, itk::ProcessObject);

  HUDProgress(const Self&) = delete;
  void operator=(const Self&) = delete;

  /// @param name of the work in its lines
  void SetName(const std::string& name);

  void Start();

  /// Reports how far the work is and returns false when it should stop: when HUDInterrupt::Requested() or the application
  /// was asked to.
  /// @param fraction done, 0 to 1
  /// @param detail "iteration 350 of 1000, loss 0.21"; may be empty
  bool Advance(double fraction, const std::string& detail = "");

  void Finish();

protected:
  HUDProgress();
  ~HUDProgress() override = default;

private:
  std::optional<HUDProgressLines> m_Lines; ///< from Start on
  std::string m_Name;
};

} // namespace otb
