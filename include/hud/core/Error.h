// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <stdexcept>
#include <string>

namespace hud
{

/// Base of every error that HUD throws. The message names what was found and what was expected.
class Error : public std::runtime_error
{
public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

/// An option or argument is outside its range, or two of them contradict each other.
class InvalidOption : public Error
{
public:
  using Error::Error;
};

/// Input data cannot be used: wrong shape, no valid pixel, not finite, rank deficient.
class InvalidData : public Error
{
public:
  using Error::Error;
};

/// A file cannot be read or written, or is not what it should be.
class FileError : public Error
{
public:
  using Error::Error;
};

} // namespace hud
