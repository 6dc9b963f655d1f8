// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDUnmixingReport.h"

#include "hud/core/Error.h"
#include "hud/core/Version.h"

#include "TemporaryFolder.h"
#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace
{

using hud::test::MessageOf;
using hud::test::Says;
using otb::HUDUnmixingReport;

// 7 bands, 3 endmembers, 40 valid pixels.
HUDUnmixingReport MakeReport()
{
  HUDUnmixingReport report;
  report.m_Scene = "folder/scene \"a\".tif";
  report.m_Encoder = "nnls";
  report.m_Bands = 7;
  report.m_Summary.m_Pixels = 40;
  report.m_Summary.m_Power = 1120.;
  report.m_Summary.m_SquaredError = 70.;
  report.m_Summary.m_Negative = 30;
  report.m_Summary.m_Largest.resize(3);
  report.m_Summary.m_Largest << 21, 0, 19;
  report.m_Summary.m_Pure.resize(3);
  report.m_Summary.m_Pure << 4, 0, 17;
  report.m_Summary.m_Abundance.resize(3);
  report.m_Summary.m_Abundance << 15., 5., 20.;
  report.m_NoDataPixels.m_Masked = 11;
  report.m_NoDataPixels.m_NotFinite = 2;
  report.m_NoDataPixels.m_NoDataValue = 3;
  report.m_NoDataPixels.m_Zero = 5;
  report.m_EmptyBands = {0, 6};
  return report;
}

hud::SceneStatistics Statistics()
{
  return ComputeSceneStatistics(hud::InMemorySpectra(hud::test::UniformMatrix(7, 40, 1, 0.1, 0.9).cast<float>()));
}

/// Statistics of a scene in which all pixels are the same: no plane or subspace leaves anything.
hud::SceneStatistics OfOneSpectrum()
{
  hud::SceneStatistics statistics;
  statistics.m_Pixels = 40;
  statistics.m_Mean = Eigen::VectorXd::Zero(7);
  statistics.m_Mean(2) = 4.;
  statistics.m_Correlation = statistics.m_Mean * statistics.m_Mean.transpose();
  return statistics;
}

nlohmann::json Written(const HUDUnmixingReport& report)
{
  const hud::test::TemporaryFolder folder;
  const std::string path = (folder / "report.json").string();
  report.Write(path);
  return nlohmann::json::parse(hud::test::ReadText(path));
}

} // namespace

TEST(HUDUnmixingReport, HoldsEveryFieldAsJson)
{
  HUDUnmixingReport report = MakeReport();
  report.SetLimits(Statistics(), 3);
  const double affine = AffineRankLimit(Statistics(), 2);
  const double linear = LinearRankLimit(Statistics(), 3);
  const nlohmann::json expected = {
      {"format", "hud-unmixing-report"},
      {"formatVersion", 1},
      {"programVersion", hud::Version()},
      {"scene", "folder/scene \"a\".tif"},
      {"encoder", "nnls"},
      {"bands", 7},
      {"endmembers", 3},
      {"validPixels", 40},
      {"decodeRmse", 0.5}, // sqrt(70 / 280)
      {"relativeDecodeError", 0.25},
      {"affineRankLimit", affine},
      {"linearRankLimit", linear},
      {"decodeRmseOverLimit", 0.5 / linear}, // of nnls, whose sums are free
      {"negativeShareOfUnconstrained", 0.25},
      {"pixelsLeftOut", {{"masked", 11}, {"notFinite", 2}, {"noDataValue", 3}, {"allBandsZero", 5}}},
      {"emptyBands", {1, 7}},
      {"perEndmember",
       {{{"largestIn", 21}, {"pureIn", 4}, {"meanAbundance", 0.375}},
        {{"largestIn", 0}, {"pureIn", 0}, {"meanAbundance", 0.125}},
        {{"largestIn", 19}, {"pureIn", 17}, {"meanAbundance", 0.5}}}}};
  const nlohmann::json written = Written(report);
  EXPECT_EQ(written, expected) << nlohmann::json::diff(expected, written);
}

