// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDEndmemberCount.h"
#include "otbHUDEndmemberFile.h"
#include "otbHUDImageType.h"
#include "otbHUDMask.h"
#include "otbHUDNoData.h"
#include "otbHUDProgress.h"
#include "otbHUDSceneMetadata.h"

#include "hud/core/EndmemberCount.h"
#include "hud/core/EndmemberExtraction.h"
#include "hud/core/ResidualModel.h"

#include "otbWrapperApplication.h"

#include "itkImageSource.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace otb
{

class HUDSceneSource;
class HUDStagedFile;

namespace Wrapper
{

/// Base of the HUD applications. A DoExecute calls CheckOutputsWritable first and WriteOutputs last:
///
///     void DoExecute() override
///     {
///       CheckOutputsWritable();
///       m_Filter->SetInput(OpenImage("in"));
///       SetParameterOutputImage("out", m_Filter->GetOutput());
///       WriteOutputs();
///     }
///
/// OTB itself would write after DoExecute, straight into the target, and not notice an error when the file is closed.
class HUDApplication : public Application
{
public:
  using Self = HUDApplication;
  using Superclass = Application;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkTypeMacro(HUDApplication, otb::Wrapper::Application);

  HUDApplication(const Self&) = delete;
  void operator=(const Self&) = delete;

protected:
  HUDApplication() = default;
  ~HUDApplication() override = default;

  /// Adds the parameter `rand`, 0 unless the user sets it.
  void AddSeedParameter();

  /// Returns the value of the parameter of AddSeedParameter.
  /// @throws hud::InvalidOption when it is negative
  std::uint64_t GetSeed();

  /// Returns the image of an InputImage parameter, its information up to date.
  HUDImageType* OpenImage(const std::string& key);

  /// Returns the images of an InputImageList parameter, at least one.
  std::vector<HUDImageType*> OpenImages(const std::string& key);

  /// Returns a filter that makes the pixels no-data that the mask leaves out, see HUDMaskScene.
  /// @param key of the mask's InputImage parameter
  /// @throws hud::InvalidData that names the file when its size is not that of the scene
  itk::ImageSource<HUDImageType>::Pointer MaskScene(HUDImageType& scene, const std::string& key,
                                                    HUDMaskMeaning meaning = HUDMaskMeaning::Keep);

  /// Returns the file that the image of an InputImage parameter is read from, an OTB extended filename; empty when another
  /// application made the image in memory.
  std::string GetInputFile(const std::string& key);

  /// Returns them for the images of an InputImageList parameter.
  std::vector<std::string> GetInputFiles(const std::string& key);

  /// Returns the files of an InputImage or InputImageList parameter as messages name them: "in (scene.tif)".
  std::string DescribeInput(const std::string& key);

  /// Returns the endmembers in an InputImage parameter: an image, also one in memory, or a file of HUDReadEndmemberFile.
  /// @param bands of the scene; 0: any
  /// @throws hud::InvalidData, hud::FileError that name the file
  HUDEndmemberTable ReadEndmembers(const std::string& key, Eigen::Index bands = 0);

  /// Returns the endmembers in a file of a parameter, an image or another.
  /// @throws as above
  HUDEndmemberTable ReadEndmembers(const std::string& key, const std::string& path, Eigen::Index bands);

  /// Returns the bands that hold no data in any pixel of the scenes, counted from 0, after a warning that names them.
  std::vector<Eigen::Index> FindEmptyBands(const std::string& key, const std::vector<HUDImageType*>& scenes);

  /// Returns the statistics of the scenes' valid pixels.
  /// @param emptyBands what FindEmptyBands returns
  /// @throws hud::InvalidData that names the files
  hud::SceneStatistics ReadStatistics(const std::string& key, const std::vector<HUDImageType*>& scenes,
                                      const std::vector<Eigen::Index>& emptyBands);

  /// Returns the endmembers of the scenes after log lines that say how well they describe them.
  /// @param key of the parameter that the scenes come from
  /// @param emptyBands what FindEmptyBands returns
  /// @param options with 0 endmembers to have their number estimated
  /// @param largestError of that estimate with HUDCountMethod::DecodeError, as in hud::EndmemberCountOptions
  /// @throws as hud::ExtractEndmembers, hud::CountEndmembers and HUDCountEndmembers, with the file's name
  hud::Extraction ExtractEndmembers(const std::string& key, const std::vector<HUDImageType*>& scenes,
                                    const std::vector<Eigen::Index>& emptyBands, hud::ExtractionOptions options,
                                    HUDCountMethod countMethod = HUDCountMethod::DecodeError,
                                    double largestError = hud::EndmemberCountOptions().m_LargestError);

  /// Returns what the endmembers' mixtures leave over in the scenes.
  /// @param emptyBands what FindEmptyBands returns
  /// @throws hud::InvalidData that names the files
  hud::ResidualModel EstimateResidual(const std::string& key, const std::vector<HUDImageType*>& scenes,
                                      const std::vector<Eigen::Index>& emptyBands, Eigen::MatrixXd endmembers);

  /// Computes an image strip by strip, less what is computed already, for what its filters keep of it.
  void StreamThrough(HUDImageType& image, const std::string& name);

  /// Updates the information of a pipeline's output, so that what does not fit together is known before any work.
  /// @param keys of the parameters that the pipeline reads; those without a value are left out of the message
  /// @throws hud::InvalidData that names their files
  void UpdateInformation(const std::vector<std::string>& keys, HUDImageType& image);

  /// Throws hud::InvalidData that names the files when a scene's bands differ from the endmembers'.
  void CheckBands(const std::string& key, const std::vector<HUDImageType*>& scenes, Eigen::Index bands);

  /// Throws hud::InvalidData that names the file and the band when a file's wavelengths are others than these; warns when its
  /// unit, scale or offset is another. What is unknown is not compared.
  /// @param key of a parameter with images or endmembers
  /// @param name whose the expected are, such as "model"
  void CheckBandLabels(const std::string& key, const HUDSceneMetadata& expected, const std::string& name);

  /// Does so for one file.
  void CheckBandLabels(const std::string& file, const HUDSceneMetadata& found, const HUDSceneMetadata& expected,
                       const std::string& name);

  /// Writes a log line about pixels that were left out, if there are any.
  void LogNoData(const HUDNoDataCounts& pixels);

  /// Starts and returns the progress of work that is not a pipeline, watched by whoever runs the application.
  /// @param name "Training"
  HUDProgress::Pointer StartProgress(const std::string& name);

  /// Throws when an output cannot be written, so that this is known before any long work. Looks at each OutputImage and
  /// OutputFilename parameter that has a value.
  /// @param replaceable keys of inputs that an output may replace
  /// @throws hud::FileError "out: cannot write into folder X: reason", hud::InvalidOption when two outputs are one file, or
  /// an output is the file of an input
  void CheckOutputsWritable(const std::set<std::string>& replaceable = {});

  /// Throws when the format or the pixel type of that output cannot hold numbers with a fraction.
  /// @param key of an OutputImage parameter
  /// @throws hud::InvalidOption that names the file and what was found
  void CheckHoldsNumbers(const std::string& key);

  /// Has WriteOutputs describe that output.
  /// @param key of an OutputImage parameter
  /// @param metadata of the image, all of its bands
  void SetOutputMetadata(const std::string& key, HUDSceneMetadata metadata);

  /// Has WriteOutputs give that output the grid of an input's file, see HUDCopyGrid.
  /// @param key of an OutputImage parameter
  /// @param inputKey of an InputImage parameter whose image has the same pixels, or larger ones
  /// @param scale pixels of the output along one of the input
  void SetOutputGrid(const std::string& key, const std::string& inputKey, double scale = 1.);

  /// Writes all OutputImage parameters that have a file name, and moves them and the other files to their targets when all
  /// are complete. If anything fails before that, nothing is written and earlier files stay as they were. Without a file
  /// name, as in Python, the image stays connected and nothing is written. Beside each image comes a style, see
  /// HUDWriteStyle, over an earlier one unless that is write-protected.
  /// @param files other outputs that share the images' fate, complete once `afterImages` was called
  /// @param afterImages called when the images are complete and nothing is at its target yet; may be empty
  /// @throws hud::FileError, hud::Error "interrupted", and whatever the pipeline throws
  void WriteOutputs(const std::vector<HUDStagedFile*>& files = {}, const std::function<void()>& afterImages = {});

private:
  Eigen::Index CountEndmembers(HUDSceneSource& source, const hud::ExtractionOptions& options, HUDCountMethod method,
                               double largestError);

  /// Returns the endmembers in an image.
  /// @param name of the image in messages
  /// @param path of its metadata; empty: none
  static HUDEndmemberTable ReadEndmemberImage(HUDImageType& image, const std::string& name, const std::string& path,
                                              Eigen::Index bands);

  /// Calls `work` with the scenes' valid pixels; its errors name the files.
  template <typename Work>
  auto WithSource(const std::string& key, const std::vector<HUDImageType*>& scenes, const Work& work);

  /// Throws when the user wants the work to end.
  static void Advance(HUDProgress& progress, double fraction);

  void DoUpdateParameters() override;
  void AfterExecuteAndWriteOutputs() override;

  /// Returns the keys of the inputs that have a value, and their files.
  std::vector<std::pair<std::string, std::filesystem::path>> GetInputFiles();

  OutputImageParameter& GetOutputImageParameter(const std::string& key);

  /// Returns the keys of the parameters of that type that are enabled and have a value.
  std::vector<std::string> GetOutputKeys(ParameterType type);

  void StageImage(const std::string& key, const HUDStagedFile& staged);
  void StageStyle(const std::filesystem::path& raster, const HUDSceneMetadata& metadata, const HUDStagedFile& staged);
  void RunWriter(OutputImageParameter& parameter, const std::string& key, const std::string& target);
  void RestoreFileNames();

  std::map<std::string, HUDSceneMetadata> m_Metadata;
  std::map<std::string, std::pair<std::string, double>> m_Grids; ///< file and scale by the output's key
  std::set<std::filesystem::path> m_Styles;                      ///< of the outputs of this run
  std::map<std::string, std::string> m_WrittenNames;             ///< file names that were cleared once written
};

} // namespace Wrapper
} // namespace otb
