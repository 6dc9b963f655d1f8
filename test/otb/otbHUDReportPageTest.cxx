// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDReportPage.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <cctype>
#include <regex>
#include <string>

namespace
{

using otb::HUDReportPage;

std::size_t Count(const std::string& page, const std::string& text)
{
  std::size_t count = 0;
  for (std::size_t place = page.find(text); place != std::string::npos; place = page.find(text, place + text.size()))
  {
    ++count;
  }
  return count;
}

std::string LowerCase(std::string text)
{
  for (char& letter : text)
  {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return text;
}

// What a browser takes for the data: all from the start of their element to the first thing that ends a script.
std::string DataOf(const std::string& page)
{
  const std::string start = "<script type=\"application/json\" id=\"data\">";
  EXPECT_EQ(Count(page, start), 1u);
  const std::size_t begin = page.find(start) + start.size();
  return page.substr(begin, LowerCase(page).find("</script", begin) - begin);
}

nlohmann::json WithFile(const std::string& name)
{
  return {{"format", "hud-evaluation"}, {"real", {{"file", name}, {"bands", 7}}}};
}

} // namespace

TEST(HUDReportPage, HoldsTheDataOnce)
{
  const nlohmann::json data = WithFile("a file that is named nowhere else.tif");
  const std::string page = HUDReportPage(data.dump());
  EXPECT_EQ(Count(page, "a file that is named nowhere else.tif"), 1u);
  EXPECT_EQ(nlohmann::json::parse(DataOf(page)), data);
}

TEST(HUDReportPage, KeepsDataWhatLooksLikeHtml)
{
  const std::string plain = HUDReportPage(WithFile("scene.tif").dump());
  for (const char* name : {"</script><script>alert(1)</script>.tif", "</SCRIPT >", "<!--<script>", "]]>&amp;'\"\\",
                           "\u2027\u2028\u2029\u202a\u00e9"})
  {
    const nlohmann::json data = WithFile(name);
    const std::string page = HUDReportPage(data.dump());
    EXPECT_EQ(nlohmann::json::parse(DataOf(page)), data) << name;
    for (const char* html : {"<script", "</script", "<!--", "\u2028", "\u2029"})
    {
      EXPECT_EQ(Count(LowerCase(page), html), Count(LowerCase(plain), html)) << name << ": " << html;
    }
  }
}

TEST(HUDReportPage, HasNoPlaceholderLeft)
{
  const std::string page = HUDReportPage(WithFile("scene.tif").dump());
  EXPECT_FALSE(std::regex_search(page, std::regex("@[A-Z_]+@")));
}

TEST(HUDReportPage, LeavesPlaceholdersInTheDataAsTheyAre)
{
  const nlohmann::json data = WithFile("@DATA@ @CHART_LIBRARY@");
  EXPECT_EQ(nlohmann::json::parse(DataOf(HUDReportPage(data.dump()))), data);
}

TEST(HUDReportPage, RefersToNothingOutsideItself)
{
  const std::string page = LowerCase(HUDReportPage(WithFile("scene.tif").dump()));
  EXPECT_EQ(Count(page, "default-src 'none'"), 1u);
  for (const char* reference :
       {R"((src|href|action|data)\s*=\s*["']?\s*(https?:|//))", R"(url\(\s*["']?\s*(https?:|//))", R"(@import)"})
  {
    EXPECT_FALSE(std::regex_search(page, std::regex(reference))) << reference;
  }
}

TEST(HUDReportPage, HoldsTheChartLibraryAndItsLicence)
{
  const std::string page = HUDReportPage(WithFile("scene.tif").dump());
  EXPECT_EQ(Count(page, "Chart.js v3."), 1u);
  EXPECT_EQ(Count(page, "Permission is hereby granted"), 1u);
  // Data, library, and what draws the page.
  EXPECT_EQ(Count(page, "<script"), 3u);
  EXPECT_EQ(Count(page, "</script>"), 3u);
}

TEST(HUDReportPage, IsTheSameForTheSameData)
{
  const std::string data = WithFile("scene.tif").dump();
  EXPECT_EQ(HUDReportPage(data), HUDReportPage(data));
}
