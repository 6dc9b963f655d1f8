// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEndmemberFile.h"

#include "hud/core/Error.h"

#include "FullDisk.h"
#include "TemporaryFolder.h"
#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"

#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace
{

using hud::test::MessageOf;
using hud::test::ReadText;
using hud::test::Says;
using hud::test::WriteText;

class HUDEndmemberFile : public testing::Test
{
protected:
  std::string Path(const std::string& name) const
  {
    return (m_Folder / name).string();
  }

  otb::HUDEndmemberTable Read(const std::string& text, Eigen::Index bands = 0) const
  {
    WriteText(m_Folder / "t.csv", text);
    return otb::HUDReadEndmemberFile(Path("t.csv"), bands);
  }

  // The error of a CSV file, which must name the file.
  std::string Refusal(const std::string& text, Eigen::Index bands = 0) const
  {
    const std::string message = MessageOf<hud::InvalidData>([&] { Read(text, bands); });
    EXPECT_EQ(message.find(Path("t.csv") + ": "), 0u) << message;
    return message;
  }

  // Three endmembers of five bands, exact in single precision.
  static otb::HUDEndmemberTable Table()
  {
    otb::HUDEndmemberTable table;
    table.m_Endmembers = (1e-3 * hud::test::UniformMatrix(5, 3, 1)).cast<float>().cast<double>();
    table.m_Metadata.m_Wavelengths = {399.37, 550., 540.5, 1000.0625, 2499.1};
    table.m_Names = {"tree", "wet soil, \"dark\"", "7"};
    return table;
  }

  hud::test::TemporaryFolder m_Folder;
};

const std::string kHeader = "ENVI\nsamples = 3\nlines = 2\nbands = 1\nheader offset = 4\n"
                            "file type = ENVI Spectral Library\ndata type = 12\ninterleave = bsq\nbyte order = 1\n";
// 16-bit integers, the high byte first, after 4 bytes.
const std::string kBytes("head\0\1\0\2\1\0\0\4\0\5\0\6", 16);

} // namespace

TEST_F(HUDEndmemberFile, ReadsWhatItWrote)
{
  for (const char* name : {"e.csv", "e.sli"})
  {
    otb::HUDWriteEndmemberFile(Path(name), Table());
    ASSERT_TRUE(otb::HUDIsEndmemberFile(Path(name))) << name;
    const otb::HUDEndmemberTable table = otb::HUDReadEndmemberFile(Path(name), 5);
    EXPECT_EQ(table.m_Endmembers, Table().m_Endmembers) << name;
    EXPECT_EQ(table.m_Metadata.m_Wavelengths, Table().m_Metadata.m_Wavelengths) << name;
    ASSERT_EQ(table.m_Names.size(), 3u);
    EXPECT_EQ(table.m_Names[0], "tree");
    EXPECT_EQ(table.m_Names[2], "endmember_7");
  }
  EXPECT_EQ(otb::HUDReadEndmemberFile(Path("e.csv")).m_Names[1], Table().m_Names[1]);
  EXPECT_EQ(m_Folder.Names(), (std::set<std::string>{"e.csv", "e.hdr", "e.sli"}));
}

TEST_F(HUDEndmemberFile, ReadsWhatItWroteWithoutWavelengthsAndNames)
{
  otb::HUDEndmemberTable table;
  table.m_Endmembers = Table().m_Endmembers;
  for (const char* name : {"e.csv", "e.sli"})
  {
    otb::HUDWriteEndmemberFile(Path(name), table);
    const otb::HUDEndmemberTable read = otb::HUDReadEndmemberFile(Path(name));
    EXPECT_EQ(read.m_Endmembers, table.m_Endmembers) << name;
    EXPECT_TRUE(read.m_Metadata.m_Wavelengths.empty()) << name;
    EXPECT_EQ(read.m_Names, (std::vector<std::string>{"endmember_1", "endmember_2", "endmember_3"})) << name;
  }
}

