// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

// Describes applications: NAME.json for the QGIS plugin hud_processing and the manual's pages, NAME.txt for OTB's own provider,
// and algs.txt, the provider's list.
//   hud_describe APPLICATION_FOLDER OUTPUT_FOLDER NAME...

#include "otbWrapperApplication.h"
#include "otbWrapperApplicationRegistry.h"
#include "otbWrapperNumericalParameter.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

using Json = nlohmann::ordered_json;
using otb::Wrapper::Application;

const std::map<otb::Wrapper::ParameterType, std::string> kKinds = {
    {otb::Wrapper::ParameterType_InputImage, "image"},
    {otb::Wrapper::ParameterType_InputImageList, "images"},
    {otb::Wrapper::ParameterType_InputFilename, "file"},
    {otb::Wrapper::ParameterType_InputFilenameList, "files"},
    {otb::Wrapper::ParameterType_OutputImage, "output image"},
    {otb::Wrapper::ParameterType_OutputFilename, "output file"},
    {otb::Wrapper::ParameterType_Int, "integer"},
    {otb::Wrapper::ParameterType_Float, "number"},
    {otb::Wrapper::ParameterType_Double, "number"},
    {otb::Wrapper::ParameterType_Bool, "boolean"},
    {otb::Wrapper::ParameterType_Choice, "choice"},
    {otb::Wrapper::ParameterType_String, "text"},
};

// The number that the shortest text of a value gives: 0.002, not the digits of the nearest float.
template <typename T>
Json Shortest(T value)
{
  std::ostringstream text;
  text << value;
  return Json::parse(text.str());
}

template <typename T>
bool DescribeNumber(otb::Wrapper::Parameter* parameter, Json& description)
{
  auto* const number = dynamic_cast<otb::Wrapper::NumericalParameter<T>*>(parameter);
  if (number == nullptr)
  {
    return false;
  }
  if (number->HasValue())
  {
    description["default"] = Shortest(number->GetValue());
  }
  if (number->GetMinimumValue() > std::numeric_limits<T>::lowest())
  {
    description["minimum"] = Shortest(number->GetMinimumValue());
  }
  if (number->GetMaximumValue() < std::numeric_limits<T>::max())
  {
    description["maximum"] = Shortest(number->GetMaximumValue());
  }
  return true;
}

// Returns the extension of a parameter's value in the application's example, which tells what kind of file it is.
std::string ExampleExtension(Application& application, const std::string& key)
{
  const auto example = application.GetDocExample();
  for (unsigned int i = 0; i < example->GetNumberOfParameters(); ++i)
  {
    if (example->GetParameterKey(i) == key)
    {
      return std::filesystem::path(example->GetParameterValue(i)).extension().string();
    }
  }
  return "";
}

Json DescribeParameter(Application& application, const std::string& key, const std::string& kind)
{
  Json description;
  description["key"] = key;
  description["kind"] = kind;
  description["name"] = application.GetParameterName(key);
  description["help"] = application.GetParameterDescription(key);
  description["optional"] = !application.IsMandatory(key) || kind == "integer" || kind == "number" ||
                            kind == "boolean" || kind == "choice" || kind == "text";
  description["advanced"] = application.GetParameterUserLevel(key) == otb::Wrapper::UserLevel_Advanced;
  if (kind == "integer" || kind == "number")
  {
    otb::Wrapper::Parameter* const parameter = application.GetParameterByKey(key);
    DescribeNumber<int>(parameter, description) || DescribeNumber<float>(parameter, description) ||
        DescribeNumber<double>(parameter, description);
  }
  else if (kind == "boolean")
  {
    description["default"] = application.GetParameterInt(key) != 0;
  }
  else if (kind == "choice")
  {
    description["default"] = application.GetParameterInt(key);
    description["choices"] = application.GetChoiceKeys(key);
    description["choiceNames"] = application.GetChoiceNames(key);
  }
  else if (kind == "text" && application.HasValue(key))
  {
    description["default"] = application.GetParameterString(key);
  }
  else if (kind == "output file" || kind == "file")
  {
    description["extension"] = ExampleExtension(application, key);
  }
  return description;
}

Json Describe(Application& application)
{
  Json description;
  description["name"] = application.GetName();
  description["title"] = application.GetDescription();
  description["help"] = application.GetDocLongDescription();
  description["limitations"] = application.GetDocLimitations();
  description["group"] = application.GetDocTags().at(0);
  description["example"] = Json::array();
  const auto example = application.GetDocExample();
  for (unsigned int i = 0; i < example->GetNumberOfParameters(); ++i)
  {
    description["example"].push_back({example->GetParameterKey(i), example->GetParameterValue(i)});
  }
  description["parameters"] = Json::array();
  for (const std::string& key : application.GetParametersKeys(true))
  {
    const otb::Wrapper::ParameterType type = application.GetParameterType(key);
    // OTB's provider has a setting for the memory of all applications; groups are in the keys of their members.
    if (type == otb::Wrapper::ParameterType_RAM || type == otb::Wrapper::ParameterType_Group)
    {
      continue;
    }
    const auto kind = kKinds.find(type);
    if (kind == kKinds.end())
    {
      throw std::runtime_error("parameter " + key + " of " + application.GetName() +
                               " is of a type that QGIS is not told of");
    }
    description["parameters"].push_back(DescribeParameter(application, key, kind->second));
  }
  return description;
}

