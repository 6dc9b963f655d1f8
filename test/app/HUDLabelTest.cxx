// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

#include <string>
#include <vector>

namespace
{

using hud::test::ExpectMixture;
using hud::test::ExpectSays;
using hud::test::ExpectSimplex;
using hud::test::ReadImage;
using hud::test::ReadText;
using hud::test::TestImage;

class HUDLabel : public hud::test::ApplicationTest
{
protected:
  Parameters Sampling(const Parameters& more) const
  {
    return Changed({{"model", Path("m.safetensors")},
                    {"out", Path("s.tif")},
                    {"outabund", Path("sa.tif")},
                    {"outendm", Path("se.tif")},
                    {"sizex", "21"},
                    {"sizey", "13"},
                    {"steps", "3"},
                    {"device", "cpu"}},
                   more);
  }

  /// Samples with a label, and expects mixtures of its endmembers, which are returned.
  Eigen::MatrixXf Sample(const Parameters& label)
  {
    Run("HUDSample", Sampling(label));
    const Eigen::MatrixXf endmembers = ReadImage(Path("se.tif")).m_Pixels;
    ExpectSimplex(ReadImage(Path("sa.tif")).m_Pixels);
    ExpectMixture(ReadImage(Path("s.tif")).m_Pixels, endmembers, ReadImage(Path("sa.tif")).m_Pixels);
    return endmembers;
  }

  /// Returns endmembers with the columns in another order.
  static Eigen::MatrixXf Turned(const Eigen::MatrixXf& endmembers)
  {
    Eigen::MatrixXf turned(endmembers.rows(), 3);
    turned << endmembers.col(2), endmembers.col(0), endmembers.col(1);
    return turned;
  }
};

TEST_F(HUDLabel, AMethodDecodesWithItsOwnEndmembersInTheOrderOfTheFirst)
{
  Run("HUDTrain", Training({{"methods", "vca, sivm,nmf"}}));
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ne", "3"}, {"method", "sivm"}, {"outendm", Path("sivm.tif")}});
  const Eigen::MatrixXf sivm = ReadImage(Path("sivm.tif")).m_Pixels;
  const Eigen::MatrixXf vca = Sample({{"label", "vca"}});
  const Eigen::MatrixXf found = Sample({{"label", "sivm"}, {"guidance", "1.5"}});
  EXPECT_EQ(Sample({}), vca);
  ExpectSays(Log(), {"without a label", "vca, sivm, nmf"});
  EXPECT_FALSE(found.isApprox(vca, 1e-4f));
  for (Eigen::Index k = 0; k < 3; ++k)
  {
    // Each column is one of the method's, and nearer to its counterpart than to the others.
    EXPECT_LT((sivm.colwise() - found.col(k)).colwise().norm().minCoeff(), 1e-6f * found.col(k).norm());
    const Eigen::VectorXf cosines = vca.colwise().normalized().transpose() * found.col(k).normalized();
    Eigen::Index nearest = 0;
    cosines.maxCoeff(&nearest);
    EXPECT_EQ(nearest, k);
  }
}

TEST_F(HUDLabel, TheOutputSaysWhichItIs)
{
  Run("HUDTrain", Training({{"methods", "vca,sivm"}}));
  Run("HUDSample", Sampling({{"label", "sivm"}, {"guidance", "1.5"}}));
  const auto dataset = hud::test::OpenImage(Path("s.tif"));
  EXPECT_STREQ(dataset->GetMetadataItem("label"), "sivm");
  EXPECT_STREQ(dataset->GetMetadataItem("guidance"), "1.5");
}

TEST_F(HUDLabel, AbundancesMadeElsewhereAreAlignedAndDecodedWithTheirEndmembers)
{
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ne", "3"}, {"out", Path("a.tif")}, {"outendm", Path("e.tif")}});
  TestImage abundances = ReadImage(Path("a.tif"));
  const Eigen::MatrixXf endmembers = ReadImage(Path("e.tif")).m_Pixels;
  TestImage turned = abundances;
  turned.m_Pixels << abundances.m_Pixels.row(2), abundances.m_Pixels.row(0), abundances.m_Pixels.row(1);
  WriteImage(m_Folder / "turned.tif", turned);
  TestImage turnedEndmembers;
  turnedEndmembers.m_Width = 3;
  turnedEndmembers.m_Height = 1;
  turnedEndmembers.m_Pixels = 1.01f * Turned(endmembers);
  WriteImage(m_Folder / "other.tif", turnedEndmembers);
  Run("HUDTrain",
      Training(
          {{"ie", Path("e.tif")}, {"abundances", Path("turned.tif")}, {"iel", Path("other.tif")}, {"labels", "mine"}}));
  EXPECT_TRUE(Sample({{"label", "mine"}}).isApprox(1.01f * endmembers, 1e-5f));
  EXPECT_TRUE(Sample({{"label", "ie"}}).isApprox(endmembers, 1e-5f));
  const nlohmann::json maps = Model("m.safetensors").at("maps");
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[0].at("label"), "ie");
  EXPECT_EQ(maps[1].at("label"), "mine");
  for (std::size_t k = 0; k < 3; ++k)
  {
    EXPECT_NEAR(maps[0].at("mean_abundances").at(k), maps[1].at("mean_abundances").at(k), 1e-6);
  }
}

