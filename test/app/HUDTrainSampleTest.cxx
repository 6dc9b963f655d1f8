// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace
{

using hud::test::ExpectMixture;
using hud::test::ExpectSays;
using hud::test::ExpectSimplex;
using hud::test::FullDisk;
using hud::test::ReadImage;
using hud::test::ReadText;
using hud::test::TestImage;
using hud::test::WriteText;

class HUDTrainSample : public hud::test::ApplicationTest
{
protected:
  Parameters Sampling(const Parameters& changes = {}) const
  {
    return Changed({{"model", Path("m.safetensors")},
                    {"out", Path("s.tif")},
                    {"outabund", Path("sa.tif")},
                    {"sizex", "21"},
                    {"sizey", "13"},
                    {"steps", "3"},
                    {"device", "cpu"}},
                   changes);
  }
};

TEST_F(HUDTrainSample, SamplesAreMixturesOfTheEndmembersOnTheSimplex)
{
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"out", Path("a.tif")}, {"outendm", Path("e.tif")}, {"ne", "3"}});
  Run("HUDTrain", Training({{"ie", Path("e.tif")}}));
  for (const char* layout : {"scene", "patches"})
  {
    for (const char* sampler : {"dpmpp", "ddim", "ddpm"})
    {
      Run("HUDSample", Sampling({{"layout", layout}, {"sampler", sampler}}));
      const TestImage abundances = ReadImage(Path("sa.tif"));
      const TestImage spectra = ReadImage(Path("s.tif"));
      EXPECT_EQ(spectra.m_Width, 21);
      EXPECT_EQ(spectra.m_Height, 13);
      EXPECT_EQ(spectra.m_Pixels.rows(), kBands);
      ASSERT_EQ(abundances.m_Pixels.rows(), kEndmembers);
      ExpectSimplex(abundances.m_Pixels);
      ExpectMixture(spectra.m_Pixels, ReadImage(Path("e.tif")).m_Pixels, abundances.m_Pixels);
    }
  }
  const auto dataset = hud::test::OpenImage(Path("s.tif"));
  const char* wavelength = dataset->GetRasterBand(kBands)->GetMetadataItem("wavelength");
  ASSERT_NE(wavelength, nullptr);
  EXPECT_DOUBLE_EQ(std::stod(wavelength), Wavelengths().back());
}

TEST_F(HUDTrainSample, TheSameSeedGivesTheSameBytes)
{
  Run("HUDTrain", Training());
  Run("HUDSample", Sampling());
  const std::string model = ReadText(Path("m.safetensors"));
  const std::string spectra = ReadText(Path("s.tif"));
  Run("HUDTrain", Training());
  Run("HUDSample", Sampling());
  EXPECT_EQ(ReadText(Path("m.safetensors")), model);
  EXPECT_EQ(ReadText(Path("s.tif")), spectra);
  Run("HUDSample", Sampling({{"rand", "1"}}));
  EXPECT_NE(ReadText(Path("s.tif")), spectra);
}

TEST_F(HUDTrainSample, ResumingGivesTheModelOfAnUninterruptedRun)
{
  // With this decay a run that was planned shorter is no different.
  Run("HUDTrain", Training({{"decay", "root"}, {"iterations", "6"}, {"out", Path("whole.safetensors")}}));
  Run("HUDTrain", Training({{"decay", "root"}, {"iterations", "2"}}));
  const Parameters resume = Resuming({{"out", Path("resumed.safetensors")}});
  Run("HUDTrain", resume);
  EXPECT_EQ(ReadText(Path("resumed.safetensors")), ReadText(Path("whole.safetensors")));
  ExpectSays(Failure("HUDTrain", Changed(resume, {{"iterations", "2"}})), {"iterations", "found 2", "the 2"});
  ExpectSays(Failure("HUDTrain", Changed(resume, {{"patch", "16"}})), {"patch", "resume"});
}