TEST_F(HUDEndmemberFile, ReadsTheMetadataThatItWrote)
{
  otb::HUDEndmemberTable table = Table();
  table.m_Names = {"scale", "fwhm", "soil"};
  table.m_Metadata.m_Widths = {9.5, 10., 10.25, 12., 15.};
  table.m_Metadata.m_Units = "W/m2/sr/um";
  table.m_Metadata.m_Scales = {0.0001, 0.0002, 1., 2., 3.};
  table.m_Metadata.m_Offsets = {0., 0.5, -1., 0., 0.};
  for (const char* name : {"e.csv", "e.sli"})
  {
    otb::HUDWriteEndmemberFile(Path(name), table);
    const otb::HUDEndmemberTable read = otb::HUDReadEndmemberFile(Path(name), 5);
    EXPECT_EQ(read.m_Endmembers, table.m_Endmembers) << name;
    EXPECT_EQ(read.m_Metadata.m_Wavelengths, table.m_Metadata.m_Wavelengths) << name;
    EXPECT_EQ(read.m_Metadata.m_Widths, table.m_Metadata.m_Widths) << name;
    EXPECT_EQ(read.m_Metadata.m_Units, table.m_Metadata.m_Units) << name;
    EXPECT_EQ(read.m_Metadata.m_Scales, table.m_Metadata.m_Scales) << name;
    EXPECT_EQ(read.m_Metadata.m_Offsets, table.m_Metadata.m_Offsets) << name;
    EXPECT_EQ(read.m_Names, (std::vector<std::string>{"endmember_scale", "endmember_fwhm", "soil"})) << name;
  }
}

TEST_F(HUDEndmemberFile, ReadsLabelsOfBandsInAnyOrder)
{
  const otb::HUDEndmemberTable table = Read("Wavelength (um),units,FWHM,tree\n.4,DN,.01,5\n.5,DN,.02,6\n");
  EXPECT_EQ(table.m_Metadata.m_Wavelengths, (std::vector<double>{400., 500.}));
  EXPECT_EQ(table.m_Metadata.m_Widths, (std::vector<double>{10., 20.}));
  EXPECT_EQ(table.m_Metadata.m_Units, "DN");
  EXPECT_EQ(table.m_Endmembers, Eigen::Vector2d(5., 6.));
  EXPECT_TRUE(Says(Refusal("fwhm,a\nnarrow,1\n"), "\"narrow\" in row 2, column 1"));
}

TEST_F(HUDEndmemberFile, WritesTheLayoutsOfOtherPrograms)
{
  otb::HUDEndmemberTable table;
  table.m_Endmembers.resize(3, 2);
  table.m_Endmembers << 0.1, 4., 0.25, 5., 1e-7, 6.;
  table.m_Metadata.m_Wavelengths = {400., 410.5, 2500.};
  table.m_Names = {"tree", "a{b}, c"};
  otb::HUDWriteEndmemberFile(Path("e.csv"), table);
  EXPECT_EQ(ReadText(Path("e.csv")), "wavelength_nm,tree,\"a{b}, c\"\n400,0.1,4\n410.5,0.25,5\n2500,1e-07,6\n");
  otb::HUDWriteEndmemberFile(Path("e.sli"), table);
  EXPECT_EQ(ReadText(Path("e.hdr")),
            "ENVI\nsamples = 3\nlines = 2\nbands = 1\nheader offset = 0\nfile type = ENVI Spectral Library\n"
            "data type = 4\ninterleave = bsq\nbyte order = 0\nspectra names = {tree, a_b__ c}\n"
            "wavelength units = Nanometers\nwavelength = {400, 410.5, 2500}\n");
  EXPECT_EQ(ReadText(Path("e.sli")).size(), 6 * sizeof(float));
}

