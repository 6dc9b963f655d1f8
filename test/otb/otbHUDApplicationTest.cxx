// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDApplication.h"

#include "otbHUDDecodeImageFilter.h"
#include "otbHUDSceneMetadata.h"
#include "otbHUDStagedFile.h"

#include "hud/core/Error.h"

#include "FullDisk.h"
#include "StreamedScene.h"
#include "TemporaryFolder.h"
#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"

#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

using hud::test::MessageOf;
using hud::test::ReadText;
using hud::test::Says;
using hud::test::StreamedScene;
using hud::test::TemporaryFolder;
using hud::test::WriteText;

namespace fs = std::filesystem;
using Names = std::set<std::string>;

constexpr Eigen::Index kWidth = 37;
constexpr Eigen::Index kHeight = 29;
constexpr Eigen::Index kBands = 6;
constexpr Eigen::Index kEndmembers = 3;

// Makes spectra (out), abundances (outabund) and a text file (outtext) from a scene in memory.
class MakingApplication : public otb::Wrapper::HUDApplication
{
public:
  using Self = MakingApplication;
  using Superclass = otb::Wrapper::HUDApplication;
  using Pointer = itk::SmartPointer<Self>;
  itkNewMacro(Self);

  StreamedScene::Pointer m_Scene = StreamedScene::New();
  otb::HUDSceneMetadata m_Metadata;
  std::function<void()> m_BeforeWriting;
  std::function<void()> m_AfterImages;
  std::uint64_t m_Seed = 99;

private:
  void DoInit() override
  {
    using namespace otb::Wrapper;
    SetName("Making");
    AddParameter(ParameterType_OutputImage, "outabund", "Abundances");
    MandatoryOff("outabund");
    AddParameter(ParameterType_OutputImage, "out", "Spectra");
    MandatoryOff("out");
    AddParameter(ParameterType_OutputFilename, "outtext", "Text");
    MandatoryOff("outtext");
    AddSeedParameter();
    AddRAMParameter();
  }

  void DoExecute() override
  {
    CheckOutputsWritable();
    m_Seed = GetSeed();
    m_Filter = otb::HUDDecodeImageFilter::New();
    m_Filter->SetInput(m_Scene->GetOutput());
    m_Filter->SetEndmembers(hud::test::UniformMatrix(kBands, kEndmembers, 1));
    SetParameterOutputImage("out", m_Filter->GetOutput());
    SetParameterOutputImage("outabund", m_Scene->GetOutput());
    SetOutputMetadata("out", m_Metadata);
    if (m_BeforeWriting)
    {
      m_BeforeWriting();
    }
    if (HasValue("outtext"))
    {
      otb::HUDStagedFile text(GetParameterString("outtext"));
      WriteText(text.StagedPath(), "text");
      WriteOutputs({&text}, m_AfterImages);
    }
    else
    {
      WriteOutputs({}, m_AfterImages);
    }
  }

  otb::HUDDecodeImageFilter::Pointer m_Filter;
};

Eigen::MatrixXf Abundances()
{
  Eigen::MatrixXf abundances = hud::test::UniformAbundances(kEndmembers, kWidth * kHeight, 2).cast<float>();
  abundances.col(12).setZero();
  return abundances;
}

class HUDApplication : public testing::Test
{
protected:
  HUDApplication()
  {
    m_App->m_Scene->SetScene(Abundances(), static_cast<std::size_t>(kWidth));
    m_App->Init();
  }

  void SetOutput(const std::string& key, const std::string& name)
  {
    m_App->SetParameterString(key, (m_Folder / name).string());
  }

  void Run()
  {
    ASSERT_EQ(m_App->ExecuteAndWriteOutput(), 0);
  }

  TemporaryFolder m_Folder;
  MakingApplication::Pointer m_App = MakingApplication::New();
};

struct Raster
{
  explicit Raster(const fs::path& path) : m_Dataset(GDALDataset::Open(path.string().c_str())) {}
  ~Raster()
  {
    if (m_Dataset != nullptr)
    {
      GDALClose(m_Dataset);
    }
  }
  Raster(const Raster&) = delete;
  Raster& operator=(const Raster&) = delete;

  GDALDataset* operator->() const
  {
    return m_Dataset;
  }

  GDALDataset* m_Dataset;
};

} // namespace

