// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "FullDisk.h"
#include "TemporaryFolder.h"
#include "TestImage.h"

#include "otbWrapperApplication.h"
#include "otbWrapperApplicationRegistry.h"
#include "otbWrapperOutputImageParameter.h"

#include "hud/core/SyntheticScene.h"

#include "itkStdStreamLogOutput.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace hud::test
{

/// Runs applications in this process as the command line runs them, in a temporary folder with a scene.
class ApplicationTest : public testing::Test
{
protected:
  static constexpr int kWidth = 23;
  static constexpr int kHeight = 19;
  static constexpr int kBands = 11;
  static constexpr int kEndmembers = 3;

  using Parameters = std::vector<std::pair<std::string, std::string>>;

  ApplicationTest() : m_Scene(MakeScene())
  {
    WriteImage(m_Folder / "scene.tif", m_Scene, Wavelengths());
  }

  static TestImage MakeScene()
  {
    SyntheticSceneOptions options;
    options.m_Bands = kBands;
    options.m_Pixels = kWidth * kHeight;
    options.m_Endmembers = kEndmembers;
    TestImage scene;
    scene.m_Width = kWidth;
    scene.m_Height = kHeight;
    scene.m_Pixels = MakeSyntheticScene(options).m_Spectra;
    return scene;
  }

  static std::vector<double> Wavelengths()
  {
    std::vector<double> wavelengths;
    for (int band = 0; band < kBands; ++band)
    {
      wavelengths.push_back(400. + 37.5 * band);
    }
    return wavelengths;
  }

  std::string Path(const std::string& name) const
  {
    return (m_Folder / name).string();
  }

  /// Returns parameters with some of them replaced or added.
  static Parameters Changed(Parameters parameters, const Parameters& changes)
  {
    for (const auto& change : changes)
    {
      const auto same = std::find_if(parameters.begin(), parameters.end(),
                                     [&](const auto& parameter) { return parameter.first == change.first; });
      if (same == parameters.end())
      {
        parameters.push_back(change);
      }
      else
      {
        same->second = change.second;
      }
    }
    return parameters;
  }

  /// Returns the parameters of a HUDTrain of milliseconds, with some of them replaced or added.
  Parameters Training(const Parameters& changes = {}) const
  {
    return Changed({{"il", Path("scene.tif")},
                    {"out", Path("m.safetensors")},
                    {"ne", "3"},
                    {"iterations", "4"},
                    {"patch", "8"},
                    {"batch", "2"},
                    {"device", "cpu"},
                    {"net.width", "8"},
                    {"net.mult", "1,2"},
                    {"net.blocks", "1"}},
                   changes);
  }

  /// Returns the parameters of a HUDTrain that goes on with the model of Training, with some of them replaced or added.
  Parameters Resuming(const Parameters& changes = {}) const
  {
    return Changed({{"il", Path("scene.tif")},
                    {"resume", Path("m.safetensors")},
                    {"out", Path("n.safetensors")},
                    {"iterations", "6"},
                    {"device", "cpu"}},
                   changes);
  }

  /// Runs an application and keeps its log. A blank stands between the files of a list.
  /// @throws whatever the application throws
  void Run(const std::string& name, const Parameters& parameters)
  {
    using otb::Wrapper::ApplicationRegistry;
    ApplicationRegistry::SetApplicationPath(HUD_TEST_APP_DIR);
    const otb::Wrapper::Application::Pointer application = ApplicationRegistry::CreateApplication(name);
    ASSERT_TRUE(application.IsNotNull()) << name;
    m_Log.str("");
    const auto output = itk::StdStreamLogOutput::New();
    output->SetStream(m_Log);
    application->GetLogger()->AddLogOutput(output);
    for (const auto& [key, value] : parameters)
    {
      if (application->GetParameterType(key) == otb::Wrapper::ParameterType_InputImageList ||
          application->GetParameterType(key) == otb::Wrapper::ParameterType_InputFilenameList)
      {
        std::istringstream files(value);
        application->SetParameterStringList(
            key, {std::istream_iterator<std::string>(files), std::istream_iterator<std::string>()});
      }
      else
      {
        application->SetParameterString(key, value);
      }
      if (!m_PixelType.empty() && application->GetParameterType(key) == otb::Wrapper::ParameterType_OutputImage)
      {
        auto type = otb::Wrapper::ImagePixelType_float;
        ASSERT_TRUE(otb::Wrapper::OutputImageParameter::ConvertStringToPixelType(m_PixelType, type)) << m_PixelType;
        application->SetParameterOutputImagePixelType(key, type);
      }
    }
    application->UpdateParameters();
    ASSERT_EQ(application->ExecuteAndWriteOutput(), 0);
  }

  /// Returns the message of the error that the run ends with, and checks that it left no file.
  std::string Failure(const std::string& name, const Parameters& parameters)
  {
    const auto before = m_Folder.Names();
    std::string message = "no error";
    try
    {
      Run(name, parameters);
    }
    catch (const itk::ExceptionObject& error)
    {
      message = error.GetDescription();
    }
    catch (const std::exception& error)
    {
      message = error.what();
    }
    EXPECT_EQ(m_Folder.Names(), before);
    return message;
  }

  /// Returns the description in a model file.
  nlohmann::json Model(const std::string& name) const
  {
    const std::string bytes = ReadText(Path(name));
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof(length));
    const nlohmann::json header = nlohmann::json::parse(bytes.substr(sizeof(length), length));
    return nlohmann::json::parse(header.at("__metadata__").at("model").get<std::string>());
  }

  std::string Log() const
  {
    return m_Log.str();
  }

  TemporaryFolder m_Folder;
  TestImage m_Scene;
  std::string m_PixelType; ///< of the output images, as on the command line; empty: that of the application
  std::ostringstream m_Log;
};

/// Expects a text in a message.
inline void ExpectSays(const std::string& message, const std::vector<std::string>& texts)
{
  for (const std::string& text : texts)
  {
    EXPECT_NE(message.find(text), std::string::npos) << "'" << text << "' is not in: " << message;
  }
}

/// Expects abundances on the simplex.
inline void ExpectSimplex(const Eigen::MatrixXf& abundances)
{
  ASSERT_TRUE(abundances.allFinite());
  EXPECT_GE(abundances.minCoeff(), 0.f);
  EXPECT_LT((abundances.colwise().sum().array() - 1.f).abs().maxCoeff(), 1e-5f);
}

/// Expects spectra to be the endmembers mixed by the abundances, to 1e-5 of the largest value.
inline void ExpectMixture(const Eigen::MatrixXf& spectra, const Eigen::MatrixXf& endmembers,
                          const Eigen::MatrixXf& abundances)
{
  ASSERT_EQ(spectra.rows(), endmembers.rows());
  ASSERT_EQ(spectra.cols(), abundances.cols());
  const Eigen::MatrixXd mixture = endmembers.cast<double>() * abundances.cast<double>();
  ASSERT_TRUE(spectra.allFinite());
  EXPECT_LT((spectra.cast<double>() - mixture).cwiseAbs().maxCoeff(), 1e-5 * spectra.maxCoeff());
}

} // namespace hud::test