TEST_F(HUDLabel, ALabelHasOneSetOfEndmembers)
{
  Run("HUDUnmix",
      {{"in", Path("scene.tif")}, {"ne", "3"}, {"method", "sivm"}, {"out", Path("a.tif")}, {"outendm", Path("e.tif")}});
  const Parameters maps = {{"abundances", Path("a.tif")}, {"iel", Path("e.tif")}};
  Parameters named = maps;
  named.emplace_back("labels", "vca");
  ExpectSays(Failure("HUDTrain", Training(named)), {"'vca'", "different endmembers"});
  named.back().second = "mine";
  Run("HUDTrain", Training(named));
  Run("HUDUnmix",
      {{"in", Path("scene.tif")}, {"ne", "3"}, {"method", "nmf"}, {"out", Path("a.tif")}, {"outendm", Path("e.tif")}});
  named.emplace_back("resume", Path("m.safetensors"));
  named.emplace_back("iterations", "6");
  ExpectSays(Failure("HUDTrain", Changed(Training({}), named)), {"'mine'", "different endmembers"});
}

TEST_F(HUDLabel, ResumingTakesTheEndmembersOfTheMethodOrLabelThatIsNamed)
{
  Run("HUDTrain", Training({{"methods", "vca,sivm"}, {"iterations", "6"}}));
  const nlohmann::json whole = Model("m.safetensors");
  const std::string bytes = ReadText(Path("m.safetensors"));
  Run("HUDTrain",
      Training({{"methods", "vca,sivm"}, {"iterations", "3"}, {"decay", "constant"}, {"out", Path("h.safetensors")}}));
  for (const Parameters& named : {Parameters{{"methods", "sivm"}}, Parameters{{"labels", "sivm"}}})
  {
    Run("HUDTrain",
        Changed(Resuming({{"out", Path("t.safetensors")}, {"resume", Path("h.safetensors")}, {"iterations", "5"}}),
                named));
    const nlohmann::json tuned = Model("t.safetensors");
    EXPECT_EQ(tuned.at("labels"), whole.at("labels"));
    EXPECT_EQ(tuned.at("maps"), nlohmann::json::array({whole.at("maps").at(1)})) << named.front().first;
  }
  Run("HUDTrain",
      Resuming({{"out", Path("t.safetensors")}, {"resume", Path("h.safetensors")}, {"methods", "vca,sivm"}}));
  EXPECT_EQ(Model("t.safetensors").at("options").at("first_iteration"), 0);
  Run("HUDTrain", Training({{"methods", "vca,sivm"}, {"iterations", "6"}, {"decay", "constant"}}));
  EXPECT_EQ(ReadText(Path("t.safetensors")), ReadText(Path("m.safetensors")));
  EXPECT_NE(bytes, ReadText(Path("m.safetensors"))) << "with another decay";
}

TEST_F(HUDLabel, ScenesAreLabelsAndANewOneIsTuned)
{
  TestImage other = m_Scene;
  other.m_Pixels = m_Scene.m_Pixels.rowwise().reverse().eval();
  WriteImage(m_Folder / "other.tif", other, Wavelengths());
  Run("HUDTrain", Training({{"il", Path("scene.tif") + " " + Path("other.tif")}, {"labels", "north,south"}}));
  const Eigen::MatrixXf endmembers = Sample({{"label", "south"}});
  EXPECT_EQ(Sample({{"label", "north"}}), endmembers);
  const Parameters tuning = Resuming({{"il", Path("other.tif")}, {"out", Path("t.safetensors")}});
  Parameters named = tuning;
  named.emplace_back("labels", "west");
  Run("HUDTrain", named);
  ExpectSays(Log(), {"Tuning a model of 4 iterations"});
  EXPECT_EQ(Sample({{"model", Path("t.safetensors")}, {"label", "west"}}), endmembers);
  ExpectSays(Failure("HUDTrain", tuning), {"resume", "north, south", "expected the methods or labels"});
  ExpectSays(Failure("HUDSample", Sampling({{"model", Path("t.safetensors")}, {"label", "east"}})),
             {"label", "'east'", "north, south, west"});
  named.emplace_back("methods", "vca,sivm");
  ExpectSays(Failure("HUDTrain", named), {"labels", "beside methods vca,sivm"});
}

