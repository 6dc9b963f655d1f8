// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDInterrupt.h"

#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <csignal>

namespace
{

volatile std::sig_atomic_t earlierHandlerCalls = 0;

void EarlierHandler(int)
{
  earlierHandlerCalls = earlierHandlerCalls + 1;
}

} // namespace

TEST(HUDInterrupt, TurnsSignalsIntoAFlag)
{
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
  {
    const otb::HUDInterrupt interrupt;
    EXPECT_FALSE(otb::HUDInterrupt::Requested());
    EXPECT_NO_THROW(otb::HUDInterrupt::ThrowIfRequested());
    std::raise(signal);
    EXPECT_TRUE(otb::HUDInterrupt::Requested());
    EXPECT_EQ(otb::HUDInterrupt::Cancelled(), signal != SIGINT);
    EXPECT_THROW(otb::HUDInterrupt::ThrowIfRequested(), hud::Error);
  }
  EXPECT_FALSE(otb::HUDInterrupt::Cancelled());
  EXPECT_FALSE(otb::HUDInterrupt::Requested());
}

TEST(HUDInterrupt, GivesTheEarlierHandlersBack)
{
  const auto before = std::signal(SIGINT, EarlierHandler);
  earlierHandlerCalls = 0;
  {
    const otb::HUDInterrupt interrupt;
    std::raise(SIGINT);
    EXPECT_EQ(earlierHandlerCalls, 0);
  }
  std::raise(SIGINT);
  EXPECT_EQ(earlierHandlerCalls, 1);
  std::signal(SIGINT, before);
}

TEST(HUDInterrupt, LeavesTerminalAndPipeToAHostThatIgnoresThem)
{
  for (const int signal : {SIGHUP, SIGPIPE})
  {
    const auto before = std::signal(signal, SIG_IGN);
    {
      const otb::HUDInterrupt interrupt;
      std::raise(signal);
      EXPECT_FALSE(otb::HUDInterrupt::Requested());
    }
    EXPECT_EQ(std::signal(signal, before), SIG_IGN);
  }
}

TEST(HUDInterrupt, KeepsTheFlagWhenANestedOneEnds)
{
  const otb::HUDInterrupt outer;
  {
    const otb::HUDInterrupt inner;
    std::raise(SIGINT);
  }
  EXPECT_TRUE(otb::HUDInterrupt::Requested());
  const otb::HUDInterrupt another;
  EXPECT_TRUE(otb::HUDInterrupt::Requested());
}