std::string Join(const std::vector<std::string>& fields, const std::string& separator)
{
  std::string line;
  for (const std::string& field : fields)
  {
    line += (line.empty() ? "" : separator) + field;
  }
  return line;
}

// Returns a parameter as a line of OTB's provider, which is a call of a constructor. The provider drops 0 and unticked boxes,
// so where these are not the default the value is asked for as text or as a choice.
std::string DescriptorLine(const Json& parameter)
{
  const std::string kind = parameter["kind"];
  const std::string optional = parameter["optional"].get<bool>() ? "True" : "False";
  const std::string extension = parameter.value("extension", "");
  const std::string filter =
      extension.empty() ? "None" : extension.substr(1) + " (*" + extension + ");;All files (*.*)";
  const std::string value = !parameter.contains("default")     ? "None"
                            : parameter["default"].is_string() ? parameter["default"].get<std::string>()
                                                               : parameter["default"].dump();
  const auto limit = [&parameter](const char* name) {
    return parameter.contains(name) ? parameter[name].dump() : std::string("None");
  };
  const auto line = [&parameter](const std::string& type, std::vector<std::string> fields) {
    fields.insert(fields.begin(), {type, parameter["key"], parameter["name"]});
    const std::string text = Join(fields, "|");
    if (static_cast<std::size_t>(std::count(text.begin(), text.end(), '|')) != fields.size() - 1)
    {
      throw std::runtime_error("a text of parameter " + parameter["key"].get<std::string>() + " contains a |: " + text);
    }
    return (parameter["advanced"].get<bool>() ? "*" : "") + text;
  };
  if (kind == "image")
  {
    return line("QgsProcessingParameterRasterLayer", {"None", optional});
  }
  if (kind == "images")
  {
    return line("QgsProcessingParameterMultipleLayers", {"3", "None", optional});
  }
  if (kind == "files")
  {
    return line("QgsProcessingParameterMultipleLayers", {"4", "None", optional});
  }
  if (kind == "file")
  {
    return line("QgsProcessingParameterFile", {"QgsProcessingParameterFile.File", "None", "None", optional});
  }
  if (kind == "output image")
  {
    return line("QgsProcessingParameterRasterDestination", {"None", optional});
  }
  if (kind == "output file")
  {
    // An optional file is not written unless the user names it.
    return line("QgsProcessingParameterFileDestination",
                {filter, "None", optional, optional == "True" ? "False" : "True"});
  }
  if (kind == "choice")
  {
    return line("OTBParameterChoice", {Join(parameter["choices"], ";"), value, "True"});
  }
  if (kind == "boolean")
  {
    return value == "true" ? line("OTBParameterChoice", {"true;false", "0", "True"})
                           : line("QgsProcessingParameterBoolean", {"false", "True"});
  }
  if (kind == "text" || (parameter["default"] != 0 && parameter.value("minimum", -1.) <= 0.))
  {
    return line("QgsProcessingParameterString", {value, "False", "True"});
  }
  return line("QgsProcessingParameterNumber",
              {kind == "integer" ? "QgsProcessingParameterNumber.Integer" : "QgsProcessingParameterNumber.Double",
               value, "True", limit("minimum"), limit("maximum")});
}

void Write(const std::filesystem::path& path, const std::string& text)
{
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file)
  {
    throw std::runtime_error("cannot write " + path.string());
  }
}

} // namespace

int main(int argc, char* argv[])
{
  if (argc < 4)
  {
    std::cerr << "usage: hud_describe APPLICATION_FOLDER OUTPUT_FOLDER NAME...\n";
    return 2;
  }
  try
  {
    const std::filesystem::path folder = argv[2];
    std::filesystem::create_directories(folder);
    otb::Wrapper::ApplicationRegistry::SetApplicationPath(argv[1]);
    std::string list;
    for (int i = 3; i < argc; ++i)
    {
      const std::string name = argv[i];
      const Application::Pointer application = otb::Wrapper::ApplicationRegistry::CreateApplication(name);
      if (application.IsNull())
      {
        throw std::runtime_error("there is no application " + name + " in " + argv[1]);
      }
      const Json description = Describe(*application);
      std::string lines =
          name + "\n" + description["title"].get<std::string>() + "\n" + description["group"].get<std::string>() + "\n";
      for (const Json& parameter : description["parameters"])
      {
        lines += DescriptorLine(parameter) + "\n";
      }
      Write(folder / (name + ".json"), description.dump(2) + "\n");
      Write(folder / (name + ".txt"), lines);
      list += description["group"].get<std::string>() + "|" + name + "\n";
    }
    Write(folder / "algs.txt", list);
  }
  catch (const std::exception& error)
  {
    std::cerr << "hud_describe: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