TEST_F(HUDApplication, WritesAllOutputsAndNothingElse)
{
  SetOutput("out", "spectra.tif");
  SetOutput("outabund", "abundances.tif");
  SetOutput("outtext", "text.json");
  Run();
  EXPECT_EQ(m_Folder.Names(), (Names{"spectra.tif", "spectra.qml", "abundances.tif", "abundances.qml", "text.json"}));
  const Raster raster(m_Folder / "spectra.tif");
  ASSERT_NE(raster.m_Dataset, nullptr);
  EXPECT_EQ(raster->GetRasterXSize(), kWidth);
  EXPECT_EQ(raster->GetRasterYSize(), kHeight);
  ASSERT_EQ(raster->GetRasterCount(), kBands);
  int has = 0;
  EXPECT_EQ(raster->GetRasterBand(4)->GetNoDataValue(&has), -9999.);
  EXPECT_TRUE(has);
  double transform[6] = {};
  ASSERT_EQ(raster->GetGeoTransform(transform), CE_None);
  EXPECT_DOUBLE_EQ(transform[1], 2.5);
  EXPECT_DOUBLE_EQ(transform[5], -3.5);

  Eigen::MatrixXf expected(kBands, kWidth * kHeight);
  hud::Decoder(hud::test::UniformMatrix(kBands, kEndmembers, 1)).Decode(Abundances(), expected);
  expected.col(12).setConstant(-9999.f);
  Eigen::MatrixXf written(kBands, kWidth * kHeight);
  ASSERT_EQ(raster->RasterIO(GF_Read, 0, 0, kWidth, kHeight, written.data(), kWidth, kHeight, GDT_Float32, kBands,
                             nullptr, kBands * 4, kBands * kWidth * 4, 4, nullptr),
            CE_None);
  ASSERT_TRUE(written.allFinite());
  EXPECT_LE((written - expected).cwiseAbs().maxCoeff(), 1e-5f);
}

TEST_F(HUDApplication, WritesTheSameBytesTwice)
{
  SetOutput("out", "a.tif");
  Run();
  const std::string first = ReadText(m_Folder / "a.tif");
  fs::remove(m_Folder / "a.tif");
  Run();
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, ReadText(m_Folder / "a.tif"));
  EXPECT_EQ(m_App->GetParameterString("out"), (m_Folder / "a.tif").string());
}

TEST_F(HUDApplication, WritesOnExecuteAloneAndAgain)
{
  SetOutput("out", "a.tif");
  m_App->Execute();
  EXPECT_EQ(m_Folder.Names(), (Names{"a.qml", "a.tif"}));
  fs::remove(m_Folder / "a.tif");
  m_App->Execute();
  EXPECT_EQ(m_Folder.Names(), (Names{"a.qml", "a.tif"}));
  SetOutput("out", "b.tif");
  m_App->Execute();
  EXPECT_EQ(m_Folder.Names(), (Names{"a.qml", "a.tif", "b.qml", "b.tif"}));
}

TEST_F(HUDApplication, WithoutFileNamesKeepsThePipelineConnected)
{
  m_App->Execute();
  EXPECT_EQ(m_Folder.Names(), Names{});
  auto* const image = dynamic_cast<otb::HUDImageType*>(m_App->GetParameterOutputImage("out"));
  ASSERT_NE(image, nullptr);
  const Eigen::MatrixXf pixels = hud::test::ReadInTiles(*image, 10, 10);
  EXPECT_EQ(pixels.rows(), kBands);
  EXPECT_TRUE(pixels.allFinite());
}

