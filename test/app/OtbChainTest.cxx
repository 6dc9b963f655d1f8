// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

#include <array>
#include <cstdlib>
#include <filesystem>

namespace
{

using hud::test::ExpectSimplex;
using hud::test::ReadImage;
using hud::test::ReadText;
using hud::test::TestImage;

constexpr const char* kScene = HUD_TEST_DATA_DIR "/jasper_ridge.tif";

/// Files that OTB's applications and ours hand to each other on the command line.
class OtbChain : public testing::Test
{
protected:
  void SetUp() override
  {
    if (!std::filesystem::exists(HUD_TEST_OTB_BIN_DIR "/otbcli_VertexComponentAnalysis"))
    {
      GTEST_SKIP() << "OTB's applications are not in " HUD_TEST_OTB_BIN_DIR;
    }
  }

  std::string Path(const std::string& name) const
  {
    return (m_Folder / name).string();
  }

  /// Runs an application of OTB, in its own folder.
  void RunOtb(const std::string& name, const std::string& arguments) const
  {
    RunCommand("'" HUD_TEST_OTB_BIN_DIR "/otbcli_" + name + "' " + arguments);
  }

  void RunHud(const std::string& name, const std::string& arguments) const
  {
    RunCommand("OTB_APPLICATION_PATH='" HUD_TEST_APP_DIR "' '" HUD_TEST_BIN_DIR "/otbcli_" + name + "' " + arguments);
  }

  void RunCommand(const std::string& command) const
  {
    const std::string run = "cd '" + m_Folder.Path().string() + "' && " + command + " > log 2>&1";
    ASSERT_EQ(std::system(run.c_str()), 0) << command << "\n" << ReadText(m_Folder / "log");
  }

