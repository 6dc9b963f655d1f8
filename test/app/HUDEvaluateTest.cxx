// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <ostream>
#include <streambuf>

namespace
{

using hud::test::ExpectSays;
using hud::test::OpenImage;
using hud::test::ReadText;
using hud::test::TestImage;
using hud::test::WriteImage;

class HUDEvaluate : public hud::test::ApplicationTest
{
protected:
  static constexpr int kGeneratedWidth = 17;
  static constexpr int kGeneratedHeight = 14;

  void SetUp() override
  {
    WriteImage(Path("gen.tif"), MakeGenerated(), Wavelengths());
  }

  /// Returns another scene: real pixels in another order.
  TestImage MakeGenerated() const
  {
    TestImage generated;
    generated.m_Width = kGeneratedWidth;
    generated.m_Height = kGeneratedHeight;
    generated.m_Pixels = m_Scene.m_Pixels.rightCols(kGeneratedWidth * kGeneratedHeight).rowwise().reverse();
    return generated;
  }

  Parameters Arguments(const std::string& generated = "gen.tif") const
  {
    return {{"in", Path("scene.tif")},
            {"gen", Path(generated)},
            {"ne", "3"},
            {"patch", "4"},
            {"out", Path("figures.json")},
            {"report", Path("page.html")},
            {"quicklook", Path("look.png")}};
  }

  nlohmann::json Figures() const
  {
    return nlohmann::json::parse(ReadText(Path("figures.json")));
  }

  static nlohmann::json Metric(const nlohmann::json& figures, const std::string& name)
  {
    const auto found = std::find_if(figures["metrics"].begin(), figures["metrics"].end(),
                                    [&](const nlohmann::json& metric) { return metric["name"] == name; });
    EXPECT_NE(found, figures["metrics"].end()) << name;
    return *found;
  }

