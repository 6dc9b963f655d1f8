# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

include_guard(GLOBAL)

include(CheckLibraryExists)

# Finds what the two layers below OTB need. A macro, because the imported targets belong to the calling folder:
# call it where the folders that use them can see it.
macro(hud_find_dependencies)
  find_package(Eigen3 3.4 REQUIRED NO_MODULE)
  find_package(nlohmann_json 3 REQUIRED)
  find_path(HUD_RANDOM123_INCLUDE_DIR Random123/philox.h)
  if(NOT HUD_RANDOM123_INCLUDE_DIR)
    message(FATAL_ERROR "Random123/philox.h was not found. Install it (Debian: librandom123-dev) or set HUD_RANDOM123_INCLUDE_DIR.")
  endif()

  # Optional: a BLAS with the C interface.
  find_library(HUD_BLAS_LIBRARY NAMES openblas blas)
  find_path(HUD_CBLAS_INCLUDE_DIR cblas.h)
  if(HUD_BLAS_LIBRARY AND HUD_CBLAS_INCLUDE_DIR)
    check_library_exists("${HUD_BLAS_LIBRARY}" cblas_dsyrk "" HUD_HAVE_CBLAS)
  endif()

  # Torch's package may write to the global flags; they are for its own users alone.
  set(_hud_cxx_flags "${CMAKE_CXX_FLAGS}")
  find_package(Torch 1.13 REQUIRED)
  set(CMAKE_CXX_FLAGS "${_hud_cxx_flags}")
  if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
    if(NOT HUD_CORE_ONLY)
      message(FATAL_ERROR "This LibTorch uses the old C++ ABI and cannot be linked with OTB: take a build with the C++11 ABI.")
    endif()
    # Strings cross the border between hud_core and hud_diffusion, so both need the same ABI.
    add_compile_definitions(_GLIBCXX_USE_CXX11_ABI=0)
  endif()
endmacro()

# Finds the libraries that read and check MATLAB files, which only the OTB layer needs.
macro(hud_find_matio)
  find_package(ZLIB REQUIRED)
  find_path(HUD_MATIO_INCLUDE_DIR matio.h)
  find_library(HUD_MATIO_LIBRARY matio)
  if(NOT HUD_MATIO_INCLUDE_DIR OR NOT HUD_MATIO_LIBRARY)
    message(FATAL_ERROR "matio.h or libmatio was not found. Install it (Debian: libmatio-dev) or set HUD_MATIO_INCLUDE_DIR and HUD_MATIO_LIBRARY.")
  endif()
endmacro()