TEST_F(HUDEndmemberFile, ReadsTheReferenceEndmembers)
{
  const otb::HUDEndmemberTable table = otb::HUDReadEndmemberFile(HUD_TEST_DATA_DIR "/jasper_ridge_endmembers.csv", 198);
  ASSERT_EQ(table.m_Endmembers.rows(), 198);
  ASSERT_EQ(table.m_Endmembers.cols(), 4);
  EXPECT_EQ(table.m_Names, (std::vector<std::string>{"tree", "water", "dirt", "road"}));
  EXPECT_EQ(table.m_Endmembers(1, 3), double(0.0524528302f));
  EXPECT_EQ(table.m_Metadata.m_Wavelengths.at(1), 409.21);
}

TEST_F(HUDEndmemberFile, ReadsTablesWithAndWithoutHeaderAndWavelengths)
{
  Eigen::MatrixXd expected(3, 2);
  expected << 1, 4, 3, 5, 2, 6;
  for (const char* text : {"1,4\n3,5\n2,6\n", "1;4\r\n3;5\r\n2;6", "1\t4\n3\t5\n2\t6\n\n", "1 4\n3 5\n2 6\n",
                           "tree,soil\n1,4\n3,5\n2,6\n", "Wavelength,tree,\"soil\"\n400, 1 ,4\n500,\"3\",5\n600,2,6\n",
                           "\xef\xbb\xbfwavelength,1,2\n0.4,1,4\n0.5,3,5\n0.6,2,6"})
  {
    EXPECT_EQ(Read(text, 3).m_Endmembers, expected) << text;
  }
}

TEST_F(HUDEndmemberFile, WavelengthsAreInNanometre)
{
  const std::vector<double> expected = {400., 2500.};
  EXPECT_EQ(Read("wavelength_nm,a\n400,1\n2500,2\n").m_Metadata.m_Wavelengths, expected);
  EXPECT_EQ(Read("Wavelength (um),a\n.4,1\n2.5,2\n").m_Metadata.m_Wavelengths, expected);
  EXPECT_EQ(Read("wavelength,a\n.4,1\n2.5,2\n").m_Metadata.m_Wavelengths, expected);
  EXPECT_TRUE(Read("wavelength_index,a\n1,1\n2,2\n").m_Metadata.m_Wavelengths.empty());
  EXPECT_TRUE(Read("a\n1\n2\n").m_Metadata.m_Wavelengths.empty());
}

TEST_F(HUDEndmemberFile, RefusesTablesThatAreNone)
{
  EXPECT_TRUE(Says(Refusal(""), "the file is empty"));
  EXPECT_TRUE(Says(Refusal("wavelength,a,b\n"), "found 0 rows and 3 columns"));
  EXPECT_TRUE(Says(Refusal("wavelength\n400\n500\n"), "found 2 rows and 1 columns"));
  EXPECT_TRUE(Says(Refusal("a,b\n1,2\n3\n"), "found 1 columns in row 3, expected 2"));
  EXPECT_TRUE(Says(Refusal("a,b\n1,2,7\n3,4,8\n"), "found 3 columns in row 2, expected 2"));
  EXPECT_TRUE(Says(Refusal("a,b\n1,2\n3,high\n"), "found \"high\" in row 3, column 2; expected a number"));
  EXPECT_TRUE(Says(Refusal("a;b\n1;2\n3;4,5\n"), "found \"4,5\" in row 3, column 2; expected a number"));
  EXPECT_TRUE(Says(Refusal("a,b\n1,2\n3,\n"), "found \"\" in row 3, column 2; expected a number"));
  EXPECT_TRUE(Says(Refusal("a,b\n1,nan\n3,4\n"), "endmember 2 is not finite in band 1"));
  EXPECT_TRUE(Says(Refusal("a,b\n1,2\n3,1e300\n"), "endmember 2 is not finite in band 2"));
  EXPECT_TRUE(Says(Refusal("band,wavelength,a\n1,400,2\n2,500,4\n"), "wavelengths in column 2"));
  EXPECT_TRUE(Says(Refusal("400,4\n500,5\n600,3\n"), "the first column only rises"));
  EXPECT_TRUE(Says(Refusal(std::string("\0\1\2\3", 4)), "expected"));
}

