# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Files that are compiled into a library. As a script, this file writes OUTPUT, the source of one of them:
#   cmake -DNAME=... -DINPUT=... -DOUTPUT=... -P HudResources.cmake
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  file(READ ${INPUT} bytes HEX)
  # Lines of 64 bytes, each a string literal: much faster to compile than a list of numbers.
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  string(REPEAT "." 256 line)
  string(REGEX REPLACE "(${line})" "\\1\"\n  \"" bytes "${bytes}")
  file(WRITE ${OUTPUT} "// Written by HudResources.cmake.
#include <string_view>

namespace otb::resource
{

std::string_view ${NAME}();

std::string_view ${NAME}()
{
  static constexpr char kBytes[] =
  \"${bytes}\";
  return {kBytes, sizeof(kBytes) - 1};
}

} // namespace otb::resource
")
  return()
endif()

include_guard(GLOBAL)

# Finds the library that draws the charts of a report: HUD_CHART_JS.
function(hud_find_chart_library)
  find_file(HUD_CHART_JS chart.min.js PATHS /usr/share/javascript /usr/share/nodejs PATH_SUFFIXES chart.js chart.js/dist)
  if(NOT HUD_CHART_JS)
    message(FATAL_ERROR "chart.min.js was not found. Install it (Debian: libjs-chart.js) or set HUD_CHART_JS.")
  endif()
  file(STRINGS ${HUD_CHART_JS} version LIMIT_INPUT 200 REGEX "Chart\\.js v3\\.")
  if(NOT version)
    message(FATAL_ERROR "${HUD_CHART_JS} is not Chart.js 3. Install it (Debian: libjs-chart.js) or set HUD_CHART_JS.")
  endif()
endfunction()

# Compiles a file into a target of the same folder: std::string_view otb::resource::NAME() returns its bytes.
function(hud_add_resource target name file)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/resources/${name}.cxx)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DINPUT=${file} -DOUTPUT=${source} -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
    DEPENDS ${file} ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
    COMMENT "Writing the source of ${name}"
    VERBATIM)
  target_sources(${target} PRIVATE ${source})
endfunction()
