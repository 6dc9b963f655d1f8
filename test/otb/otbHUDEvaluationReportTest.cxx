// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEvaluationReport.h"

#include "hud/core/Error.h"

#include "TemporaryFolder.h"
#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace
{

using hud::test::MessageOf;
using hud::test::Says;
using otb::HUDEvaluationReport;

constexpr Eigen::Index kWidth = 21;
constexpr Eigen::Index kHeight = 16;
constexpr Eigen::Index kBands = 7;
constexpr Eigen::Index kPatch = 5;

/// A report of two scenes of random mixtures, and what it points to.
class HUDEvaluationReportTest : public testing::Test
{
protected:
  HUDEvaluationReportTest()
    : m_Endmembers(hud::test::UniformMatrix(kBands, 3, 1, 0.1, 0.9)), m_RealMap(MakeMap(2)), m_GeneratedMap(MakeMap(3)),
      m_Real(Decode(m_RealMap)), m_Generated(Decode(m_GeneratedMap))
  {
    m_Report.m_Real = {"folder/real \"a\".tif", &m_Real, &m_RealMap, {}};
    m_Report.m_Generated = {"generated.tif", &m_Generated, &m_GeneratedMap, {}};
    m_Report.m_Endmembers = m_Endmembers;
    m_Report.m_Options.m_Patch = kPatch;
    m_Report.m_Evaluation =
        hud::Evaluate({m_Real, m_RealMap}, {m_Generated, m_GeneratedMap}, m_Endmembers, m_Report.m_Options);
  }

  static hud::AbundanceMap MakeMap(std::uint64_t seed)
  {
    return {kWidth, kHeight, hud::test::UniformAbundances(3, kWidth * kHeight, seed).cast<float>(), {}};
  }

  hud::InMemoryRows Decode(const hud::AbundanceMap& map) const
  {
    return hud::InMemoryRows({kWidth, kHeight, m_Endmembers.cast<float>() * map.m_Abundances});
  }

  std::string Read(const std::string& name) const
  {
    std::ifstream file(m_Folder / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  /// Returns the data of the page.
  nlohmann::json PageData()
  {
    m_Report.WritePage((m_Folder / "page.html").string());
    const std::string page = Read("page.html");
    const std::size_t begin = page.find("{\"format\"");
    return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  }

  hud::test::TemporaryFolder m_Folder;
  Eigen::MatrixXd m_Endmembers;
  hud::AbundanceMap m_RealMap;
  hud::AbundanceMap m_GeneratedMap;
  hud::InMemoryRows m_Real;
  hud::InMemoryRows m_Generated;
  HUDEvaluationReport m_Report;
};

TEST_F(HUDEvaluationReportTest, SaysWhatTheFiguresAreBeside)
{
  m_Report.WriteJson((m_Folder / "figures.json").string());
  const nlohmann::json json = nlohmann::json::parse(Read("figures.json"));
  EXPECT_EQ(json["real"]["file"], "folder/real \"a\".tif");
  EXPECT_EQ(json["baselines"].size(), hud::kBaselines);
  EXPECT_EQ(json["metrics"].size(), m_Report.m_Evaluation.m_Metrics.size());
  EXPECT_EQ(json["metrics"][0]["baselines"]["shuffled"].get<double>(),
            *m_Report.m_Evaluation.m_Metrics[0].m_Baselines[0]);
  EXPECT_TRUE(json["classifier"].is_null());
  EXPECT_FALSE(json.contains("figures"));
}

TEST_F(HUDEvaluationReportTest, DrawsAFigureForEachEndmember)
{
  m_RealMap.m_Abundances.row(0).setConstant(0.31f);
  m_RealMap.m_Abundances.row(1).setConstant(0.69f);
  m_RealMap.m_Abundances.row(2).setZero();
  const nlohmann::json figures = PageData()["figures"];
  for (const char* name : {"abundances", "histograms", "powerSpectra", "variograms"})
  {
    EXPECT_EQ(figures[name].size(), 3u) << name;
  }
  // All pixels are in one bin of fifty.
  EXPECT_EQ(figures["histograms"][0]["real"][15].get<double>(), 50.);
  EXPECT_EQ(figures["histograms"][1]["real"][34].get<double>(), 50.);
  EXPECT_EQ(figures["histograms"][2]["real"][0].get<double>(), 50.);
  EXPECT_EQ(figures["powerSpectra"][0]["x"].size(), static_cast<std::size_t>(kPatch / 2));
  EXPECT_EQ(figures["quicklooks"][0]["width"], kWidth);
  EXPECT_EQ(figures["density"].size(), 2u);
  EXPECT_EQ(figures["neighbours"].size(), 8u);
}

TEST_F(HUDEvaluationReportTest, PutsBandsInTheOrderOfTheirWavelengthsAndLeavesOutEmptyOnes)
{
  m_Report.m_Wavelengths = {500., 600., 700., 650., 800., 900., 1000.}; // detectors overlap
  m_Report.m_EmptyBands = {5};
  const nlohmann::json endmembers = PageData()["figures"]["endmembers"];
  EXPECT_EQ(endmembers["x"], (std::vector<double>{500., 600., 650., 700., 800., 900., 1000.}));
  EXPECT_EQ(endmembers["spectra"][1]["y"][2].get<double>(), m_Endmembers(3, 1));
  EXPECT_TRUE(endmembers["spectra"][1]["y"][5].is_null());
  EXPECT_EQ(endmembers["xTitle"], "Wavelength (nm)");
}

TEST_F(HUDEvaluationReportTest, ShowsBothScenesInOneStretch)
{
  const otb::HUDPicture picture = m_Report.Quicklook();
  EXPECT_EQ(picture.m_Width, 2 * kWidth + 8);
  EXPECT_EQ(picture.m_Height, kHeight);
  // The same pixel in both scenes has the same colour.
  m_Report.m_Generated.m_Spectra = &m_Real;
  const otb::HUDPicture same = m_Report.Quicklook();
  for (int i = 0; i < kWidth * 3; ++i)
  {
    EXPECT_EQ(same.m_Bytes[static_cast<std::size_t>(i)], same.m_Bytes[static_cast<std::size_t>((kWidth + 8) * 3 + i)]);
  }
}

TEST_F(HUDEvaluationReportTest, WarnsWhereFiguresAreRough)
{
  EXPECT_TRUE(Says(m_Report.Warnings().at(0), "12 blocks"));
  m_Report.m_Classifier = {"labels.tif", 4, 0.35};
  EXPECT_TRUE(Says(m_Report.Warnings().at(1), "overlap"));
  EXPECT_TRUE(Says(m_Report.Warnings().at(2), "35 %"));
}

TEST_F(HUDEvaluationReportTest, SaysWhenAFileCannotBeWritten)
{
  const std::string path = (m_Folder / "none" / "figures.json").string();
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { m_Report.WriteJson(path); }), path));
}

} // namespace
