// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Canvas.h"

#include <gtest/gtest.h>

namespace
{

/// The parameter: whether the canvas is in memory.
class Canvas : public testing::TestWithParam<bool>
{
};

TEST_P(Canvas, RowsGoAround)
{
  hud::Canvas canvas(2, 6, 5, GetParam());
  const torch::Tensor values = torch::arange(60, torch::kFloat32).view({6, 2, 5});
  canvas.Write(0, values);
  EXPECT_TRUE(canvas.Read(0, 6).equal(values));
  EXPECT_TRUE(canvas.Read(-1, 3).equal(torch::cat({values.narrow(0, 5, 1), values.narrow(0, 0, 2)})));
  EXPECT_TRUE(canvas.Read(4, 6).equal(values.roll(-4, 0)));

  canvas.Write(5, -values.narrow(0, 0, 2));
  EXPECT_TRUE(canvas.Read(5, 1).equal(-values.narrow(0, 0, 1)));
  EXPECT_TRUE(canvas.Read(0, 1).equal(-values.narrow(0, 1, 1)));
  EXPECT_TRUE(canvas.Read(1, 4).equal(values.narrow(0, 1, 4)));
}

INSTANTIATE_TEST_SUITE_P(InMemoryOrOnDisk, Canvas, testing::Bool());

} // namespace
