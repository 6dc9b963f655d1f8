# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

include_guard(GLOBAL)

# What every target of this project has in common.
function(hud_target_defaults target)
  target_compile_features(${target} PUBLIC cxx_std_17)
  set_target_properties(${target} PROPERTIES
    CXX_STANDARD 17
    CXX_STANDARD_REQUIRED ON
    CXX_EXTENSIONS OFF
    POSITION_INDEPENDENT_CODE ON)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion)
    if(HUD_WARNINGS_AS_ERRORS)
      target_compile_options(${target} PRIVATE -Werror)
    endif()
  endif()
endfunction()

# A library of the two layers below OTB: include/ is its public header folder.
function(hud_add_library target)
  add_library(${target} ${ARGN})
  hud_target_defaults(${target})
  # No target_EXPORTS macro: it would make the precompiled header unusable for the tests.
  set_target_properties(${target} PROPERTIES DEFINE_SYMBOL "" INSTALL_RPATH "$ORIGIN")
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../include>)
endfunction()

# Compiles each header by itself, with what the given targets offer.
#   hud_check_headers(name LIBRARIES targets... HEADERS headers...)
function(hud_check_headers name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES;HEADERS")
  set(sources)
  foreach(header IN LISTS arg_HEADERS)
    string(MAKE_C_IDENTIFIER ${header} stem)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}/${stem}.cxx)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include <${header}>\n")
    list(APPEND sources ${source})
  endforeach()
  add_library(${name} OBJECT ${sources})
  hud_target_defaults(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
endfunction()

# A GoogleTest program; its cases become ctest entries when ctest starts.
#   hud_add_test(name LIBRARIES targets... SOURCES files...)
function(hud_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES;SOURCES")
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${arg_SOURCES})
  hud_target_defaults(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../test)
  target_compile_definitions(${name} PRIVATE
    HUD_TEST_DATA_DIR="${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../data")
  gtest_discover_tests(${name}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    # Tests run beside each other: one thread each, unless a test asks for more.
    PROPERTIES TIMEOUT 300 ENVIRONMENT ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1)
endfunction()

# Marks what the folder inherited from OTB and ITK as system headers, so that only our own code is warned about.
function(hud_use_otb_headers_as_system)
  get_directory_property(folders INCLUDE_DIRECTORIES)
  list(FILTER folders EXCLUDE REGEX "^${HUD_SOURCE_DIR}/")
  include_directories(SYSTEM ${folders})
endfunction()