  /// Writes an image of the size of the real scene and one band.
  void WriteLabels(const std::string& name, const Eigen::MatrixXf& values)
  {
    TestImage labels;
    labels.m_Width = static_cast<int>(values.cols()) / kHeight;
    labels.m_Height = kHeight;
    labels.m_Pixels = values;
    WriteImage(Path(name), labels);
  }
};

TEST_F(HUDEvaluate, WritesFiguresAPageAndAPicture)
{
  Run("HUDEvaluate", Arguments());
  const nlohmann::json figures = Figures();
  EXPECT_EQ(figures["format"], "hud-evaluation");
  EXPECT_EQ(figures["formatVersion"], 1);
  EXPECT_EQ(figures["real"]["width"], kWidth);
  EXPECT_EQ(figures["generated"]["height"], kGeneratedHeight);
  EXPECT_EQ(figures["generated"]["validPixels"], kGeneratedWidth * kGeneratedHeight);
  EXPECT_EQ(figures["setBlocks"], 12);
  EXPECT_NEAR(Metric(figures, "point_fidelity")["value"].get<double>(), 1., 1e-6); // real pixels
  EXPECT_LT(Metric(figures, "block_diversity")["value"].get<double>(), 0.999);     // in another order
  EXPECT_TRUE(Metric(figures, "inception_score")["value"].is_number());
  EXPECT_TRUE(Metric(figures, "kernel_distance")["interval"].is_array());
  for (const nlohmann::json& metric : figures["metrics"])
  {
    EXPECT_TRUE(metric["value"].is_number()) << metric["name"];
    EXPECT_TRUE(metric["oracle"].is_number()) << metric["name"];
    EXPECT_FALSE(metric["verdict"].get<std::string>().empty()) << metric["name"];
    EXPECT_TRUE(metric["meaning"].get<std::string>().find('\n') == std::string::npos) << metric["name"];
  }
  ExpectSays(Log(), {"Point fidelity F_p: 1", "real data"});

  const std::string page = ReadText(Path("page.html"));
  ExpectSays(page, {"<!DOCTYPE html>", "hud-evaluation", "data:image/png;base64,"});
  const auto picture = OpenImage(Path("look.png"));
  EXPECT_EQ(picture->GetRasterXSize(), kWidth + 8 + kGeneratedWidth);
  EXPECT_EQ(picture->GetRasterYSize(), kHeight);
  EXPECT_EQ(picture->GetRasterCount(), 3);
}

TEST_F(HUDEvaluate, WritesAPageThatABrowserShowsWithoutErrorsOrANetwork)
{
  if (std::system("command -v chromium >/dev/null") != 0)
  {
    GTEST_SKIP() << "Chromium is not installed";
  }
  Run("HUDEvaluate", Arguments());
  const std::string command =
      "'" HUD_TEST_SCRIPT_DIR "/check-report.sh' '" + Path("page.html") + "' >'" + Path("log") + "' 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << ReadText(Path("log"));
}

TEST_F(HUDEvaluate, GivesTheSameBytesForTheSameSeed)
{
  Run("HUDEvaluate", Arguments());
  const std::string figures = ReadText(Path("figures.json"));
  const std::string page = ReadText(Path("page.html"));
  Run("HUDEvaluate", Arguments());
  EXPECT_EQ(ReadText(Path("figures.json")), figures);
  EXPECT_EQ(ReadText(Path("page.html")), page);
}

TEST_F(HUDEvaluate, FindsTheSceneItselfPerfectAndRaisesTheAlarm)
{
  Run("HUDEvaluate", Arguments("scene.tif"));
  const nlohmann::json figures = Figures();
  EXPECT_NEAR(Metric(figures, "point_fidelity")["value"].get<double>(), 1., 1e-6);
  EXPECT_NEAR(Metric(figures, "diversity_ratio")["value"].get<double>(), 1., 1e-6);
  EXPECT_EQ(figures["memorisation"]["alarm"], true);
  EXPECT_EQ(figures["memorisation"]["copies"], 20);
  ExpectSays(Log(), {"20 of 20 generated blocks"});
}

TEST_F(HUDEvaluate, TakesGivenEndmembersAndLabels)
{
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ne", "3"}, {"outendm", Path("e.tif")}});
  Eigen::MatrixXf labels(1, kWidth * kHeight);
  for (Eigen::Index pixel = 0; pixel < labels.cols(); ++pixel)
  {
    const Eigen::Index stripe = 3 + pixel % kWidth / 8; // of the classes 3, 4 and 5
    labels(0, pixel) = static_cast<float>(stripe);
  }
  WriteLabels("labels.tif", labels);
  Parameters arguments = Arguments();
  arguments.emplace_back("ie", Path("e.tif"));
  arguments.emplace_back("labels", Path("labels.tif"));
  Run("HUDEvaluate", arguments);
  EXPECT_EQ(Figures()["classifier"]["classes"], 3);
  EXPECT_EQ(Figures()["classifier"]["labels"], Path("labels.tif"));
}

TEST_F(HUDEvaluate, LeavesOutBandsWithoutDataWhateverTheEndmembersHoldThere)
{
  TestImage real = m_Scene;
  real.m_Pixels.row(5).setConstant(std::numeric_limits<float>::quiet_NaN());
  WriteImage(Path("scene.tif"), real, Wavelengths());
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ne", "3"}, {"outendm", Path("endmembers.tif")}});
  Parameters arguments = Arguments();
  arguments[2] = {"ie", Path("endmembers.tif")};
  Run("HUDEvaluate", arguments);
  const nlohmann::json figures = Figures();
  // The generated scene's values of that band do not count either.
  EXPECT_NEAR(Metric(figures, "point_fidelity")["value"].get<double>(), 1., 1e-6);
  EXPECT_NEAR(Metric(figures, "relative_error")["value"].get<double>(), 0., 1e-3);
}

TEST_F(HUDEvaluate, EstimatesFidelityFromSomeBlocksOnlyWhenAsked)
{
  Parameters arguments = Arguments();
  arguments.emplace_back("blocks", "5");
  Run("HUDEvaluate", arguments);
  EXPECT_EQ(Figures()["blocks"], 5);
  ASSERT_FALSE(Figures()["warnings"].empty());
  ExpectSays(Figures()["warnings"][0], {"estimates from 5 blocks"});
}

TEST_F(HUDEvaluate, LeavesOutNoDataPixelsAndCountsThem)
{
  TestImage generated = MakeGenerated();
  generated.m_Pixels.col(40).setZero();
  generated.m_Pixels(3, 60) = std::nanf("");
  WriteImage(Path("holes.tif"), generated, Wavelengths());
  Run("HUDEvaluate", Arguments("holes.tif"));
  EXPECT_EQ(Figures()["generated"]["pixelsLeftOut"]["allBandsZero"], 1);
  EXPECT_EQ(Figures()["generated"]["pixelsLeftOut"]["notFinite"], 1);
  EXPECT_EQ(Figures()["generated"]["validPixels"], kGeneratedWidth * kGeneratedHeight - 2);
}

TEST_F(HUDEvaluate, TakesAConstantSceneForWhatItIs)
{
  TestImage constant = MakeGenerated();
  constant.m_Pixels.colwise() = Eigen::VectorXf(m_Scene.m_Pixels.col(9));
  WriteImage(Path("constant.tif"), constant, Wavelengths());
  Run("HUDEvaluate", Arguments("constant.tif"));
  const nlohmann::json figures = Figures();
  EXPECT_NEAR(Metric(figures, "point_fidelity")["value"].get<double>(), 1., 1e-6);
  EXPECT_LT(Metric(figures, "coverage")["value"].get<double>(), 0.2);
  EXPECT_EQ(figures["memorisation"]["alarm"], false);
}

TEST_F(HUDEvaluate, RefusesScenesThatCannotBeCompared)
{
  TestImage other = MakeGenerated();
  other.m_Pixels = other.m_Pixels.topRows(kBands - 2).eval();
  WriteImage(Path("bands.tif"), other);
  ExpectSays(Failure("HUDEvaluate", Arguments("bands.tif")), {"gen (", "bands.tif", "found 9 bands", "11"});

  TestImage small = MakeGenerated();
  small.m_Pixels = small.m_Pixels.leftCols(kGeneratedWidth * 3).eval();
  small.m_Height = 3;
  WriteImage(Path("small.tif"), small, Wavelengths());
  ExpectSays(Failure("HUDEvaluate", Arguments("small.tif")), {"gen (", "small.tif", "17 x 3", "4 x 4"});

  TestImage empty = MakeGenerated();
  empty.m_Pixels.setZero();
  WriteImage(Path("empty.tif"), empty, Wavelengths());
  ExpectSays(Failure("HUDEvaluate", Arguments("empty.tif")), {"gen (", "empty.tif", "238 no-data pixels"});

  TestImage shifted = MakeGenerated();
  std::vector<double> wavelengths = Wavelengths();
  wavelengths[4] += 30.;
  WriteImage(Path("shifted.tif"), shifted, wavelengths);
  ExpectSays(Failure("HUDEvaluate", Arguments("shifted.tif")), {"shifted.tif", "band 5", "580", "550"});
}

TEST_F(HUDEvaluate, RefusesLabelsThatDoNotFit)
{
  const auto failure = [&](const std::string& name) {
    Parameters arguments = Arguments();
    arguments.emplace_back("labels", Path(name));
    return Failure("HUDEvaluate", arguments);
  };
  WriteLabels("size.tif", Eigen::MatrixXf::Constant(1, 20 * kHeight, 1.f));
  ExpectSays(failure("size.tif"), {"labels (", "size.tif", "20 x 19", "23 x 19"});
  WriteLabels("one.tif", Eigen::MatrixXf::Constant(1, kWidth * kHeight, 4.f));
  ExpectSays(failure("one.tif"), {"labels (", "one.tif", "1 class"});
  WriteLabels("bands.tif", Eigen::MatrixXf::Constant(2, kWidth * kHeight, 4.f));
  ExpectSays(failure("bands.tif"), {"labels (", "bands.tif", "2 bands"});
}

/// A log that interrupts the program at a line.
class InterruptingLog : public std::streambuf
{
public:
  explicit InterruptingLog(std::string line) : m_Line(std::move(line)) {}

private:
  std::streamsize xsputn(const char* text, std::streamsize size) override
  {
    if (std::string(text, static_cast<std::size_t>(size)).find(m_Line) != std::string::npos)
    {
      std::raise(SIGINT);
    }
    return size;
  }

  int_type overflow(int_type character) override
  {
    return character;
  }

  std::string m_Line;
};

TEST_F(HUDEvaluate, LeavesNothingWhenItIsInterrupted)
{
  InterruptingLog log("Endmembers: ");
  std::streambuf* const before = static_cast<std::ostream&>(m_Log).rdbuf(&log);
  ExpectSays(Failure("HUDEvaluate", Arguments()), {"interrupted"});
  static_cast<std::ostream&>(m_Log).rdbuf(before);
}

TEST_F(HUDEvaluate, WritesNothingWhenAFileCannotBeWritten)
{
  Parameters arguments = Arguments();
  arguments[5].second = Path("no_such_folder/page.html");
  ExpectSays(Failure("HUDEvaluate", arguments), {"report: ", "no_such_folder"});
}

} // namespace
