// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDInterrupt.h"

#include "hud/core/Error.h"

#include <csignal>

namespace otb
{

namespace
{

volatile std::sig_atomic_t requested = 0;
volatile std::sig_atomic_t cancelled = 0;
int depth = 0;
struct sigaction previousInterrupt;
struct sigaction previousTermination;
struct sigaction previousPipe;

extern "C" void HUDRecordSignal(int signal)
{
  if (signal != SIGINT)
  {
    cancelled = 1;
  }
  requested = 1;
}

} // namespace

HUDInterrupt::HUDInterrupt()
{
  if (depth++ == 0)
  {
    requested = 0;
    cancelled = 0;
    struct sigaction action = {};
    action.sa_handler = HUDRecordSignal;
    // Without SA_RESTART a read or write of a file could fail with EINTR.
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &previousInterrupt);
    sigaction(SIGTERM, &action, &previousTermination);
    sigaction(SIGPIPE, &action, &previousPipe);
    if (previousPipe.sa_handler != SIG_DFL)
    {
      // A host such as Python lives with broken pipes.
      sigaction(SIGPIPE, &previousPipe, nullptr);
    }
  }
}

HUDInterrupt::~HUDInterrupt()
{
  if (--depth == 0)
  {
    sigaction(SIGINT, &previousInterrupt, nullptr);
    sigaction(SIGTERM, &previousTermination, nullptr);
    sigaction(SIGPIPE, &previousPipe, nullptr);
    requested = 0;
    cancelled = 0;
  }
}

bool HUDInterrupt::Requested()
{
  return requested != 0;
}

bool HUDInterrupt::Cancelled()
{
  return cancelled != 0;
}

void HUDInterrupt::ThrowIfRequested()
{
  if (Requested())
  {
    throw hud::Error("interrupted");
  }
}

} // namespace otb
