// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <sys/resource.h>

#include <csignal>

namespace hud::test
{

/// Files may not grow beyond so many bytes while this lives, as on a full disk.
class FullDisk
{
public:
  explicit FullDisk(rlim_t bytes) : m_Handler(std::signal(SIGXFSZ, SIG_IGN))
  {
    ::getrlimit(RLIMIT_FSIZE, &m_Before);
    rlimit limit = m_Before;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }

  ~FullDisk()
  {
    ::setrlimit(RLIMIT_FSIZE, &m_Before);
    std::signal(SIGXFSZ, m_Handler);
  }

  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

private:
  rlimit m_Before = {};
  void (*m_Handler)(int);
};

} // namespace hud::test
