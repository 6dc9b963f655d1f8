// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDReportPage.h"

#include <stdexcept>
#include <string_view>

namespace otb
{

// Written by hud_add_resource.
namespace resource
{
std::string_view EvaluationPage();
std::string_view ChartLibrary();
} // namespace resource

namespace
{

// The same JSON without what means something to HTML or breaks a line in JavaScript. These stand only inside strings.
std::string InsideScript(std::string_view json)
{
  constexpr std::string_view kLineSeparator = "\u2028";
  constexpr std::string_view kParagraphSeparator = "\u2029";
  std::string escaped;
  escaped.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i)
  {
    const std::string_view three = json.substr(i, 3); // as long as either separator
    if (json[i] == '<')
    {
      escaped += "\\u003c"; // of </script> and <!--
    }
    else if (three == kLineSeparator || three == kParagraphSeparator)
    {
      escaped += three == kLineSeparator ? "\\u2028" : "\\u2029";
      i += 2;
    }
    else
    {
      escaped += json[i];
    }
  }
  return escaped;
}

// Moves what stands before the placeholder from the rest of the template to the page, and drops the placeholder.
void AppendUpTo(std::string_view placeholder, std::string_view& rest, std::string& page)
{
  const std::size_t place = rest.find(placeholder);
  if (place == std::string_view::npos)
  {
    throw std::logic_error("the template of the report has no " + std::string(placeholder));
  }
  page += rest.substr(0, place);
  rest.remove_prefix(place + placeholder.size());
}

} // namespace

std::string HUDReportPage(const std::string& json)
{
  const std::string data = InsideScript(json);
  std::string_view rest = resource::EvaluationPage();
  std::string page;
  page.reserve(rest.size() + resource::ChartLibrary().size() + data.size());
  AppendUpTo("@DATA@", rest, page);
  page += data;
  AppendUpTo("@CHART_LIBRARY@", rest, page);
  page += resource::ChartLibrary();
  page += rest;
  return page;
}

} // namespace otb
