// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDApplication.h"

#include "otbHUDEndmemberImage.h"
#include "otbHUDGrid.h"
#include "otbHUDInterrupt.h"
#include "otbHUDMask.h"
#include "otbHUDSceneSource.h"
#include "otbHUDStagedFile.h"
#include "otbHUDStyle.h"

#include "hud/core/Error.h"

#include "otbExtendedFilenameToWriterOptions.h"
#include "otbImageFileReader.h"
#include "otbImageFileWriter.h"
#include "otbImageIOFactory.h"
#include "otbStreamingImageVirtualWriter.h"
#include "otbSystem.h"

#include "itkCommand.h"

#include <cpl_error.h>
#include <gdal_priv.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

namespace otb
{
namespace Wrapper
{

namespace fs = std::filesystem;

namespace
{

ExtendedFilenameToWriterOptions::Pointer ParseFileName(const std::string& fileName)
{
  const auto options = ExtendedFilenameToWriterOptions::New();
  options->SetExtendedFileName(fileName);
  return options;
}

// The path of an extended filename.
std::string SimpleFileName(const std::string& fileName)
{
  return ParseFileName(fileName)->GetSimpleFileName();
}

// Replaces the path of an extended filename.
std::string WithPath(const std::string& fileName, const fs::path& path)
{
  return path.string() + fileName.substr(SimpleFileName(fileName).size());
}

// Records what GDAL reports as an error in this thread, as OTB ignores much of it.
class GdalErrorRecord
{
public:
  GdalErrorRecord()
  {
    CPLPushErrorHandlerEx(&GdalErrorRecord::Record, this);
  }
  ~GdalErrorRecord()
  {
    CPLPopErrorHandler();
  }
  GdalErrorRecord(const GdalErrorRecord&) = delete;
  GdalErrorRecord& operator=(const GdalErrorRecord&) = delete;

  const std::optional<std::string>& First() const
  {
    return m_First;
  }

private:
  static void CPL_STDCALL Record(CPLErr level, CPLErrorNum number, const char* message)
  {
    // What a format cannot hold, such as a projection in a PNG, is not a failure to write.
    if (level < CE_Failure || number == CPLE_NotSupported)
    {
      CPLDefaultErrorHandler(level, number, message);
      return;
    }
    auto& self = *static_cast<GdalErrorRecord*>(CPLGetErrorHandlerUserData());
    if (!self.m_First)
    {
      self.m_First = message;
    }
  }

  std::optional<std::string> m_First;
};

// Stops a writer when the user interrupts, and prints its progress where OTB's watcher does not: it keeps its line until
// the end when the output is not a terminal.
class WriterObserver : public itk::Command
{
public:
  using Self = WriterObserver;
  using Pointer = itk::SmartPointer<Self>;
  itkNewMacro(Self);

  void Watch(const std::string& name, bool print)
  {
    if (print)
    {
      m_Lines.emplace(name, std::cout, HUDProgressLines::kInterval);
    }
  }

  void Execute(itk::Object* caller, const itk::EventObject&) override
  {
    if (auto* const process = dynamic_cast<itk::ProcessObject*>(caller))
    {
      if (HUDInterrupt::Requested())
      {
        process->AbortGenerateDataOn();
      }
      if (m_Lines)
      {
        m_Lines->Print(process->GetProgress(), "");
      }
    }
  }

