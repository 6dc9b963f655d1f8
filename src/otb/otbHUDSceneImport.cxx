// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDSceneImport.h"

#include "otbHUDGroundLocation.h"
#include "otbHUDHdf5File.h"
#include "otbHUDInterrupt.h"
#include "otbHUDMatlabScene.h"
#include "otbHUDNoData.h"

#include "hud/core/Error.h"
#include "hud/core/Message.h"
#include "hud/core/NearestPixels.h"

#include "otbGeometryMetadata.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

namespace otb
{

namespace
{

constexpr double kSpacing = 30.; // metre
constexpr int kGeographic = 4326;

using hud::Compose;
using BlockReader = HUDRowImageSource::BlockReader;

enum class Format
{
  Prisma,
  Matlab
};

Format Identify(const std::string& path)
{
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
  {
    throw hud::FileError(path + ": is a folder, expected a PRISMA product (.he5) or a MATLAB file (.mat)");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file)
  {
    throw hud::FileError(path + ": cannot be opened: " + std::strerror(errno));
  }
  std::string head(128, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  if (HUDFindHdf5(path))
  {
    HUDCheckHdf5Length(path);
    return HUDMatlabScene::IsHdf5Scene(path) ? Format::Matlab : Format::Prisma;
  }
  // A MATLAB file of version 5 ends its header of 128 bytes with the order of its bytes.
  const std::string order = head.size() >= 128 ? head.substr(126, 2) : "";
  if (order == "IM" || order == "MI")
  {
    return Format::Matlab;
  }
  const std::string hint = head.rfind("PK", 0) == 0 ? " This is a zip archive: unpack it first." : "";
  throw hud::FileError(path + ": found neither an HDF5 file nor a MATLAB file of version 5 or 7.3, expected a PRISMA " +
                       "product (.he5) or a MATLAB scene (.mat)." + hint);
}

// Counts what a function reads, each row once.
BlockReader Count(BlockReader reader, Eigen::Index width, std::shared_ptr<HUDImportCounts> counts)
{
  const auto seen = std::make_shared<std::set<Eigen::Index>>();
  return [reader = std::move(reader), counts = std::move(counts), seen, width](Eigen::Index row,
                                                                               Eigen::Ref<Eigen::MatrixXf> pixels) {
    reader(row, pixels);
    for (Eigen::Index first = 0; first < pixels.cols(); first += width)
    {
      if (!seen->insert(row + first / width).second)
      {
        continue;
      }
      counts->m_Pixels += static_cast<std::size_t>(width);
      for (Eigen::Index pixel = first; pixel < first + width; ++pixel)
      {
        const auto missing = (pixels.col(pixel).array() == kHUDNoDataValue).count();
        counts->m_Empty += missing == pixels.rows() ? 1 : 0;
        if (missing == 0 || missing == pixels.rows())
        {
          continue;
        }
        ++counts->m_Flagged;
        counts->m_FlaggedOfBands.resize(static_cast<std::size_t>(pixels.rows()), 0);
        for (Eigen::Index band = 0; band < pixels.rows(); ++band)
        {
          counts->m_FlaggedOfBands[static_cast<std::size_t>(band)] += pixels(band, pixel) == kHUDNoDataValue ? 1 : 0;
        }
      }
    }
  };
}

// Returns a function that reads rows of a map, of the pixels nearest to its own.
// @param memory bytes for the rows that it reads at once
BlockReader Warp(const std::shared_ptr<HUDPrismaProduct>& product, std::vector<std::int32_t> nearest,
                 Eigen::Index mapWidth, std::size_t memory)
{
  return
      [product, nearest = std::move(nearest), mapWidth, memory](Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> pixels) {
        pixels.setConstant(kHUDNoDataValue);
        const std::int32_t* const sources = nearest.data() + row * mapWidth;
        const Eigen::Index width = product->Width();
        Eigen::Index first = product->Height();
        Eigen::Index last = -1;
        for (Eigen::Index pixel = 0; pixel < pixels.cols(); ++pixel)
        {
          if (sources[pixel] >= 0)
          {
            first = std::min(first, sources[pixel] / width);
            last = std::max(last, sources[pixel] / width);
          }
        }
        const auto lineBytes = static_cast<std::size_t>(width * pixels.rows()) * sizeof(float);
        const auto part = static_cast<Eigen::Index>(std::max<std::size_t>(1, memory / lineBytes));
        for (; first <= last; first += part)
        {
          HUDInterrupt::ThrowIfRequested();
          Eigen::MatrixXf block(pixels.rows(), width * std::min(part, last - first + 1));
          product->ReadRows(first, block);
          for (Eigen::Index pixel = 0; pixel < pixels.cols(); ++pixel)
          {
            const Eigen::Index source = sources[pixel] - first * width;
            if (sources[pixel] >= 0 && source >= 0 && source < block.cols())
            {
              pixels.col(pixel) = block.col(source);
            }
          }
        }
      };
}

void SetUtmGrid(HUDRowImageSource& source, double left, double top, int epsg)
{
  HUDImageType::PointType origin;
  origin[0] = left;
  origin[1] = top;
  HUDImageType::SpacingType spacing;
  spacing[0] = kSpacing;
  spacing[1] = -kSpacing;
  source.SetGrid(origin, spacing);
  ImageMetadata metadata;
  metadata.Add(MDGeom::ProjectionWKT, HUDProjectionText(epsg));
  source.SetMetadata(metadata);
}

// The positions of at most `count` evenly spaced elements, the first and the last among them.
std::vector<Eigen::Index> Spread(Eigen::Index size, Eigen::Index count)
{
  count = std::min(size, count);
  std::vector<Eigen::Index> positions;
  for (Eigen::Index i = 0; i < count; ++i)
  {
    positions.push_back(count > 1 ? i * (size - 1) / (count - 1) : 0);
  }
  return positions;
}

// Returns whether there are any.
bool SetControlPoints(HUDRowImageSource& source, const HUDLocations& locations)
{
  constexpr Eigen::Index kPoints = 11; // in each direction
  Projection::GCPParam points;
  points.GCPProjection = HUDProjectionText(kGeographic);
  for (const Eigen::Index row : Spread(locations.m_Latitude.cols(), kPoints))
  {
    for (const Eigen::Index column : Spread(locations.m_Latitude.rows(), kPoints))
    {
      const double latitude = locations.m_Latitude(column, row);
      const double longitude = locations.m_Longitude(column, row);
      if (std::isfinite(latitude) && std::isfinite(longitude))
      {
        points.GCPs.emplace_back(std::to_string(points.GCPs.size() + 1), "", static_cast<double>(column) + 0.5,
                                 static_cast<double>(row) + 0.5, longitude, latitude, 0.);
      }
    }
  }
  if (points.GCPs.empty())
  {
    return false;
  }
  ImageMetadata metadata;
  metadata.Add(MDGeom::GCP, points);
  source.SetMetadata(metadata);
  return true;
}

// The place nearest to the middle that is known.
std::pair<double, double> MiddleOf(const HUDLocations& locations)
{
  std::pair<double, double> middle(0., 0.);
  double least = -1.;
  for (Eigen::Index y = 0; y < locations.m_Latitude.cols(); ++y)
  {
    for (Eigen::Index x = 0; x < locations.m_Latitude.rows(); ++x)
    {
      const double distance = std::hypot(static_cast<double>(2 * x - locations.m_Latitude.rows()),
                                         static_cast<double>(2 * y - locations.m_Latitude.cols()));
      if ((least < 0. || distance < least) && std::isfinite(locations.m_Latitude(x, y)))
      {
        least = distance;
        middle = {locations.m_Latitude(x, y), locations.m_Longitude(x, y)};
      }
    }
  }
  return middle;
}

// The chosen bands, neighbours as ranges: "2 bands (1939.58-1948.72 nm)".
std::string DescribeBands(const std::vector<double>& wavelengths, const std::vector<bool>& chosen)
{
  std::string ranges;
  for (std::size_t first = 0; first < chosen.size(); ++first)
  {
    std::size_t last = first;
    while (chosen[first] && last + 1 < chosen.size() && chosen[last + 1])
    {
      ++last;
    }
    if (chosen[first])
    {
      ranges += Compose(ranges.empty() ? "" : ", ", wavelengths[first]);
      ranges += last > first ? Compose("-", wavelengths[last]) : "";
    }
    first = last;
  }
  const auto count = std::count(chosen.begin(), chosen.end(), true);
  return Compose(count, count == 1 ? " band (" : " bands (", ranges, " nm)");
}

// Warns of ranges that leave nothing out.
void CheckRanges(const std::vector<hud::WavelengthRange>& ranges, const HUDPrismaProduct& product,
                 HUDImportedScene& scene)
{
  std::vector<hud::SpectrometerBand> bands = product.VnirBands();
  bands.insert(bands.end(), product.SwirBands().begin(), product.SwirBands().end());
  for (const hud::WavelengthRange& range : ranges)
  {
    if (std::none_of(bands.begin(), bands.end(), [&range](const hud::SpectrometerBand& band) {
          return band.m_Wavelength >= range.m_First && band.m_Wavelength <= range.m_Last;
        }))
    {
      scene.m_Warnings.push_back(
          Compose("exclude: no band lies in ", range.m_First, "-", range.m_Last, " nm, so nothing is left out there"));
    }
  }
}

// Chooses the bands and returns them.
std::vector<hud::SpectrometerBand> ChooseBands(HUDPrismaProduct& product, const HUDImportOptions& options,
                                               HUDImportedScene& scene)
{
  const std::vector<hud::WavelengthRange> ranges = hud::ParseWavelengthRanges(options.m_Exclude);
  CheckRanges(ranges, product, scene);
  std::vector<hud::SpectrometerBand> bands =
      hud::JoinBands(product.VnirBands(), product.SwirBands(), options.m_Join, ranges);
  if (options.m_Flagged == HUDFlaggedSamples::Keep || options.m_MaxFlagged >= 100.)
  {
    product.SelectBands(bands, options.m_Flagged);
    return bands;
  }
  product.SelectBands(bands, HUDFlaggedSamples::NoData);
  const std::vector<double> shares = product.EstimateFlaggedShares();
  std::vector<hud::SpectrometerBand> kept;
  std::vector<double> wavelengths;
  std::vector<bool> dropped;
  for (std::size_t i = 0; i < bands.size(); ++i)
  {
    wavelengths.push_back(bands[i].m_Wavelength);
    dropped.push_back(100. * shares[i] > options.m_MaxFlagged);
    if (!dropped.back())
    {
      kept.push_back(bands[i]);
    }
  }
  if (kept.empty())
  {
    throw hud::InvalidData(Compose("the error matrix flags more than ", options.m_MaxFlagged,
                                   " % of the pixels in each of the ", bands.size(), " bands, expected fewer in some"));
  }
  if (kept.size() < bands.size())
  {
    scene.m_Warnings.push_back(Compose("left out, as the error matrix flags more than ", options.m_MaxFlagged,
                                       " % of their pixels (maxflagged): ", DescribeBands(wavelengths, dropped)));
  }
  product.SelectBands(kept, options.m_Flagged);
  return kept;
}

void Describe(const HUDPrismaProduct& product, const std::vector<hud::SpectrometerBand>& bands,
              const HUDImportOptions& options, HUDImportedScene& scene)
{
  for (const hud::SpectrometerBand& band : bands)
  {
    scene.m_Metadata.m_Wavelengths.push_back(band.m_Wavelength);
    scene.m_Metadata.m_Widths.push_back(band.m_Width);
  }
  scene.m_Metadata.m_Units = product.Units();
  auto& items = scene.m_Metadata.m_Items;
  items["processing_level"] = "L" + product.Level();
  items["import_join"] = hud::NameOf(hud::kBandJoins, options.m_Join);
  items["import_flagged"] = hud::NameOf(kHUDFlaggedSamples, options.m_Flagged);
  items["import_grid"] = hud::NameOf(kHUDImportGrids, options.m_Grid);
  const auto add = [&items](const char* name, const std::string& value) {
    if (!value.empty())
    {
      items[name] = value;
    }
  };
  add("product_id", product.ProductId());
  add("acquisition_time", product.AcquisitionTime());
  add("sun_zenith", product.SunZenith() ? Compose(*product.SunZenith()) : "");
  add("sun_azimuth", product.SunAzimuth() ? Compose(*product.SunAzimuth()) : "");
  add("import_exclude", options.m_Exclude);
  scene.m_Messages.push_back(Compose(
      "PRISMA L", product.Level(), ": ", product.Width(), " x ", product.Height(), " pixels, ",
      product.VnirBands().size(), " bands of the VNIR and ", product.SwirBands().size(), " of the SWIR; ", bands.size(),
      " imported, from ", bands.front().m_Wavelength, " to ", bands.back().m_Wavelength, " nm, in ", product.Units()));
}

// Has the errors of some work in memory name the file.
template <typename Work>
auto NameFile(const std::string& path, const Work& work)
{
  try
  {
    return work();
  }
  catch (const hud::InvalidData& error)
  {
    throw hud::InvalidData(path + ": " + error.what());
  }
  catch (const hud::InvalidOption& error)
  {
    throw hud::InvalidOption(path + ": " + error.what());
  }
}

HUDImportedScene ImportPrisma(const std::string& path, const HUDImportOptions& options)
{
  // A quarter for what is read, the rest for the image and what writes it.
  const std::size_t memory = options.m_Memory << 18;
  const auto product = std::make_shared<HUDPrismaProduct>(path, memory);
  HUDImportedScene scene;
  scene.m_Warnings = product->Warnings();
  const std::vector<hud::SpectrometerBand> bands =
      NameFile(path, [&] { return ChooseBands(*product, options, scene); });
  Describe(*product, bands, options, scene);
  scene.m_Counts = std::make_shared<HUDImportCounts>();
  scene.m_Source = HUDRowImageSource::New();
  const auto count = static_cast<Eigen::Index>(bands.size());
  BlockReader read = [product](Eigen::Index row, const Eigen::Ref<Eigen::MatrixXf>& pixels) {
    product->ReadRows(row, pixels);
  };

  if (product->Grid())
  {
    scene.m_Source->SetBlocks(count, product->Width(), product->Height(),
                              Count(std::move(read), product->Width(), scene.m_Counts));
    SetUtmGrid(*scene.m_Source, product->Grid()->m_Left, product->Grid()->m_Top, product->Grid()->m_Epsg);
    return scene;
  }
  const HUDLocations locations = product->ReadLocations();
  if (options.m_Grid == HUDImportGrid::Native)
  {
    scene.m_Source->SetBlocks(count, product->Width(), product->Height(),
                              Count(std::move(read), product->Width(), scene.m_Counts));
    if (!SetControlPoints(*scene.m_Source, locations))
    {
      scene.m_Warnings.push_back(path + ": no latitude and longitude is known: the image has no ground control points");
    }
    return scene;
  }
  const auto [latitude, longitude] = MiddleOf(locations);
  const int epsg = HUDUtmEpsg(latitude, longitude);
  const auto [eastings, northings] = HUDToMap(locations.m_Latitude, locations.m_Longitude, epsg);
  const hud::MapGrid grid = NameFile(path, [&eastings = eastings, &northings = northings] {
    return hud::CoverWithGrid(eastings, northings, kSpacing);
  });
  if (grid.m_Width > 4 * (product->Width() + product->Height()) ||
      grid.m_Height > 4 * (product->Width() + product->Height()))
  {
    throw hud::InvalidData(Compose(path, ": the latitudes and longitudes spread over ", grid.m_Width, " x ",
                                   grid.m_Height, " pixels of 30 m, expected about the size of the image, ",
                                   product->Width(), " x ", product->Height()));
  }
  scene.m_Source->SetBlocks(count, grid.m_Width, grid.m_Height,
                            Count(Warp(product, hud::NearestPixels(eastings, northings, grid), grid.m_Width, memory),
                                  grid.m_Width, scene.m_Counts));
  SetUtmGrid(*scene.m_Source, grid.m_Left, grid.m_Top, epsg);
  scene.m_Messages.push_back(
      Compose("Warped to EPSG:", epsg, ", ", grid.m_Width, " x ", grid.m_Height, " pixels of 30 m"));
  return scene;
}

HUDImportedScene ImportMatlab(const std::string& path, const HUDImportOptions& options)
{
  if (!options.m_Exclude.empty())
  {
    throw hud::InvalidOption("exclude is '" + options.m_Exclude +
                             "', but a MATLAB file has no wavelengths; expected nothing");
  }
  if (options.m_Grid != HUDImportGrid::Native)
  {
    throw hud::InvalidOption("grid is utm, but a MATLAB file has no latitudes and longitudes; expected native");
  }
  const auto file = std::make_shared<HUDMatlabScene>(path, options.m_Variable, options.m_Memory << 18);
  HUDImportedScene scene;
  scene.m_Counts = std::make_shared<HUDImportCounts>();
  scene.m_Source = HUDRowImageSource::New();
  scene.m_Source->SetBlocks(
      file->Bands(), file->Width(), file->Height(),
      Count([file](Eigen::Index row, const Eigen::Ref<Eigen::MatrixXf>& pixels) { file->ReadRows(row, pixels); },
            file->Width(), scene.m_Counts));
  scene.m_Metadata.m_Items["import_variable"] = file->Name();
  scene.m_Messages.push_back(Compose("MATLAB array ", file->Name(), ": ", file->Width(), " x ", file->Height(),
                                     " pixels, ", file->Bands(), " bands; it tells no wavelengths"));
  return scene;
}

} // namespace

void HUDImportOptions::Check() const
{
  hud::ParseWavelengthRanges(m_Exclude);
  if (!(m_MaxFlagged >= 0. && m_MaxFlagged <= 100.))
  {
    throw hud::InvalidOption(Compose("maxflagged is ", m_MaxFlagged, ", expected 0 to 100 percent"));
  }
  if (m_Memory < 1)
  {
    throw hud::InvalidOption("ram is 0, expected at least 1 MB");
  }
}

std::string HUDDescribeFlaggedBands(const HUDImportedScene& scene, double percent)
{
  const HUDImportCounts& counts = *scene.m_Counts;
  const auto most = percent / 100. * static_cast<double>(counts.m_Pixels - counts.m_Empty);
  std::vector<bool> chosen;
  for (const std::size_t flagged : counts.m_FlaggedOfBands)
  {
    chosen.push_back(static_cast<double>(flagged) > most);
  }
  const bool any = std::find(chosen.begin(), chosen.end(), true) != chosen.end();
  return any && chosen.size() == scene.m_Metadata.m_Wavelengths.size()
             ? DescribeBands(scene.m_Metadata.m_Wavelengths, chosen)
             : "";
}

HUDImportedScene HUDImportScene(const std::string& path, const HUDImportOptions& options)
{
  options.Check();
  const Format format = Identify(path);
  if (format == Format::Matlab)
  {
    return ImportMatlab(path, options);
  }
  HUDImportedScene scene = ImportPrisma(path, options);
  if (!options.m_Variable.empty())
  {
    scene.m_Warnings.push_back("var is '" + options.m_Variable + "', which has no meaning for a PRISMA product");
  }
  return scene;
}

} // namespace otb