TEST_F(HUDLabel, PresetsGiveWhatTheUserDoesNot)
{
  Run("HUDTrain", {{"il", Path("scene.tif")},
                   {"out", Path("m.safetensors")},
                   {"ne", "3"},
                   {"iterations", "2"},
                   {"preset", "pastorino"},
                   {"patch", "16"},
                   {"batch", "2"},
                   {"net.width", "8"},
                   {"device", "cpu"}});
  const std::string model = ReadText(Path("m.safetensors"));
  ExpectSays(model, {"\\\"multipliers\\\":[1,2,4,8,8]", "\\\"timesteps\\\":2000", "\\\"loss\\\":\\\"l1\\\"",
                     "\\\"patch\\\":16", "\\\"schedule\\\":\\\"pastorino\\\"", "\\\"prediction\\\":\\\"eps\\\"",
                     "\\\"width\\\":8"});
  Run("HUDSample", Sampling({}));
  ExpectSimplex(ReadImage(Path("sa.tif")).m_Pixels);
  ExpectSays(
      Failure("HUDTrain",
              {{"il", Path("scene.tif")}, {"out", Path("n.safetensors")}, {"preset", "pastorino"}, {"device", "cpu"}}),
      {"256 x 256", "map 1 of 1"});
}

TEST_F(HUDLabel, RefusesWhatIsUnknownOrDoesNotFit)
{
  ExpectSays(Failure("HUDTrain", Training({{"methods", "vca,vac"}})), {"vac", "vca", "sivm", "sisal", "nmf"});
  ExpectSays(Failure("HUDTrain", Training({{"methods", "vca,vca"}})), {"methods", "found vca twice"});
  ExpectSays(Failure("HUDTrain", Training({{"methods", "sivm"}, {"ie", Path("scene.tif")}})), {"methods", "ie"});
  ExpectSays(Failure("HUDTrain", Training({{"labels", "one,two"}})),
             {"labels: found 2", "expected 1, one for each scene"});
  Run("HUDTrain", Training({{"methods", "vca,sivm"}}));
  ExpectSays(Failure("HUDSample", Sampling({{"label", "edaa"}})), {"label", "'edaa'", "vca, sivm"});
  ExpectSays(Failure("HUDSample", Sampling({{"label", "vca"}, {"guidance", "-1"}})), {"guidance", "-1", "0 to 100"});
  ExpectSays(Failure("HUDSample", Sampling({{"guidance", "2"}})), {"guidance: found 2 without a label"});
  Run("HUDTrain", Training({}));
  ExpectSays(Failure("HUDSample", Sampling({{"label", "vca"}})), {"label", "trained without labels"});
  const Parameters resume = Resuming({{"out", Path("t.safetensors")}});
  ExpectSays(Failure("HUDTrain", Changed(resume, {{"methods", "nmf"}})),
             {"methods: found nmf", "keeps the model's endmembers"});
  ExpectSays(Failure("HUDTrain", Changed(resume, {{"labels", "west"}})), {"resume", "trained without labels"});
  ExpectSays(Failure("HUDTrain", Training({{"labels", "one,,two"}})),
             {"labels: found 'one,,two'", "names with commas"});
  // Latin-1 becomes UTF-8, which the model file needs.
  Run("HUDTrain", Training({{"labels", "M\xfcnchen"}}));
  EXPECT_EQ(Model("m.safetensors").at("labels").at(0), "M\xc3\xbcnchen");
}

TEST_F(HUDLabel, RefusesAbundancesThatAreNone)
{
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ne", "3"}, {"out", Path("a.tif")}, {"outendm", Path("e.tif")}});
  const auto train = [&](const std::string& abundances, const Parameters& more) {
    Parameters parameters = {{"abundances", Path(abundances)}};
    parameters.insert(parameters.end(), more.begin(), more.end());
    return Failure("HUDTrain", Training(parameters));
  };
  const Parameters named = {{"iel", Path("e.tif")}, {"labels", "mine"}};
  TestImage bad = ReadImage(Path("a.tif"));
  bad.m_Pixels.col(2 * kWidth + 5) *= 0.7f;
  WriteImage(m_Folder / "bad.tif", bad);
  ExpectSays(train("bad.tif", named), {"abundances (", "bad.tif", "pixel (5, 2) sum to 0.7", "within 0.01"});
  ExpectSays(train("scene.tif", named), {"scene.tif", "found 11 bands and 3 endmembers, expected the 3 endmembers"});
  ExpectSays(train("a.tif", {{"iel", Path("e.tif")}}), {"labels: found 0", "one for each image of abundances"});
  ExpectSays(train("a.tif", {{"labels", "mine"}}), {"iel: found 0 files", "each of the 1 images of abundances"});
  ExpectSays(train("a.tif", {{"iel", Path("missing.tif")}, {"labels", "mine"}}), {"iel", "missing.tif"});
}

TEST_F(HUDLabel, RefusesScenesInAnotherUnit)
{
  const auto write = [&](const std::string& name, const char* unit) {
    WriteImage(m_Folder / name, m_Scene, Wavelengths());
    GDALDataset* const dataset = GDALDataset::Open(Path(name).c_str(), GDAL_OF_UPDATE);
    dataset->GetRasterBand(1)->SetUnitType(unit);
    GDALClose(dataset);
  };
  write("reflectance.tif", "reflectance");
  write("radiance.tif", "W/m2/sr/um");
  ExpectSays(Failure("HUDTrain", Training({{"il", Path("reflectance.tif") + " " + Path("radiance.tif")}})),
             {"il (", "radiance.tif", "found the unit 'W/m2/sr/um', expected 'reflectance', as in the first scene"});
}

} // namespace