  void Execute(const itk::Object*, const itk::EventObject&) override {}

private:
  std::optional<HUDProgressLines> m_Lines;
};

template <typename TPixel>
void CloseWriter(itk::ProcessObject* writer)
{
  if (auto* const typed = dynamic_cast<ImageFileWriter<VectorImage<TPixel, 2>>*>(writer))
  {
    typed->SetImageIO(nullptr);
  }
}

// Frees what a writer that failed holds. Watchers keep the writer itself until the process ends, and with it an open file;
// and it does not take its observer off the pipeline.
void AbandonWriter(itk::ProcessObject* writer, itk::ProcessObject* source)
{
  CloseWriter<unsigned char>(writer);
  CloseWriter<short>(writer);
  CloseWriter<unsigned short>(writer);
  CloseWriter<int>(writer);
  CloseWriter<unsigned int>(writer);
  CloseWriter<float>(writer);
  CloseWriter<double>(writer);
  if (source != nullptr)
  {
    source->RemoveAllObservers();
  }
}

// What the written file should be.
struct Expectation
{
  int m_Width = 0;
  int m_Height = 0;
  double m_Left = 0.; ///< of the image, the file's first pixel
  double m_Top = 0.;
  std::vector<std::size_t> m_Bands; ///< of the image, from 0, in the file's order
};

Expectation ExpectFile(const HUDImageType::RegionType& whole, unsigned int bands,
                       const ExtendedFilenameToWriterOptions& options)
{
  auto region = whole;
  if (options.BoxIsSet())
  {
    std::istringstream box(options.GetBox());
    std::vector<unsigned long> numbers;
    for (std::string number; std::getline(box, number, ':');)
    {
      numbers.push_back(std::strtoul(number.c_str(), nullptr, 10));
    }
    if (numbers.size() == 4)
    {
      region.SetIndex(0, static_cast<itk::IndexValueType>(numbers[0]));
      region.SetIndex(1, static_cast<itk::IndexValueType>(numbers[1]));
      region.SetSize(0, numbers[2]);
      region.SetSize(1, numbers[3]);
      region.Crop(whole);
    }
  }
  Expectation expectation;
  expectation.m_Width = static_cast<int>(region.GetSize(0));
  expectation.m_Height = static_cast<int>(region.GetSize(1));
  expectation.m_Left = static_cast<double>(region.GetIndex(0) - whole.GetIndex(0));
  expectation.m_Top = static_cast<double>(region.GetIndex(1) - whole.GetIndex(1));
  std::vector<unsigned int> range;
  if (options.BandRangeIsSet() && options.ResolveBandRange(options.GetBandRange(), bands, range))
  {
    expectation.m_Bands.assign(range.begin(), range.end());
  }
  else
  {
    for (unsigned int band = 0; band < bands; ++band)
    {
      expectation.m_Bands.push_back(band);
    }
  }
  return expectation;
}

// Throws unless the file is complete: its size and the last block of every band.
void CheckWrittenFile(const fs::path& path, const Expectation& expectation, const std::string& what)
{
  const GdalErrorRecord errors;
  const auto describe = [](int width, int height, std::size_t bands) {
    return std::to_string(width) + " x " + std::to_string(height) + " pixels, " + std::to_string(bands) + " bands";
  };
  const std::unique_ptr<GDALDataset, void (*)(GDALDataset*)> dataset(
      GDALDataset::Open(path.string().c_str(), GDAL_OF_RASTER), [](GDALDataset* open) { GDALClose(open); });
  if (!dataset)
  {
    throw hud::FileError(what + ": the written file cannot be opened: " + errors.First().value_or("unknown format"));
  }
  const auto bands = static_cast<std::size_t>(dataset->GetRasterCount());
  if (dataset->GetRasterXSize() != expectation.m_Width || dataset->GetRasterYSize() != expectation.m_Height ||
      bands != expectation.m_Bands.size())
  {
    throw hud::FileError(what + ": the written file has " +
                         describe(dataset->GetRasterXSize(), dataset->GetRasterYSize(), bands) + " instead of " +
                         describe(expectation.m_Width, expectation.m_Height, expectation.m_Bands.size()));
  }
  for (int index = 1; index <= static_cast<int>(bands); ++index)
  {
    GDALRasterBand& band = *dataset->GetRasterBand(index);
    int blockWidth = 0;
    int blockHeight = 0;
    band.GetBlockSize(&blockWidth, &blockHeight);
    std::vector<unsigned char> block(static_cast<std::size_t>(blockWidth) * static_cast<std::size_t>(blockHeight) *
                                     static_cast<std::size_t>(GDALGetDataTypeSizeBytes(band.GetRasterDataType())));
    if (band.ReadBlock((expectation.m_Width - 1) / blockWidth, (expectation.m_Height - 1) / blockHeight,
                       block.data()) != CE_None)
    {
      throw hud::FileError(what + ": the written file is not complete in band " + std::to_string(index) + ": " +
                           errors.First().value_or("unknown reason"));
    }
  }
}

bool HasExtension(const fs::path& path, const char* extension)
{
  return EQUAL(path.extension().c_str(), extension);
}

// The raster that GDAL opens: OTB names an ENVI file by its header.
fs::path RasterPath(fs::path path)
{
  return HasExtension(path, ".hdr") ? path.replace_extension() : path;
}

// An ENVI header describes the file by its path, which was that of the staging folder.
void DescribeEnviFile(const fs::path& raster)
{
  const GdalErrorRecord errors;
  const GDALDatasetUniquePtr dataset(GDALDataset::Open(raster.string().c_str(), GDAL_OF_RASTER | GDAL_OF_UPDATE));
  if (dataset)
  {
    // The item is only there to have the header written again, with what the dataset calls itself.
    const std::string name = raster.filename().string();
    dataset->SetMetadataItem("description", ("{" + name + "}").c_str(), "ENVI");
    dataset->SetDescription(name.c_str());
  }
}

// Whether the formats that a file's name stands for hold float; unknown ones are left to the writer. Sets the format's name.
bool CanHoldFloats(const fs::path& path, std::string& format)
{
  GDALAllRegister();
  const std::string extension = path.extension().string();
  bool known = false;
  GDALDriverManager& manager = *GetGDALDriverManager();
  for (int i = 0; i < manager.GetDriverCount() && extension.size() > 1; ++i)
  {
    GDALDriver& driver = *manager.GetDriver(i);
    const char* const several = driver.GetMetadataItem(GDAL_DMD_EXTENSIONS);
    const char* const extensions = several != nullptr ? several : driver.GetMetadataItem(GDAL_DMD_EXTENSION);
    const char* const types = driver.GetMetadataItem(GDAL_DMD_CREATIONDATATYPES);
    if (extensions == nullptr || types == nullptr ||
        CPLStringList(CSLTokenizeString(extensions)).FindString(extension.substr(1).c_str()) < 0)
    {
      continue;
    }
    if (CPLStringList(CSLTokenizeString(types)).FindString("Float32") >= 0)
    {
      return true;
    }
    format = known ? format : driver.GetDescription();
    known = true;
  }
  return !known;
}

// The scale of the first band, for messages.
std::string DescribeScale(const HUDSceneMetadata& metadata)
{
  std::ostringstream text;
  text << "band 1 has scale " << (metadata.m_Scales.empty() ? 1. : metadata.m_Scales.front()) << " and offset "
       << (metadata.m_Offsets.empty() ? 0. : metadata.m_Offsets.front());
  return text.str();
}

// Bands counted from 0 as a user counts them: "3, 130-135".
std::string DescribeBands(const std::vector<Eigen::Index>& bands)
{
  std::string text;
  for (std::size_t first = 0; first < bands.size();)
  {
    std::size_t last = first;
    while (last + 1 < bands.size() && bands[last + 1] == bands[last] + 1)
    {
      ++last;
    }
    text += (text.empty() ? "" : ", ") + std::to_string(bands[first] + 1);
    text += last > first ? "-" + std::to_string(bands[last] + 1) : "";
    first = last + 1;
  }
  return text;
}

} // namespace

void HUDApplication::AddSeedParameter()
{
  AddRANDParameter("rand", "Random seed", 0);
  SetParameterDescription("rand", "The same seed and settings give the same result.");
}

std::uint64_t HUDApplication::GetSeed()
{
  const int seed = GetParameterInt("rand");
  if (seed < 0)
  {
    throw hud::InvalidOption("rand: found " + std::to_string(seed) + ", expected at least 0");
  }
  return static_cast<std::uint64_t>(seed);
}

HUDImageType* HUDApplication::OpenImage(const std::string& key)
{
  HUDImageType* const image = GetParameterImage<HUDImageType>(key);
  if (image == nullptr)
  {
    throw hud::InvalidOption(key + ": an image must be given");
  }
  image->UpdateOutputInformation();
  return image;
}

std::vector<HUDImageType*> HUDApplication::OpenImages(const std::string& key)
{
  std::vector<HUDImageType*> images;
  auto* const list = GetParameterImageList(key);
  for (unsigned int i = 0; list != nullptr && i < list->Size(); ++i)
  {
    images.push_back(list->GetNthElement(i));
    images.back()->UpdateOutputInformation();
  }
  if (images.empty())
  {
    throw hud::InvalidOption(key + ": at least one image must be given");
  }
  return images;
}

itk::ImageSource<HUDImageType>::Pointer HUDApplication::MaskScene(HUDImageType& scene, const std::string& key,
                                                                  HUDMaskMeaning meaning)
{
  try
  {
    return HUDMaskScene(scene, *OpenImage(key), meaning);
  }
  catch (const hud::InvalidData& error)
  {
    throw hud::InvalidData(DescribeInput(key) + ": " + error.what());
  }
}

std::string HUDApplication::GetInputFile(const std::string& key)
{
  // The parameter keeps the file name that an image in memory replaced.
  const auto source = OpenImage(key)->GetSource();
  return dynamic_cast<const ImageFileReader<HUDImageType>*>(source.GetPointer()) != nullptr ? GetParameterString(key)
                                                                                            : "";
}

std::vector<std::string> HUDApplication::GetInputFiles(const std::string& key)
{
  const std::vector<HUDImageType*> images = OpenImages(key);
  std::vector<std::string> files = GetParameterStringList(key);
  files.resize(images.size());
  for (std::size_t i = 0; i < images.size(); ++i)
  {
    const auto source = images[i]->GetSource();
    if (dynamic_cast<const ImageFileReader<HUDImageType>*>(source.GetPointer()) == nullptr)
    {
      files[i].clear();
    }
  }
  return files;
}

std::string HUDApplication::DescribeInput(const std::string& key)
{
  std::string files;
  if (GetParameterType(key) == ParameterType_InputImageList)
  {
    for (const std::string& file : GetParameterStringList(key))
    {
      files += (files.empty() ? "" : ", ") + file;
    }
  }
  else
  {
    files = GetParameterString(key);
  }
  return files.empty() ? key : key + " (" + files + ")";
}

HUDEndmemberTable HUDApplication::ReadEndmembers(const std::string& key, Eigen::Index bands)
{
  // The parameter keeps the file name that an image in memory replaced. GetImage opens no file.
  const auto& parameter = dynamic_cast<const InputImageParameter&>(*GetParameterByKey(key));
  const std::string path = GetParameterString(key);
  if (parameter.GetImage() == nullptr && HUDIsEndmemberFile(path))
  {
    return ReadEndmembers(key, path, bands);
  }
  return ReadEndmemberImage(*OpenImage(key), DescribeInput(key), GetInputFile(key), bands);
}

HUDEndmemberTable HUDApplication::ReadEndmembers(const std::string& key, const std::string& path, Eigen::Index bands)
{
  if (HUDIsEndmemberFile(path))
  {
    // What reads the file names it.
    try
    {
      return HUDReadEndmemberFile(path, bands);
    }
    catch (const hud::FileError& error)
    {
      throw hud::FileError(key + ": " + error.what());
    }
    catch (const hud::InvalidData& error)
    {
      throw hud::InvalidData(key + ": " + error.what());
    }
  }
  const auto reader = ImageFileReader<HUDImageType>::New();
  reader->SetFileName(path);
  try
  {
    reader->UpdateOutputInformation();
  }
  catch (const itk::ExceptionObject& error)
  {
    throw hud::FileError(key + " (" + path + "): found no image and no table of endmembers that can be read (" +
                         error.GetDescription() + ")");
  }
  return ReadEndmemberImage(*reader->GetOutput(), key + " (" + path + ")", path, bands);
}

HUDEndmemberTable HUDApplication::ReadEndmemberImage(HUDImageType& image, const std::string& name,
                                                     const std::string& path, Eigen::Index bands)
{
  try
  {
    HUDEndmemberTable table;
    table.m_Endmembers = HUDReadEndmembers(image);
    if (bands > 0 && table.m_Endmembers.rows() != bands)
    {
      throw hud::InvalidData("found " + std::to_string(table.m_Endmembers.cols()) + " endmembers of " +
                             std::to_string(table.m_Endmembers.rows()) + " bands; expected the scene's " +
                             std::to_string(bands) + " bands");
    }
    table.m_Metadata = HUDReadSceneMetadata(path);
    return table;
  }
  catch (const hud::InvalidData& error)
  {
    throw hud::InvalidData(name + ": " + error.what());
  }
}

template <typename Work>
auto HUDApplication::WithSource(const std::string& key, const std::vector<HUDImageType*>& scenes, const Work& work)
{
  const HUDInterrupt interrupt;
  try
  {
    const std::vector<std::string> names = GetParameterType(key) == ParameterType_InputImageList
                                               ? GetParameterStringList(key)
                                               : std::vector<std::string>();
    HUDSceneSource source(scenes, static_cast<unsigned int>(GetParameterInt("ram")), names);
    auto result = work(source);
    HUDInterrupt::ThrowIfRequested();
    return result;
  }
  catch (const hud::InvalidData& error)
  {
    throw hud::InvalidData(DescribeInput(key) + ": " + error.what());
  }
  catch (const hud::InvalidOption& error)
  {
    throw hud::InvalidOption(DescribeInput(key) + ": " + error.what());
  }
}

void HUDApplication::Advance(HUDProgress& progress, double fraction)
{
  if (!progress.Advance(fraction))
  {
    throw hud::Error("interrupted");
  }
}

std::vector<Eigen::Index> HUDApplication::FindEmptyBands(const std::string& key,
                                                         const std::vector<HUDImageType*>& scenes)
{
  return WithSource(key, scenes, [&](HUDSceneSource& source) {
    const std::vector<Eigen::Index>& bands = source.EmptyBands();
    if (!bands.empty())
    {
      otbAppLogWARNING(<< DescribeInput(key) << ": band " << DescribeBands(bands)
                       << " without data in any pixel: left out");
    }
    return bands;
  });
}

hud::SceneStatistics HUDApplication::ReadStatistics(const std::string& key, const std::vector<HUDImageType*>& scenes,
                                                    const std::vector<Eigen::Index>& emptyBands)
{
  return WithSource(key, scenes, [&](HUDSceneSource& source) {
    source.SetEmptyBands(emptyBands);
    const auto progress = StartProgress("Reading");
    source.SetProgress([&](double fraction) { Advance(*progress, fraction); });
    hud::SceneStatistics statistics = hud::ComputeSceneStatistics(source);
    progress->Finish();
    return statistics;
  });
}

hud::ResidualModel HUDApplication::EstimateResidual(const std::string& key, const std::vector<HUDImageType*>& scenes,
                                                    const std::vector<Eigen::Index>& emptyBands,
                                                    Eigen::MatrixXd endmembers)
{
  endmembers(emptyBands, Eigen::all).setZero(); // as the source has them
  return WithSource(key, scenes, [&](HUDSceneSource& source) {
    source.SetEmptyBands(emptyBands);
    const auto progress = StartProgress("Estimating the residual");
    source.SetProgress([&](double fraction) { Advance(*progress, fraction); });
    hud::ResidualModel model = hud::EstimateResidualModel(source, endmembers);
    progress->Finish();
    return model;
  });
}

hud::Extraction HUDApplication::ExtractEndmembers(const std::string& key, const std::vector<HUDImageType*>& scenes,
                                                  const std::vector<Eigen::Index>& emptyBands,
                                                  hud::ExtractionOptions options, HUDCountMethod countMethod,
                                                  double largestError)
{
  return WithSource(key, scenes, [&](HUDSceneSource& source) {
    source.SetEmptyBands(emptyBands);
    if (options.m_Endmembers == 0)
    {
      options.m_Endmembers = CountEndmembers(source, options, countMethod, largestError);
    }
    const auto progress = StartProgress("Extracting endmembers");
    // The first pass takes somewhat longer than the second, and either longer than what follows where time matters.
    double before = 0.;
    double share = 0.4;
    const auto advance = [&](double fraction) {
      Advance(*progress, before + share * fraction);
      if (fraction >= 1.)
      {
        before += share;
        share = 0.3;
      }
    };
    source.SetProgress(advance);
    hud::Extraction extraction = hud::ExtractEndmembers(source, options, advance);
    progress->Finish();
    otbAppLogINFO("Endmembers: " << options.m_Endmembers << " by " << ToString(options.m_Method) << " from "
                                 << source.ValidPixels() << " valid pixels of " << source.Bands() << " bands, without "
                                 << source.NoDataPixels().Total() << " no-data pixels; estimated SNR "
                                 << extraction.m_Snr << " dB");
    otbAppLogINFO("Decode error on a sample of the pixels: "
                  << extraction.m_Rmse << " RMSE, "
                  << 100. * extraction.m_Rmse /
                         std::sqrt(extraction.m_Statistics.Power() / static_cast<double>(source.Bands()))
                  << " % of the scene's RMS; over the whole scene no mixture of as many endmembers can be below "
                  << extraction.m_RankLimit);
    return extraction;
  });
}

Eigen::Index HUDApplication::CountEndmembers(HUDSceneSource& source, const hud::ExtractionOptions& options,
                                             HUDCountMethod method, double largestError)
{
  hud::ExtractionOptions least = options;
  least.m_Endmembers = options.m_Refinement.m_Shade ? 3 : 2;
  least.Check(source.Bands(), std::numeric_limits<Eigen::Index>::max());
  const auto progress = StartProgress("Counting endmembers");
  Eigen::Index count = 0;
  if (method == HUDCountMethod::DecodeError)
  {
    double before = 0.;
    source.SetProgress([&](double fraction) {
      Advance(*progress, before + 0.2 * fraction);
      before += fraction >= 1. ? 0.2 : 0.;
    });
    hud::EndmemberCountOptions countOptions;
    countOptions.m_Extraction = options;
    // Refined runs of VCA reach the lowest error; other methods may never reach the one that is asked for.
    countOptions.m_Extraction.m_Method = hud::UnmixingMethod::Vca;
    countOptions.m_LargestError = largestError;
    count = hud::CountEndmembers(
        source, countOptions,
        [this](Eigen::Index endmembers, double error) {
          otbAppLogINFO(<< endmembers << " endmembers: decode error " << 100. * error << " % of the scene's RMS");
        },
        [&](double fraction) { Advance(*progress, before + (1. - before) * fraction); });
  }
  else
  {
    source.SetProgress([&](double fraction) { Advance(*progress, fraction); });
    count = HUDCountEndmembers(hud::ComputeSceneStatistics(source), method);
  }
  source.SetProgress({}); // it refers to what ends here
  progress->Finish();
  otbAppLogINFO("Number of endmembers found: " << count);
  return count;
}

void HUDApplication::StreamThrough(HUDImageType& image, const std::string& name)
{
  const auto writer = StreamingImageVirtualWriter<HUDImageType>::New();
  writer->SetInput(&image);
  writer->SetAutomaticAdaptativeStreaming(static_cast<unsigned int>(GetParameterInt("ram")));
  AddProcess(writer, name);
  try
  {
    writer->Update();
  }
  catch (...)
  {
    // The writer does not take its observer off.
    image.GetSource()->RemoveAllObservers();
    throw;
  }
}

void HUDApplication::UpdateInformation(const std::vector<std::string>& keys, HUDImageType& image)
{
  try
  {
    image.UpdateOutputInformation();
  }
  catch (const hud::InvalidData& error)
  {
    std::string inputs;
    for (const std::string& key : keys)
    {
      if (HasValue(key))
      {
        inputs += (inputs.empty() ? "" : ", ") + DescribeInput(key);
      }
    }
    throw hud::InvalidData(inputs + ": " + error.what());
  }
}

void HUDApplication::CheckBands(const std::string& key, const std::vector<HUDImageType*>& scenes, Eigen::Index bands)
{
  for (const HUDImageType* const scene : scenes)
  {
    const auto found = static_cast<Eigen::Index>(scene->GetNumberOfComponentsPerPixel());
    if (found != bands)
    {
      throw hud::InvalidData(DescribeInput(key) + ": found " + std::to_string(found) +
                             " bands, expected those of the endmembers, " + std::to_string(bands));
    }
  }
}

void HUDApplication::CheckBandLabels(const std::string& key, const HUDSceneMetadata& expected, const std::string& name)
{
  const std::vector<std::string> files = GetParameterType(key) == ParameterType_InputImageList
                                             ? GetInputFiles(key)
                                             : std::vector<std::string>{GetInputFile(key)};
  for (const std::string& file : files)
  {
    CheckBandLabels(key + " (" + file + ")", HUDReadSceneMetadata(file), expected, name);
  }
}

void HUDApplication::CheckBandLabels(const std::string& file, const HUDSceneMetadata& found,
                                     const HUDSceneMetadata& expected, const std::string& name)
{
  // Some sensors drift from one scene to the next, by less than the distance of their bands.
  constexpr double kDrift = 5.;
  const std::size_t bands = std::min(found.m_Wavelengths.size(), expected.m_Wavelengths.size());
  for (std::size_t band = 0; band < bands; ++band)
  {
    if (std::abs(found.m_Wavelengths[band] - expected.m_Wavelengths[band]) > kDrift)
    {
      std::ostringstream message;
      message << file << ": found band " << band + 1 << " at " << found.m_Wavelengths[band] << " nm, expected "
              << expected.m_Wavelengths[band] << " nm, as in the " << name;
      throw hud::InvalidData(message.str());
    }
  }
  if (!found.m_Units.empty() && !expected.m_Units.empty() && found.m_Units != expected.m_Units)
  {
    otbAppLogWARNING(<< file << ": the unit is '" << found.m_Units << "', but that of the " << name << " '"
                     << expected.m_Units << "'");
  }
  if (found.m_IsKnown && expected.m_IsKnown &&
      (found.m_Scales != expected.m_Scales || found.m_Offsets != expected.m_Offsets))
  {
    otbAppLogWARNING(<< file << ": " << DescribeScale(found) << ", but " << DescribeScale(expected) << " in the "
                     << name << "; values are taken as they are stored");
  }
}

void HUDApplication::LogNoData(const HUDNoDataCounts& pixels)
{
  if (pixels.Total() > 0)
  {
    otbAppLogINFO("No-data pixels left out: " << pixels.Total() << " (" << pixels.Describe() << ")");
  }
}

HUDProgress::Pointer HUDApplication::StartProgress(const std::string& name)
{
  const auto progress = HUDProgress::New();
  progress->SetName(name);
  AddProcess(progress, name);
  progress->Start();
  return progress;
}

OutputImageParameter& HUDApplication::GetOutputImageParameter(const std::string& key)
{
  return dynamic_cast<OutputImageParameter&>(*GetParameterByKey(key));
}

std::vector<std::string> HUDApplication::GetOutputKeys(ParameterType type)
{
  std::vector<std::string> keys;
  for (const std::string& key : GetParametersKeys(true))
  {
    if (GetParameterType(key) == type && IsParameterEnabled(key) && HasValue(key))
    {
      keys.push_back(key);
    }
  }
  return keys;
}

std::vector<std::pair<std::string, fs::path>> HUDApplication::GetInputFiles()
{
  std::vector<std::pair<std::string, fs::path>> files;
  for (const std::string& key : GetParametersKeys(true))
  {
    if (!IsParameterEnabled(key) || !HasValue(key))
    {
      continue;
    }
    switch (GetParameterType(key))
    {
    case ParameterType_InputFilename:
      files.emplace_back(key, GetParameterString(key));
      break;
    case ParameterType_InputFilenameList:
      for (const std::string& file : GetParameterStringList(key))
      {
        files.emplace_back(key, file);
      }
      break;
    case ParameterType_InputImage:
      files.emplace_back(key, SimpleFileName(GetParameterString(key)));
      break;
    case ParameterType_InputImageList:
      for (const std::string& file : GetParameterStringList(key))
      {
        files.emplace_back(key, SimpleFileName(file));
      }
      break;
    default:
      break;
    }
  }
  return files;
}

void HUDApplication::CheckOutputsWritable(const std::set<std::string>& replaceable)
{
  // A run that was only executed, from Python, left them cleared.
  RestoreFileNames();
  m_Metadata.clear();
  m_Grids.clear();
  std::vector<std::pair<std::string, std::string>> outputs;
  for (const std::string& key : GetOutputKeys(ParameterType_OutputImage))
  {
    OutputImageParameter& parameter = GetOutputImageParameter(key);
    const std::string warning = parameter.CheckFileName(true);
    if (!warning.empty())
    {
      otbAppLogWARNING(<< key << ": " << warning);
    }
    outputs.emplace_back(key, SimpleFileName(parameter.GetFileName()));
  }
  for (const std::string& key : GetOutputKeys(ParameterType_OutputFilename))
  {
    fs::path path = GetParameterString(key);
    outputs.emplace_back(key, path.string());
    if (HasExtension(path, ".sli"))
    {
      outputs.emplace_back(key, path.replace_extension(".hdr").string());
    }
  }
  const std::vector<std::pair<std::string, fs::path>> inputs = GetInputFiles();
  std::map<fs::path, std::string> keys;
  for (const auto& [key, path] : outputs)
  {
    for (const auto& [inputKey, input] : inputs)
    {
      std::error_code error;
      if (replaceable.count(inputKey) == 0 &&
          (fs::equivalent(input, path, error) || fs::equivalent(input, RasterPath(path), error)))
      {
        throw hud::InvalidOption(key + ": " + path + " is the file that " + inputKey +
                                 " is read from, expected another");
      }
    }
    try
    {
      const HUDStagedFile probe(path);
      const auto [other, isNew] = keys.emplace(fs::weakly_canonical(probe.Target()), key);
      if (!isNew)
      {
        throw hud::InvalidOption(key + " and " + other->second + " are the same file, " + path);
      }
    }
    catch (const hud::FileError& error)
    {
      throw hud::FileError(key + ": " + error.what());
    }
  }
}

void HUDApplication::CheckHoldsNumbers(const std::string& key)
{
  if (!HasValue(key))
  {
    return;
  }
  OutputImageParameter& parameter = GetOutputImageParameter(key);
  const std::string path = SimpleFileName(parameter.GetFileName());
  const ImagePixelType type = parameter.GetPixelType();
  const std::string expected = "expected one that does, such as GeoTIFF (.tif) or ENVI (.hdr)";
  std::string format;
  if (!CanHoldFloats(path, format))
  {
    throw hud::InvalidOption(key + ": " + path + ": the format " + format + " holds no numbers with a fraction, " +
                             expected);
  }
  // GDAL writes these, but not as one file with all bands.
  const bool isWhole = !HasExtension(path, ".vrt") && !HasExtension(path, ".nc");
  if (!isWhole || ImageIOFactory::CreateImageIO(path.c_str(), ImageIOFactory::WriteMode).IsNull())
  {
    throw hud::InvalidOption(key + ": " + path + ": found the extension '" + fs::path(path).extension().string() +
                             "', whose format cannot hold the image, " + expected);
  }
  if (type != ImagePixelType_float && type != ImagePixelType_double)
  {
    throw hud::InvalidOption(key + ": " + path + ": found the pixel type " +
                             OutputImageParameter::ConvertPixelTypeToString(type) +
                             ", which would lose the values, expected float or double");
  }
}

void HUDApplication::SetOutputMetadata(const std::string& key, HUDSceneMetadata metadata)
{
  m_Metadata[key] = std::move(metadata);
}

void HUDApplication::SetOutputGrid(const std::string& key, const std::string& inputKey, double scale)
{
  m_Grids[key] = {GetInputFile(inputKey), scale};
}

void HUDApplication::RunWriter(OutputImageParameter& parameter, const std::string& key, const std::string& target)
{
  if (GetParameterList()->GetParameterByKey("ram", false) != nullptr)
  {
    parameter.SetRAMValue(static_cast<unsigned int>(GetParameterInt("ram")));
  }
  // GDAL reports into the record until the writer has closed the file.
  const GdalErrorRecord errors;
  parameter.InitializeWriters();
  const itk::ProcessObject::Pointer writer = parameter.GetWriter();
  const itk::ProcessObject::Pointer source = writer->GetInputs().at(0)->GetSource().GetPointer();
  AddProcess(writer, "Writing " + target + "...");
  const auto observer = WriterObserver::New();
  observer->Watch("Writing " + fs::path(target).filename().string(),
                  writer->HasObserver(itk::ProgressEvent()) && !System::IsInteractive(1));
  const unsigned long observation = writer->AddObserver(itk::ProgressEvent(), observer);
  try
  {
    parameter.Write();
    writer->RemoveObserver(observation);
  }
  catch (...)
  {
    writer->RemoveObserver(observation);
    AbandonWriter(writer, source);
    HUDInterrupt::ThrowIfRequested();
    if (errors.First())
    {
      throw hud::FileError(key + ": cannot write " + target + ": " + *errors.First());
    }
    throw;
  }
  HUDInterrupt::ThrowIfRequested();
  if (errors.First())
  {
    AbandonWriter(writer, source);
    throw hud::FileError(key + ": cannot write " + target + ": " + *errors.First());
  }
}

void HUDApplication::StageImage(const std::string& key, const HUDStagedFile& staged)
{
  OutputImageParameter& parameter = GetOutputImageParameter(key);
  const auto* const image = parameter.GetValue();
  if (image == nullptr)
  {
    throw hud::Error(key + ": the application made no image");
  }
  const std::string original = parameter.GetFileName();
  // Whatever happens, the parameter gets its name back.
  const std::unique_ptr<OutputImageParameter, std::function<void(OutputImageParameter*)>> restore(
      &parameter, [&original](OutputImageParameter* changed) { changed->SetFileName(original); });
  parameter.SetFileName(WithPath(original, staged.StagedPath()));
  RunWriter(parameter, key, staged.Target().string());

  const Expectation expectation =
      ExpectFile(image->GetLargestPossibleRegion(), image->GetNumberOfComponentsPerPixel(), *ParseFileName(original));
  const fs::path raster = RasterPath(staged.StagedPath());
  HUDSceneMetadata metadata = m_Metadata[key];
  try
  {
    metadata = metadata.Select(expectation.m_Bands, image->GetNumberOfComponentsPerPixel());
    HUDWriteSceneMetadata(raster.string(), metadata);
  }
  catch (const hud::InvalidOption& error)
  {
    throw hud::InvalidOption(key + ": " + error.what());
  }
  if (const auto& [file, scale] = m_Grids[key]; !file.empty())
  {
    HUDCopyGrid(file, raster.string(), expectation.m_Left / scale, expectation.m_Top / scale, scale);
  }
  if (raster != staged.StagedPath())
  {
    DescribeEnviFile(raster);
  }
  CheckWrittenFile(raster, expectation, key + ": " + staged.Target().string());
  StageStyle(raster, metadata, staged);
}

void HUDApplication::StageStyle(const fs::path& raster, const HUDSceneMetadata& metadata, const HUDStagedFile& staged)
{
  const fs::path style = HUDStylePath(raster);
  const fs::path target = staged.Target().parent_path() / style.filename();
  if (!m_Styles.insert(fs::weakly_canonical(target)).second)
  {
    otbAppLogINFO(<< target.string() << " is the style of another output: none for " << staged.Target().string());
    return;
  }
  const fs::file_status status = fs::symlink_status(target);
  const bool isReplaced = fs::is_regular_file(status) &&
                          (status.permissions() & fs::perms::owner_write) != fs::perms::none && HUDIsOwnStyle(target);
  if (fs::exists(status) && !isReplaced)
  {
    otbAppLogINFO(<< target.string() << " is not a style that HUD wrote, or is write-protected: kept");
    return;
  }
  HUDWriteStyle(raster.string(), metadata, style);
}

void HUDApplication::WriteOutputs(const std::vector<HUDStagedFile*>& files, const std::function<void()>& afterImages)
{
  const HUDInterrupt interrupt;
  const std::vector<std::string> keys = GetOutputKeys(ParameterType_OutputImage);
  std::vector<HUDStagedFile> images;
  m_Styles.clear();
  for (const std::string& key : keys)
  {
    const std::string target = SimpleFileName(GetOutputImageParameter(key).GetFileName());
    try
    {
      images.emplace_back(target);
    }
    catch (const hud::FileError& error)
    {
      throw hud::FileError(key + ": " + error.what());
    }
    StageImage(key, images.back());
  }
  if (afterImages)
  {
    afterImages();
  }
  HUDInterrupt::ThrowIfRequested();
  for (HUDStagedFile& image : images)
  {
    image.Commit();
  }
  for (HUDStagedFile* const file : files)
  {
    file->Commit();
  }
  // Without a file name OTB does not write the images again.
  for (const std::string& key : keys)
  {
    OutputImageParameter& parameter = GetOutputImageParameter(key);
    m_WrittenNames[key] = parameter.GetFileName();
    parameter.SetFileName("");
    parameter.SetUserValue(false);
  }
}

void HUDApplication::RestoreFileNames()
{
  for (const auto& [key, fileName] : m_WrittenNames)
  {
    OutputImageParameter& parameter = GetOutputImageParameter(key);
    // A user value is newer than the run that cleared the name.
    if (!parameter.HasUserValue())
    {
      parameter.SetFileName(fileName);
      parameter.SetUserValue(true);
    }
  }
  m_WrittenNames.clear();
}

void HUDApplication::DoUpdateParameters() {}

void HUDApplication::AfterExecuteAndWriteOutputs()
{
  RestoreFileNames();
}

} // namespace Wrapper
} // namespace otb
