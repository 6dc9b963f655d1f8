// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDProgress.h"

#include "otbHUDInterrupt.h"

#include "itkCommand.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <sstream>
#include <vector>

namespace
{

using otb::HUDProgress;
using otb::HUDProgressLines;

// Records the events and the progress at each.
class Recorder : public itk::Command
{
public:
  using Self = Recorder;
  using Pointer = itk::SmartPointer<Self>;
  itkNewMacro(Self);

  void Execute(itk::Object* caller, const itk::EventObject& event) override
  {
    m_Events.emplace_back(event.GetEventName());
    m_Progress.push_back(dynamic_cast<itk::ProcessObject&>(*caller).GetProgress());
  }
  void Execute(const itk::Object*, const itk::EventObject&) override {}

  std::vector<std::string> m_Events;
  std::vector<float> m_Progress;
};

} // namespace

TEST(HUDProgressLines, HaveTheFormThatQgisReads)
{
  std::ostringstream stream;
  HUDProgressLines lines("Training: all", stream, std::chrono::milliseconds(0));
  lines.Print(0.359, "iteration 350 of 1000, loss 0.21");
  lines.Print(1.2, "");
  EXPECT_EQ(stream.str(), "Training  all: 35% [iteration 350 of 1000, loss 0.21]\nTraining  all: 100% []\n");
}

TEST(HUDProgressLines, AreHeldBackWithinTheInterval)
{
  std::ostringstream stream;
  HUDProgressLines lines("Training", stream, std::chrono::hours(1));
  lines.Print(0.1, "a");
  lines.Print(0.2, "b");
  EXPECT_EQ(stream.str(), "");
}

TEST(HUDProgressLines, FormatDurations)
{
  EXPECT_EQ(HUDProgressLines::FormatDuration(0.), "0 s");
  EXPECT_EQ(HUDProgressLines::FormatDuration(59.4), "59 s");
  EXPECT_EQ(HUDProgressLines::FormatDuration(59.6), "1 min 0 s");
  EXPECT_EQ(HUDProgressLines::FormatDuration(80.), "1 min 20 s");
  EXPECT_EQ(HUDProgressLines::FormatDuration(7525.), "2 h 5 min");
}

TEST(HUDProgress, TellsWatchersOfStartProgressAndEnd)
{
  const auto progress = HUDProgress::New();
  const auto recorder = Recorder::New();
  progress->AddObserver(itk::AnyEvent(), recorder);
  progress->SetName("Training");
  progress->Start();
  progress->Advance(0.25, "iteration 1 of 4");
  progress->Finish();
  // Naming the object is an event too.
  recorder->m_Events.erase(std::remove(recorder->m_Events.begin(), recorder->m_Events.end(), "ModifiedEvent"),
                           recorder->m_Events.end());
  EXPECT_EQ(recorder->m_Events,
            (std::vector<std::string>{"StartEvent", "ProgressEvent", "ProgressEvent", "ProgressEvent", "EndEvent"}));
  EXPECT_FLOAT_EQ(recorder->m_Progress.back(), 1.f);
}

TEST(HUDProgress, StopsWhenInterrupted)
{
  const otb::HUDInterrupt interrupt;
  const auto progress = HUDProgress::New();
  progress->Start();
  EXPECT_TRUE(progress->Advance(0.1));
  std::raise(SIGTERM);
  EXPECT_FALSE(progress->Advance(0.2));
}

TEST(HUDProgress, StopsWhenTheApplicationIsStopped)
{
  const auto progress = HUDProgress::New();
  progress->Start();
  progress->SetAbortGenerateData(true);
  EXPECT_FALSE(progress->Advance(0.2));
}