TEST(HUDUnmixingReport, ComparesWithTheLimitOfItsEncoder)
{
  HUDUnmixingReport report = MakeReport();
  report.SetLimits(Statistics(), 3);
  for (const char* encoder : {"fcls", "linear"})
  {
    report.m_Encoder = encoder;
    EXPECT_EQ(Written(report).at("decodeRmseOverLimit"), 0.5 / AffineRankLimit(Statistics(), 2)) << encoder;
  }
  for (const char* encoder : {"nnls", "ucls"})
  {
    report.m_Encoder = encoder;
    EXPECT_EQ(Written(report).at("decodeRmseOverLimit"), 0.5 / LinearRankLimit(Statistics(), 3)) << encoder;
  }
}

TEST(HUDUnmixingReport, LeavesOutTheLimitsWithoutStatistics)
{
  HUDUnmixingReport report = MakeReport();
  report.m_EmptyBands.clear();
  const nlohmann::json written = Written(report);
  for (const char* key : {"affineRankLimit", "linearRankLimit", "decodeRmseOverLimit"})
  {
    EXPECT_FALSE(written.contains(key)) << key;
  }
  EXPECT_EQ(written.at("decodeRmse"), 0.5);
  EXPECT_EQ(written.at("emptyBands"), nlohmann::json::array());
  for (const std::string& line : report.Lines())
  {
    EXPECT_FALSE(Says(line, "limit")) << line;
  }
}

TEST(HUDUnmixingReport, HasNoRatioToALimitOfZero)
{
  HUDUnmixingReport report = MakeReport();
  report.SetLimits(OfOneSpectrum(), 3);
  for (const double error : {70., 0.})
  {
    report.m_Summary.m_SquaredError = error;
    const nlohmann::json written = Written(report);
    EXPECT_EQ(written.at("affineRankLimit"), 0.);
    EXPECT_EQ(written.at("linearRankLimit"), 0.);
    EXPECT_TRUE(written.at("decodeRmseOverLimit").is_null());
    for (const std::string& line : report.Lines())
    {
      EXPECT_FALSE(Says(line, "inf") || Says(line, "nan")) << line;
    }
  }
}

TEST(HUDUnmixingReport, SaysInTheLogWhatItWrites)
{
  HUDUnmixingReport report = MakeReport();
  report.SetLimits(Statistics(), 3);
  const std::vector<std::string> lines = report.Lines();
  ASSERT_EQ(lines.size(), 6u); // decode error, limits, negative share, one for each endmember
  EXPECT_TRUE(Says(lines[0], "3 endmembers: 0.5 RMSE over 40 valid pixels, 25 %")) << lines[0];
  EXPECT_TRUE(Says(lines[1], "limit")) << lines[1];
  EXPECT_TRUE(Says(lines[2], "25 %")) << lines[2];
  EXPECT_TRUE(Says(lines[3], "Endmember 1: most of 21 pixels, at least 95 % of 4, on average 37.5 %")) << lines[3];
  EXPECT_TRUE(Says(lines[5], "Endmember 3: most of 19 pixels")) << lines[5];
}

TEST(HUDUnmixingReport, IsJsonWhateverTheBytesOfTheScenesName)
{
  HUDUnmixingReport report = MakeReport();
  report.m_Scene = "sc\xe8ne.tif"; // Latin-1, not UTF-8
  EXPECT_EQ(Written(report).at("validPixels"), 40);
}

TEST(HUDUnmixingReport, NamesAFileThatCannotBeWritten)
{
  const hud::test::TemporaryFolder folder;
  const std::string path = (folder / "missing/report.json").string();
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { MakeReport().Write(path); }), path));
  EXPECT_THROW(MakeReport().Write("/dev/full"), hud::FileError);
}
