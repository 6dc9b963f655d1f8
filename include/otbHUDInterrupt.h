// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

namespace otb
{

/// While one lives, SIGINT and SIGTERM only set a flag, so that long work can stop at a safe place and clean up; so do SIGHUP
/// and SIGPIPE where they would kill: the terminal, or whoever read the log, such as QGIS, is gone. May be nested; the
/// outermost clears the flag at its start and restores the handlers at its end. To be used by one thread.
class HUDInterrupt
{
public:
  HUDInterrupt();
  ~HUDInterrupt();

  HUDInterrupt(const HUDInterrupt&) = delete;
  HUDInterrupt& operator=(const HUDInterrupt&) = delete;

  /// Returns whether a signal came while one lives. Thread-safe.
  static bool Requested();

  /// Returns whether it was another signal than SIGINT: nobody waits for a result. Thread-safe.
  static bool Cancelled();

  /// @throws hud::Error "interrupted" when Requested()
  static void ThrowIfRequested();
};

} // namespace otb