/// Starts HUDTrain as a process of its own.
pid_t StartTraining(const std::vector<std::pair<std::string, std::string>>& parameters, const std::string& log)
{
  std::vector<std::string> arguments = {HUD_TEST_OTB_BIN_DIR "/otbApplicationLauncherCommandLine", "HUDTrain"};
  for (const auto& [key, value] : parameters)
  {
    arguments.push_back("-" + key);
    arguments.push_back(value);
  }
  std::vector<char*> pointers;
  for (std::string& argument : arguments)
  {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  ::setenv("OTB_APPLICATION_PATH", HUD_TEST_APP_DIR, 1);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t process = -1;
  const int error = ::posix_spawn(&process, pointers[0], &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
  {
    throw std::runtime_error("cannot start " + arguments[0]);
  }
  return process;
}

TEST_F(HUDTrainSample, ARunThatIsKilledAgainAndAgainEndsWithTheBytesOfAnUndisturbedOne)
{
  const auto modified = [](const std::string& path) {
    std::error_code error;
    const auto time = std::filesystem::last_write_time(path, error);
    return error ? std::filesystem::file_time_type() : time;
  };
  const Parameters training = Training({{"iterations", "200"}});
  int status = -1;
  ASSERT_GT(::waitpid(StartTraining(Changed(training, {{"out", Path("whole.safetensors")}, {"checkpoint", "0"}}),
                                    Path("log")),
                      &status, 0),
            0);
  ASSERT_EQ(status, 0) << ReadText(Path("log"));
  EXPECT_EQ(m_Folder.Names(), (std::set<std::string>{"log", "scene.tif", "whole.safetensors"}));

  const std::string checkpoint = Path("m.checkpoint.safetensors");
  std::mt19937 random(5);
  int kills = 0;
  do
  {
    Parameters parameters = Changed(training, {{"checkpoint", "0.0001"}});
    if (std::filesystem::exists(checkpoint))
    {
      parameters = Changed(parameters, {{"resume", checkpoint}});
    }
    const auto before = modified(checkpoint);
    const pid_t process = StartTraining(parameters, Path("log"));
    if (kills < 3)
    {
      while (modified(checkpoint) == before && ::waitpid(process, &status, WNOHANG) == 0)
      {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 50));
      ::kill(process, SIGKILL);
      ++kills;
    }
    ::waitpid(process, &status, 0);
  }
  while (WIFSIGNALED(status));
  EXPECT_EQ(status, 0) << ReadText(Path("log"));
  EXPECT_GT(kills, 0);
  EXPECT_EQ(m_Folder.Names(), (std::set<std::string>{"log", "m.safetensors", "scene.tif", "whole.safetensors"}));
  EXPECT_TRUE(ReadText(Path("m.safetensors")) == ReadText(Path("whole.safetensors")));
}

TEST_F(HUDTrainSample, AFailedCheckpointIsAWarningAndAnEarlierOneIsNotLost)
{
  Run("HUDTrain", Training({{"out", Path("m.checkpoint.safetensors")}, {"iterations", "1"}}));
  const std::string earlier = ReadText(Path("m.checkpoint.safetensors"));
  const FullDisk full(65536);
  ExpectSays(Failure("HUDTrain", Training({{"checkpoint", "1e-9"}})), {"m.safetensors"});
  const std::string said = "training goes on";
  ExpectSays(Log(), {"m.checkpoint.safetensors is there from a run that did not end", said});
  EXPECT_EQ(Log().find(said, Log().find(said) + 1), std::string::npos) << Log();
  EXPECT_EQ(ReadText(Path("m.checkpoint.safetensors")), earlier);
}

TEST_F(HUDTrainSample, DrawsAPreviewWithoutAnEffectOnTheModel)
{
  Run("HUDTrain", Training());
  const std::string model = ReadText(Path("m.safetensors"));
  const auto before = m_Folder.Names();
  Run("HUDTrain", Training({{"preview", Path("p.png")}, {"previewevery", "3"}}));
  EXPECT_EQ(ReadText(Path("m.safetensors")), model);
  auto expected = before;
  expected.insert("p.png");
  EXPECT_EQ(m_Folder.Names(), expected);
  const TestImage preview = ReadImage(Path("p.png"));
  EXPECT_EQ(preview.m_Width, 4 * 8);
  EXPECT_EQ(preview.m_Height, 2 * 8);
  ASSERT_EQ(preview.m_Pixels.rows(), 3);
  EXPECT_GT(preview.m_Pixels.maxCoeff(), preview.m_Pixels.minCoeff());
}

TEST_F(HUDTrainSample, ReportsTheLossOnHeldOutLines)
{
  Run("HUDTrain", Training());
  ExpectSays(Log(), {"No validation"});
  Run("HUDTrain", Training({{"holdout", "0.45"}}));
  ExpectSays(Log(), {"Held out for validation: 8 lines", "Iteration 4: validation loss"});
  Run("HUDTrain", Training({{"holdout", "0"}}));
  EXPECT_EQ(Log().find("alidation"), std::string::npos) << Log();
}

TEST_F(HUDTrainSample, TrainsWithEveryChoice)
{
  for (const auto& change : Parameters{{"projection", "clr"},
                                       {"projection", "log"},
                                       {"weighting", "minsnr"},
                                       {"decay", "root"},
                                       {"decay", "constant"},
                                       {"warmup", "3"},
                                       {"clip", "0"}})
  {
    Run("HUDTrain", Training({change, {"out", Path(change.second + ".safetensors")}}));
    Run("HUDSample", Sampling({{"model", Path(change.second + ".safetensors")}}));
    ExpectSimplex(ReadImage(Path("sa.tif")).m_Pixels);
  }
  Run("HUDTrain", Training());
  for (const auto& change : Parameters{{"projection", "clr"},
                                       {"weighting", "minsnr"},
                                       {"decay", "root"},
                                       {"warmup", "3"},
                                       {"clip", "0.5"},
                                       {"holdout", "0.2"}})
  {
    ExpectSays(Failure("HUDTrain", Training({change, {"resume", Path("m.safetensors")}, {"iterations", "5"}})),
               {change.first, "resume"});
  }
}

TEST_F(HUDTrainSample, NamesTheSceneThatDoesNotFitTheOthers)
{
  const auto train = [&](const std::string& name) {
    return Failure("HUDTrain", Training({{"il", Path("scene.tif") + " " + Path(name)}}));
  };
  TestImage other = m_Scene;
  other.m_Pixels = m_Scene.m_Pixels.topRows(kBands - 1).eval();
  WriteImage(m_Folder / "fewer.tif", other);
  ExpectSays(train("fewer.tif"), {"fewer.tif has 10 bands", "11"});

  std::vector<double> wavelengths = Wavelengths();
  wavelengths[4] += 30.;
  WriteImage(m_Folder / "elsewhere.tif", m_Scene, wavelengths);
  ExpectSays(train("elsewhere.tif"), {"il (", "elsewhere.tif", "band 5 at 580 nm", "550 nm", "first scene"});

  other = m_Scene;
  other.m_Width = 7;
  other.m_Pixels = m_Scene.m_Pixels.leftCols(7 * kHeight).eval();
  WriteImage(m_Folder / "narrow.tif", other, Wavelengths());
  ExpectSays(train("narrow.tif"), {"narrow.tif", "8 x 8", "map 2 of 2", "7 x 19"});
}

TEST_F(HUDTrainSample, ResumeTakesOptionsThatAreTheModelsOwn)
{
  Run("HUDTrain", Training({{"iterations", "2"}}));
  Run("HUDTrain", Training({{"resume", Path("m.safetensors")}, {"out", Path("n.safetensors")}, {"lr", "0.002"}}));
  ExpectSays(Failure("HUDTrain", Training({{"resume", Path("m.safetensors")}, {"rand", "5"}})), {"rand", "resume"});
}

TEST_F(HUDTrainSample, LeavesNoDataPixelsOutAndCountsThem)
{
  TestImage holed = m_Scene;
  holed.m_Pixels.col(5).setZero();
  holed.m_Pixels.col(3 * kWidth + 1).setConstant(std::numeric_limits<float>::quiet_NaN());
  WriteImage(m_Folder / "holed.tif", holed);
  Run("HUDTrain", Training({{"il", Path("holed.tif")}}));
  ExpectSays(Log(), {"No-data pixels left out: 2"});
}

TEST_F(HUDTrainSample, EstimatesTheNumberOfEndmembers)
{
  // 2 of the 3 endmembers describe the scene within 5 %, or all 3 do: what HUDUnmix finds is what is trained on.
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ne", "0"}, {"outendm", Path("e.tif")}});
  const Eigen::Index count = ReadImage(Path("e.tif")).m_Pixels.cols();
  EXPECT_GE(count, 2);
  EXPECT_LE(count, kEndmembers);
  Run("HUDTrain", Training({{"ne", "0"}}));
  ExpectSays(Log(), {"Number of endmembers found: " + std::to_string(count)});
  const std::string estimated = ReadText(Path("m.safetensors"));
  Run("HUDTrain", Training({{"ne", std::to_string(count)}}));
  EXPECT_TRUE(ReadText(Path("m.safetensors")) == estimated);
}

TEST_F(HUDTrainSample, LeavesOutBandsWithoutData)
{
  TestImage holed = m_Scene;
  holed.m_Pixels.row(6).setConstant(std::numeric_limits<float>::quiet_NaN());
  WriteImage(m_Folder / "holed.tif", holed);
  Run("HUDTrain", Training({{"il", Path("holed.tif")}}));
  ExpectSays(Log(), {"holed.tif", "band 7 without data"});
  Run("HUDSample", Sampling());
  const TestImage spectra = ReadImage(Path("s.tif"));
  ASSERT_EQ(spectra.m_Pixels.rows(), kBands);
  ASSERT_TRUE(spectra.m_Pixels.allFinite());
  EXPECT_TRUE(spectra.m_Pixels.row(6).isZero(0.f));
  EXPECT_GT(spectra.m_Pixels.row(5).maxCoeff(), 0.01f);
}

TEST_F(HUDTrainSample, RefusesScenesThatCannotBeUsed)
{
  ExpectSays(Failure("HUDTrain", Training({{"il", Path("nothing.tif")}})), {"nothing.tif"});
  TestImage image = m_Scene;
  image.m_Pixels = m_Scene.m_Pixels.topRows(1).eval();
  WriteImage(m_Folder / "one.tif", image);
  ExpectSays(Failure("HUDTrain", Training({{"il", Path("one.tif")}})), {"one.tif", "bands, 1"});
  ExpectSays(Failure("HUDTrain", Training({{"ne", "12"}})), {"scene.tif", "endmembers is 12", "bands, 11"});
  image = m_Scene;
  image.m_Pixels.setZero();
  WriteImage(m_Folder / "empty.tif", image);
  ExpectSays(Failure("HUDTrain", Training({{"il", Path("empty.tif")}})), {"empty.tif", "no valid pixel"});
  image.m_Pixels.col(7) = m_Scene.m_Pixels.col(7);
  WriteImage(m_Folder / "sparse.tif", image);
  ExpectSays(Failure("HUDTrain", Training({{"il", Path("sparse.tif")}})), {"sparse.tif", "valid pixels, 1"});
}

TEST_F(HUDTrainSample, RefusesASceneSmallerThanThePatch)
{
  ExpectSays(Failure("HUDTrain", Training({{"patch", "32"}})), {"32 x 32", "23 x 19"});
}

TEST_F(HUDTrainSample, RefusesNumbersOutsideTheirRanges)
{
  const Parameters changes = {{"iterations", "0"},
                              {"iterations", "-3"},
                              {"patch", "0"},
                              {"batch", "-2"},
                              {"lr", "0"},
                              {"timesteps", "0"},
                              {"net.width", "5"},
                              {"net.mult", "1,x"},
                              {"net.blocks", "0"},
                              {"ne", "1"},
                              {"floor", "-1"},
                              {"warmup", "-1"},
                              {"clip", "-1"},
                              {"holdout", "0.6"},
                              {"validshare", "0"},
                              {"validshare", "1.1"},
                              {"checkpoint", "-1"},
                              {"previewevery", "0"},
                              {"preview", Path("p.jpg")}};
  for (const auto& change : changes)
  {
    const std::string message = Failure("HUDTrain", Training({change}));
    EXPECT_NE(message, "no error") << change.first;
    ExpectSays(message, {"expected"});
  }
}

TEST_F(HUDTrainSample, RefusesEndmembersOfAnotherNumberOfBands)
{
  TestImage endmembers;
  endmembers.m_Width = kEndmembers;
  endmembers.m_Height = 1;
  endmembers.m_Pixels = Eigen::MatrixXf::Random(kBands + 1, kEndmembers);
  WriteImage(m_Folder / "foreign.tif", endmembers);
  ExpectSays(Failure("HUDTrain", Training({{"ie", Path("foreign.tif")}})),
             {"foreign.tif", "12 bands", "the scene's 11 bands"});
  WriteText(m_Folder / "foreign.csv", "tree,soil\n1,2\n3,5\n");
  ExpectSays(Failure("HUDTrain", Training({{"ie", Path("foreign.csv")}})),
             {"foreign.csv", "found 2 rows and 2 columns", "the scene's 11 bands"});
}

TEST_F(HUDTrainSample, RefusesOneEndmember)
{
  std::string table = "tree\n";
  for (int band = 0; band < kBands; ++band)
  {
    table += std::to_string(band % 3) + "\n";
  }
  WriteText(m_Folder / "one.csv", table);
  ExpectSays(Failure("HUDTrain", Training({{"ie", Path("one.csv")}})), {"one.csv", "found 1 endmembers", "at least 2"});
}

TEST_F(HUDTrainSample, RefusesModelsThatAreCutForeignNewerOrMissing)
{
  Run("HUDTrain", Training());
  const std::string model = ReadText(Path("m.safetensors"));
  WriteText(m_Folder / "cut", model.substr(0, model.size() / 2));
  WriteText(m_Folder / "foreign", "This is no model.");
  std::string newer = model;
  newer.replace(newer.find("\"format_version\":\"5\""), 20, "\"format_version\":\"7\"");
  WriteText(m_Folder / "newer", newer);
  for (const auto& [name, expected] : Parameters{{"cut", "is cut"},
                                                 {"foreign", "not a safetensors file"},
                                                 {"newer", "version '7'"},
                                                 {"missing", "cannot open"},
                                                 {"scene.tif", "not a safetensors file"}})
  {
    ExpectSays(Failure("HUDSample", Sampling({{"model", Path(name)}})), {name, expected});
    ExpectSays(Failure("HUDTrain", {{"il", Path("scene.tif")}, {"resume", Path(name)}, {"out", Path("x")}}),
               {name, expected});
  }
}

TEST_F(HUDTrainSample, RefusesSizesAndStepsOutsideTheirRanges)
{
  Run("HUDTrain", Training());
  for (const auto& change :
       Parameters{{"sizex", "0"}, {"sizey", "-5"}, {"steps", "0"}, {"steps", "-1"}, {"steps", "1001"}})
  {
    ExpectSays(Failure("HUDSample", Sampling({change})), {change.second, "expected 1 to"});
  }
  ExpectSays(Failure("HUDSample", Sampling({{"sampler", "ddim"}, {"eta", "1.5"}})), {"eta", "1.5", "expected 0 to 1"});
  ExpectSays(Failure("HUDSample", Sampling({{"eta", "0.5"}})), {"eta", "0.5", "dpmpp", "only ddim"});
}

TEST_F(HUDTrainSample, RefusesACudaDeviceThatIsNotThere)
{
  if (std::filesystem::exists("/dev/nvidia0"))
  {
    GTEST_SKIP() << "there is a GPU";
  }
  ExpectSays(Failure("HUDTrain", Training({{"device", "cuda"}})), {"'cuda'", "no CUDA GPU"});
  Run("HUDTrain", Training());
  ExpectSays(Failure("HUDSample", Sampling({{"device", "cuda"}})), {"'cuda'", "no CUDA GPU"});
}

TEST_F(HUDTrainSample, AFullDiskKeepsTheEarlierFiles)
{
  Run("HUDTrain", Training());
  Run("HUDSample", Sampling());
  const std::string model = ReadText(Path("m.safetensors"));
  const std::string spectra = ReadText(Path("s.tif"));
  {
    const FullDisk full(65536);
    ExpectSays(Failure("HUDTrain", Training({{"iterations", "5"}})), {"m.safetensors"});
  }
  {
    const FullDisk full(4096);
    ExpectSays(Failure("HUDSample", Sampling({{"rand", "2"}})), {"s.tif"});
  }
  EXPECT_EQ(ReadText(Path("m.safetensors")), model);
  EXPECT_EQ(ReadText(Path("s.tif")), spectra);
}

TEST_F(HUDTrainSample, RefusesAFolderThatDoesNotExistOrIsReadOnly)
{
  ExpectSays(Failure("HUDTrain", Training({{"out", Path("missing/m")}})), {"out", "missing"});
  // Nobody, not even root, may make files there.
  ExpectSays(Failure("HUDTrain", Training({{"out", "/proc/m"}})), {"out", "/proc"});
  ExpectSays(Failure("HUDTrain", Training({{"preview", Path("missing/p.png")}})), {"preview", "missing"});
  Run("HUDTrain", Training());
  ExpectSays(Failure("HUDSample", Sampling({{"out", Path("missing/s.tif")}})), {"out", "missing"});
  ExpectSays(Failure("HUDSample", Sampling({{"out", "/proc/s.tif"}})), {"out", "/proc"});
}

TEST_F(HUDTrainSample, RunsFromTheCommandLine)
{
  Run("HUDTrain", Training());
  const std::string sample = "OTB_APPLICATION_PATH='" HUD_TEST_APP_DIR "' '" HUD_TEST_BIN_DIR
                             "/otbcli_HUDSample' -model '" +
                             Path("m.safetensors") + "' -steps 3 -sizey 13";
  EXPECT_EQ(std::system((sample + " -sizex 21 -out '" + Path("s.tif") + "' > '" + Path("log") + "' 2>&1").c_str()), 0)
      << ReadText(Path("log"));
  EXPECT_EQ(ReadImage(Path("s.tif")).m_Width, 21);

  // An error is said once, ends with another status, and leaves nothing.
  const auto before = m_Folder.Names();
  EXPECT_NE(std::system((sample + " -sizex 0 -out '" + Path("t.tif") + "' > '" + Path("log") + "' 2>&1").c_str()), 0);
  EXPECT_EQ(m_Folder.Names(), before);
  const std::string log = ReadText(Path("log"));
  const std::string said = "the width of the sample is 0";
  ASSERT_NE(log.find(said), std::string::npos) << log;
  EXPECT_EQ(log.find(said, log.find(said) + 1), std::string::npos) << log;
}

} // namespace