  hud::test::TemporaryFolder m_Folder;
  const std::string m_In = std::string("-in '") + kScene + "'";
};

TEST_F(OtbChain, OtbUnmixesWithOurEndmembers)
{
  RunHud("HUDUnmix", m_In + " -ne 4 -restarts 2 -outendm e.tif");
  RunHud("HUDUnmix", m_In + " -ie e.tif -encoder ucls -out ours.tif");
  RunOtb("HyperspectralUnmixing", m_In + " -ie e.tif -ua ucls -out theirs.tif");
  const TestImage ours = ReadImage(Path("ours.tif"));
  const TestImage theirs = ReadImage(Path("theirs.tif"));
  ASSERT_EQ(theirs.m_Width, 100);
  ASSERT_EQ(theirs.m_Height, 100);
  ASSERT_EQ(theirs.m_Pixels.rows(), 4);
  ASSERT_EQ(ours.m_Pixels.rows(), 4);
  ASSERT_TRUE(theirs.m_Pixels.allFinite());
  EXPECT_GT(theirs.m_Pixels.maxCoeff(), 0.5f);
  EXPECT_LT((ours.m_Pixels - theirs.m_Pixels).cwiseAbs().maxCoeff(), 1e-5f);
}

TEST_F(OtbChain, WeUnmixWithTheEndmembersOfOtb)
{
  RunOtb("VertexComponentAnalysis", m_In + " -ne 4 -rand 1 -outendm vca.tif");
  const Eigen::MatrixXf endmembers = ReadImage(Path("vca.tif")).m_Pixels;
  RunHud("HUDUnmix", m_In + " -ie vca.tif -out a.tif -outendm e.tif -outlib e.sli");
  const Eigen::MatrixXf abundances = ReadImage(Path("a.tif")).m_Pixels;
  ASSERT_EQ(abundances.rows(), 4);
  ASSERT_EQ(abundances.cols(), 10000);
  ExpectSimplex(abundances);
  EXPECT_EQ(ReadImage(Path("e.tif")).m_Pixels, endmembers);

  // The library that came of it says the same.
  RunHud("HUDUnmix", m_In + " -ie e.sli -out b.tif -outlib e.csv");
  EXPECT_EQ(ReadImage(Path("b.tif")).m_Pixels, abundances);
  RunHud("HUDDecode", "-in a.tif -ie e.csv -out decoded.tif");
  hud::test::ExpectMixture(ReadImage(Path("decoded.tif")).m_Pixels, endmembers, abundances);
}

TEST_F(OtbChain, WeTrainWithTheEndmembersOfOtb)
{
  RunOtb("VertexComponentAnalysis", m_In + " -ne 4 -rand 1 -outendm vca.tif");
  RunHud("HUDTrain", std::string("-il '") + kScene +
                         "' -ie vca.tif -iterations 2 -patch 8 -batch 2 -device cpu -net.width 8 -net.mult 1,2 "
                         "-net.blocks 1 -out m.safetensors");
  RunHud("HUDSample", "-model m.safetensors -sizex 8 -sizey 8 -steps 2 -device cpu -out s.tif -outabund sa.tif");
  hud::test::ExpectMixture(ReadImage(Path("s.tif")).m_Pixels, ReadImage(Path("vca.tif")).m_Pixels,
                           ReadImage(Path("sa.tif")).m_Pixels);
}

TEST_F(OtbChain, AProductBecomesAnOrthorectifiedSyntheticScene)
{
  RunCommand(std::string(HUD_TEST_PYTHON) + " -B '" + HUD_TEST_SOURCE_DIR +
             "/prisma_product.py' 2D p.he5 --rows 60 --columns 70");
  RunHud("HUDImport", "-in p.he5 -exclude '1350-1450 1800-1950' -out scene.tif");
  RunOtb("ExtractROI", "-in scene.tif -startx 10 -starty 12 -sizex 40 -sizey 36 -out part.tif float");
  RunOtb("BandMathX", "-il part.tif -exp 'im1b60 > 0.05 ? 1 : 0' -out mask.tif uint8");
  RunHud("HUDUnmix", "-in part.tif -mask mask.tif -ne 3 -restarts 2 -out a.tif -outendm e.tif");
  RunOtb("DimensionalityReduction", "-in part.tif -method pca -nbcomp 3 -out components.tif");
  RunHud("HUDTrain", "-il part.tif -ie e.tif -iterations 2 -patch 16 -batch 2 -net.width 8 -net.mult 1,2 -net.blocks 1 "
                     "-device cpu -out m.safetensors");
  RunHud("HUDSample", "-model m.safetensors -in part.tif -strength 0.5 -steps 4 -device cpu -out again.tif");
  RunHud("HUDSample", "-model m.safetensors -sizex 24 -sizey 20 -steps 4 -device cpu -out new.tif -outabund truth.tif");
  RunOtb("ComputeImagesStatistics", "-il new.tif -out.xml statistics.xml");
  RunOtb("HyperspectralUnmixing", "-in new.tif -ie e.tif -ua ucls -out unmixed.tif");
  RunOtb("OrthoRectification",
         "-io.in again.tif -map epsg -map.epsg.code 4326 -opt.gridspacing 0.01 -io.out geographic.tif");

  // OTB finds the truth of the synthetic scene.
  const Eigen::MatrixXf truth = ReadImage(Path("truth.tif")).m_Pixels;
  const Eigen::MatrixXf unmixed = ReadImage(Path("unmixed.tif")).m_Pixels;
  ASSERT_EQ(unmixed.rows(), truth.rows());
  ASSERT_EQ(unmixed.cols(), 24 * 20);
  EXPECT_LT((unmixed - truth).cwiseAbs().maxCoeff(), 1e-3f);

  // The place keeps its grid and its wavelengths through all of that.
  const auto part = hud::test::OpenImage(Path("part.tif"));
  const auto again = hud::test::OpenImage(Path("again.tif"));
  std::array<double, 6> partGrid = {};
  std::array<double, 6> grid = {};
  ASSERT_EQ(part->GetGeoTransform(partGrid.data()), CE_None);
  ASSERT_EQ(again->GetGeoTransform(grid.data()), CE_None);
  EXPECT_EQ(grid, partGrid);
  const char* const first = part->GetRasterBand(1)->GetMetadataItem("wavelength");
  const char* const same = again->GetRasterBand(1)->GetMetadataItem("wavelength");
  ASSERT_TRUE(first != nullptr && same != nullptr);
  EXPECT_STREQ(same, first);
  EXPECT_TRUE(hud::test::OpenImage(Path("geographic.tif"))->GetSpatialRef()->IsGeographic());
}

/// Returns an application of ours or of OTB.
otb::Wrapper::Application::Pointer Create(const std::string& name)
{
  using otb::Wrapper::ApplicationRegistry;
  ApplicationRegistry::SetApplicationPath(HUD_TEST_OTB_APP_DIR);
  ApplicationRegistry::AddApplicationPath(HUD_TEST_APP_DIR);
  return ApplicationRegistry::CreateApplication(name);
}

TEST_F(OtbChain, ImagesPassInMemoryBetweenApplications)
{
  const otb::Wrapper::Application::Pointer cut = Create("ExtractROI");
  const otb::Wrapper::Application::Pointer unmix = Create("HUDUnmix");
  const otb::Wrapper::Application::Pointer decode = Create("HUDDecode");
  const otb::Wrapper::Application::Pointer reduce = Create("DimensionalityReduction");
  for (const auto& application : {cut, unmix, decode, reduce})
  {
    ASSERT_TRUE(application.IsNotNull());
  }
  cut->SetParameterString("in", kScene);
  cut->UpdateParameters();
  cut->SetParameterInt("startx", 10);
  cut->SetParameterInt("starty", 20);
  cut->SetParameterInt("sizex", 40);
  cut->SetParameterInt("sizey", 30);
  ASSERT_EQ(cut->Execute(), 0);

  unmix->SetParameterInputImage("in", cut->GetParameterOutputImage("out"));
  unmix->SetParameterInt("ne", 4);
  unmix->SetParameterInt("restarts", 2);
  unmix->EnableParameter("out");
  unmix->SetParameterString("outendm", Path("e.tif"));
  ASSERT_EQ(unmix->ExecuteAndWriteOutput(), 0);

  decode->SetParameterInputImage("in", unmix->GetParameterOutputImage("out"));
  decode->SetParameterString("ie", Path("e.tif"));
  ASSERT_EQ(decode->Execute(), 0);

  reduce->SetParameterInputImage("in", decode->GetParameterOutputImage("out"));
  reduce->SetParameterString("method", "pca");
  reduce->SetParameterInt("nbcomp", 3);
  reduce->SetParameterString("out", Path("components.tif"));
  ASSERT_EQ(reduce->ExecuteAndWriteOutput(), 0);
  const TestImage components = ReadImage(Path("components.tif"));
  ASSERT_EQ(components.m_Width, 40);
  ASSERT_EQ(components.m_Height, 30);
  ASSERT_EQ(components.m_Pixels.rows(), 3);
  ASSERT_TRUE(components.m_Pixels.allFinite());
  // Mixtures of four endmembers whose abundances sum to one vary in three dimensions.
  EXPECT_GT(components.m_Pixels.row(2).maxCoeff() - components.m_Pixels.row(2).minCoeff(), 0.f);
}

} // namespace
