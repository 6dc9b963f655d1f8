// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/UnmixingMethod.h"

#include "ErrorMessage.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <string>

TEST(UnmixingMethod, NamesAreReadAsTheyAreWritten)
{
  for (const char* name : {"vca", "sivm", "sisal", "nmf", "edaa"})
  {
    EXPECT_EQ(ToString(hud::ParseUnmixingMethod(name)), name);
  }
}

TEST(UnmixingMethod, AnUnknownNameListsTheKnown)
{
  const std::string message = hud::test::MessageOf<hud::InvalidOption>([] { hud::ParseUnmixingMethod("pca"); });
  for (const char* text : {"unmixing method", "'pca'", "vca", "sivm", "sisal", "nmf", "edaa"})
  {
    EXPECT_TRUE(hud::test::Says(message, text)) << message;
  }
}