TEST_F(HUDApplication, HonoursExtendedFilenamesAndPixelTypes)
{
  m_App->m_Metadata.m_Wavelengths = {400., 500., 600., 700., 800., 900.};
  SetOutput("out", "a.tif?&gdal:co:COMPRESS=DEFLATE&box=5:3:20:11&bands=2:4");
  dynamic_cast<otb::Wrapper::OutputImageParameter&>(*m_App->GetParameterByKey("out"))
      .SetPixelType(otb::Wrapper::ImagePixelType_double);
  Run();
  EXPECT_EQ(m_Folder.Names(), (Names{"a.qml", "a.tif"}));
  EXPECT_EQ(otb::HUDReadSceneMetadata((m_Folder / "a.tif").string()).m_Wavelengths,
            (std::vector<double>{500., 600., 700.}));
  const Raster raster(m_Folder / "a.tif");
  EXPECT_EQ(raster->GetRasterXSize(), 20);
  EXPECT_EQ(raster->GetRasterYSize(), 11);
  ASSERT_EQ(raster->GetRasterCount(), 3);
  EXPECT_EQ(raster->GetRasterBand(1)->GetRasterDataType(), GDT_Float64);
  EXPECT_STREQ(raster->GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE"), "DEFLATE");
}

TEST_F(HUDApplication, AddsAMissingExtension)
{
  SetOutput("out", "spectra");
  Run();
  EXPECT_EQ(m_Folder.Names(), (Names{"spectra.qml", "spectra.tif"}));
}

TEST_F(HUDApplication, WritesEnviFilesWithTheirHeader)
{
  m_App->m_Metadata.m_Wavelengths = {400., 500.5, 600., 700., 800., 900.};
  SetOutput("out", "a.hdr");
  Run();
  const Names names = m_Folder.Names();
  EXPECT_EQ(names.count("a"), 1u);
  EXPECT_EQ(names.count("a.hdr"), 1u);
  const std::string header = ReadText(m_Folder / "a.hdr");
  EXPECT_FALSE(Says(header, "incomplete")) << header;
  EXPECT_TRUE(Says(header, "data ignore value = -9999")) << header;
  EXPECT_TRUE(Says(header, "default bands = {4, 2, 1}")) << header;
  EXPECT_EQ(otb::HUDReadSceneMetadata((m_Folder / "a").string()).m_Wavelengths, m_App->m_Metadata.m_Wavelengths);
}

TEST_F(HUDApplication, WritesWavelengths)
{
  m_App->m_Metadata.m_Wavelengths = {400., 500.5, 600., 700., 800., 900.};
  SetOutput("out", "a.tif");
  Run();
  EXPECT_EQ(otb::HUDReadSceneMetadata((m_Folder / "a.tif").string()).m_Wavelengths, m_App->m_Metadata.m_Wavelengths);
  EXPECT_EQ(m_Folder.Names(), (Names{"a.qml", "a.tif"}));
}

TEST_F(HUDApplication, ReplacesOnlyItsOwnStyles)
{
  SetOutput("out", "a.tif");
  m_App->m_Metadata.m_Wavelengths = {400., 500.5, 600., 700., 800., 900.};
  Run();
  const std::string first = ReadText(m_Folder / "a.qml");
  m_App->m_Metadata.m_Wavelengths = {900., 800., 700., 600., 500.5, 400.};
  Run();
  EXPECT_NE(ReadText(m_Folder / "a.qml"), first);
  WriteText(m_Folder / "a.qml", "<qgis/>");
  Run();
  EXPECT_EQ(ReadText(m_Folder / "a.qml"), "<qgis/>");
  WriteText(m_Folder / "shared.qml", first);
  fs::remove(m_Folder / "a.qml");
  fs::create_symlink("shared.qml", m_Folder / "a.qml");
  Run();
  EXPECT_TRUE(fs::is_symlink(m_Folder / "a.qml"));
  EXPECT_EQ(ReadText(m_Folder / "shared.qml"), first);
}

TEST_F(HUDApplication, OutputsOfOneNameHaveOneStyle)
{
  SetOutput("out", "a.tif");
  SetOutput("outabund", "a.img");
  Run();
  const std::string both = ReadText(m_Folder / "a.qml");
  SetOutput("outabund", "b.tif");
  Run();
  // The abundances come first.
  EXPECT_EQ(ReadText(m_Folder / "b.qml"), both);
  EXPECT_NE(ReadText(m_Folder / "a.qml"), both);
}

TEST_F(HUDApplication, OnAFullDiskKeepsAllEarlierFiles)
{
  WriteText(m_Folder / "a.tif", "old");
  WriteText(m_Folder / "b.tif", "old");
  WriteText(m_Folder / "a.tif.aux.xml", "old");
  SetOutput("out", "a.tif");
  SetOutput("outabund", "b.tif");
  SetOutput("outtext", "text");
  std::string message;
  {
    // The abundances, which come first, fit.
    const hud::test::FullDisk limit(kWidth * kHeight * kBands * 4 - 5000);
    message = MessageOf<hud::FileError>([&] { m_App->ExecuteAndWriteOutput(); });
  }
  EXPECT_TRUE(Says(message, "out: cannot write " + (m_Folder / "a.tif").string())) << message;
  EXPECT_EQ(m_Folder.Names(), (Names{"a.tif", "b.tif", "a.tif.aux.xml"}));
  EXPECT_EQ(ReadText(m_Folder / "a.tif"), "old");
  EXPECT_EQ(ReadText(m_Folder / "b.tif"), "old");
  EXPECT_EQ(m_App->GetParameterString("out"), (m_Folder / "a.tif").string());
  Run();
  EXPECT_EQ(m_Folder.Names(), (Names{"a.qml", "a.tif", "b.qml", "b.tif", "text"}));
}

TEST_F(HUDApplication, OnAnErrorInThePipelineKeepsTheEarlierFileAndItsKind)
{
  WriteText(m_Folder / "a.tif", "old");
  SetOutput("out", "a.tif");
  m_App->m_Scene->SetHook([](const auto&) { throw hud::InvalidData("broken scene"); });
  EXPECT_EQ(MessageOf<hud::InvalidData>([&] { m_App->ExecuteAndWriteOutput(); }), "broken scene");
  EXPECT_EQ(m_Folder.Names(), Names{"a.tif"});
  EXPECT_EQ(ReadText(m_Folder / "a.tif"), "old");
}

TEST_F(HUDApplication, InterruptedWhileItWritesLeavesNothing)
{
  // More strips than one, so that there is a place to stop.
  SetOutput("out", "a.tif?&streaming:type=stripped&streaming:sizemode=height&streaming:sizevalue=4");
  std::size_t regions = 0;
  m_App->m_Scene->SetHook([&regions](const auto&) {
    if (++regions == 3)
    {
      std::raise(SIGINT);
    }
  });
  EXPECT_EQ(MessageOf<hud::Error>([&] { m_App->ExecuteAndWriteOutput(); }), "interrupted");
  EXPECT_EQ(regions, 3u);
  EXPECT_EQ(m_Folder.Names(), Names{});
  m_App->m_Scene->SetHook({});
  Run();
  EXPECT_EQ(m_Folder.Names(), (Names{"a.qml", "a.tif"}));
}

TEST_F(HUDApplication, CallsAfterImagesWhenTheImagesAreMadeAndNothingIsAtItsTarget)
{
  SetOutput("out", "out.tif");
  SetOutput("outabund", "abund.tif");
  SetOutput("outtext", "text.txt");
  int calls = 0;
  m_App->m_AfterImages = [&] {
    ++calls;
    EXPECT_GT(m_App->m_Scene->Requests(), 0u);
    for (const char* name : {"out.tif", "abund.tif", "text.txt"})
    {
      EXPECT_FALSE(fs::exists(m_Folder / name)) << name;
    }
  };
  Run();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(m_Folder.Names(), (Names{"abund.qml", "abund.tif", "out.qml", "out.tif", "text.txt"}));
}

TEST_F(HUDApplication, AnErrorAfterTheImagesKeepsAllEarlierFiles)
{
  WriteText(m_Folder / "out.tif", "earlier");
  WriteText(m_Folder / "text.txt", "earlier");
  SetOutput("out", "out.tif");
  SetOutput("outabund", "abund.tif");
  SetOutput("outtext", "text.txt");
  m_App->m_AfterImages = [] { throw hud::InvalidData("no"); };
  EXPECT_EQ(MessageOf<hud::InvalidData>([&] { Run(); }), "no");
  EXPECT_EQ(m_Folder.Names(), (Names{"out.tif", "text.txt"}));
  EXPECT_EQ(ReadText(m_Folder / "out.tif"), "earlier");
  EXPECT_EQ(ReadText(m_Folder / "text.txt"), "earlier");
}

TEST_F(HUDApplication, FailsBeforeAnyWorkWhenTheFolderIsMissing)
{
  bool worked = false;
  m_App->m_BeforeWriting = [&worked] { worked = true; };
  SetOutput("out", "a.tif");
  SetOutput("outabund", "none/b.tif");
  const std::string message = MessageOf<hud::FileError>([&] { m_App->ExecuteAndWriteOutput(); });
  EXPECT_EQ(message,
            "outabund: cannot write into folder " + (m_Folder / "none").string() + ": No such file or directory");
  EXPECT_FALSE(worked);
  EXPECT_EQ(m_Folder.Names(), Names{});
}

TEST_F(HUDApplication, FailsBeforeAnyWorkWhenTheFolderIsAFile)
{
  WriteText(m_Folder / "file", "old");
  SetOutput("outtext", "file/text.json");
  const std::string message = MessageOf<hud::FileError>([&] { m_App->ExecuteAndWriteOutput(); });
  EXPECT_TRUE(Says(message, "outtext: cannot write into folder " + (m_Folder / "file").string())) << message;
  EXPECT_EQ(m_App->m_Scene->Requests(), 0u);
}

TEST_F(HUDApplication, RefusesTwoOutputsInOneFile)
{
  SetOutput("out", "a.tif");
  m_App->SetParameterString("outabund", (m_Folder.Path() / "." / "a.tif").string());
  const std::string message = MessageOf<hud::InvalidOption>([&] { m_App->ExecuteAndWriteOutput(); });
  EXPECT_TRUE(Says(message, "out")) << message;
  EXPECT_TRUE(Says(message, "same file")) << message;
  EXPECT_EQ(m_Folder.Names(), Names{});
}

TEST_F(HUDApplication, RefusesWavelengthsOfAnotherNumberOfBands)
{
  m_App->m_Metadata.m_Wavelengths = {400., 500.};
  SetOutput("out", "a.tif");
  EXPECT_TRUE(Says(MessageOf<hud::InvalidOption>([&] { m_App->ExecuteAndWriteOutput(); }), "2 wavelengths"));
  EXPECT_EQ(m_Folder.Names(), Names{});
}

TEST_F(HUDApplication, KeepsAStyleThatIsWriteProtected)
{
  SetOutput("out", "a.tif");
  m_App->m_Metadata.m_Wavelengths = {400., 500.5, 600., 700., 800., 900.};
  Run();
  const std::string first = ReadText(m_Folder / "a.qml");
  fs::permissions(m_Folder / "a.qml", fs::perms::owner_read);
  m_App->m_Metadata.m_Wavelengths = {900., 800., 700., 600., 500.5, 400.};
  Run();
  EXPECT_EQ(ReadText(m_Folder / "a.qml"), first);
  EXPECT_EQ(m_Folder.Names(), (Names{"a.qml", "a.tif"}));
}

TEST_F(HUDApplication, KeepsAnEarlierStyleWhenTheRunFails)
{
  WriteText(m_Folder / "out.qml", "earlier");
  SetOutput("out", "out.tif");
  m_App->m_AfterImages = [] { throw hud::InvalidData("no"); };
  EXPECT_EQ(MessageOf<hud::InvalidData>([&] { Run(); }), "no");
  EXPECT_EQ(m_Folder.Names(), Names{"out.qml"});
  EXPECT_EQ(ReadText(m_Folder / "out.qml"), "earlier");
}

TEST_F(HUDApplication, WritesAllMetadataIntoATiledCompressedFile)
{
  m_App->m_Metadata.m_Wavelengths = {400., 450., 550., 650., 800., 900.};
  m_App->m_Metadata.m_Widths = {10., 11., 12., 13., 14., 15.};
  m_App->m_Metadata.m_Units = "reflectance";
  m_App->m_Metadata.m_Scales = std::vector<double>(6, 0.0001);
  m_App->m_Metadata.m_Items = {{"synthetic", "yes"}};
  SetOutput("out", "a.tif?&gdal:co:TILED=YES&gdal:co:BLOCKXSIZE=16&gdal:co:BLOCKYSIZE=16&gdal:co:COMPRESS=DEFLATE"
                   "&gdal:co:PREDICTOR=3");
  Run();
  EXPECT_EQ(m_Folder.Names(), (Names{"a.qml", "a.tif"}));
  const Raster raster(m_Folder / "a.tif");
  int width = 0;
  int height = 0;
  raster->GetRasterBand(1)->GetBlockSize(&width, &height);
  EXPECT_EQ(width, 16);
  EXPECT_EQ(height, 16);
  EXPECT_STREQ(raster->GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE"), "DEFLATE");
  EXPECT_STREQ(raster->GetMetadataItem("synthetic"), "yes");
  EXPECT_STREQ(raster->GetRasterBand(6)->GetMetadataItem("wavelength"), "900");
  EXPECT_STREQ(raster->GetRasterBand(6)->GetMetadataItem("fwhm"), "15");
  EXPECT_STREQ(raster->GetRasterBand(6)->GetUnitType(), "reflectance");
  EXPECT_EQ(raster->GetRasterBand(6)->GetScale(), 0.0001);
  const std::string style = ReadText(m_Folder / "a.qml");
  EXPECT_TRUE(Says(style, "redBand=\"4\" greenBand=\"3\" blueBand=\"2\"")) << style;
}

TEST_F(HUDApplication, HasASeedOfZeroUnlessTheUserSetsOne)
{
  m_App->Execute();
  EXPECT_EQ(m_App->m_Seed, 0u);
  m_App->SetParameterInt("rand", 41);
  m_App->Execute();
  EXPECT_EQ(m_App->m_Seed, 41u);
}