TEST_F(HUDEndmemberFile, RefusesScalesThatCannotBeApplied)
{
  EXPECT_TRUE(
      Says(Refusal("scale,a,b\n1,1,2\n0,3,1\n"), "found scale 0 for band 2, expected a finite number other than 0"));
  EXPECT_TRUE(Says(Refusal("scale,a,b\nnan,1,2\n1,3,1\n"), "found scale nan for band 1"));
  EXPECT_TRUE(Says(Refusal("offset,a,b\n0,1,2\ninf,3,1\n"), "found offset inf for band 2, expected a finite number"));
}

TEST_F(HUDEndmemberFile, ReadsTextThatIsNotUtf8)
{
  const otb::HUDEndmemberTable table = Read("units,for\xeat,b\n\xb5W,1,2\n\xb5W,3,1\n");
  EXPECT_EQ(table.m_Metadata.m_Units, "\xc2\xb5W");
  EXPECT_EQ(table.m_Names.front(), "for\xc3\xaat");
}

TEST_F(HUDEndmemberFile, SaysThatATableIsTransposed)
{
  EXPECT_TRUE(Says(Refusal("1,2,3\n4,5,6\n", 3),
                   "found 2 rows and 3 columns; expected one row for each of the scene's 3 bands"));
  EXPECT_TRUE(Says(Refusal("wavelength,a,b\n400,1,2\n500,3,4\n", 4),
                   "found 2 rows and 3 columns; expected one row for each of the scene's 4 bands"));
  EXPECT_TRUE(Says(Refusal("name,400,410,420,430\ntree,1,2,3,4\nsoil,4,5,6,7\n", 4),
                   "found 3 rows and 5 columns; expected one row for each of the scene's 4 bands"));
}

TEST_F(HUDEndmemberFile, ReadsALibraryOfAnotherProgram)
{
  Eigen::MatrixXd expected(3, 2);
  expected << 1, 4, 2, 5, 256, 6;
  WriteText(m_Folder / "e.sli", kBytes);
  WriteText(m_Folder / "e.hdr", kHeader + "wavelength units = Micrometers\nwavelength = {0.4,\n 0.5, 2.5}\n"
                                          "spectra names = {\n first , second}\n");
  otb::HUDEndmemberTable table = otb::HUDReadEndmemberFile(Path("e.sli"), 3);
  EXPECT_EQ(table.m_Endmembers, expected);
  EXPECT_EQ(table.m_Metadata.m_Wavelengths, (std::vector<double>{400., 500., 2500.}));
  EXPECT_EQ(table.m_Names, (std::vector<std::string>{"first", "second"}));

  // The other customary names: any file, and a header after its whole name.
  WriteText(m_Folder / "other.dat", kBytes);
  WriteText(m_Folder / "other.dat.hdr", kHeader);
  ASSERT_TRUE(otb::HUDIsEndmemberFile(Path("other.dat")));
  table = otb::HUDReadEndmemberFile(Path("other.dat"));
  EXPECT_EQ(table.m_Endmembers, expected);
  EXPECT_TRUE(table.m_Metadata.m_Wavelengths.empty());
}

TEST_F(HUDEndmemberFile, RefusesLibrariesThatAreNone)
{
  const auto refusal = [&](const std::string& header, const std::string& bytes, Eigen::Index bands = 0) {
    WriteText(m_Folder / "e.sli", bytes);
    WriteText(m_Folder / "e.hdr", header);
    const std::string message = MessageOf<hud::InvalidData>([&] { otb::HUDReadEndmemberFile(Path("e.sli"), bands); });
    EXPECT_EQ(message.find(Path("e.sli") + ": "), 0u) << message;
    return message;
  };
  EXPECT_TRUE(Says(refusal(kHeader, kBytes.substr(0, 13)), "found 13 bytes, expected 16"));
  EXPECT_TRUE(Says(refusal(kHeader, kBytes, 5), "found 2 spectra of 3 bands; expected the scene's 5 bands"));
  EXPECT_TRUE(Says(refusal(kHeader + "wavelength = {1, 2}\n", kBytes), "found 2 wavelengths"));
  EXPECT_TRUE(Says(refusal("no header", kBytes), "file type"));
  EXPECT_TRUE(Says(refusal("file type = ENVI Spectral Library\n", kBytes), "e.hdr"));
  const std::string twoBands = std::string(kHeader).replace(kHeader.find("bands = 1"), 9, "bands = 2");
  EXPECT_TRUE(Says(refusal(twoBands, kBytes + kBytes), "one band"));
  std::filesystem::remove(m_Folder / "e.hdr");
  EXPECT_TRUE(otb::HUDIsEndmemberFile(Path("e.sli")));
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { otb::HUDReadEndmemberFile(Path("e.sli")); }), "e.hdr"));
}

