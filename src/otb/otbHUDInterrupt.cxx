// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDInterrupt.h"

#include "hud/core/Error.h"

#include <array>
#include <atomic>
#include <csignal>

namespace otb
{

namespace
{

static_assert(std::atomic<bool>::is_always_lock_free, "a handler may use it");
std::atomic<bool> requested = false;
std::atomic<bool> cancelled = false;
int depth = 0;

struct CaughtSignal
{
  int m_Signal;
  bool m_OnlyIfFatal; ///< left alone where it is ignored, as by nohup, or handled, as by Python
  struct sigaction m_Previous = {};
};

std::array<CaughtSignal, 4> signals = {{{SIGINT, false}, {SIGTERM, false}, {SIGHUP, true}, {SIGPIPE, true}}};

extern "C" void HUDRecordSignal(int signal)
{
  if (signal != SIGINT)
  {
    cancelled = true;
  }
  requested = true;
}

} // namespace

HUDInterrupt::HUDInterrupt()
{
  if (depth++ == 0)
  {
    requested = false;
    cancelled = false;
    struct sigaction action = {};
    action.sa_handler = HUDRecordSignal;
    // Without SA_RESTART a read or write of a file could fail with EINTR.
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (CaughtSignal& caught : signals)
    {
      sigaction(caught.m_Signal, &action, &caught.m_Previous);
      if (caught.m_OnlyIfFatal && caught.m_Previous.sa_handler != SIG_DFL)
      {
        sigaction(caught.m_Signal, &caught.m_Previous, nullptr);
      }
    }
  }
}

HUDInterrupt::~HUDInterrupt()
{
  if (--depth == 0)
  {
    for (const CaughtSignal& caught : signals)
    {
      sigaction(caught.m_Signal, &caught.m_Previous, nullptr);
    }
    requested = false;
    cancelled = false;
  }
}

bool HUDInterrupt::Requested()
{
  return requested;
}

bool HUDInterrupt::Cancelled()
{
  return cancelled;
}

void HUDInterrupt::ThrowIfRequested()
{
  if (Requested())
  {
    throw hud::Error("interrupted");
  }
}

} // namespace otb