TEST_F(HUDEndmemberFile, AMissingFileIsAnError)
{
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { otb::HUDReadEndmemberFile(Path("no.csv")); }), "no.csv"));
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { otb::HUDReadEndmemberFile(Path("no.sli")); }), "no.sli"));
}

TEST_F(HUDEndmemberFile, AnImageBesideALibraryIsNone)
{
  otb::HUDWriteEndmemberFile(Path("e.sli"), Table());
  GDALAllRegister();
  GDALClose(
      GetGDALDriverManager()->GetDriverByName("GTiff")->Create(Path("e.tif").c_str(), 3, 1, 5, GDT_Float32, nullptr));
  EXPECT_FALSE(otb::HUDIsEndmemberFile(Path("e.tif")));
  EXPECT_FALSE(otb::HUDIsEndmemberFile(Path("no.tif")));
  EXPECT_FALSE(otb::HUDIsEndmemberFile(""));
}

TEST_F(HUDEndmemberFile, NamesTheEndingsItWrites)
{
  for (const char* name : {"e.txt", "e", "e.csv.gz"})
  {
    const auto check = MessageOf<hud::InvalidOption>([&] { otb::HUDCheckEndmemberFileName("outlib", Path(name)); });
    EXPECT_TRUE(Says(check, name));
    EXPECT_TRUE(Says(check, ".csv"));
    EXPECT_TRUE(Says(check, ".sli"));
    const auto written = MessageOf<hud::InvalidOption>([&] { otb::HUDWriteEndmemberFile(Path(name), Table()); });
    EXPECT_EQ("outlib: " + written, check);
  }
  EXPECT_TRUE(m_Folder.Names().empty());
}

TEST_F(HUDEndmemberFile, NeedsAWavelengthForEachBand)
{
  otb::HUDEndmemberTable table = Table();
  table.m_Metadata.m_Wavelengths.pop_back();
  EXPECT_TRUE(Says(MessageOf<hud::InvalidOption>([&] { otb::HUDWriteEndmemberFile(Path("e.csv"), table); }),
                   "4 wavelengths for 5 bands"));
}

TEST_F(HUDEndmemberFile, DoesNotTakeTheHeaderOfAnotherFile)
{
  WriteText(m_Folder / "e.hdr", "ENVI");
  EXPECT_TRUE(
      Says(MessageOf<hud::FileError>([&] { otb::HUDCheckEndmemberFileName("outlib", Path("e.sli")); }), "e.hdr"));
  otb::HUDCheckEndmemberFileName("outlib", Path("e.csv"));
  WriteText(m_Folder / "e.sli", "");
  otb::HUDCheckEndmemberFileName("outlib", Path("e.sli"));
}

TEST_F(HUDEndmemberFile, AFullDiskIsAnError)
{
  otb::HUDEndmemberTable table;
  table.m_Endmembers = hud::test::UniformMatrix(300, 9, 1);
  const hud::test::FullDisk full(64);
  for (const char* name : {"e.csv", "e.sli"})
  {
    EXPECT_TRUE(
        Says(MessageOf<hud::FileError>([&] { otb::HUDWriteEndmemberFile(Path(name), table); }), "cannot write"));
  }
}
